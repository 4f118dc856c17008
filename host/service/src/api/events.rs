//! `/v1/events`: tell something now, and see what became of it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::deliveries::{ChannelName, DeliveryJson, delivery_json};
use super::input::Input;
use super::problem::Problem;
use crate::access::{Administering, OrgCaller, Publishing, Reading};
use crate::app::App;
use crate::channels::ChannelError;
use crate::clock::rfc3339;
use crate::delivery::{Submission, SubmitError, Submitted};
use crate::directory::{LiveChannel, Organization, Plan};
use crate::event::EventSchema;
use crate::store::rows::Origin;
use crate::store::views;

/// Channels of one event, at most.
const MOST_CHANNELS: usize = 100;
/// The header that names an event which has no id.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Characters of an event's id, at most.
const LONGEST_KEY: usize = 200;

/// The paths of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(publish)).routes(routes!(show)).routes(routes!(test))
}

/// Something to tell, and where.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PublishRequest {
    /// Aliases or ids, at most 100.
    channels: Vec<String>,
    #[schema(value_type = EventSchema)]
    event: Box<RawValue>,
}

/// What was accepted.
#[derive(Debug, Serialize, ToSchema)]
struct Accepted {
    /// The event's id: its own, or the one that it was given.
    id: String,
    deliveries: Vec<AcceptedDelivery>,
}

/// A delivery of what was accepted.
#[derive(Debug, Serialize, ToSchema)]
struct AcceptedDelivery {
    id: String,
    channel: ChannelName,
    /// `queued`, `sending`, `held` or `folded`; further where the event was accepted before.
    status: String,
}

/// An event, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
struct EventJson {
    id: String,
    /// `published`, `test` or `notice`.
    origin: String,
    #[schema(value_type = EventSchema)]
    event: Box<RawValue>,
    accepted_at: String,
    deliveries: Vec<DeliveryJson>,
}

/// Tells something now. Answered once it is stored: it arrives from then on, whatever happens to the service.
#[utoipa::path(post, path = "/v1/events", tag = "events", request_body = PublishRequest,
    params(("Idempotency-Key" = Option<String>, Header, description = "The event's id, where it has none of its own")),
    responses((status = 202, body = Accepted), (status = "4XX", body = Problem), (status = "5XX", body = Problem)))]
async fn publish(
    State(app): State<App>,
    Publishing(caller): Publishing,
    headers: HeaderMap,
    Input(request): Input<PublishRequest>,
) -> Result<(StatusCode, axum::Json<Accepted>), Problem> {
    let key = idempotency_key(&headers)?;
    let organization = paying(&app, &caller).await?;
    let channels = channels(&app, &caller.organization, &request.channels).await?;
    let event = request.event.get().to_owned();
    let submission = Submission { organization, channels, event, key, origin: Origin::Published };
    accepted(&app, &caller, submission).await
}

/// Sends a test message to a channel.
#[utoipa::path(post, path = "/v1/channels/{id}/test", tag = "channels",
    responses((status = 202, body = Accepted), (status = "4XX", body = Problem)))]
async fn test(
    State(app): State<App>,
    Administering(caller): Administering,
    Path(id): Path<String>,
) -> Result<(StatusCode, axum::Json<Accepted>), Problem> {
    let organization = paying(&app, &caller).await?;
    let channel = app.directory.resolve(&caller.organization, &id).await?;
    let channel = channel.ok_or_else(|| Problem::not_found("channel", &id))?;
    let title = format!("Test of {}", channel.alias);
    let event = serde_json::json!({ "title": title, "test": {} }).to_string();
    let submission = Submission { organization, channels: vec![channel], event, key: None, origin: Origin::Test };
    accepted(&app, &caller, submission).await
}

/// An event, and what became of it.
#[utoipa::path(get, path = "/v1/events/{id}", tag = "events",
    responses((status = 200, body = EventJson), (status = "4XX", body = Problem)))]
async fn show(
    State(app): State<App>,
    Reading(caller): Reading,
    Path(id): Path<String>,
) -> Result<axum::Json<EventJson>, Problem> {
    let readers = app.store.readers();
    let kept = views::event(readers, &caller.organization, &id).await?;
    let kept = kept.ok_or_else(|| Problem::not_found("event", &id))?;
    let deliveries = views::deliveries_of_event(readers, &caller.organization, &kept.id).await?;
    let event = RawValue::from_string(kept.body).map_err(|_| Problem::internal(&"the kept event is damaged"))?;
    Ok(axum::Json(EventJson {
        id: kept.event_key,
        origin: kept.origin,
        event,
        accepted_at: rfc3339(kept.accepted_at),
        deliveries: deliveries.into_iter().map(delivery_json).collect(),
    }))
}

/// Submits, and tells what there is of it now: the same answer whenever the same is asked.
async fn accepted(
    app: &App,
    caller: &OrgCaller,
    submission: Submission,
) -> Result<(StatusCode, axum::Json<Accepted>), Problem> {
    let Submitted { key, event_id, planned } = app.delivery.submit(submission).await?;
    let deliveries = match planned {
        Some(planned) => planned
            .into_iter()
            .map(|(id, channel, status)| AcceptedDelivery {
                id,
                channel: ChannelName {
                    id: channel.id.clone(),
                    alias: Some(channel.alias.clone()),
                    r#type: Some(channel.channel_type.clone()),
                },
                status: status.name().to_owned(),
            })
            .collect(),
        None => views::deliveries_of_event(app.store.readers(), &caller.organization, &event_id)
            .await?
            .into_iter()
            .map(|row| AcceptedDelivery {
                id: row.id,
                channel: ChannelName { id: row.channel_id, alias: row.alias, r#type: row.channel_type },
                status: row.status,
            })
            .collect(),
    };
    Ok((StatusCode::ACCEPTED, axum::Json(Accepted { id: key, deliveries })))
}

/// The caller's organization, where its plan has notification channels.
async fn paying(app: &App, caller: &OrgCaller) -> Result<Arc<Organization>, Problem> {
    let organization = app.directory.organization(&caller.organization).await?;
    let organization = organization.ok_or_else(|| Problem::not_found("organization", &caller.organization))?;
    if organization.plan == Plan::Free {
        return Err(Problem::from(ChannelError::Restricted));
    }
    Ok(organization)
}

/// The channels of those names, each once.
async fn channels(app: &App, organization: &str, names: &[String]) -> Result<Vec<Arc<LiveChannel>>, Problem> {
    if names.is_empty() || names.len() > MOST_CHANNELS {
        return Err(Problem::unprocessable(
            "too-many-channels",
            format!("`channels`: expected 1 to {MOST_CHANNELS} aliases or ids, found {}", names.len()),
        ));
    }
    let mut channels: Vec<Arc<LiveChannel>> = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let Some(channel) = app.directory.resolve(organization, name).await? else {
            let name: String = name.chars().take(100).collect();
            return Err(Problem::unprocessable(
                "unknown-channel",
                format!(
                    "`channels[{index}]`: no channel has the alias or id {name:?}: nothing was accepted; \
                     `pqh channel list` shows them"
                ),
            )
            .with("channel", name));
        };
        if channels.iter().all(|known| known.id != channel.id) {
            channels.push(channel);
        }
    }
    Ok(channels)
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = value.to_str().ok().map(|text| text.trim().trim_matches('"')).filter(|text| !text.is_empty());
    match key {
        Some(key) if key.len() <= LONGEST_KEY => Ok(Some(key.to_owned())),
        _ => Err(Problem::unprocessable(
            "bad-request",
            format!("Idempotency-Key: expected 1 to {LONGEST_KEY} visible ASCII characters"),
        )),
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        let detail = error.to_string();
        match error {
            SubmitError::Event(event) => event.into(),
            SubmitError::TwoKeys { .. } => Self::unprocessable("bad-request", detail),
            SubmitError::Conflict { .. } => Self::conflict("id-conflict", detail),
            SubmitError::QueueFull { .. } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "queue-full", detail).retry_after(Duration::from_mins(1))
            }
            SubmitError::Stopping => Self::not_accepting(detail),
            SubmitError::Store(store) => store.into(),
        }
    }
}
