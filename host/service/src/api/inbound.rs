//! `POST /v1/inbound/{type}`: what services send to us. No token is asked for: the message proves itself.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts as _, Query, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use pqh_runtime::contract::receiving::inbound::Request;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::input::{Id, body};
use super::problem::Problem;
use crate::app::App;
use crate::connections::door::{self, admit};
use crate::connections::inbound::{self, InboundError};

/// The path.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(receive))
}

/// Takes a message of a channel type's service. It is answered at once, and acted on afterwards.
#[utoipa::path(post, path = "/v1/inbound/{type}", tag = "connections", security(()),
    params(("type" = String, description = "channel type")), request_body = String, responses(
    (status = OK, description = "what the service expects"),
    (status = UNAUTHORIZED, body = Problem, description = "`unproven`: the signature does not fit"),
    (status = NOT_FOUND, body = Problem),
    (status = SERVICE_UNAVAILABLE, body = Problem, description = "`busy`, `not-configured`: send it again"),
))]
async fn receive(State(app): State<App>, request: axum::extract::Request) -> Result<Response, Problem> {
    let (mut parts, content) = request.into_parts();
    let Id(channel_type) = Id::from_request_parts(&mut parts, &app).await?;
    let query = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map(|Query(query)| query).unwrap_or_default();
    let header =
        |(name, value): (&HeaderName, &HeaderValue)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()));
    let headers = parts.headers.iter().filter_map(header).collect();
    // Without the address that the operator gave us nothing is taken here.
    let public = app.config.public_url.as_ref().map(url::Url::as_str).unwrap_or_default();
    let called = parts.uri.path_and_query().map(PathAndQuery::as_str).unwrap_or_default();
    let (method, url) = (parts.method.to_string(), format!("{}{called}", public.trim_end_matches('/')));
    let mut request = Request { method, url, headers, query, body: Vec::new() };
    let refused = |error: InboundError| {
        door::refused(&app, &error);
        Problem::from(error)
    };
    let admitted = admit(&app, &channel_type, &request).await.map_err(refused)?;
    let reading = body(axum::extract::Request::from_parts(parts, content), &app);
    let content: Bytes = admitted.waits.in_time(reading).await.map_err(refused)??;
    request.body = content.into();
    let answer = inbound::receive(&app, admitted, request).await.map_err(refused)?;
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = status;
    // The runtime left those that are headers, and not our own.
    let pair = |(name, value)| Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?));
    for (name, value) in answer.headers.into_iter().filter_map(pair) {
        response.headers_mut().append(name, value);
    }
    Ok(response)
}

impl From<InboundError> for Problem {
    fn from(error: InboundError) -> Self {
        let words = error.to_string();
        match error {
            InboundError::NotFound(channel_type) => Self::not_found("service", &channel_type),
            InboundError::NotConfigured(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, "not-configured", words),
            InboundError::Unproven(_) => Self::new(StatusCode::UNAUTHORIZED, "unproven", words),
            InboundError::Unread(_) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "unread", words),
            InboundError::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", words),
            InboundError::Store(error) => error.into(),
            InboundError::Key(error) => error.into(),
            InboundError::Vault(error) => error.into(),
        }
    }
}
