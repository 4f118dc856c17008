//! `/v1/deliveries`: what became of events on their way to channels.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::input::{Force, Input, Params};
use super::page::{Page, PageQuery, Span};
use super::problem::Problem;
use crate::access::{Administering, OrgCaller, Reading};
use crate::app::App;
use crate::audit::{Entry, Object};
use crate::clock::rfc3339;
use crate::delivery::CancelError;
use crate::failure::FailureBody;
use crate::store;
use crate::store::deliveries::Replay;
use crate::store::rows::Status;
use crate::store::views::{self, AttemptView, DeliveryView, Filter};

/// The paths of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(replay_one))
        .routes(routes!(cancel))
        .routes(routes!(replay_many))
}

/// Where a delivery goes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChannelName {
    pub(crate) id: String,
    /// Null where the channel was deleted.
    pub(crate) alias: Option<String>,
    /// Null where the channel was deleted.
    pub(crate) r#type: Option<String>,
}

/// Why a delivery is held.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HeldJson {
    /// `channel-paused`, `plan` or `grant`.
    reason: String,
    since: String,
}

/// One event on its way to one channel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryJson {
    id: String,
    /// The event's id.
    event: String,
    title: String,
    /// `info`, `warning` or `critical`.
    severity: String,
    channel: ChannelName,
    /// `queued`, `sending`, `waiting`, `delivered`, `failed`, `held`, `folded` or `cancelled`.
    status: String,
    /// Whether people may have got it before it was, or is, sent again.
    possible_repeat: bool,
    /// Attempts that count: throttled ones do not.
    attempt_count: i64,
    accepted_at: String,
    /// The alert that it is about.
    alert: Option<String>,
    /// Where it waits for the end of quiet hours: when they end.
    quiet_until: Option<String>,
    /// When it is tried next, while queued or waiting.
    due_at: Option<String>,
    ended_at: Option<String>,
    /// The last failure.
    cause: Option<FailureBody>,
    held: Option<HeldJson>,
    /// What the service said: `reference`, `permalink`, `warnings`.
    #[schema(value_type = Option<Object>)]
    receipt: Option<Value>,
    /// The delivery that tells this one.
    folded_into: Option<String>,
}

/// One try.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AttemptJson {
    number: i64,
    started_at: String,
    /// Milliseconds; null where the outcome was lost.
    took_ms: Option<i64>,
    /// `delivered`, `failed` or `lost`.
    outcome: String,
    failure: Option<FailureBody>,
    /// What the component said: `level` and `message` of each line.
    #[schema(value_type = Vec<Object>)]
    log: Value,
}

/// A delivery with its attempts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryDetail {
    #[serde(flatten)]
    delivery: DeliveryJson,
    attempts: Vec<AttemptJson>,
}

/// How many deliveries go out again.
#[derive(Debug, Serialize, ToSchema)]
struct Replayed {
    replayed: usize,
}

/// Which deliveries to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only those with this status.
    status: Option<String>,
    /// Only those of this channel: its alias or id.
    channel: Option<String>,
    /// Only those whose last failure had this code.
    code: Option<String>,
}

/// Which failed deliveries to replay: all that every given member fits. At least one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReplayRequest {
    /// Those of this channel: its alias or id.
    channel: Option<String>,
    /// Those whose last failure had this code.
    code: Option<String>,
    /// Those that failed since: RFC 3339.
    since: Option<String>,
}

/// Lists deliveries, newest first.
#[utoipa::path(get, path = "/v1/deliveries", tag = "deliveries", params(ListQuery, PageQuery),
    responses((status = 200, body = Page<DeliveryJson>), (status = "4XX", body = Problem)))]
async fn list(
    State(app): State<App>,
    Reading(caller): Reading,
    Params(query): Params<ListQuery>,
    span: Span,
) -> Result<axum::Json<Page<DeliveryJson>>, Problem> {
    let ListQuery { status, channel, code } = query;
    let status = status.map(|name| Status::named(&name).ok_or_else(|| unknown_status(&name))).transpose()?;
    let channel = match channel {
        Some(name) => Some(channel_id(&app, &caller.organization, &name).await?),
        None => None,
    };
    let filter = Filter { status, channel, code, before: span.after_place()? };
    let rows = views::deliveries(app.store.readers(), &caller.organization, &filter, span.rows()).await?;
    Ok(axum::Json(span.page(rows, |row| format!("{}.{}", row.seq, row.id), delivery_json)))
}

/// One delivery, with its attempts.
#[utoipa::path(get, path = "/v1/deliveries/{id}", tag = "deliveries",
    responses((status = 200, body = DeliveryDetail), (status = "4XX", body = Problem)))]
async fn show(
    State(app): State<App>,
    Reading(caller): Reading,
    Path(id): Path<String>,
) -> Result<axum::Json<DeliveryDetail>, Problem> {
    let delivery = find(&app, &caller.organization, &id).await?;
    let attempts = views::attempts(app.store.readers(), &id).await?;
    let attempts = attempts.into_iter().map(attempt_json).collect();
    Ok(axum::Json(DeliveryDetail { delivery, attempts }))
}

/// Sends a failed or cancelled delivery again. One of an alert that has moved on since only with `force`.
#[utoipa::path(post, path = "/v1/deliveries/{id}/replay", tag = "deliveries",
    params(Force), responses((status = 202, body = DeliveryJson), (status = "4XX", body = Problem)))]
async fn replay_one(
    State(app): State<App>,
    Administering(caller): Administering,
    Path(id): Path<String>,
    Params(Force { force }): Params<Force>,
) -> Result<(StatusCode, axum::Json<DeliveryJson>), Problem> {
    let before = find(&app, &caller.organization, &id).await?;
    let object = Object::new("delivery", &id, &before.title);
    let entry = entry(&app, &caller, "delivery.replayed", object, None);
    match app.delivery.replay_one(&caller.organization, &id, force, entry).await? {
        store::deliveries::Replayed::Queued(_) => {}
        store::deliveries::Replayed::LeftBehind => return Err(left_behind()),
        store::deliveries::Replayed::Not => return Err(not_replayable(&before)),
    }
    Ok((StatusCode::ACCEPTED, axum::Json(find(&app, &caller.organization, &id).await?)))
}

/// Sends failed deliveries again, but not those that their alert has left behind.
#[utoipa::path(post, path = "/v1/deliveries/replay", tag = "deliveries", request_body = ReplayRequest,
    responses((status = 202, body = Replayed), (status = "4XX", body = Problem)))]
async fn replay_many(
    State(app): State<App>,
    Administering(caller): Administering,
    Input(request): Input<ReplayRequest>,
) -> Result<(StatusCode, axum::Json<Replayed>), Problem> {
    let ReplayRequest { channel, code, since } = request;
    if channel.is_none() && code.is_none() && since.is_none() {
        return Err(Problem::unprocessable(
            "bad-request",
            "expected at least one of `channel`, `code` and `since`; found none: everything is never replayed by accident",
        ));
    }
    let since = match since {
        Some(text) => Some(text.parse::<jiff::Timestamp>().map_err(|_| {
            let found = text.chars().take(60).collect::<String>();
            Problem::unprocessable(
                "bad-request",
                format!("`since`: expected a time such as 2026-11-23T09:00:00Z, found {found:?}"),
            )
        })?),
        None => None,
    };
    let channel = match channel {
        Some(name) => Some(channel_id(&app, &caller.organization, &name).await?),
        None => None,
    };
    let after = serde_json::json!({ "channel": channel, "code": code, "since": since.map(|at| at.to_string()) });
    let object = Object::new("deliveries", "", "");
    let entry = entry(&app, &caller, "deliveries.replayed", object, Some(after));
    let which = Replay { channel, code, since: since.map(jiff::Timestamp::as_millisecond) };
    let replayed = app.delivery.replay(&caller.organization, which, entry).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(Replayed { replayed })))
}

/// Cancels a delivery that has not been sent.
#[utoipa::path(post, path = "/v1/deliveries/{id}/cancel", tag = "deliveries",
    responses((status = 200, body = DeliveryJson), (status = "4XX", body = Problem)))]
async fn cancel(
    State(app): State<App>,
    Administering(caller): Administering,
    Path(id): Path<String>,
) -> Result<axum::Json<DeliveryJson>, Problem> {
    let before = find(&app, &caller.organization, &id).await?;
    let object = Object::new("delivery", &id, &before.title);
    let entry = entry(&app, &caller, "delivery.cancelled", object, None);
    app.delivery.cancel(&caller.organization, &id, entry).await?;
    Ok(axum::Json(find(&app, &caller.organization, &id).await?))
}

async fn find(app: &App, organization: &str, id: &str) -> Result<DeliveryJson, Problem> {
    let row = views::delivery(app.store.readers(), organization, id).await?;
    row.map(delivery_json).ok_or_else(|| Problem::not_found("delivery", id))
}

/// The id of an organization's channel, by alias or id.
async fn channel_id(app: &App, organization: &str, name: &str) -> Result<String, Problem> {
    let live = app.directory.resolve(organization, name).await?;
    // A deleted channel's deliveries are still found by its id.
    Ok(live.map_or_else(|| name.to_owned(), |live| live.id.clone()))
}

/// As the API tells it.
pub(super) fn delivery_json(row: DeliveryView) -> DeliveryJson {
    let is_due = matches!(Status::named(&row.status), Some(Status::Queued | Status::Waiting));
    DeliveryJson {
        held: row.held_reason.zip(row.held_at).map(|(reason, at)| HeldJson { reason, since: rfc3339(at) }),
        id: row.id,
        event: row.event_key,
        title: row.title,
        severity: row.severity,
        channel: ChannelName { id: row.channel_id, alias: row.alias, r#type: row.channel_type },
        alert: row.alert_id,
        quiet_until: row.quiet_until.filter(|_| row.status == "waiting").map(rfc3339),
        status: row.status,
        possible_repeat: row.possible_repeat != 0,
        attempt_count: row.attempts,
        accepted_at: rfc3339(row.accepted_at),
        due_at: is_due.then(|| rfc3339(row.due_at)),
        ended_at: row.ended_at.map(rfc3339),
        cause: json(row.cause),
        receipt: json(row.receipt),
        folded_into: row.folded_into,
    }
}

fn attempt_json(row: AttemptView) -> AttemptJson {
    AttemptJson {
        number: row.number,
        started_at: rfc3339(row.started_at),
        took_ms: row.took_ms,
        outcome: row.outcome,
        failure: json(row.failure),
        log: json(row.log).unwrap_or_else(|| Value::Array(Vec::new())),
    }
}

/// For the audit log.
fn entry(app: &App, caller: &OrgCaller, action: &'static str, object: Object, after: Option<Value>) -> Entry {
    let OrgCaller { organization, caller } = caller;
    Entry {
        chain: organization.clone(),
        at: app.clock.now(),
        actor: caller.actor(),
        source: caller.source.clone(),
        action,
        object,
        before: None,
        after,
    }
}

/// What the database keeps as JSON.
fn json<T: DeserializeOwned>(text: Option<String>) -> Option<T> {
    text.and_then(|text| serde_json::from_str(&text).ok())
}

fn unknown_status(name: &str) -> Problem {
    let known: Vec<&str> = Status::ALL.iter().map(|status| status.name()).collect();
    let name: String = name.chars().take(60).collect();
    Problem::unprocessable("bad-request", format!("`status`: expected one of {}; found {name:?}", known.join(", ")))
}

fn left_behind() -> Problem {
    Problem::conflict(
        "alert-moved-on",
        "The alert of this message has been resolved, or its channel was told of something later: sent now, it would tell \
         what is no longer so. Repeat it with `?force=true` to send it all the same.",
    )
}

fn not_replayable(delivery: &DeliveryJson) -> Problem {
    Problem::conflict(
        "not-replayable",
        format!(
            "only failed and cancelled deliveries whose channel is still there are replayed; this one is {}",
            delivery.status
        ),
    )
}

impl From<CancelError> for Problem {
    fn from(error: CancelError) -> Self {
        let detail = error.to_string();
        match error {
            CancelError::BeingSent => Self::conflict("being-sent", detail),
            CancelError::Ended { .. } => Self::conflict("already-ended", detail),
            CancelError::Store(store) => store.into(),
        }
    }
}
