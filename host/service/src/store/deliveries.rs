//! What people and the service do to deliveries that are not being sent: hold, release, cancel, replay.

use super::{Connection, StoreError};
use crate::clock::Millis;

/// What waits for a channel is held.
pub(crate) async fn hold(
    connection: &mut Connection,
    channel: &str,
    reason: &str,
    now: Millis,
) -> Result<u64, StoreError> {
    // What is held already stays held since then; only why may be another.
    sqlx::query(
        "UPDATE deliveries SET held_reason = $1 WHERE channel_id = $2 AND status = 'held' AND held_reason <> $1",
    )
    .bind(reason)
    .bind(channel)
    .execute(&mut *connection)
    .await?;
    let done = sqlx::query(
        "UPDATE deliveries SET status = 'held', held_reason = $1, held_at = $2 \
         WHERE channel_id = $3 AND status IN ('queued', 'waiting')",
    )
    .bind(reason)
    .bind(now)
    .bind(channel)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// What is held for a channel goes on; the time that it was held does not count as time of retries.
pub(crate) async fn release(connection: &mut Connection, channel: &str, now: Millis) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE deliveries SET status = 'queued', due_at = $1, retry_since = retry_since + ($1 - held_at), \
         held_reason = NULL, held_at = NULL WHERE channel_id = $2 AND status = 'held'",
    )
    .bind(now)
    .bind(channel)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// What waits for a channel goes where the channel leads now.
pub(crate) async fn retarget(connection: &mut Connection, channel: &str, target: &str) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE deliveries SET target = $1 WHERE channel_id = $2 AND status IN ('queued', 'waiting', 'held') AND target <> $1",
    )
    .bind(target)
    .bind(channel)
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends what waits for a channel that is there no more. How many, of which organization.
pub(crate) async fn cancel_of_channel(
    connection: &mut Connection,
    channel: &str,
    now: Millis,
) -> Result<Vec<String>, StoreError> {
    let organizations = sqlx::query_scalar(
        "UPDATE deliveries SET status = 'cancelled', ended_at = $1, held_reason = NULL, held_at = NULL \
         WHERE channel_id = $2 AND status IN ('queued', 'waiting', 'held') RETURNING organization_id",
    )
    .bind(now)
    .bind(channel)
    .fetch_all(connection)
    .await?;
    Ok(organizations)
}

/// Cancels one that waits. Whether it did.
pub(crate) async fn cancel(connection: &mut Connection, id: &str, now: Millis) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE deliveries SET status = 'cancelled', ended_at = $1, held_reason = NULL, held_at = NULL \
         WHERE id = $2 AND status IN ('queued', 'waiting', 'held')",
    )
    .bind(now)
    .bind(id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Which deliveries to replay.
#[derive(Clone, Debug, Default)]
pub(crate) struct Replay {
    /// One alone: a failed or cancelled one.
    pub(crate) id: Option<String>,
    /// Failed ones of this channel.
    pub(crate) channel: Option<String>,
    /// Failed ones with this code.
    pub(crate) code: Option<String>,
    /// Failed ones that ended since.
    pub(crate) since: Option<Millis>,
}

/// Queues deliveries anew, in their old order. The channels that have some.
pub(crate) async fn replay(
    connection: &mut Connection,
    organization: &str,
    which: &Replay,
    most: i64,
    now: Millis,
) -> Result<Vec<String>, StoreError> {
    let Replay { id, channel, code, since } = which;
    let channels = sqlx::query_scalar(
        "UPDATE deliveries SET status = 'queued', due_at = $1, attempts = 0, unknown_outcomes = 0, lost_leases = 0, \
         retry_since = NULL, cause = NULL, cause_code = NULL, receipt = NULL, ended_at = NULL WHERE id IN (\
         SELECT id FROM deliveries WHERE organization_id = $2 AND (status = 'failed' OR (status = 'cancelled' AND id = $3)) \
         AND ($3 IS NULL OR id = $3) AND ($4 IS NULL OR channel_id = $4) AND ($5 IS NULL OR cause_code = $5) \
         AND ($6 IS NULL OR ended_at >= $6) \
         AND EXISTS (SELECT 1 FROM channels WHERE channels.id = deliveries.channel_id) ORDER BY seq LIMIT $7\
         ) RETURNING channel_id",
    )
    .bind(now)
    .bind(organization)
    .bind(id)
    .bind(channel)
    .bind(code)
    .bind(since)
    .bind(most)
    .fetch_all(connection)
    .await?;
    Ok(channels)
}

/// Fails what was held too long; it can be replayed. The organizations, once for each.
pub(crate) async fn fail_held(
    connection: &mut Connection,
    before: Millis,
    cause: &str,
    code: &str,
    now: Millis,
) -> Result<Vec<String>, StoreError> {
    let organizations = sqlx::query_scalar(
        "UPDATE deliveries SET status = 'failed', ended_at = $1, cause = $2, cause_code = $3, held_reason = NULL, \
         held_at = NULL WHERE status = 'held' AND held_at <= $4 RETURNING organization_id",
    )
    .bind(now)
    .bind(cause)
    .bind(code)
    .bind(before)
    .fetch_all(connection)
    .await?;
    Ok(organizations)
}
