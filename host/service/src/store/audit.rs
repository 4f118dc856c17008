//! Rows of the audit log, and the head of each chain.

use sqlx::SqliteExecutor;

use super::{Connection, StoreError};
use crate::clock::Millis;

/// A row of `audit`.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct AuditRow {
    pub(crate) chain: String,
    pub(crate) number: i64,
    pub(crate) at: Millis,
    /// JSON: token, name, role.
    pub(crate) actor: String,
    pub(crate) source: String,
    pub(crate) action: String,
    /// JSON: kind, id, name.
    pub(crate) object: String,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) hash: String,
}

/// A row of `audit_heads`.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct HeadRow {
    pub(crate) chain: String,
    pub(crate) number: i64,
    pub(crate) hash: String,
    pub(crate) seal: String,
}

/// Keeps a new row.
pub(crate) async fn insert(connection: &mut Connection, row: &AuditRow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit (chain, number, at, actor, source, action, object, before, after, hash) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(&row.chain)
    .bind(row.number)
    .bind(row.at)
    .bind(&row.actor)
    .bind(&row.source)
    .bind(&row.action)
    .bind(&row.object)
    .bind(&row.before)
    .bind(&row.after)
    .bind(&row.hash)
    .execute(connection)
    .await?;
    Ok(())
}

/// A chain's head.
pub(crate) async fn head(executor: impl SqliteExecutor<'_>, chain: &str) -> Result<Option<HeadRow>, StoreError> {
    Ok(sqlx::query_as("SELECT * FROM audit_heads WHERE chain = $1").bind(chain).fetch_optional(executor).await?)
}

/// Moves a chain's head on.
pub(crate) async fn set_head(connection: &mut Connection, row: &HeadRow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit_heads (chain, number, hash, seal) VALUES ($1, $2, $3, $4) ON CONFLICT (chain) DO UPDATE \
         SET number = excluded.number, hash = excluded.hash, seal = excluded.seal",
    )
    .bind(&row.chain)
    .bind(row.number)
    .bind(&row.hash)
    .bind(&row.seal)
    .execute(connection)
    .await?;
    Ok(())
}

/// Rows after `after`, the oldest first.
pub(crate) async fn following(
    executor: impl SqliteExecutor<'_>,
    chain: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<AuditRow>, StoreError> {
    let rows = sqlx::query_as("SELECT * FROM audit WHERE chain = $1 AND number > $2 ORDER BY number LIMIT $3")
        .bind(chain)
        .bind(after)
        .bind(limit)
        .fetch_all(executor)
        .await?;
    Ok(rows)
}

/// Rows before `before`, the newest first.
pub(crate) async fn preceding(
    executor: impl SqliteExecutor<'_>,
    chain: &str,
    before: i64,
    limit: i64,
) -> Result<Vec<AuditRow>, StoreError> {
    let rows = sqlx::query_as("SELECT * FROM audit WHERE chain = $1 AND number < $2 ORDER BY number DESC LIMIT $3")
        .bind(chain)
        .bind(before)
        .bind(limit)
        .fetch_all(executor)
        .await?;
    Ok(rows)
}

/// Every row's number and hash.
pub(crate) async fn hashes(executor: impl SqliteExecutor<'_>, chain: &str) -> Result<Vec<(i64, String)>, StoreError> {
    Ok(sqlx::query_as("SELECT number, hash FROM audit WHERE chain = $1 ORDER BY number")
        .bind(chain)
        .fetch_all(executor)
        .await?)
}
