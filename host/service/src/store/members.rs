//! Members: the people of an organization.

use sqlx::SqliteExecutor;

use super::{Connection, StoreError};
use crate::clock::Millis;

/// A row of `members`.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct MemberRow {
    pub(crate) id: String,
    pub(crate) organization_id: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) created_at: Millis,
}

/// Keeps a new one; a duplicate where the organization has that address already.
pub(crate) async fn insert(connection: &mut Connection, row: &MemberRow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO members (id, organization_id, name, email, email_key, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&row.id)
    .bind(&row.organization_id)
    .bind(&row.name)
    .bind(&row.email)
    .bind(row.email.to_lowercase())
    .bind(row.created_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// One of an organization.
pub(crate) async fn find(
    connection: &mut Connection,
    organization: &str,
    id: &str,
) -> Result<Option<MemberRow>, StoreError> {
    let row = sqlx::query_as("SELECT * FROM members WHERE organization_id = $1 AND id = $2")
        .bind(organization)
        .bind(id)
        .fetch_optional(connection)
        .await?;
    Ok(row)
}

/// Those of an organization after `after`, in the order in which they came.
pub(crate) async fn list(
    executor: impl SqliteExecutor<'_>,
    organization: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<MemberRow>, StoreError> {
    let rows = sqlx::query_as("SELECT * FROM members WHERE organization_id = $1 AND id > $2 ORDER BY id LIMIT $3")
        .bind(organization)
        .bind(after)
        .bind(limit)
        .fetch_all(executor)
        .await?;
    Ok(rows)
}

/// Forgets one.
pub(crate) async fn delete(connection: &mut Connection, id: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM members WHERE id = $1").bind(id).execute(connection).await?;
    Ok(())
}
