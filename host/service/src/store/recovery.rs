//! What a start finds: leases of a program that is no more, and what waits.

use sqlx::SqliteExecutor;

use super::{Connection, StoreError};
use crate::clock::Millis;

/// Takes back every lease that ended without an outcome: this program is the only one on the database. Each may have
/// arrived, so each is marked; over `most` of them, a delivery is failed with `cause`. How many went on, and how many failed.
pub(crate) async fn take_back_leases(
    connection: &mut Connection,
    now: Millis,
    lease: Millis,
    most: i64,
    cause: &str,
    code: &str,
) -> Result<(u64, u64), StoreError> {
    sqlx::query(
        "INSERT INTO attempts (delivery_id, number, started_at, outcome) \
         SELECT id, lease_number, COALESCE(lease_until - $1, $2), 'lost' FROM deliveries WHERE status = 'sending' \
         ON CONFLICT (delivery_id, number) DO NOTHING",
    )
    .bind(lease)
    .bind(now)
    .execute(&mut *connection)
    .await?;
    let failed = sqlx::query(
        "UPDATE deliveries SET status = 'failed', lost_leases = lost_leases + 1, possible_repeat = 1, ended_at = $1, \
         cause = $2, cause_code = $3, lease_owner = NULL, lease_until = NULL WHERE status = 'sending' AND lost_leases >= $4",
    )
    .bind(now)
    .bind(cause)
    .bind(code)
    .bind(most)
    .execute(&mut *connection)
    .await?;
    let again = sqlx::query(
        "UPDATE deliveries SET status = 'waiting', lost_leases = lost_leases + 1, possible_repeat = 1, due_at = $1, \
         lease_owner = NULL, lease_until = NULL WHERE status = 'sending'",
    )
    .bind(now)
    .execute(connection)
    .await?;
    Ok((again.rows_affected(), failed.rows_affected()))
}

/// What is being sent.
pub(crate) async fn sending(executor: impl SqliteExecutor<'_>) -> Result<Vec<String>, StoreError> {
    let ids = sqlx::query_scalar("SELECT id FROM deliveries WHERE status = 'sending'").fetch_all(executor).await?;
    Ok(ids)
}

/// Ends leases for which nothing was sent.
pub(crate) async fn requeue(connection: &mut Connection, ids: &[String], now: Millis) -> Result<(), StoreError> {
    for id in ids {
        sqlx::query(
            "UPDATE deliveries SET status = 'queued', due_at = $1, lease_owner = NULL, lease_until = NULL \
             WHERE id = $2 AND status = 'sending'",
        )
        .bind(now)
        .bind(id)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// The highest number of the order of acceptance.
pub(crate) async fn last_seq(executor: impl SqliteExecutor<'_>) -> Result<i64, StoreError> {
    // The youngest ids have the highest numbers: the end of the index tells without reading the table.
    let last: Option<i64> =
        sqlx::query_scalar("SELECT MAX(seq) FROM (SELECT seq FROM deliveries ORDER BY id DESC LIMIT 1000) AS youngest")
            .fetch_one(executor)
            .await?;
    Ok(last.unwrap_or(0))
}

/// Undelivered deliveries of each organization.
pub(crate) async fn open_counts(executor: impl SqliteExecutor<'_>) -> Result<Vec<(String, i64)>, StoreError> {
    let counts = sqlx::query_as(
        "SELECT organization_id, COUNT(*) FROM (\
         SELECT organization_id FROM deliveries WHERE status IN ('queued', 'waiting') \
         UNION ALL SELECT organization_id FROM deliveries WHERE status = 'sending' \
         UNION ALL SELECT organization_id FROM deliveries WHERE status = 'held') AS undelivered GROUP BY organization_id",
    )
    .fetch_all(executor)
    .await?;
    Ok(counts)
}

/// The channels for which something waits or is held.
pub(crate) async fn channels_with_open(executor: impl SqliteExecutor<'_>) -> Result<Vec<String>, StoreError> {
    let channels = sqlx::query_scalar(
        "SELECT DISTINCT channel_id FROM deliveries WHERE status IN ('queued', 'waiting') \
         UNION SELECT DISTINCT channel_id FROM deliveries WHERE status = 'held'",
    )
    .fetch_all(executor)
    .await?;
    Ok(channels)
}

/// The targets for which something waits.
pub(crate) async fn targets_with_waiting(executor: impl SqliteExecutor<'_>) -> Result<Vec<String>, StoreError> {
    let targets = sqlx::query_scalar("SELECT DISTINCT target FROM deliveries WHERE status IN ('queued', 'waiting')")
        .fetch_all(executor)
        .await?;
    Ok(targets)
}

/// When the first of what waits for a target is due.
pub(crate) async fn first_due(executor: impl SqliteExecutor<'_>, target: &str) -> Result<Option<Millis>, StoreError> {
    let due =
        sqlx::query_scalar("SELECT MIN(due_at) FROM deliveries WHERE target = $1 AND status IN ('queued', 'waiting')")
            .bind(target)
            .fetch_one(executor)
            .await?;
    Ok(due)
}

/// Since when the longest overdue delivery is due.
pub(crate) async fn oldest_due(executor: impl SqliteExecutor<'_>) -> Result<Option<Millis>, StoreError> {
    let due = sqlx::query_scalar("SELECT MIN(due_at) FROM deliveries WHERE status IN ('queued', 'waiting')")
        .fetch_one(executor)
        .await?;
    Ok(due)
}

/// The channels that the service paused.
pub(crate) async fn paused_by_service(executor: impl SqliteExecutor<'_>) -> Result<Vec<String>, StoreError> {
    let ids = sqlx::query_scalar("SELECT id FROM channels WHERE paused LIKE '%\"by\":\"service\"%'")
        .fetch_all(executor)
        .await?;
    Ok(ids)
}

/// Channels that are paused now.
pub(crate) async fn paused_channels(executor: impl SqliteExecutor<'_>) -> Result<i64, StoreError> {
    let count =
        sqlx::query_scalar("SELECT COUNT(*) FROM channels WHERE paused IS NOT NULL").fetch_one(executor).await?;
    Ok(count)
}

/// How many workspaces have to be connected again.
pub(crate) async fn lost_connections(executor: impl SqliteExecutor<'_>) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM connections WHERE lost IS NOT NULL AND ended_at IS NULL")
        .fetch_one(executor)
        .await?;
    Ok(count)
}

/// Which they are.
pub(crate) async fn ids_of_lost_connections(executor: impl SqliteExecutor<'_>) -> Result<Vec<String>, StoreError> {
    let ids = sqlx::query_scalar("SELECT id FROM connections WHERE lost IS NOT NULL AND ended_at IS NULL")
        .fetch_all(executor)
        .await?;
    Ok(ids)
}
