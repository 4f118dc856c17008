//! Events and deliveries as people look at them.

use sqlx::{QueryBuilder, Sqlite, SqliteExecutor};

use super::StoreError;
use super::rows::{KeptEvent, Status};
use crate::clock::Millis;

/// A delivery with what is told of its event and its channel.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct DeliveryView {
    pub(crate) id: String,
    pub(crate) seq: i64,
    pub(crate) event_key: String,
    pub(crate) title: String,
    pub(crate) severity: String,
    pub(crate) accepted_at: Millis,
    pub(crate) channel_id: String,
    /// None where the channel was deleted.
    pub(crate) alias: Option<String>,
    pub(crate) channel_type: Option<String>,
    pub(crate) status: String,
    pub(crate) due_at: Millis,
    pub(crate) attempts: i64,
    pub(crate) possible_repeat: i64,
    pub(crate) cause: Option<String>,
    pub(crate) receipt: Option<String>,
    pub(crate) held_reason: Option<String>,
    pub(crate) held_at: Option<Millis>,
    pub(crate) folded_into: Option<String>,
    pub(crate) quiet_until: Option<Millis>,
    pub(crate) alert_id: Option<String>,
    pub(crate) ended_at: Option<Millis>,
}

/// An attempt.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct AttemptView {
    pub(crate) number: i64,
    pub(crate) started_at: Millis,
    pub(crate) took_ms: Option<i64>,
    pub(crate) outcome: String,
    pub(crate) failure: Option<String>,
    pub(crate) log: Option<String>,
}

/// Which deliveries to list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) status: Option<Status>,
    pub(crate) channel: Option<String>,
    pub(crate) code: Option<String>,
    /// Those accepted before this number, and of the same number those with a smaller id.
    pub(crate) before: Option<(i64, String)>,
}

const VIEW: &str = "SELECT d.id, d.seq, e.event_key, e.title, e.severity, e.accepted_at, d.channel_id, c.alias, \
                    c.type AS channel_type, d.status, d.due_at, d.attempts, d.possible_repeat, d.cause, d.receipt, \
                    d.held_reason, d.held_at, d.folded_into, d.quiet_until, d.alert_id, d.ended_at FROM deliveries d \
                    JOIN events e ON e.id = d.event_id LEFT JOIN channels c ON c.id = d.channel_id \
                    WHERE d.organization_id = ";

/// An organization's deliveries, newest first.
pub(crate) async fn deliveries(
    executor: impl SqliteExecutor<'_>,
    organization: &str,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<DeliveryView>, StoreError> {
    let Filter { status, channel, code, before } = filter;
    let mut query = QueryBuilder::<Sqlite>::new(VIEW);
    query.push_bind(organization);
    if let Some(status) = status {
        query.push(" AND d.status = ").push_bind(status.name());
    }
    if let Some(channel) = channel {
        query.push(" AND d.channel_id = ").push_bind(channel);
    }
    if let Some(code) = code {
        query.push(" AND d.cause_code = ").push_bind(code);
    }
    if let Some((seq, id)) = before {
        // A digest stands where the first of what it tells stood.
        query.push(" AND (d.seq, d.id) < (").push_bind(seq).push(", ").push_bind(id).push(")");
    }
    query.push(" ORDER BY d.seq DESC, d.id DESC LIMIT ").push_bind(limit);
    Ok(query.build_query_as().fetch_all(executor).await?)
}

/// One of an organization's deliveries.
pub(crate) async fn delivery(
    executor: impl SqliteExecutor<'_>,
    organization: &str,
    id: &str,
) -> Result<Option<DeliveryView>, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(VIEW);
    query.push_bind(organization).push(" AND d.id = ").push_bind(id);
    Ok(query.build_query_as().fetch_optional(executor).await?)
}

/// The deliveries of one event, in the order of acceptance.
pub(crate) async fn deliveries_of_event(
    executor: impl SqliteExecutor<'_>,
    organization: &str,
    event_id: &str,
) -> Result<Vec<DeliveryView>, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(VIEW);
    // Sorted by an expression, so that the few of an event are found by it and not along all of the organization's.
    query.push_bind(organization).push(" AND d.event_id = ").push_bind(event_id).push(" ORDER BY d.seq + 0");
    Ok(query.build_query_as().fetch_all(executor).await?)
}

/// A delivery's attempts, oldest first.
pub(crate) async fn attempts(
    executor: impl SqliteExecutor<'_>,
    delivery: &str,
) -> Result<Vec<AttemptView>, StoreError> {
    let attempts = sqlx::query_as(
        "SELECT number, started_at, took_ms, outcome, failure, log FROM attempts WHERE delivery_id = $1 ORDER BY number",
    )
    .bind(delivery)
    .fetch_all(executor)
    .await?;
    Ok(attempts)
}

/// What was accepted under a key: our id of it, and its fingerprint.
pub(crate) async fn accepted(
    executor: impl SqliteExecutor<'_>,
    organization: &str,
    key: &str,
) -> Result<Option<(String, String)>, StoreError> {
    let accepted = sqlx::query_as("SELECT id, fingerprint FROM events WHERE organization_id = $1 AND event_key = $2")
        .bind(organization)
        .bind(key)
        .fetch_optional(executor)
        .await?;
    Ok(accepted)
}

/// An event by the id that its publisher knows.
pub(crate) async fn event(
    executor: impl SqliteExecutor<'_>,
    organization: &str,
    key: &str,
) -> Result<Option<KeptEvent>, StoreError> {
    let event = sqlx::query_as(
        "SELECT id, organization_id, event_key, origin, body, accepted_at, alert_id, incident_id FROM events \
         WHERE organization_id = $1 AND event_key = $2",
    )
    .bind(organization)
    .bind(key)
    .fetch_optional(executor)
    .await?;
    Ok(event)
}

/// When the last message was delivered to a channel.
pub(crate) async fn last_delivered(
    executor: impl SqliteExecutor<'_>,
    channel: &str,
) -> Result<Option<Millis>, StoreError> {
    let at = sqlx::query_scalar(
        "SELECT ended_at FROM deliveries WHERE channel_id = $1 AND status = 'delivered' ORDER BY seq DESC LIMIT 1",
    )
    .bind(channel)
    .fetch_optional(executor)
    .await?;
    Ok(at.flatten())
}
