//! Leases: who sends what now, and what became of it.

use std::collections::HashSet;

use sqlx::{QueryBuilder, Sqlite};

use super::rows::{KeptEvent, Leased, Settle, TargetRow};
use super::{Connection, StoreError, bulk};
use crate::clock::Millis;

/// Leases the head of a target's queue.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub(crate) target: String,
    pub(crate) owner: String,
    pub(crate) now: Millis,
    pub(crate) until: Millis,
    /// Pace with this turn taken.
    pub(crate) turn: Option<TargetRow>,
    /// Where several may go out as one message: a head that was due before waited so long that it goes so.
    pub(crate) digest_before: Option<Millis>,
}

/// What was found.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// Leased, with its event.
    Head(Box<(Leased, KeptEvent)>),
    /// The head waited so long that what waits for its channel may go out as one message: nothing is leased yet.
    Digest { channel_id: String },
    /// Nothing is due; the first will be then.
    Later(Millis),
    /// Nothing waits.
    Nothing,
}

/// What is not leased before what it follows has ended: of one alert in one channel, alone or within a digest.
macro_rules! in_turn {
    () => {
        "(d.alert_id IS NULL OR (NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.alert_id = d.alert_id \
         AND e.channel_id = d.channel_id AND e.seq < d.seq AND e.status IN ('queued', 'waiting', 'sending', 'held')) \
         AND NOT EXISTS (SELECT 1 FROM deliveries t JOIN deliveries m ON m.folded_into = t.id \
         WHERE t.channel_id = d.channel_id AND t.packing = 'digest' \
         AND t.status IN ('queued', 'waiting', 'sending', 'held') AND m.alert_id = d.alert_id)))"
    };
}

/// The columns of [`Leased`].
macro_rules! leased {
    () => {
        "id, organization_id, event_id, channel_id, target, priority, lease_number, attempts, unknown_outcomes, \
         possible_repeat, retry_since, alert_id, incident_id, progress"
    };
}

/// Leases the head of the queue: critical first, then the order of acceptance.
pub(crate) async fn lease(connection: &mut Connection, lease: &Lease) -> Result<Found, StoreError> {
    let Lease { target, owner, now, until, turn, digest_before } = lease;
    // A head that goes with others is not leased here: whoever asked is told its channel.
    let head: Option<Leased> = sqlx::query_as(concat!(
        "UPDATE deliveries SET status = 'sending', lease_owner = $1, lease_number = lease_number + 1, lease_until = $2, \
         retry_since = COALESCE(retry_since, $3) WHERE id = (SELECT d.id FROM deliveries d WHERE d.target = $4 \
         AND d.status IN ('queued', 'waiting') AND d.due_at <= $3 AND ",
        in_turn!(),
        " ORDER BY d.priority, d.seq LIMIT 1) AND ($5 IS NULL OR possible_repeat = 1 \
         OR NOT (COALESCE(packing, '') = 'in-digest' OR (packing IS NULL AND priority = 1 \
         AND (due_at < $5 OR quiet_until IS NOT NULL)))) RETURNING ",
        leased!()
    ))
    .bind(owner)
    .bind(until)
    .bind(now)
    .bind(target)
    .bind(digest_before)
    .fetch_optional(&mut *connection)
    .await?;
    match head {
        Some(head) => whole(connection, head, turn.as_ref()).await,
        None => first(connection, target, *now).await,
    }
}

/// Leases this one, and none before it.
pub(crate) async fn lease_one(connection: &mut Connection, id: &str, lease: &Lease) -> Result<Found, StoreError> {
    let Lease { owner, now, until, turn, .. } = lease;
    let one: Option<Leased> = sqlx::query_as(concat!(
        "UPDATE deliveries SET status = 'sending', lease_owner = $1, lease_number = lease_number + 1, lease_until = $2, \
         retry_since = COALESCE(retry_since, $3) WHERE id = $4 AND status IN ('queued', 'waiting') RETURNING ",
        leased!()
    ))
    .bind(owner)
    .bind(until)
    .bind(now)
    .bind(id)
    .fetch_optional(&mut *connection)
    .await?;
    match one {
        Some(one) => whole(connection, one, turn.as_ref()).await,
        None => Ok(Found::Nothing),
    }
}

/// What was leased, with all that its attempt needs.
async fn whole(connection: &mut Connection, mut head: Leased, turn: Option<&TargetRow>) -> Result<Found, StoreError> {
    let event: KeptEvent = sqlx::query_as(
        "SELECT id, organization_id, event_key, origin, body, accepted_at, alert_id, incident_id FROM events WHERE id = $1",
    )
    .bind(&head.event_id)
    .fetch_one(&mut *connection)
    .await?;
    if let Some(incident) = &head.incident_id {
        head.opened_by =
            super::incidents::opened_by(connection, incident, &head.channel_id, &head.target, &head.id).await?;
    }
    if let Some(turn) = turn {
        super::targets::put(connection, &[turn]).await?;
    }
    Ok(Found::Head(Box::new((head, event))))
}

/// What comes first where nothing was leased: the head that goes with others, or when the next is due.
async fn first(connection: &mut Connection, target: &str, now: Millis) -> Result<Found, StoreError> {
    let head: Option<String> = sqlx::query_scalar(concat!(
        "SELECT d.channel_id FROM deliveries d WHERE d.target = $1 AND d.status IN ('queued', 'waiting') \
         AND d.due_at <= $2 AND ",
        in_turn!(),
        " ORDER BY d.priority, d.seq LIMIT 1"
    ))
    .bind(target)
    .bind(now)
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(channel_id) = head {
        return Ok(Found::Digest { channel_id });
    }
    let due: Option<Millis> = sqlx::query_scalar(concat!(
        "SELECT MIN(d.due_at) FROM deliveries d WHERE d.target = $1 AND d.status IN ('queued', 'waiting') AND ",
        in_turn!()
    ))
    .bind(target)
    .fetch_one(connection)
    .await?;
    Ok(due.map_or(Found::Nothing, Found::Later))
}

/// Writes what became of leases, where owner and number still match, and says of which.
pub(super) async fn settle(connection: &mut Connection, settles: &[Settle]) -> Result<HashSet<String>, StoreError> {
    let mut matched = HashSet::with_capacity(settles.len());
    for slice in bulk::slices(settles) {
        update(connection, slice, &mut matched).await?;
    }
    let ours: Vec<&Settle> = settles.iter().filter(|settle| matched.contains(&settle.delivery_id)).collect();
    insert_attempts(connection, &ours).await?;
    let targets: Vec<&TargetRow> = ours.iter().filter_map(|settle| settle.target.as_ref()).collect();
    super::targets::put(connection, &targets).await?;
    Ok(matched)
}

async fn update(
    connection: &mut Connection,
    slice: &[Settle],
    matched: &mut HashSet<String>,
) -> Result<(), StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "WITH outcome (delivery, owner, number, state, due, tries, unknown, repeated, why, code, got, held, since, ended, quiet, so_far) AS (",
    );
    query.push_values(slice, |mut row, settle| {
        row.push_bind(&settle.delivery_id)
            .push_bind(&settle.owner)
            .push_bind(settle.lease_number)
            .push_bind(settle.status.name())
            .push_bind(settle.due_at)
            .push_bind(settle.attempts)
            .push_bind(settle.unknown_outcomes)
            .push_bind(settle.possible_repeat)
            .push_bind(&settle.cause)
            .push_bind(&settle.cause_code)
            .push_bind(&settle.receipt)
            .push_bind(settle.held_reason)
            .push_bind(settle.held_at)
            .push_bind(settle.ended_at)
            .push_bind(settle.quiet_until)
            .push_bind(&settle.progress);
    });
    query.push(
        ") UPDATE deliveries SET status = state, due_at = due, attempts = tries, unknown_outcomes = unknown, \
         possible_repeat = repeated, cause = why, cause_code = code, receipt = got, held_reason = held, held_at = since, \
         ended_at = ended, quiet_until = quiet, progress = so_far, lease_owner = NULL, lease_until = NULL \
         FROM outcome WHERE id = delivery AND status = 'sending' AND lease_owner = owner AND lease_number = number \
         RETURNING id",
    );
    matched.extend(query.build_query_scalar::<String>().fetch_all(connection).await?);
    Ok(())
}

async fn insert_attempts(connection: &mut Connection, settles: &[&Settle]) -> Result<(), StoreError> {
    let rows: Vec<_> =
        settles.iter().filter_map(|settle| settle.attempt.as_ref().map(|attempt| (*settle, attempt))).collect();
    for slice in bulk::slices(&rows) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO attempts (delivery_id, number, started_at, took_ms, outcome, failure, log) ",
        );
        query.push_values(slice, |mut row, (settle, attempt)| {
            row.push_bind(&settle.delivery_id)
                .push_bind(settle.lease_number)
                .push_bind(attempt.started_at)
                .push_bind(attempt.took_ms)
                .push_bind(attempt.outcome)
                .push_bind(&attempt.failure)
                .push_bind(&attempt.log);
        });
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}
