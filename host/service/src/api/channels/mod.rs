//! `/v1/channels`: makes, tells, changes and deletes channels.

mod body;
mod life;
mod problem;

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::input::{Force, Id, Input, Params};
use super::page::{Page, PageQuery, Span};
use super::problem::Problem;
use super::version::{only_if, tagged};
use crate::access::{Administering, Reading};
use crate::app::App;
use crate::channels::{self, Change, NewChannel};
use crate::directory::LiveChannel;
use crate::store::{self, connection_targets};
use body::{ChangeBody, ChannelBody, NewChannelBody};

/// The paths.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show, change, delete)).merge(life::routes())
}

/// The organization's channels, by creation.
#[utoipa::path(get, path = "/v1/channels", tag = "channels", params(PageQuery),
    responses((status = OK, body = Page<ChannelBody>)))]
async fn list(State(app): State<App>, Reading(by): Reading, span: Span) -> Result<Json<Page<ChannelBody>>, Problem> {
    let after = span.after.clone().unwrap_or_default();
    let ids = store::channels::ids(app.store.readers(), &by.organization, &after, span.rows()).await?;
    let mut channels = Vec::with_capacity(ids.len());
    for id in ids {
        // One that was deleted meanwhile is not told.
        if let Some(live) = app.directory.channel(&id).await? {
            channels.push((id, described(&app, &live).await?));
        }
    }
    let page = span.page(channels, |(id, _)| id.clone(), |(_, body)| body);
    Ok(Json(page))
}

/// Makes a channel. Its settings are tried out before anything is kept.
#[utoipa::path(post, path = "/v1/channels", tag = "channels", request_body = NewChannelBody, responses(
    (status = CREATED, body = ChannelBody, headers(("ETag" = String), ("Location" = String))),
    (status = FORBIDDEN, body = Problem, description = "`channel-access-restricted`: no paid plan"),
    (status = CONFLICT, body = Problem, description = "`alias-taken`, `not-granted`"),
    (status = UNPROCESSABLE_ENTITY, body = Problem, description = "`bad-settings`, `check-failed`, `unknown-type`"),
))]
async fn create(
    State(app): State<App>,
    Administering(by): Administering,
    Input(body): Input<NewChannelBody>,
) -> Result<Response, Problem> {
    let NewChannelBody { alias, channel_type, connection, settings, quiet_hours } = body;
    let new = NewChannel { alias, channel_type, connection, settings: body::object(settings)?, quiet_hours };
    let live = channels::create(&app, &by, new).await?;
    let mut response = told(&app, StatusCode::CREATED, &live).await?;
    if let Ok(place) = HeaderValue::try_from(format!("/v1/channels/{}", live.id)) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

/// One channel, by its id or alias.
#[utoipa::path(get, path = "/v1/channels/{id}", tag = "channels", params(("id" = String, description = "id or alias")),
    responses((status = OK, body = ChannelBody, headers(("ETag" = String))), (status = NOT_FOUND, body = Problem)))]
async fn show(State(app): State<App>, Reading(by): Reading, Id(id): Id) -> Result<Response, Problem> {
    let live = channels::find(&app, &by.organization, &id).await?;
    told(&app, StatusCode::OK, &live).await
}

/// Changes a channel. Changed settings are tried out before anything is kept.
#[utoipa::path(patch, path = "/v1/channels/{id}", tag = "channels", request_body = ChangeBody,
    params(("id" = String, description = "id or alias"), ("If-Match" = Option<String>, Header)), responses(
    (status = OK, body = ChannelBody, headers(("ETag" = String))),
    (status = NOT_FOUND, body = Problem),
    (status = CONFLICT, body = Problem, description = "`alias-taken`, `not-granted`, `changed-meanwhile`"),
    (status = PRECONDITION_FAILED, body = Problem, description = "`version-mismatch`"),
    (status = UNPROCESSABLE_ENTITY, body = Problem, description = "`bad-settings`, `check-failed`"),
))]
async fn change(
    State(app): State<App>,
    Administering(by): Administering,
    Id(id): Id,
    headers: HeaderMap,
    Input(body): Input<ChangeBody>,
) -> Result<Response, Problem> {
    let settings = body.settings.map(|settings| body::object(Some(settings))).transpose()?;
    let change = Change { alias: body.alias, settings, quiet_hours: body.quiet_hours, only_if: only_if(&headers) };
    let live = channels::change(&app, &by, &id, change).await?;
    told(&app, StatusCode::OK, &live).await
}

/// Deletes a channel; what waits for it is cancelled.
#[utoipa::path(delete, path = "/v1/channels/{id}", tag = "channels",
    params(("id" = String, description = "id or alias"), Force, ("If-Match" = Option<String>, Header)), responses(
    (status = NO_CONTENT), (status = NOT_FOUND, body = Problem),
    (status = CONFLICT, body = Problem, description = "`channel-in-use`, with the alerts that use it"),
    (status = PRECONDITION_FAILED, body = Problem, description = "`version-mismatch`"),
))]
async fn delete(
    State(app): State<App>,
    Administering(by): Administering,
    Id(id): Id,
    Params(Force { force }): Params<Force>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    channels::delete(&app, &by, &id, force, only_if(&headers).as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A channel with its entity tag.
async fn told(app: &App, status: StatusCode, live: &LiveChannel) -> Result<Response, Problem> {
    Ok(tagged((status, Json(described(app, live).await?)).into_response(), live.version))
}

/// A channel, with its target's name where it is known.
async fn described(app: &App, live: &LiveChannel) -> Result<ChannelBody, Problem> {
    let target = match (&live.connection, channels::target_of(app, live)) {
        (Some(connection), Some(target)) => {
            connection_targets::find(app.store.readers(), &connection.row.id, &target).await?
        }
        _ => None,
    };
    Ok(ChannelBody::new(live, target))
}
