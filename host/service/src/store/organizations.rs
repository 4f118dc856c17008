//! Organizations, and the facts of the database itself (`meta`).

use sqlx::SqliteExecutor;

use super::{Connection, StoreError};
use crate::clock::Millis;

/// The fact that tells which master key the database belongs to.
pub(crate) const MASTER_KEY: &str = "master_key";
/// The fact that holds the operators' own data key, wrapped by the master key.
pub(crate) const OPERATOR_KEY: &str = "operator_key";

/// A row of `organizations`.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct OrganizationRow {
    pub(crate) id: String,
    pub(crate) name: String,
    /// 'free' or 'paid'.
    pub(crate) plan: String,
    pub(crate) time_zone: String,
    pub(crate) locale: String,
    /// JSON array of channel ids.
    pub(crate) notice_channels: String,
    /// Wrapped by the master key.
    pub(crate) data_key: String,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
}

/// Keeps a new one.
pub(crate) async fn insert(connection: &mut Connection, row: &OrganizationRow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO organizations (id, name, plan, time_zone, locale, notice_channels, data_key, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&row.id)
    .bind(&row.name)
    .bind(&row.plan)
    .bind(&row.time_zone)
    .bind(&row.locale)
    .bind(&row.notice_channels)
    .bind(&row.data_key)
    .bind(row.created_at)
    .bind(row.updated_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps what people may change of it.
pub(crate) async fn update(connection: &mut Connection, row: &OrganizationRow) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE organizations SET name = $1, plan = $2, time_zone = $3, locale = $4, notice_channels = $5, updated_at = $6 \
         WHERE id = $7",
    )
    .bind(&row.name)
    .bind(&row.plan)
    .bind(&row.time_zone)
    .bind(&row.locale)
    .bind(&row.notice_channels)
    .bind(row.updated_at)
    .bind(&row.id)
    .execute(connection)
    .await?;
    Ok(())
}

/// One by its id.
pub(crate) async fn find(executor: impl SqliteExecutor<'_>, id: &str) -> Result<Option<OrganizationRow>, StoreError> {
    Ok(sqlx::query_as("SELECT * FROM organizations WHERE id = $1").bind(id).fetch_optional(executor).await?)
}

/// Those after `after`, in the order in which they were made.
pub(crate) async fn list(
    executor: impl SqliteExecutor<'_>,
    after: &str,
    limit: i64,
) -> Result<Vec<OrganizationRow>, StoreError> {
    let rows = sqlx::query_as("SELECT * FROM organizations WHERE id > $1 ORDER BY id LIMIT $2")
        .bind(after)
        .bind(limit)
        .fetch_all(executor)
        .await?;
    Ok(rows)
}

/// Every organization's id with its wrapped data key.
pub(crate) async fn data_keys(executor: impl SqliteExecutor<'_>) -> Result<Vec<(String, String)>, StoreError> {
    Ok(sqlx::query_as("SELECT id, data_key FROM organizations ORDER BY id").fetch_all(executor).await?)
}

/// Keeps a data key that was wrapped anew.
pub(crate) async fn set_data_key(connection: &mut Connection, id: &str, wrapped: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE organizations SET data_key = $1 WHERE id = $2")
        .bind(wrapped)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// The id of the organization's channel that `word` names: its id, or its alias in whatever case.
pub(crate) async fn channel_id(
    connection: &mut Connection,
    organization: &str,
    word: &str,
) -> Result<Option<String>, StoreError> {
    let id = sqlx::query_scalar("SELECT id FROM channels WHERE organization_id = $1 AND (id = $2 OR alias_key = $3)")
        .bind(organization)
        .bind(word)
        .bind(word.to_lowercase())
        .fetch_optional(connection)
        .await?;
    Ok(id)
}

/// A fact of the database.
pub(crate) async fn meta(executor: impl SqliteExecutor<'_>, name: &str) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar("SELECT value FROM meta WHERE name = $1").bind(name).fetch_optional(executor).await?)
}

/// Keeps a fact of the database.
pub(crate) async fn set_meta(connection: &mut Connection, name: &str, value: &str) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(name)
    .bind(value)
    .execute(connection)
    .await?;
    Ok(())
}
