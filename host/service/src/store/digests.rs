//! Digests: what waits for one channel, told as one message.

use sqlx::{QueryBuilder, Sqlite};

use super::accept::Accept;
use super::lease::{self, Found, Lease};
use super::rows::{KeptEvent, Leased, Packing, Settle};
use super::{Connection, StoreError};
use crate::clock::Millis;

/// A delivery that may be told with others.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) seq: i64,
    pub(crate) priority: i64,
    pub(crate) alert_id: Option<String>,
    /// How many of its alert wait before it in the channel.
    before: i64,
    pub(crate) event_key: String,
    pub(crate) body: String,
    pub(crate) accepted_at: Millis,
}

/// What waits for a channel and is due, oldest first: at most `most`, and of one alert none without those before it.
pub(crate) async fn members(
    connection: &mut Connection,
    target: &str,
    channel: &str,
    now: Millis,
    most: i64,
) -> Result<Vec<Member>, StoreError> {
    let mut found: Vec<Member> = sqlx::query_as(
        "SELECT d.id, d.seq, d.priority, d.alert_id, e.event_key, e.body, e.accepted_at, \
         CASE WHEN d.alert_id IS NULL THEN 0 ELSE (SELECT COUNT(*) FROM deliveries b WHERE b.alert_id = d.alert_id \
         AND b.channel_id = d.channel_id AND b.seq < d.seq AND b.status IN ('queued', 'waiting', 'sending', 'held')) \
         END AS before FROM deliveries d JOIN events e ON e.id = d.event_id WHERE d.target = $1 AND d.channel_id = $2 \
         AND d.status IN ('queued', 'waiting') AND d.due_at <= $3 AND d.possible_repeat = 0 \
         AND ((d.packing IS NULL AND d.priority = 1) OR d.packing = 'in-digest') \
         AND (d.alert_id IS NULL OR NOT EXISTS (SELECT 1 FROM deliveries t JOIN deliveries m ON m.folded_into = t.id \
         WHERE t.channel_id = d.channel_id AND t.packing = 'digest' \
         AND t.status IN ('queued', 'waiting', 'sending', 'held') AND m.alert_id = d.alert_id)) \
         ORDER BY d.priority, d.seq LIMIT $4",
    )
    .bind(target)
    .bind(channel)
    .bind(now)
    .bind(most)
    .fetch_all(connection)
    .await?;
    let mut members: Vec<Member> = Vec::with_capacity(found.len());
    found.sort_by_key(|member| member.seq);
    for member in found {
        let taken = members.iter().filter(|earlier| earlier.alert_id.is_some() && earlier.alert_id == member.alert_id);
        let taken = i64::try_from(taken.count()).unwrap_or(i64::MAX);
        if member.alert_id.is_none() || taken == member.before {
            members.push(member);
        }
    }
    Ok(members)
}

/// Tells `members` by the delivery `teller`.
pub(crate) async fn fold(
    connection: &mut Connection,
    members: &[String],
    teller: &str,
    now: Millis,
) -> Result<(), StoreError> {
    let mut query =
        QueryBuilder::<Sqlite>::new("UPDATE deliveries SET status = 'folded', quiet_until = NULL, ended_at = ");
    query.push_bind(now).push(", folded_into = ").push_bind(teller).push(" WHERE id IN (");
    let mut list = query.separated(", ");
    for member in members {
        list.push_bind(member);
    }
    query.push(")").build().persistent(false).execute(connection).await?;
    Ok(())
}

/// Keeps a digest, leased.
pub(crate) async fn keep(connection: &mut Connection, digest: &Accept, lease: &Lease) -> Result<Found, StoreError> {
    super::accept::accept(connection, std::slice::from_ref(digest)).await?;
    if let Some(turn) = &lease.turn {
        super::targets::put(connection, &[turn]).await?;
    }
    let (event, Some(delivery)) = (&digest.event, digest.deliveries.first()) else { return Ok(Found::Nothing) };
    let leased = Leased::new(delivery, &event.organization_id, &event.id, event.accepted_at);
    let kept = KeptEvent {
        id: event.id.clone(),
        organization_id: event.organization_id.clone(),
        event_key: event.key.clone(),
        origin: event.origin.name().to_owned(),
        body: event.body.clone(),
        accepted_at: event.accepted_at,
        alert_id: None,
        incident_id: None,
    };
    Ok(Found::Head(Box::new((leased, kept))))
}

/// A digest that cannot be told is no more: its lease ends as `settle` says, and each of what it told goes out by itself,
/// marked where people may have seen the digest. How many; none where the lease was no longer ours.
pub(crate) async fn take_apart(
    connection: &mut Connection,
    settle: &Settle,
    now: Millis,
) -> Result<Option<usize>, StoreError> {
    let digest = &settle.delivery_id;
    if !lease::settle(connection, std::slice::from_ref(settle)).await?.contains(digest) {
        return Ok(None);
    }
    let done = sqlx::query(
        "UPDATE deliveries SET status = 'queued', packing = $1, due_at = $2, folded_into = NULL, ended_at = NULL, \
         target = (SELECT t.target FROM deliveries t WHERE t.id = $4), \
         possible_repeat = CASE WHEN $3 = 1 THEN 1 ELSE possible_repeat END \
         WHERE folded_into = $4 AND status = 'folded'",
    )
    .bind(Packing::Alone.name())
    .bind(now)
    .bind(settle.possible_repeat)
    .bind(digest)
    .execute(connection)
    .await?;
    Ok(Some(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX)))
}

/// What a cancelled digest would have told is cancelled, too.
pub(crate) async fn cancel(connection: &mut Connection, digests: &[String]) -> Result<(), StoreError> {
    for digest in digests {
        sqlx::query(
            "UPDATE deliveries SET status = 'cancelled' WHERE folded_into = $1 AND status = 'folded' \
             AND EXISTS (SELECT 1 FROM deliveries t WHERE t.id = $1 AND t.packing = 'digest')",
        )
        .bind(digest)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Takes apart the digests that wait and tell of an alert, so that the rest of them goes out without it: what they told waits
/// as they did. How many digests ended, and how many deliveries wait in their place.
pub(crate) async fn without_alert(
    connection: &mut Connection,
    alert: &str,
    now: Millis,
) -> Result<(usize, usize), StoreError> {
    let digests: Vec<String> = sqlx::query_scalar(
        "SELECT t.id FROM deliveries t WHERE t.packing = 'digest' AND t.status IN ('queued', 'waiting', 'held') \
         AND EXISTS (SELECT 1 FROM deliveries m WHERE m.folded_into = t.id AND m.alert_id = $1)",
    )
    .bind(alert)
    .fetch_all(&mut *connection)
    .await?;
    let mut freed = 0;
    for digest in &digests {
        let done = sqlx::query(
            "UPDATE deliveries SET status = CASE WHEN t.status = 'held' THEN 'held' ELSE 'queued' END, \
             packing = 'in-digest', due_at = t.due_at, target = t.target, held_reason = t.held_reason, \
             held_at = t.held_at, quiet_until = t.quiet_until, folded_into = NULL, ended_at = NULL, \
             possible_repeat = CASE WHEN t.possible_repeat = 1 THEN 1 ELSE deliveries.possible_repeat END \
             FROM deliveries t WHERE t.id = $1 AND deliveries.folded_into = $1 AND deliveries.status = 'folded'",
        )
        .bind(digest)
        .execute(&mut *connection)
        .await?;
        freed += usize::try_from(done.rows_affected()).unwrap_or(usize::MAX);
        sqlx::query(
            "UPDATE deliveries SET status = 'cancelled', ended_at = $1, held_reason = NULL, held_at = NULL, \
             quiet_until = NULL WHERE id = $2",
        )
        .bind(now)
        .bind(digest)
        .execute(&mut *connection)
        .await?;
    }
    Ok((digests.len(), freed))
}

/// What a digest tells is told by it again: it is replayed.
pub(crate) async fn refold(connection: &mut Connection, digest: &str) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE deliveries SET status = 'folded' WHERE folded_into = $1 AND status = 'cancelled' \
         AND EXISTS (SELECT 1 FROM deliveries t WHERE t.id = $1 AND t.packing = 'digest')",
    )
    .bind(digest)
    .execute(connection)
    .await?;
    Ok(())
}
