//! `/v1/alerts`: makes, tells, changes, mutes and deletes alerts, and takes their checks.

mod problem;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::input::{Id, Input};
use super::optional::Optional;
use super::page::{Page, PageQuery, Span};
use super::problem::Problem;
use super::version::{only_if, tagged};
use crate::access::{Alerting, Publishing, Reading};
use crate::alerts::{
    self, Alert, AlertError, Change, Definition, Finding, Muting, NewAlert, NewCheck, Silence, Verdict,
};
use crate::app::App;
use crate::clock::{Millis, rfc3339};
use crate::directory::LiveChannel;
use crate::store::alerts::AlertRow;
use crate::store::checks::{self, CheckRow};
use crate::store::views;

/// The paths.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, delete))
        .routes(routes!(list_checks, check))
        .routes(routes!(mute))
}

/// An alert to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAlertBody {
    /// What people call it: unique in the organization, in whatever case.
    name: String,
    /// Each as text, "Revenue < 50000", or as an object with `metric`, `comparison` and `threshold`.
    #[schema(value_type = Vec<Object>)]
    rules: Vec<Value>,
    /// Aliases or ids of the channels that it tells.
    channels: Vec<String>,
    /// As in an event: `name` and `url`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    report: Option<Box<RawValue>>,
    /// `info`, `warning` (where nothing is said) or `critical`.
    #[serde(default)]
    severity: Option<String>,
    /// Who should respond, as in an event.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    mentions: Option<Box<RawValue>>,
    /// Further facts, as in an event; `runbook` is a link.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    labels: Option<Box<RawValue>>,
    /// After a notification, how long checks that still hold are silent; 0 where nothing is said.
    #[serde(default)]
    cooldown_seconds: Option<i64>,
    /// How often it is checked, as people say it: "Daily at 6 PM". Kept and shown; who checks keeps to it.
    #[serde(default)]
    frequency: Option<String>,
}

/// What to change of an alert. What is absent stays; null removes what may be left out.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AlertChangeBody {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<Object>>)]
    rules: Option<Vec<Value>>,
    #[serde(default)]
    channels: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Object>)]
    report: Option<Box<RawValue>>,
    #[serde(default)]
    severity: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>)]
    mentions: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Object>)]
    labels: Option<Box<RawValue>>,
    #[serde(default)]
    cooldown_seconds: Option<i64>,
    #[serde(default, deserialize_with = "text_or_null")]
    frequency: Option<String>,
}

/// Null is something else than absent: it stays `null`.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Null is something else than absent: it is an empty text.
fn text_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::<String>::deserialize(deserializer).map(|text| Some(text.unwrap_or_default()))
}

/// Whether to mute: until somebody ends that, unless it says until when.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MuteBody {
    /// False ends it.
    #[serde(default)]
    muted: Option<bool>,
    /// RFC 3339.
    #[serde(default)]
    until: Option<String>,
}

/// The values of a check.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CheckBody {
    /// When it was made: RFC 3339. Now, where it is left out; with it, the same check may be sent twice and counts once.
    #[serde(default)]
    at: Option<String>,
    /// A value for each rule's metric, as text or as a number: "8750", "42,750", "2.5%", "2000ms".
    #[schema(value_type = BTreeMap<String, Object>)]
    values: BTreeMap<String, Box<RawValue>>,
}

/// A channel that an alert tells.
#[derive(Serialize, ToSchema)]
struct AlertChannel {
    id: String,
    alias: String,
    #[serde(rename = "type")]
    channel_type: String,
}

/// An alert.
#[derive(Serialize, ToSchema)]
struct AlertBody {
    id: String,
    name: String,
    /// `pending` (no rule was broken at the last check) or `triggered`.
    state: String,
    /// When it was checked last.
    last_run: Option<String>,
    /// When people were told last that it is triggered.
    last_trigger: Option<String>,
    /// Since when it is triggered.
    triggered_at: Option<String>,
    /// Null; until when; or `true` where nobody said until when.
    #[schema(value_type = Option<Object>)]
    muted: Value,
    cooldown_seconds: i64,
    #[serde(flatten)]
    #[schema(value_type = Object)]
    definition: Definition,
    channels: Vec<AlertChannel>,
    /// Counts its edits: the entity tag.
    version: i64,
    created_at: String,
    updated_at: String,
}

/// An alert, with why people are told or not.
#[derive(Serialize, ToSchema)]
struct AlertDetail {
    #[serde(flatten)]
    alert: AlertBody,
    last_check: Option<CheckJson>,
    /// What keeps people from being told, or that they are: what to look at first stands first.
    why: Vec<Finding>,
}

/// Why nobody was told, or not yet.
#[derive(Serialize, ToSchema)]
struct SilenceJson {
    /// `rules-not-met`, `cooldown`, `muted`, `late`, `no-channels`, `never-told`, `quiet-hours`, `channel-paused`, `plan`
    /// or `grant`.
    code: String,
    message: String,
}

/// A check as it was judged.
#[derive(Serialize, ToSchema)]
struct CheckJson {
    /// Counts the alert's checks.
    number: i64,
    at: String,
    received_at: String,
    /// The alert's state after it.
    state: String,
    /// One for each rule.
    verdicts: Vec<Verdict>,
    /// The id of the event that tells people.
    event: Option<String>,
    /// Null where people are told at once.
    silence: Option<SilenceJson>,
}

/// A check that was kept.
#[derive(Serialize, ToSchema)]
struct CheckedJson {
    alert: String,
    #[serde(flatten)]
    check: CheckJson,
    /// What it led to; empty where the same check was kept before.
    deliveries: Vec<CheckDelivery>,
}

/// A delivery of a check's event.
#[derive(Serialize, ToSchema)]
struct CheckDelivery {
    id: String,
    channel: String,
    status: &'static str,
}

/// The organization's alerts, by creation.
#[utoipa::path(get, path = "/v1/alerts", tag = "alerts", params(PageQuery),
    responses((status = OK, body = Page<AlertBody>)))]
async fn list(State(app): State<App>, Reading(by): Reading, span: Span) -> Result<Json<Page<AlertBody>>, Problem> {
    let after = span.after.clone().unwrap_or_default();
    let readers = app.store.readers();
    let rows = crate::store::alerts::list(readers, &by.organization, &after, span.rows()).await?;
    let mut whole = Vec::with_capacity(rows.len());
    for row in rows {
        // One that is deleted meanwhile is not told.
        match alerts::find(&app, &by.organization, &row.id).await {
            Ok((alert, row)) => whole.push((live(&app, &alert).await?, alert, row)),
            Err(AlertError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let now = app.clock.now();
    Ok(Json(span.page(
        whole,
        |(_, _, row)| row.id.clone(),
        |(channels, alert, row)| body(&alert, &row, &channels, now),
    )))
}

/// Makes an alert.
#[utoipa::path(post, path = "/v1/alerts", tag = "alerts", request_body = NewAlertBody, responses(
    (status = CREATED, body = AlertBody, headers(("ETag" = String), ("Location" = String))),
    (status = CONFLICT, body = Problem, description = "`name-taken`"),
    (status = UNPROCESSABLE_ENTITY, body = Problem, description = "`bad-alert`, `unknown-channel`"),
))]
async fn create(
    State(app): State<App>,
    Alerting(by): Alerting,
    Input(new): Input<NewAlertBody>,
) -> Result<Response, Problem> {
    let NewAlertBody { name, rules, channels, report, severity, mentions, labels, cooldown_seconds, frequency } = new;
    let new = NewAlert { name, rules, channels, report, severity, mentions, labels, cooldown_seconds, frequency };
    let (alert, row) = alerts::create(&app, &by, new).await?;
    let mut response = told(StatusCode::CREATED, &app, &alert, &row).await?;
    if let Ok(place) = HeaderValue::try_from(format!("/v1/alerts/{}", row.id)) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

/// One alert, by its id or name, with why people are told or not.
#[utoipa::path(get, path = "/v1/alerts/{id}", tag = "alerts", params(("id" = String, description = "id or name")),
    responses((status = OK, body = AlertDetail, headers(("ETag" = String))), (status = NOT_FOUND, body = Problem)))]
async fn show(State(app): State<App>, Reading(by): Reading, Id(id): Id) -> Result<Response, Problem> {
    let (alert, row) = alerts::find(&app, &by.organization, &id).await?;
    let channels = live(&app, &alert).await?;
    let readers = app.store.readers();
    let last_check = checks::list(readers, &alert.id, None, 1).await?.pop();
    let mut deliveries = match checks::telling(readers, &alert.id).await? {
        Some(event) => views::deliveries_of_event(readers, &by.organization, &event).await?,
        None => Vec::new(),
    };
    for delivery in &mut deliveries {
        // What another delivery tells is as far as that one.
        if let Some(teller) = delivery.folded_into.clone().filter(|_| delivery.status == "folded")
            && let Some(teller) = views::delivery(readers, &by.organization, &teller).await?
        {
            let alias = delivery.alias.take();
            *delivery = views::DeliveryView { alias, ..teller };
        }
    }
    let now = app.clock.now();
    let known = alerts::Known {
        alert: &alert,
        row: &row,
        last_check: last_check.as_ref(),
        channels: &channels,
        deliveries: &deliveries,
        now,
    };
    let why = alerts::explain(&known);
    let detail = AlertDetail { alert: body(&alert, &row, &channels, now), last_check: last_check.map(check_json), why };
    Ok(tagged((StatusCode::OK, Json(detail)).into_response(), row.version))
}

/// Changes an alert. The next check judges by what it is then.
#[utoipa::path(patch, path = "/v1/alerts/{id}", tag = "alerts", request_body = AlertChangeBody,
    params(("id" = String, description = "id or name"), ("If-Match" = Option<String>, Header)), responses(
    (status = OK, body = AlertBody, headers(("ETag" = String))), (status = NOT_FOUND, body = Problem),
    (status = CONFLICT, body = Problem, description = "`name-taken`, `changed-meanwhile`"),
    (status = PRECONDITION_FAILED, body = Problem, description = "`version-mismatch`"),
    (status = UNPROCESSABLE_ENTITY, body = Problem, description = "`bad-alert`, `unknown-channel`"),
))]
async fn change(
    State(app): State<App>,
    Alerting(by): Alerting,
    Id(id): Id,
    headers: HeaderMap,
    Input(body): Input<AlertChangeBody>,
) -> Result<Response, Problem> {
    let AlertChangeBody { name, rules, channels, report, severity, mentions, labels, cooldown_seconds, frequency } =
        body;
    let only_if = only_if(&headers);
    let change =
        Change { name, rules, channels, report, severity, mentions, labels, cooldown_seconds, frequency, only_if };
    let (alert, row) = alerts::change(&app, &by, &id, change).await?;
    told(StatusCode::OK, &app, &alert, &row).await
}

/// Deletes an alert: what waits is cancelled, and nothing is told.
#[utoipa::path(delete, path = "/v1/alerts/{id}", tag = "alerts", params(("id" = String, description = "id or name")),
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = Problem)))]
async fn delete(State(app): State<App>, Alerting(by): Alerting, Id(id): Id) -> Result<StatusCode, Problem> {
    alerts::delete(&app, &by, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Mutes an alert, or ends that. Its checks are judged all the same.
#[utoipa::path(post, path = "/v1/alerts/{id}/mute", tag = "alerts", request_body = Option<MuteBody>,
    params(("id" = String, description = "id or name")),
    responses((status = OK, body = AlertBody), (status = NOT_FOUND, body = Problem)))]
async fn mute(
    State(app): State<App>,
    Alerting(by): Alerting,
    Id(id): Id,
    Optional(body): Optional<MuteBody>,
) -> Result<Response, Problem> {
    let muting = match (body.muted, body.until) {
        (Some(false), None) => Muting::Off,
        (Some(true) | None, None) => Muting::On,
        (Some(true) | None, Some(until)) => Muting::Until(time("until", &until)?),
        (Some(false), Some(_)) => {
            let detail = "Expected either `muted`: false, or `until`; found both.";
            return Err(Problem::unprocessable("bad-body", detail));
        }
    };
    let (alert, row) = alerts::mute(&app, &by, &id, muting).await?;
    told(StatusCode::OK, &app, &alert, &row).await
}

/// Judges a check of an alert, and tells people where it has to.
#[utoipa::path(post, path = "/v1/alerts/{id}/checks", tag = "alerts", request_body = CheckBody,
    params(("id" = String, description = "id or name")), responses(
    (status = ACCEPTED, body = CheckedJson), (status = NOT_FOUND, body = Problem),
    (status = CONFLICT, body = Problem, description = "`check-conflict`"),
    (status = UNPROCESSABLE_ENTITY, body = Problem, description = "`bad-values`, `check-too-early`: the state is left"),
    (status = TOO_MANY_REQUESTS, body = Problem, description = "`queue-full`"),
))]
async fn check(
    State(app): State<App>,
    Publishing(by): Publishing,
    Id(id): Id,
    Input(body): Input<CheckBody>,
) -> Result<(StatusCode, Json<CheckedJson>), Problem> {
    let at = body.at.as_deref().map(|at| time("at", at)).transpose()?;
    let checked = alerts::check(&app, &by, &id, NewCheck { at, values: body.values }).await?;
    let deliveries = checked.deliveries.into_iter().map(|(delivery, channel)| CheckDelivery {
        id: delivery.id,
        channel,
        status: delivery.status.name(),
    });
    let json = CheckedJson {
        alert: checked.alert.name.clone(),
        check: check_json(checked.row),
        deliveries: deliveries.collect(),
    };
    Ok((StatusCode::ACCEPTED, Json(json)))
}

/// An alert's checks, the latest first, each with its verdicts and, where nobody was told, why.
#[utoipa::path(get, path = "/v1/alerts/{id}/checks", tag = "alerts",
    params(("id" = String, description = "id or name"), PageQuery),
    responses((status = OK, body = Page<CheckJson>), (status = NOT_FOUND, body = Problem)))]
async fn list_checks(
    State(app): State<App>,
    Reading(by): Reading,
    Id(id): Id,
    span: Span,
) -> Result<Json<Page<CheckJson>>, Problem> {
    let (alert, _) = alerts::find(&app, &by.organization, &id).await?;
    let rows = checks::list(app.store.readers(), &alert.id, span.after_place()?, span.rows()).await?;
    Ok(Json(span.page(rows, |row| format!("{}.{}", row.at, row.number), check_json)))
}

/// The channels that an alert tells, as far as they are there.
async fn live(app: &App, alert: &Alert) -> Result<Vec<Arc<LiveChannel>>, Problem> {
    let mut channels = Vec::with_capacity(alert.channels.len());
    for id in &alert.channels {
        channels.extend(app.directory.channel(id).await?);
    }
    Ok(channels)
}

fn body(alert: &Alert, row: &AlertRow, channels: &[Arc<LiveChannel>], now: Millis) -> AlertBody {
    let channels = channels.iter().map(|channel| AlertChannel {
        id: channel.id.clone(),
        alias: channel.alias.clone(),
        channel_type: channel.channel_type.clone(),
    });
    AlertBody {
        id: row.id.clone(),
        name: row.name.clone(),
        state: row.state.clone(),
        last_run: row.last_run.map(rfc3339),
        last_trigger: row.last_trigger.map(rfc3339),
        triggered_at: row.triggered_at.map(rfc3339),
        muted: alerts::muted(row.muted_until, now),
        cooldown_seconds: row.cooldown_ms / 1_000,
        definition: alert.definition.clone(),
        channels: channels.collect(),
        version: row.version,
        created_at: rfc3339(row.created_at),
        updated_at: rfc3339(row.updated_at),
    }
}

fn check_json(row: CheckRow) -> CheckJson {
    let CheckRow { number, at, received_at, verdicts, state, event_id, silence, .. } = row;
    CheckJson {
        number,
        at: rfc3339(at),
        received_at: rfc3339(received_at),
        state,
        verdicts: serde_json::from_str(&verdicts).unwrap_or_default(),
        event: event_id,
        silence: silence.map(|code| SilenceJson {
            message: Silence::coded(&code).map(Silence::message).unwrap_or_default().to_owned(),
            code,
        }),
    }
}

/// An alert with its entity tag.
async fn told(status: StatusCode, app: &App, alert: &Alert, row: &AlertRow) -> Result<Response, Problem> {
    let channels = live(app, alert).await?;
    let body = body(alert, row, &channels, app.clock.now());
    Ok(tagged((status, Json(body)).into_response(), row.version))
}

/// A time of a request.
fn time(field: &'static str, text: &str) -> Result<Millis, Problem> {
    let time: Option<jiff::Timestamp> = text.trim().parse().ok();
    let found: String = text.chars().take(60).collect();
    time.map(jiff::Timestamp::as_millisecond).filter(|at| *at >= 0).ok_or_else(|| {
        let detail = format!(
            "`{field}`: expected a date and time with an offset, 1970 or later, like \"2024-12-15T14:14:00-05:00\"; \
             found {found:?}."
        );
        Problem::unprocessable("bad-value", detail).with("field", field)
    })
}
