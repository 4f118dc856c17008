//! `/oauth/{type}/…`: what a person sees in the browser who connects a workspace.

mod page;

use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, LOCATION, REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::access::client_address;
use crate::app::App;
use crate::connections::error::Obstacle;
use crate::connections::flow::{self, Returned};
use page::Page;

/// Ties what comes back to the browser in which it began. The prefix has browsers refuse it from anywhere else
/// (RFC 6265bis, 4.1.3.2).
const COOKIE_NAME: &str = "__Host-pqh-connect";
/// Nothing is loaded, nothing runs, nobody frames it; the one form goes back here.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri \
                      'none'";

/// The pages.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/oauth/{type}/start/{link}", get(start))
        .route("/oauth/{type}/callback", get(callback))
        .route("/oauth/{type}/confirm", post(confirm))
}

/// The client's address, for the audit log.
struct Source(String);

impl FromRequestParts<App> for Source {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        Ok(Self(client_address(parts, &app.config.trusted_proxies).to_string()))
    }
}

async fn start(State(app): State<App>, Path((channel_type, link)): Path<(String, String)>) -> Response {
    match flow::follow(&app, &channel_type, &link).await {
        Ok(followed) => {
            let cookie = format!(
                "{COOKIE_NAME}={}; Path=/; Max-Age={}; Secure; HttpOnly; SameSite=Lax",
                followed.cookie.expose_secret(),
                followed.seconds
            );
            let mut response = StatusCode::SEE_OTHER.into_response();
            let headers = response.headers_mut();
            for (name, text) in [(SET_COOKIE, cookie.as_str()), (LOCATION, followed.location.as_str())] {
                if let Ok(mut value) = HeaderValue::from_str(text) {
                    value.set_sensitive(true);
                    headers.insert(name, value);
                }
            }
            protect(response)
        }
        Err(obstacle) => show(&Page::obstacle(&app, &channel_type, &obstacle)),
    }
}

/// What the service sends back with the person.
#[derive(Default, Deserialize)]
struct Arrival {
    state: Option<SecretString>,
    code: Option<SecretString>,
    error: Option<String>,
}

async fn callback(
    State(app): State<App>,
    Path(channel_type): Path<String>,
    query: Result<Query<Arrival>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let Query(Arrival { state, code, error }) = query.unwrap_or_default();
    let cookie = cookie(&headers);
    let returned = Returned { state, code, error };
    match flow::come_back(&app, &channel_type, returned, cookie.as_ref().map(ExposeSecret::expose_secret)).await {
        Ok(question) => show(&Page::question(&channel_type, &question)),
        Err(obstacle) => show(&Page::obstacle(&app, &channel_type, &obstacle)),
    }
}

/// What the person answers.
#[derive(Deserialize)]
struct Answer {
    decision: SecretString,
    answer: String,
}

async fn confirm(
    State(app): State<App>,
    Path(channel_type): Path<String>,
    Source(source): Source,
    headers: HeaderMap,
    answer: Result<Form<Answer>, axum::extract::rejection::FormRejection>,
) -> Response {
    let Ok(Form(Answer { decision, answer })) = answer else {
        return show(&Page::obstacle(&app, &channel_type, &Obstacle::Forged));
    };
    let (cookie, connect) = (cookie(&headers), answer == "connect");
    let cookie = cookie.as_ref().map(ExposeSecret::expose_secret);
    match flow::decide(&app, &channel_type, decision.expose_secret(), cookie, &source, connect).await {
        Ok(decided) => show(&Page::decided(&decided)),
        Err(obstacle) => show(&Page::obstacle(&app, &channel_type, &obstacle)),
    }
}

/// Our cookie among those that came.
fn cookie(headers: &HeaderMap) -> Option<SecretString> {
    let values = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE_NAME).map(|(_, value)| value.to_owned().into())
}

fn show(page: &Page) -> Response {
    protect((page.status, page.html()).into_response())
}

/// What nobody keeps, frames, guesses the type of, or learns the address of.
fn protect(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
