//! People on their way to a service that they connect, and back.

use sqlx::SqliteExecutor;

use super::{Connection, StoreError};
use crate::clock::Millis;

/// One person's way. Of link, state and cookie only hashes are kept.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct AuthorizationRow {
    pub(crate) id: String,
    pub(crate) organization_id: String,
    #[sqlx(rename = "type")]
    pub(crate) channel_type: String,
    /// Who began it: the API token's id and name.
    pub(crate) token_id: String,
    pub(crate) person: String,
    pub(crate) link: String,
    pub(crate) cookie: Option<String>,
    /// PKCE's verifier, sealed.
    pub(crate) verifier: String,
    pub(crate) expires_at: Millis,
    pub(crate) followed_at: Option<Millis>,
    pub(crate) returned_at: Option<Millis>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, organization_id, type, token_id, person, link, cookie, verifier, expires_at, followed_at, returned_at FROM authorizations ",
            $rest
        )
    };
}

/// By the hash of the link that begins it.
pub(crate) async fn by_link(
    executor: impl SqliteExecutor<'_>,
    link: &str,
) -> Result<Option<AuthorizationRow>, StoreError> {
    Ok(sqlx::query_as(select!("WHERE link = $1")).bind(link).fetch_optional(executor).await?)
}

/// By the hash of the state that came back.
pub(crate) async fn by_state(
    executor: impl SqliteExecutor<'_>,
    state: &str,
) -> Result<Option<AuthorizationRow>, StoreError> {
    Ok(sqlx::query_as(select!("WHERE state = $1")).bind(state).fetch_optional(executor).await?)
}

/// Keeps a new one.
pub(crate) async fn insert(connection: &mut Connection, row: &AuthorizationRow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO authorizations (id, organization_id, type, token_id, person, link, verifier, expires_at) VALUES \
         ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&row.id)
    .bind(&row.organization_id)
    .bind(&row.channel_type)
    .bind(&row.token_id)
    .bind(&row.person)
    .bind(&row.link)
    .bind(&row.verifier)
    .bind(row.expires_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// The link was followed. Says no where it was before.
pub(crate) async fn follow(
    connection: &mut Connection,
    id: &str,
    state: &str,
    cookie: &str,
    now: Millis,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE authorizations SET state = $1, cookie = $2, followed_at = $3 WHERE id = $4 AND followed_at IS NULL",
    )
    .bind(state)
    .bind(cookie)
    .bind(now)
    .bind(id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The person came back. Says no where they did before.
pub(crate) async fn come_back(connection: &mut Connection, id: &str, now: Millis) -> Result<bool, StoreError> {
    let done = sqlx::query("UPDATE authorizations SET returned_at = $1 WHERE id = $2 AND returned_at IS NULL")
        .bind(now)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets those that expired before `before`.
pub(crate) async fn prune(connection: &mut Connection, before: Millis) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM authorizations WHERE expires_at < $1").bind(before).execute(connection).await?;
    Ok(())
}
