//! `/healthz` and `/readyz`: for who watches the service; no token needed.

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::health::Note;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The paths.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(alive)).routes(routes!(ready)).routes(routes!(metrics))
}

/// The process lives.
#[derive(Serialize, ToSchema)]
struct Alive {
    /// `ok`
    status: &'static str,
}

/// Whether the service can do its work.
#[derive(Serialize, ToSchema)]
struct Readiness {
    /// `ready` or `not-ready`
    status: &'static str,
    /// Why it is not ready.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Note>,
    /// What an operator should look at, although work goes on.
    warnings: Vec<Note>,
}

/// Whether the process lives.
#[utoipa::path(get, path = "/healthz", tag = "health", security(()), responses((status = OK, body = Alive)))]
async fn alive() -> Json<Alive> {
    Json(Alive { status: "ok" })
}

/// Whether the service can do its work: events are accepted, and delivered.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()), responses(
    (status = OK, body = Readiness), (status = SERVICE_UNAVAILABLE, body = Readiness),
))]
async fn ready(State(app): State<App>) -> (StatusCode, Json<Readiness>) {
    let problems = app.health.problems(&app.store).await;
    let warnings = app.health.warnings();
    let (code, status) =
        if problems.is_empty() { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not-ready") };
    (code, Json(Readiness { status, problems, warnings }))
}

/// What Prometheus collects (`OpenMetrics` text).
#[utoipa::path(get, path = "/metrics", tag = "health", security(()), responses(
    (status = OK, body = String, content_type = "application/openmetrics-text"),
))]
async fn metrics(State(app): State<App>) -> ([(HeaderName, &'static str); 1], String) {
    let snapshot = app.delivery.snapshot().await;
    ([(CONTENT_TYPE, OPEN_METRICS)], app.metrics.text(snapshot))
}
