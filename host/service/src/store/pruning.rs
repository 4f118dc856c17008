//! Removes what was kept long enough, a little at a time.

use sqlx::{QueryBuilder, Sqlite};

use super::{Connection, StoreError};
use crate::clock::Millis;

/// Deliveries of one batch.
const BATCH: i64 = 500;

/// Until when what ended is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cutoffs {
    /// Delivered, folded and cancelled ones that ended before.
    pub(crate) delivered: Millis,
    /// Failed ones that ended before.
    pub(crate) failed: Millis,
    /// Checks that came before.
    pub(crate) checks: Millis,
}

/// Removes a batch of deliveries with their attempts, and the events that no delivery is left of. How many deliveries: none
/// are left to remove where there were fewer than a batch.
pub(crate) async fn prune(connection: &mut Connection, cutoffs: Cutoffs) -> Result<bool, StoreError> {
    let Cutoffs { delivered, failed, checks } = cutoffs;
    let mut more = prune_checks(connection, checks).await?;
    for (condition, before) in [("status <> 'failed'", delivered), ("status = 'failed'", failed)] {
        let old: Vec<(String, String)> =
            QueryBuilder::<Sqlite>::new("SELECT id, event_id FROM deliveries WHERE ended_at < ")
                .push_bind(before)
                .push(" AND ")
                .push(condition)
                .push(" ORDER BY ended_at LIMIT ")
                .push_bind(BATCH)
                .build_query_as()
                .fetch_all(&mut *connection)
                .await?;
        if old.is_empty() {
            continue;
        }
        more = true;
        let (ids, events): (Vec<String>, Vec<String>) = old.into_iter().unzip();
        remove(connection, "DELETE FROM attempts WHERE delivery_id IN (", &ids, ")").await?;
        remove(connection, "DELETE FROM deliveries WHERE id IN (", &ids, ")").await?;
        let rest = ") AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event_id = events.id)";
        remove(connection, "DELETE FROM events WHERE id IN (", &events, rest).await?;
    }
    Ok(more)
}

/// Removes a batch of checks; the last of each alert stays. Whether there may be more.
async fn prune_checks(connection: &mut Connection, before: Millis) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "DELETE FROM checks WHERE (alert_id, at, number) IN (SELECT c.alert_id, c.at, c.number FROM checks c \
         WHERE c.received_at < $1 AND NOT EXISTS (SELECT 1 FROM alerts a WHERE a.id = c.alert_id AND a.last_run = c.at) \
         ORDER BY c.received_at LIMIT $2)",
    )
    .bind(before)
    .bind(BATCH)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

async fn remove(
    connection: &mut Connection,
    start: &'static str,
    ids: &[String],
    end: &'static str,
) -> Result<(), StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(start);
    let mut list = query.separated(", ");
    for id in ids {
        list.push_bind(id);
    }
    query.push(end).build().persistent(false).execute(connection).await?;
    Ok(())
}
