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

/// What waits for a channel goes where the channel leads now. The deliveries that were moved.
pub(crate) async fn retarget(
    connection: &mut Connection,
    channel: &str,
    target: &str,
) -> Result<Vec<String>, StoreError> {
    let mut moved = Vec::new();
    // Two statements, each along an index of its own: a channel's history may be long.
    for statement in [
        "UPDATE deliveries SET target = $1 WHERE channel_id = $2 AND status IN ('queued', 'waiting') AND target <> $1 \
         RETURNING id",
        "UPDATE deliveries SET target = $1 WHERE channel_id = $2 AND status = 'held' AND target <> $1 RETURNING id",
    ] {
        let ids: Vec<String> =
            sqlx::query_scalar(statement).bind(target).bind(channel).fetch_all(&mut *connection).await?;
        moved.extend(ids);
    }
    Ok(moved)
}

/// What was cancelled: each with its organization.
#[derive(Debug, Default)]
pub(crate) struct Cancelled {
    pub(crate) ids: Vec<String>,
    pub(crate) organizations: Vec<String>,
}

/// Ends what waits for a channel that is there no more.
pub(crate) async fn cancel_of_channel(
    connection: &mut Connection,
    channel: &str,
    now: Millis,
) -> Result<Cancelled, StoreError> {
    let mut cancelled = Cancelled::default();
    for statement in [
        "UPDATE deliveries SET status = 'cancelled', ended_at = $1 \
         WHERE channel_id = $2 AND status IN ('queued', 'waiting') RETURNING id, organization_id",
        "UPDATE deliveries SET status = 'cancelled', ended_at = $1, held_reason = NULL, held_at = NULL \
         WHERE channel_id = $2 AND status = 'held' RETURNING id, organization_id",
    ] {
        let rows: Vec<(String, String)> =
            sqlx::query_as(statement).bind(now).bind(channel).fetch_all(&mut *connection).await?;
        for (id, organization) in rows {
            cancelled.ids.push(id);
            cancelled.organizations.push(organization);
        }
    }
    Ok(cancelled)
}

/// What these deliveries would have told for others is queued by itself: they are gone, or go elsewhere. Organization and
/// channel of each.
pub(crate) async fn unfold(
    connection: &mut Connection,
    tellers: &[String],
    now: Millis,
) -> Result<Vec<(String, String)>, StoreError> {
    let mut unfolded = Vec::new();
    for teller in tellers {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "UPDATE deliveries SET status = 'queued', due_at = $1, folded_into = NULL, ended_at = NULL \
             WHERE folded_into = $2 AND status = 'folded' RETURNING organization_id, channel_id",
        )
        .bind(now)
        .bind(teller)
        .fetch_all(&mut *connection)
        .await?;
        unfolded.extend(rows);
    }
    Ok(unfolded)
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

/// Which failed deliveries to replay: those that every given member fits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Replay {
    /// Of this channel.
    pub(crate) channel: Option<String>,
    /// With this code.
    pub(crate) code: Option<String>,
    /// That ended since.
    pub(crate) since: Option<Millis>,
}

macro_rules! requeue {
    ($which:literal) => {
        concat!(
            "UPDATE deliveries SET status = 'queued', due_at = $1, attempts = 0, unknown_outcomes = 0, lost_leases = 0, \
             retry_since = NULL, cause = NULL, cause_code = NULL, receipt = NULL, ended_at = NULL WHERE ",
            $which,
            " RETURNING channel_id"
        )
    };
}

/// Queues a failed or cancelled delivery anew, in its old place. Its channel, where it has one and it was replayed.
pub(crate) async fn replay_one(
    connection: &mut Connection,
    organization: &str,
    id: &str,
    now: Millis,
) -> Result<Option<String>, StoreError> {
    let channel = sqlx::query_scalar(requeue!(
        "id = $2 AND organization_id = $3 AND status IN ('failed', 'cancelled') \
         AND EXISTS (SELECT 1 FROM channels WHERE channels.id = deliveries.channel_id)"
    ))
    .bind(now)
    .bind(id)
    .bind(organization)
    .fetch_optional(connection)
    .await?;
    Ok(channel)
}

/// Queues failed deliveries anew, in their old order; those that failed after `now` are none of them. The channels of each.
pub(crate) async fn replay(
    connection: &mut Connection,
    organization: &str,
    which: &Replay,
    most: i64,
    now: Millis,
) -> Result<Vec<String>, StoreError> {
    let Replay { channel, code, since } = which;
    let channels = sqlx::query_scalar(requeue!(
        "id IN (SELECT id FROM deliveries WHERE organization_id = $2 AND status = 'failed' AND ended_at <= $1 \
         AND ($3 IS NULL OR channel_id = $3) AND ($4 IS NULL OR cause_code = $4) AND ($5 IS NULL OR ended_at >= $5) \
         AND EXISTS (SELECT 1 FROM channels WHERE channels.id = deliveries.channel_id) ORDER BY seq LIMIT $6)"
    ))
    .bind(now)
    .bind(organization)
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
