//! Deliveries of one alert among each other: what folds into what, what opened an incident, what was told since.

use super::rows::{AlertPart, NewDelivery, NewEvent};
use super::{Connection, StoreError};
use crate::clock::Millis;

/// Keeps an alert's new deliveries in order with what waits already: triggers that were never attempted fold into their
/// resolution, and what waits before something critical goes with it. How many were folded.
pub(super) async fn settle_in(
    connection: &mut Connection,
    event: &NewEvent,
    deliveries: &[NewDelivery],
) -> Result<usize, StoreError> {
    let Some(AlertPart { alert_id, incident_id, is_resolution }) = &event.alert else { return Ok(0) };
    let mut folded = 0;
    for delivery in deliveries {
        if *is_resolution {
            folded += fold_triggers(connection, incident_id, delivery, event.accepted_at).await?;
        }
        if delivery.priority == 0 {
            hurry(connection, alert_id, delivery, event.accepted_at).await?;
        }
    }
    Ok(folded)
}

async fn fold_triggers(
    connection: &mut Connection,
    incident: &str,
    resolution: &NewDelivery,
    now: Millis,
) -> Result<usize, StoreError> {
    let done = sqlx::query(
        "UPDATE deliveries SET status = 'folded', folded_into = $1, ended_at = $2, held_reason = NULL, held_at = NULL, \
         quiet_until = NULL WHERE incident_id = $3 AND channel_id = $4 AND id <> $5 AND is_resolution = 0 \
         AND status IN ('queued', 'waiting', 'held') AND attempts = 0 AND unknown_outcomes = 0 AND lost_leases = 0",
    )
    .bind(resolution.folded_into.as_ref().unwrap_or(&resolution.id))
    .bind(now)
    .bind(incident)
    .bind(&resolution.channel_id)
    .bind(&resolution.id)
    .execute(connection)
    .await?;
    Ok(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX))
}

/// What waits before something critical of the same alert may not hold it up.
async fn hurry(
    connection: &mut Connection,
    alert: &str,
    critical: &NewDelivery,
    now: Millis,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE deliveries SET priority = 0, due_at = CASE WHEN quiet_until IS NULL THEN due_at ELSE $1 END, \
         quiet_until = NULL WHERE alert_id = $2 AND channel_id = $3 AND seq < $4 AND status IN ('queued', 'waiting')",
    )
    .bind(now)
    .bind(alert)
    .bind(&critical.channel_id)
    .bind(critical.seq)
    .execute(connection)
    .await?;
    Ok(())
}

/// The receipt of the message that opened an incident in a channel, where one told it alone, to the same target.
pub(super) async fn opened_by(
    connection: &mut Connection,
    incident: &str,
    channel: &str,
    target: &str,
    before: &str,
) -> Result<Option<String>, StoreError> {
    // Told by itself, or by the same event's delivery to another channel with the same target.
    let receipt: Option<Option<String>> = sqlx::query_scalar(
        "SELECT t.receipt FROM deliveries o JOIN deliveries t ON t.id = COALESCE(o.folded_into, o.id) \
         AND t.event_id = o.event_id WHERE o.incident_id = $1 AND o.channel_id = $2 AND o.id <> $3 \
         AND o.is_resolution = 0 AND t.status = 'delivered' AND t.target = $4 ORDER BY o.seq LIMIT 1",
    )
    .bind(incident)
    .bind(channel)
    .bind(before)
    .bind(target)
    .fetch_optional(connection)
    .await?;
    Ok(receipt.flatten())
}

/// Ends what waits for a deleted alert. The organization and channel of each.
pub(crate) async fn cancel_of_alert(
    connection: &mut Connection,
    alert: &str,
    now: Millis,
) -> Result<Vec<String>, StoreError> {
    let channels = sqlx::query_scalar(
        "UPDATE deliveries SET status = 'cancelled', ended_at = $1, held_reason = NULL, held_at = NULL, \
         quiet_until = NULL WHERE alert_id = $2 AND status IN ('queued', 'waiting', 'held') RETURNING channel_id",
    )
    .bind(now)
    .bind(alert)
    .fetch_all(connection)
    .await?;
    Ok(channels)
}

/// What a delivery is to its alert.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Place {
    pub(crate) alert_id: String,
    pub(crate) incident_id: String,
    pub(crate) channel_id: String,
    pub(crate) is_resolution: i64,
}

/// What a delivery, or each that a digest tells, is to its alert.
pub(crate) async fn places(connection: &mut Connection, delivery: &str) -> Result<Vec<Place>, StoreError> {
    let places = sqlx::query_as(
        "SELECT m.alert_id, m.incident_id, m.channel_id, m.is_resolution FROM deliveries m \
         JOIN deliveries t ON t.id = $1 WHERE (m.id = $1 OR (t.packing = 'digest' AND m.folded_into = $1)) \
         AND m.alert_id IS NOT NULL",
    )
    .bind(delivery)
    .fetch_all(connection)
    .await?;
    Ok(places)
}

/// Whether nothing but cancelled deliveries is left of an incident's triggers in a channel.
pub(crate) async fn is_untold(connection: &mut Connection, place: &Place) -> Result<bool, StoreError> {
    let told: Option<i64> = sqlx::query_scalar(
        "SELECT 1 FROM deliveries WHERE incident_id = $1 AND channel_id = $2 AND is_resolution = 0 \
         AND status <> 'cancelled' LIMIT 1",
    )
    .bind(&place.incident_id)
    .bind(&place.channel_id)
    .fetch_optional(connection)
    .await?;
    Ok(told.is_none())
}
