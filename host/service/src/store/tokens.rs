//! Tokens: who may call, by the hash of what they present.

use sqlx::SqliteExecutor;

use super::{Connection, StoreError};
use crate::clock::Millis;

/// A row of `tokens`.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct TokenRow {
    pub(crate) id: String,
    /// None for operators.
    pub(crate) organization_id: Option<String>,
    pub(crate) member_id: Option<String>,
    pub(crate) role: String,
    pub(crate) name: String,
    /// SHA-256, hex.
    pub(crate) hash: String,
    pub(crate) created_at: Millis,
    pub(crate) revoked_at: Option<Millis>,
}

/// Keeps a new one.
pub(crate) async fn insert(connection: &mut Connection, row: &TokenRow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO tokens (id, organization_id, member_id, role, name, hash, created_at, revoked_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&row.id)
    .bind(&row.organization_id)
    .bind(&row.member_id)
    .bind(&row.role)
    .bind(&row.name)
    .bind(&row.hash)
    .bind(row.created_at)
    .bind(row.revoked_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// One by its id.
pub(crate) async fn find(executor: impl SqliteExecutor<'_>, id: &str) -> Result<Option<TokenRow>, StoreError> {
    Ok(sqlx::query_as("SELECT * FROM tokens WHERE id = $1").bind(id).fetch_optional(executor).await?)
}

/// Those after `after`, of one organization or of all, in the order in which they were made.
pub(crate) async fn list(
    executor: impl SqliteExecutor<'_>,
    organization: Option<&str>,
    after: &str,
    limit: i64,
) -> Result<Vec<TokenRow>, StoreError> {
    let rows = match organization {
        Some(organization) => {
            sqlx::query_as("SELECT * FROM tokens WHERE organization_id = $1 AND id > $2 ORDER BY id LIMIT $3")
                .bind(organization)
                .bind(after)
                .bind(limit)
                .fetch_all(executor)
                .await?
        }
        None => {
            sqlx::query_as("SELECT * FROM tokens WHERE id > $1 ORDER BY id LIMIT $2")
                .bind(after)
                .bind(limit)
                .fetch_all(executor)
                .await?
        }
    };
    Ok(rows)
}

/// Those of a member that are not revoked.
pub(crate) async fn of_member(connection: &mut Connection, member: &str) -> Result<Vec<TokenRow>, StoreError> {
    let rows = sqlx::query_as("SELECT * FROM tokens WHERE member_id = $1 AND revoked_at IS NULL ORDER BY id")
        .bind(member)
        .fetch_all(connection)
        .await?;
    Ok(rows)
}

/// Marks one as revoked.
pub(crate) async fn revoke(connection: &mut Connection, id: &str, now: Millis) -> Result<(), StoreError> {
    sqlx::query("UPDATE tokens SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL")
        .bind(now)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// How many operators could still come in.
pub(crate) async fn live_operators(connection: &mut Connection) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM tokens WHERE role = 'operator' AND revoked_at IS NULL")
        .fetch_one(connection)
        .await?;
    Ok(count)
}
