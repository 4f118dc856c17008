//! The HTTP API: `/v1`, what it describes of itself at `/openapi.json`, and health; and the pages of `/oauth`, which people
//! see who connect a workspace.

mod alerts;
mod audit;
mod channel_types;
mod channels;
mod connections;
mod deliveries;
mod events;
mod health;
mod inbound;
pub(crate) mod input;
mod members;
mod oauth;
mod optional;
mod organization;
pub(crate) mod organizations;
pub(crate) mod page;
mod plugins;
pub(crate) mod problem;
mod run;
mod tokens;
mod version;

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use problem::Problem;

/// All paths, each with its description.
fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Description::openapi())
        .merge(health::routes())
        .merge(organizations::routes())
        .merge(organization::routes())
        .merge(tokens::routes())
        .merge(members::routes())
        .merge(audit::routes())
        .merge(events::routes())
        .merge(alerts::routes())
        .merge(deliveries::routes())
        .merge(channels::routes())
        .merge(channel_types::routes())
        .merge(connections::routes())
        .merge(inbound::routes())
        .merge(plugins::routes())
}

/// The whole API.
pub(crate) fn router(app: App) -> Router {
    let (router, description) = routes().split_for_parts();
    let description = Bytes::from(serde_json::to_vec(&description).unwrap_or_default());
    let json = [(CONTENT_TYPE, "application/json")];
    router
        .merge(oauth::routes())
        .route("/openapi.json", get(async move || (json, description)))
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_so)
        .layer(DefaultBodyLimit::max(app.config.limits.body_bytes))
        .layer(from_fn_with_state(app.clone(), run::run))
        .with_state(app)
}

async fn nothing_here(uri: Uri) -> Problem {
    Problem::not_found("path", uri.path())
}

async fn not_so(method: Method, uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(100).collect();
    let detail = format!("{path:?} does not take {method}: the header Allow and /openapi.json say what it takes.");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail)
}

/// What stands above the paths.
#[derive(OpenApi)]
#[openapi(
    info(title = "PyQueryHub Notify", description = "Who is told, when, and what became of it."),
    components(schemas(Problem)),
    security(("token" = [])),
    modifiers(&Bearer)
)]
struct Description;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A token of this service: `pqh_…`. Its role says what it may do."))
            .build();
        openapi.components.get_or_insert_default().add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}
