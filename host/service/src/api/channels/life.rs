//! `/v1/channels/{id}/check`, `pause`, `resume`, and `/v1/channels/preview`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use pqh_runtime::Outcome;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{ChannelBody, CheckBody, PreviewBody, PreviewedBody, ReasonBody, object};
use super::told;
use crate::access::{Administering, Reading};
use crate::api::input::{Id, Input};
use crate::api::optional::Optional;
use crate::api::problem::Problem;
use crate::app::App;
use crate::channels::{self, Previewing};
use crate::failure::FailureBody;

/// The paths.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(check)).routes(routes!(pause)).routes(routes!(resume)).routes(routes!(preview))
}

/// Asks the other side whether it takes the channel's settings. If so, a pause that the service itself made is over.
#[utoipa::path(post, path = "/v1/channels/{id}/check", tag = "channels",
    params(("id" = String, description = "id or alias")), responses(
    (status = OK, body = CheckBody), (status = NOT_FOUND, body = Problem),
    (status = CONFLICT, body = Problem, description = "`not-granted`"),
    (status = UNPROCESSABLE_ENTITY, body = Problem, description = "`bad-settings`"),
))]
async fn check(
    State(app): State<App>,
    Administering(by): Administering,
    Id(id): Id,
) -> Result<Json<CheckBody>, Problem> {
    let result = channels::check(&app, &by, &id).await?;
    let failure = result.as_ref().err().map(FailureBody::from);
    Ok(Json(CheckBody { outcome: if result.is_ok() { "passed" } else { "failed" }, failure }))
}

/// Pauses a channel by hand: only a person ends that. What is sent to it waits.
#[utoipa::path(post, path = "/v1/channels/{id}/pause", tag = "channels", request_body = Option<ReasonBody>,
    params(("id" = String, description = "id or alias")),
    responses((status = OK, body = ChannelBody), (status = NOT_FOUND, body = Problem)))]
async fn pause(
    State(app): State<App>,
    Administering(by): Administering,
    Id(id): Id,
    Optional(body): Optional<ReasonBody>,
) -> Result<Response, Problem> {
    let live = channels::pause(&app, &by, &id, body.reason.as_deref()).await?;
    told(&app, StatusCode::OK, &live).await
}

/// Ends a pause, whoever made it. What waited goes out.
#[utoipa::path(post, path = "/v1/channels/{id}/resume", tag = "channels",
    params(("id" = String, description = "id or alias")),
    responses((status = OK, body = ChannelBody), (status = NOT_FOUND, body = Problem)))]
async fn resume(State(app): State<App>, Administering(by): Administering, Id(id): Id) -> Result<Response, Problem> {
    let live = channels::resume(&app, &by, &id).await?;
    told(&app, StatusCode::OK, &live).await
}

/// Shows what a delivery would send. Nothing is sent, and no secret is read.
#[utoipa::path(post, path = "/v1/channels/preview", tag = "channels", request_body = PreviewBody, responses(
    (status = OK, body = PreviewedBody), (status = NOT_FOUND, body = Problem),
    (status = UNPROCESSABLE_ENTITY, body = Problem, description = "`bad-event`, `bad-settings`, `unknown-type`"),
))]
async fn preview(
    State(app): State<App>,
    Reading(by): Reading,
    Input(body): Input<PreviewBody>,
) -> Result<Json<PreviewedBody>, Problem> {
    let PreviewBody { channel, channel_type, settings, event } = body;
    let with = match (channel, channel_type) {
        (Some(channel), None) if settings.is_none() => Previewing::Channel(channel),
        (None, Some(channel_type)) => Previewing::Settings { channel_type, settings: object(settings)? },
        _ => {
            let detail = "Expected either `channel` (and no settings), or `type` with `settings`.";
            return Err(Problem::unprocessable("bad-body", detail));
        }
    };
    let preview = channels::preview(&app, &by.organization, with, event.get()).await?;
    // With nothing at all to send, why that is so is all that there is to say.
    let nothing = preview.requests.is_empty() && preview.mails.is_empty();
    let failure = match &preview.outcome {
        Outcome::Failed(failure) if nothing => Some(FailureBody::from(failure)),
        _ => None,
    };
    Ok(Json(PreviewedBody { requests: preview.requests, mails: preview.mails, failure }))
}
