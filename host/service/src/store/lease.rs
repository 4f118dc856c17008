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
}

/// What was found.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// Leased, with its event.
    Head(Box<(Leased, KeptEvent)>),
    /// Nothing is due; the first will be then.
    Later(Millis),
    /// Nothing waits.
    Nothing,
}

/// Leases the head of the queue: critical first, then the order of acceptance.
pub(super) async fn lease(connection: &mut Connection, lease: &Lease) -> Result<Found, StoreError> {
    let Lease { target, owner, now, until, turn } = lease;
    let head: Option<Leased> = sqlx::query_as(
        "UPDATE deliveries SET status = 'sending', lease_owner = $1, lease_number = lease_number + 1, lease_until = $2, \
         retry_since = COALESCE(retry_since, $3) WHERE id = (SELECT id FROM deliveries WHERE target = $4 \
         AND status IN ('queued', 'waiting') AND due_at <= $3 ORDER BY priority, seq LIMIT 1) RETURNING id, \
         organization_id, event_id, channel_id, target, lease_number, attempts, unknown_outcomes, possible_repeat, retry_since",
    )
    .bind(owner)
    .bind(until)
    .bind(now)
    .bind(target)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(head) = head else {
        let due: Option<Millis> = sqlx::query_scalar(
            "SELECT MIN(due_at) FROM deliveries WHERE target = $1 AND status IN ('queued', 'waiting')",
        )
        .bind(target)
        .fetch_one(connection)
        .await?;
        return Ok(due.map_or(Found::Nothing, Found::Later));
    };
    let event: KeptEvent =
        sqlx::query_as("SELECT id, organization_id, event_key, origin, body, accepted_at FROM events WHERE id = $1")
            .bind(&head.event_id)
            .fetch_one(&mut *connection)
            .await?;
    if let Some(turn) = turn {
        super::targets::put(connection, &[turn]).await?;
    }
    Ok(Found::Head(Box::new((head, event))))
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
        "WITH outcome (delivery, owner, number, state, due, tries, unknown, repeated, why, code, got, held, since, ended) AS (",
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
            .push_bind(settle.ended_at);
    });
    query.push(
        ") UPDATE deliveries SET status = state, due_at = due, attempts = tries, unknown_outcomes = unknown, \
         possible_repeat = repeated, cause = why, cause_code = code, receipt = got, held_reason = held, held_at = since, \
         ended_at = ended, lease_owner = NULL, lease_until = NULL \
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
