//! Keeps accepted events with their deliveries: many in one statement.

use std::collections::{HashMap, HashSet};

use sqlx::{QueryBuilder, Sqlite};

use super::rows::{NewDelivery, NewEvent, Packing, TargetRow};
use super::{Connection, StoreError, bulk};

/// An event with its deliveries, kept together or not at all.
#[derive(Clone, Debug)]
pub(crate) struct Accept {
    pub(crate) event: NewEvent,
    pub(crate) deliveries: Vec<NewDelivery>,
    /// Of the targets to which something is sent at once.
    pub(crate) targets: Vec<TargetRow>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Accepted {
    /// Kept; so many deliveries that waited are told by it.
    New { folded: usize },
    /// The same was kept before, under this id of ours.
    Same(String),
    /// Something else was kept under its key.
    Conflict,
}

/// Keeps all of `accepts`, and says what became of each, in their order.
pub(crate) async fn accept(connection: &mut Connection, accepts: &[Accept]) -> Result<Vec<Accepted>, StoreError> {
    let kept = insert_events(connection, accepts).await?;
    let new: Vec<&Accept> = accepts.iter().filter(|accept| kept.contains(&accept.event.id)).collect();
    let deliveries: Vec<(&NewEvent, &NewDelivery)> =
        new.iter().flat_map(|accept| accept.deliveries.iter().map(|delivery| (&accept.event, delivery))).collect();
    insert_deliveries(connection, &deliveries).await?;
    let targets: Vec<&TargetRow> = new.iter().flat_map(|accept| &accept.targets).collect();
    super::targets::put(connection, &targets).await?;
    let mut folded = HashMap::new();
    for Accept { event, deliveries, .. } in new {
        folded.insert(&event.id, super::incidents::settle_in(connection, event, deliveries).await?);
    }
    let mut results = Vec::with_capacity(accepts.len());
    for Accept { event, .. } in accepts {
        results.push(match folded.get(&event.id) {
            Some(folded) => Accepted::New { folded: *folded },
            None => earlier(connection, event).await?,
        });
    }
    Ok(results)
}

/// Inserts what is not there under its key, and says which were.
async fn insert_events(connection: &mut Connection, accepts: &[Accept]) -> Result<HashSet<String>, StoreError> {
    let mut kept = HashSet::with_capacity(accepts.len());
    for slice in bulk::slices(accepts) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO events (id, organization_id, event_key, fingerprint, origin, body, title, severity, accepted_at, \
             alert_id, incident_id) ",
        );
        query.push_values(slice, |mut row, Accept { event, .. }| {
            row.push_bind(&event.id)
                .push_bind(&event.organization_id)
                .push_bind(&event.key)
                .push_bind(&event.fingerprint)
                .push_bind(event.origin.name())
                .push_bind(&event.body)
                .push_bind(&event.title)
                .push_bind(event.severity)
                .push_bind(event.accepted_at)
                .push_bind(event.alert.as_ref().map(|alert| &alert.alert_id))
                .push_bind(event.alert.as_ref().map(|alert| &alert.incident_id));
        });
        query.push(" ON CONFLICT (organization_id, event_key) DO NOTHING RETURNING id");
        kept.extend(query.build_query_scalar::<String>().fetch_all(&mut *connection).await?);
    }
    Ok(kept)
}

async fn insert_deliveries(connection: &mut Connection, rows: &[(&NewEvent, &NewDelivery)]) -> Result<(), StoreError> {
    for slice in bulk::slices(rows) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO deliveries (id, seq, organization_id, event_id, channel_id, target, status, priority, due_at, \
             lease_owner, lease_number, lease_until, attempts, unknown_outcomes, lost_leases, possible_repeat, retry_since, \
             held_reason, held_at, folded_into, ended_at, alert_id, incident_id, is_resolution, packing, quiet_until) ",
        );
        query.push_values(slice, |mut row, (event, delivery)| {
            let NewDelivery { id, seq, channel_id, target, status, priority, due_at, .. } = delivery;
            let NewDelivery { quiet_until, packing, lease, held_reason, folded_into, .. } = delivery;
            let alert = event.alert.as_ref();
            let at = event.accepted_at;
            let (owner, until) = lease.as_ref().map(|(owner, until)| (owner, *until)).unzip();
            row.push_bind(id)
                .push_bind(seq)
                .push_bind(&event.organization_id)
                .push_bind(&event.id)
                .push_bind(channel_id)
                .push_bind(target)
                .push_bind(status.name())
                .push_bind(priority)
                .push_bind(due_at)
                .push_bind(owner)
                .push_bind(i64::from(lease.is_some()))
                .push_bind(until)
                .push("0, 0, 0, 0")
                .push_bind(lease.is_some().then_some(at))
                .push_bind(*held_reason)
                .push_bind(held_reason.map(|_| at))
                .push_bind(folded_into)
                .push_bind(status.is_end().then_some(at))
                .push_bind(alert.map(|alert| &alert.alert_id))
                .push_bind(alert.map(|alert| &alert.incident_id))
                .push_bind(i64::from(alert.is_some_and(|alert| alert.is_resolution)))
                .push_bind(packing.map(Packing::name))
                .push_bind(quiet_until);
        });
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// What was kept under this event's key before.
async fn earlier(connection: &mut Connection, event: &NewEvent) -> Result<Accepted, StoreError> {
    let (id, fingerprint): (String, String) =
        sqlx::query_as("SELECT id, fingerprint FROM events WHERE organization_id = $1 AND event_key = $2")
            .bind(&event.organization_id)
            .bind(&event.key)
            .fetch_one(connection)
            .await?;
    Ok(if fingerprint == event.fingerprint { Accepted::Same(id) } else { Accepted::Conflict })
}
