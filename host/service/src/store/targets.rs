//! Pace and circuit breaker of targets, across restarts.

use std::collections::HashMap;

use sqlx::{QueryBuilder, Sqlite, SqliteExecutor};

use super::rows::TargetRow;
use super::{Connection, StoreError, bulk};
use crate::clock::Millis;

/// After that long, failures of a target with nothing waiting are forgotten.
const DAY: Millis = 24 * 3_600_000;

/// Keeps these; of two for one target, the later.
pub(super) async fn put(connection: &mut Connection, rows: &[&TargetRow]) -> Result<(), StoreError> {
    let mut last: HashMap<&str, &TargetRow> = HashMap::with_capacity(rows.len());
    for row in rows {
        last.insert(&row.target, row);
    }
    let rows: Vec<&TargetRow> = last.into_values().collect();
    for slice in bulk::slices(&rows) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO targets (target, turn_at, not_before, failures, word, word_count) ",
        );
        query.push_values(slice, |mut values, row| {
            let TargetRow { target, turn_at, not_before, failures, word, word_count } = row;
            values
                .push_bind(target)
                .push_bind(turn_at)
                .push_bind(not_before)
                .push_bind(failures)
                .push_bind(word)
                .push_bind(word_count);
        });
        query.push(
            " ON CONFLICT (target) DO UPDATE SET turn_at = excluded.turn_at, not_before = excluded.not_before, \
             failures = excluded.failures, word = excluded.word, word_count = excluded.word_count",
        );
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// Those that are not at rest.
pub(crate) async fn restless(executor: impl SqliteExecutor<'_>, now: Millis) -> Result<Vec<TargetRow>, StoreError> {
    let rows =
        sqlx::query_as("SELECT * FROM targets WHERE turn_at > $1 OR not_before > $1 OR failures > 0 OR word_count > 0")
            .bind(now)
            .fetch_all(executor)
            .await?;
    Ok(rows)
}

/// Forgets those that are at rest.
pub(crate) async fn sweep(connection: &mut Connection, now: Millis) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM targets WHERE turn_at <= $1 AND not_before <= $2 AND (failures = 0 AND word_count = 0 OR not_before <= $3)")
        .bind(now)
        .bind(now)
        .bind(now.saturating_sub(DAY))
        .execute(connection)
        .await?;
    Ok(())
}
