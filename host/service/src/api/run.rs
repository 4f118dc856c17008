//! Runs each request: apart from its connection, in limited time, and with a problem where it panics.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::problem::Problem;
use crate::app::App;

/// What a request may take beyond a call of a component.
const MARGIN: Duration = Duration::from_secs(15);

/// A client that goes away must not stop a change half-way between its commit and what follows from it: each request is a
/// task of its own, which only the service's end cuts off.
pub(super) async fn run(State(app): State<App>, request: Request, next: Next) -> Response {
    let longest = app.config.limits.deadline.saturating_add(MARGIN);
    let task = app.running.spawn(next.run(request));
    match tokio::time::timeout(longest, task).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => Problem::internal(&error).into_response(),
        Err(_) => {
            let detail = format!(
                "The request took more than {} seconds. Whether it was done is not known: look before you ask again.",
                longest.as_secs()
            );
            Problem::new(StatusCode::GATEWAY_TIMEOUT, "timed-out", detail).into_response()
        }
    }
}
