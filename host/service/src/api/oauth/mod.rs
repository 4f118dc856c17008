//! `/oauth/{type}/…`: what a person sees in the browser who connects a workspace.

mod cookie;
mod page;

use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Form, Router};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::access::client_address;
use crate::app::App;
use crate::connections::error::Obstacle;
use crate::connections::flow::{self, Returned};
use page::Page;

/// The pages.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/oauth/{type}/start/{link}", get(start).post(follow))
        .route("/oauth/{type}/callback", get(callback))
        .route("/oauth/{type}/confirm", get(confirmed).post(confirm))
}

/// The client's address, for the audit log.
struct Source(String);

impl FromRequestParts<App> for Source {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        Ok(Self(client_address(parts, &app.config.trusted_proxies).to_string()))
    }
}

/// A person's browser goes on at once. Whoever else fetches the link, such as a chat that shows what it leads to, a mail
/// scanner, or a browser ahead of time, gets a page with a button, and the link is as good as before.
async fn start(state: State<App>, path: Path<(String, String)>, headers: HeaderMap) -> Response {
    if is_navigation(&headers) {
        return follow(state, path).await;
    }
    let (State(app), Path((channel_type, link))) = (state, path);
    match flow::look(&app, &channel_type, &link).await {
        Ok(invitation) => show(&Page::invitation(&invitation)),
        Err(obstacle) => show(&Page::obstacle(&app, &channel_type, &obstacle)),
    }
}

async fn follow(State(app): State<App>, Path((channel_type, link)): Path<(String, String)>) -> Response {
    match flow::follow(&app, &channel_type, &link).await {
        Ok(followed) => {
            let mut response = StatusCode::SEE_OTHER.into_response();
            let headers = response.headers_mut();
            for (name, text) in [(SET_COOKIE, cookie::set(&followed)), (LOCATION, followed.location.into())] {
                if let Ok(mut value) = HeaderValue::from_str(&text) {
                    value.set_sensitive(true);
                    headers.insert(name, value);
                }
            }
            protect(response, "'self'")
        }
        Err(obstacle) => show(&Page::obstacle(&app, &channel_type, &obstacle)),
    }
}

/// Whether a browser opens a page for a person, now (Fetch Metadata; all browsers say so since 2023).
fn is_navigation(headers: &HeaderMap) -> bool {
    let is = |name: &str, text: &str| headers.get(name).is_some_and(|value| value == text);
    is("sec-fetch-mode", "navigate") && is("sec-fetch-dest", "document") && !headers.contains_key("sec-purpose")
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
    let (returned, cookies) = (Returned { state, code, error }, |id: &str| cookie::of(&headers, id));
    match flow::come_back(&app, &channel_type, returned, &cookies).await {
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

/// Somebody comes back to the address of the last page.
async fn confirmed(State(app): State<App>, Path(channel_type): Path<String>) -> Response {
    show(&Page::obstacle(&app, &channel_type, &Obstacle::Replayed))
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
    let (connect, cookies) = (answer == "connect", |id: &str| cookie::of(&headers, id));
    match flow::decide(&app, &channel_type, decision.expose_secret(), &cookies, &source, connect).await {
        Ok(decided) => show(&Page::decided(&decided)),
        Err(obstacle) => show(&Page::obstacle(&app, &channel_type, &obstacle)),
    }
}

fn show(page: &Page) -> Response {
    protect((page.status, page.html()).into_response(), if page.leads_away { "'self' https:" } else { "'self'" })
}

/// What nobody keeps, frames, guesses the type of, or learns the address of. Nothing is loaded, nothing runs, and its form
/// goes where `form_action` lets it. Browsers hold that against each address that a form is sent on to, too: where the
/// service sends people, such as to a workspace's own host or to whoever signs them in, nobody here knows.
fn protect(mut response: Response, form_action: &str) -> Response {
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; form-action {form_action}; frame-ancestors 'none'; base-uri 'none'"
    );
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // It is ASCII; were it not, nothing at all would be allowed.
    let nothing = || HeaderValue::from_static("default-src 'none'; form-action 'none'");
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_str(&policy).unwrap_or_else(|_| nothing()));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
