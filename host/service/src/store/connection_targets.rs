//! The targets that were found in a workspace, and how far the pass over them is.

use sqlx::SqliteExecutor;

use super::connections::FoundTarget;
use super::{Connection, StoreError};
use crate::clock::Millis;

/// How far the listing of a connection is.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Listing {
    /// Counts the passes.
    #[sqlx(rename = "listing_pass")]
    pub(crate) pass: i64,
    /// Where it goes on; none where no pass is under way.
    #[sqlx(rename = "listing_cursor")]
    pub(crate) cursor: Option<String>,
    /// When the last whole pass ended.
    pub(crate) listed_at: Option<Millis>,
}

/// How far it is; none where there is no such connection.
pub(crate) async fn listing(executor: impl SqliteExecutor<'_>, id: &str) -> Result<Option<Listing>, StoreError> {
    let row = sqlx::query_as("SELECT listing_pass, listing_cursor, listed_at FROM connections WHERE id = $1")
        .bind(id)
        .fetch_optional(executor)
        .await?;
    Ok(row)
}

/// Begins a pass: its number.
pub(crate) async fn begin_pass(connection: &mut Connection, id: &str) -> Result<i64, StoreError> {
    let pass = sqlx::query_scalar(
        "UPDATE connections SET listing_pass = listing_pass + 1, listing_cursor = NULL WHERE id = $1 RETURNING listing_pass",
    )
    .bind(id)
    .fetch_optional(connection)
    .await?;
    Ok(pass.unwrap_or_default())
}

/// Keeps a page of a pass. Without a next one the pass is whole: what it did not see is gone.
pub(crate) async fn keep_page(
    connection: &mut Connection,
    id: &str,
    pass: i64,
    targets: &[FoundTarget],
    next: Option<&str>,
    now: Millis,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE connections SET listing_cursor = $1, listed_at = CASE WHEN $1 IS NULL THEN $2 ELSE listed_at END WHERE \
         id = $3 AND listing_pass = $4 AND ended_at IS NULL",
    )
    .bind(next)
    .bind(now)
    .bind(id)
    .bind(pass)
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    for target in targets {
        put(connection, id, target, pass).await?;
    }
    if next.is_none() {
        sqlx::query("DELETE FROM connection_targets WHERE connection_id = $1 AND pass < $2")
            .bind(id)
            .bind(pass)
            .execute(connection)
            .await?;
    }
    Ok(true)
}

async fn put(connection: &mut Connection, id: &str, target: &FoundTarget, pass: i64) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO connection_targets (connection_id, target_id, name, name_key, kind, reachable, pass) VALUES ($1, $2, \
         $3, $4, $5, $6, $7) ON CONFLICT (connection_id, target_id) DO UPDATE SET name = excluded.name, name_key = \
         excluded.name_key, kind = excluded.kind, reachable = excluded.reachable, pass = excluded.pass",
    )
    .bind(id)
    .bind(&target.id)
    .bind(&target.name)
    .bind(name_key(&target.name))
    .bind(&target.kind)
    .bind(target.reachable)
    .bind(pass)
    .execute(connection)
    .await?;
    Ok(())
}

/// A name as it is searched and sorted by: "#Sales" among the S.
pub(crate) fn name_key(name: &str) -> String {
    name.trim_start_matches(['#', '@']).to_lowercase()
}

/// Targets whose name holds `query` in any case, or whose id it is, in the order of their names; those after the place
/// `after`.
pub(crate) async fn search(
    executor: impl SqliteExecutor<'_>,
    id: &str,
    query: &str,
    after: Option<&(String, String)>,
    limit: i64,
) -> Result<Vec<FoundTarget>, StoreError> {
    let (after_name, after_id) = after.map_or(("", ""), |(name, id)| (name.as_str(), id.as_str()));
    let rows = sqlx::query_as(
        "SELECT target_id, name, kind, reachable FROM connection_targets WHERE connection_id = $1 AND (name_key, \
         target_id) > ($2, $3) AND ($4 = '' OR INSTR(name_key, $4) > 0 OR target_id = $5) ORDER BY name_key, target_id \
         LIMIT $6",
    )
    .bind(id)
    .bind(after_name)
    .bind(after_id)
    .bind(name_key(query.trim()))
    .bind(query.trim())
    .bind(limit)
    .fetch_all(executor)
    .await?;
    Ok(rows)
}

/// One, by its id.
pub(crate) async fn find(
    executor: impl SqliteExecutor<'_>,
    id: &str,
    target: &str,
) -> Result<Option<FoundTarget>, StoreError> {
    let row = sqlx::query_as(
        "SELECT target_id, name, kind, reachable FROM connection_targets WHERE connection_id = $1 AND target_id = $2",
    )
    .bind(id)
    .bind(target)
    .fetch_optional(executor)
    .await?;
    Ok(row)
}

/// How many there are.
pub(crate) async fn count(executor: impl SqliteExecutor<'_>, id: &str) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM connection_targets WHERE connection_id = $1")
        .bind(id)
        .fetch_one(executor)
        .await?;
    Ok(count)
}

/// Another name for one that is known.
pub(crate) async fn rename(connection: &mut Connection, id: &str, target: &str, name: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE connection_targets SET name = $1, name_key = $2 WHERE connection_id = $3 AND target_id = $4")
        .bind(name)
        .bind(name_key(name))
        .bind(id)
        .bind(target)
        .execute(connection)
        .await?;
    Ok(())
}

/// Whether one that is known can be posted to.
pub(crate) async fn set_reachable(
    connection: &mut Connection,
    id: &str,
    target: &str,
    reachable: bool,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE connection_targets SET reachable = $1 WHERE connection_id = $2 AND target_id = $3")
        .bind(reachable)
        .bind(id)
        .bind(target)
        .execute(connection)
        .await?;
    Ok(())
}
