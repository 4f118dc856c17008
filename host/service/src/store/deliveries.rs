//! What people and the service do to deliveries that are not being sent: hold, release, cancel, replay.

use super::rows::Packing;
use super::{Connection, StoreError, alerts, digests, incidents};
use crate::clock::Millis;

/// What waited longer for a channel goes out with others once it can, critical or not.
const LONG_WAIT: Millis = 3_600_000;

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
        "UPDATE deliveries SET status = 'held', held_reason = $1, held_at = $2, quiet_until = NULL \
         WHERE channel_id = $3 AND status IN ('queued', 'waiting')",
    )
    .bind(reason)
    .bind(now)
    .bind(channel)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// What is held for a channel goes on, what is not critical at the end of quiet hours; the time that it was held does not
/// count as time of retries. What waited over an hour goes with others.
pub(crate) async fn release(
    connection: &mut Connection,
    channel: &str,
    quiet_until: Option<Millis>,
    now: Millis,
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE deliveries SET status = CASE WHEN priority = 0 OR $3 IS NULL THEN 'queued' ELSE 'waiting' END, \
         due_at = CASE WHEN priority = 0 OR $3 IS NULL THEN $1 ELSE $3 END, \
         quiet_until = CASE WHEN priority = 0 THEN NULL ELSE $3 END, \
         packing = CASE WHEN packing IS NULL AND seq < $4 THEN $5 ELSE packing END, \
         retry_since = retry_since + ($1 - held_at), \
         held_reason = NULL, held_at = NULL WHERE channel_id = $2 AND status = 'held'",
    )
    .bind(now)
    .bind(channel)
    .bind(quiet_until)
    .bind(now.saturating_sub(LONG_WAIT).saturating_mul(1_000))
    .bind(Packing::InDigest.name())
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// What waits for the end of quiet hours waits until they end now: their times were changed, or the channel's clock.
pub(crate) async fn await_quiet(
    connection: &mut Connection,
    channel: &str,
    quiet_until: Option<Millis>,
    now: Millis,
) -> Result<(), StoreError> {
    // What has waited keeps the mark of it: it goes out with others.
    let until = quiet_until.unwrap_or(now);
    sqlx::query(
        "UPDATE deliveries SET due_at = $1, quiet_until = $1 WHERE channel_id = $2 AND status IN ('queued', 'waiting') \
         AND quiet_until > $3 AND quiet_until <> $1",
    )
    .bind(until)
    .bind(channel)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
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
        // What is told by another of its own channel went with that one.
        let rows: Vec<(String, String)> = sqlx::query_as(
            "UPDATE deliveries SET status = 'queued', due_at = $1, folded_into = NULL, ended_at = NULL \
             WHERE (folded_into = $2 OR folded_into IN (SELECT m.id FROM deliveries m WHERE m.folded_into = $2)) \
             AND status = 'folded' AND channel_id <> (SELECT t.channel_id FROM deliveries t WHERE t.id = $2) \
             RETURNING organization_id, channel_id",
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
    ($($which:expr),+ $(,)?) => {
        concat!(
            "UPDATE deliveries SET status = 'queued', due_at = $1, attempts = 0, unknown_outcomes = 0, lost_leases = 0, \
             retry_since = NULL, cause = NULL, cause_code = NULL, receipt = NULL, ended_at = NULL, quiet_until = NULL \
             WHERE ",
            $($which,)+
            " RETURNING channel_id"
        )
    };
}

/// An alert's delivery, or a digest with one, that the alert has left behind: its incident is over, or its channel was told
/// of something later.
macro_rules! left_behind {
    () => {
        "EXISTS (SELECT 1 FROM deliveries d WHERE (d.id = deliveries.id OR (deliveries.packing = 'digest' \
         AND d.folded_into = deliveries.id)) AND d.alert_id IS NOT NULL AND ((d.is_resolution = 0 \
         AND NOT EXISTS (SELECT 1 FROM alerts a WHERE a.id = d.alert_id AND a.incident_id = d.incident_id)) \
         OR EXISTS (SELECT 1 FROM deliveries l WHERE l.channel_id = d.channel_id AND l.seq > d.seq \
         AND l.alert_id = d.alert_id AND COALESCE(l.folded_into, '') <> deliveries.id \
         AND l.status IN ('sending', 'delivered', 'folded'))))"
    };
}

/// What became of the wish to replay a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Replayed {
    /// It is queued; its channel.
    Queued(String),
    /// Its alert has moved on.
    LeftBehind,
    /// It is none that can be replayed.
    Not,
}

/// Queues a failed or cancelled delivery anew, in its old place; with `force` even where its alert has moved on.
pub(crate) async fn replay_one(
    connection: &mut Connection,
    organization: &str,
    id: &str,
    force: bool,
    now: Millis,
) -> Result<Replayed, StoreError> {
    let left: Option<bool> = sqlx::query_scalar(concat!(
        "SELECT ",
        left_behind!(),
        " FROM deliveries WHERE id = $1 AND organization_id = $2 AND status IN ('failed', 'cancelled')"
    ))
    .bind(id)
    .bind(organization)
    .fetch_optional(&mut *connection)
    .await?;
    if left == Some(true) && !force {
        return Ok(Replayed::LeftBehind);
    }
    let channel: Option<String> = sqlx::query_scalar(requeue!(
        "id = $2 AND organization_id = $3 AND status IN ('failed', 'cancelled') \
         AND EXISTS (SELECT 1 FROM channels WHERE channels.id = deliveries.channel_id)"
    ))
    .bind(now)
    .bind(id)
    .bind(organization)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(channel) = channel else { return Ok(Replayed::Not) };
    digests::refold(connection, id).await?;
    for place in incidents::places(connection, id).await? {
        if place.is_resolution == 0 {
            // One that was cancelled was told to nobody: now it will be.
            alerts::tell(connection, &place.alert_id, &place.incident_id, &place.channel_id).await?;
        }
    }
    Ok(Replayed::Queued(channel))
}

/// Queues failed deliveries anew, in their old order; those that failed after `now` are none of them, nor those that their
/// alert has left behind. The channels of each.
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
         AND EXISTS (SELECT 1 FROM channels WHERE channels.id = deliveries.channel_id) AND NOT ",
        left_behind!(),
        " ORDER BY seq LIMIT $6)"
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
