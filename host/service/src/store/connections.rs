//! Connections and their sealed tokens.

use serde::{Deserialize, Serialize};
use sqlx::SqliteExecutor;
use utoipa::ToSchema;

use super::{Connection, Store, StoreError};
use crate::clock::Millis;
use crate::failure::FailureBody;

/// A connection as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionRow {
    pub(crate) id: String,
    pub(crate) organization_id: String,
    pub(crate) channel_type: String,
    /// The service's own id.
    pub(crate) workspace_id: String,
    pub(crate) name: String,
    /// What the component wants to know again.
    pub(crate) memo: String,
    pub(crate) default_target: Option<FoundTarget>,
    /// Why it has to be connected again.
    pub(crate) lost: Option<FailureBody>,
    pub(crate) lost_at: Option<Millis>,
    /// When people disconnected it.
    pub(crate) ended_at: Option<Millis>,
    pub(crate) connected_by: String,
    pub(crate) connected_at: Millis,
    pub(crate) updated_at: Millis,
}

/// Where in a workspace a message can go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
pub(crate) struct FoundTarget {
    /// What a channel's settings hold.
    #[sqlx(rename = "target_id")]
    pub(crate) id: String,
    /// What people call it.
    pub(crate) name: String,
    /// `public-channel`, `private-channel`, `person` or `other`
    pub(crate) kind: String,
    /// Whether the service lets us post there now.
    pub(crate) reachable: bool,
}

/// The tokens of a connection as they are kept.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct TokensRow {
    pub(crate) generation: i64,
    pub(crate) expires_at: Option<Millis>,
    /// Why it has to be connected again: JSON of a failure.
    pub(crate) lost: Option<String>,
    #[sqlx(skip)]
    pub(crate) sealed: Vec<SealedToken>,
}

/// How long tokens last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term {
    pub(crate) expires_at: Option<Millis>,
    /// When they are renewed, where they can be.
    pub(crate) renew_at: Option<Millis>,
}

/// A sealed token.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct SealedToken {
    /// The credential's name; empty for the refresh token.
    pub(crate) name: String,
    pub(crate) sealed: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    organization_id: String,
    #[sqlx(rename = "type")]
    channel_type: String,
    workspace_id: String,
    name: String,
    memo: String,
    default_target: Option<String>,
    lost: Option<String>,
    lost_at: Option<Millis>,
    ended_at: Option<Millis>,
    connected_by: String,
    connected_at: Millis,
    updated_at: Millis,
}

impl Row {
    fn read(self) -> Result<ConnectionRow, StoreError> {
        let damaged = |column: &str, error: &serde_json::Error| StoreError::Statement {
            reason: format!("the column {column} of the connection {} is damaged: {error}", self.id),
        };
        let default_target = self.default_target.as_deref().map(serde_json::from_str).transpose();
        let default_target = default_target.map_err(|error| damaged("default_target", &error))?;
        let lost = self.lost.as_deref().map(serde_json::from_str).transpose();
        let lost = lost.map_err(|error| damaged("lost", &error))?;
        Ok(ConnectionRow {
            id: self.id,
            organization_id: self.organization_id,
            channel_type: self.channel_type,
            workspace_id: self.workspace_id,
            name: self.name,
            memo: self.memo,
            default_target,
            lost,
            lost_at: self.lost_at,
            ended_at: self.ended_at,
            connected_by: self.connected_by,
            connected_at: self.connected_at,
            updated_at: self.updated_at,
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, organization_id, type, workspace_id, name, memo, default_target, lost, lost_at, ended_at, \
             connected_by, connected_at, updated_at FROM connections ",
            $rest
        )
    };
}

/// By its id.
pub(crate) async fn find(executor: impl SqliteExecutor<'_>, id: &str) -> Result<Option<ConnectionRow>, StoreError> {
    let row: Option<Row> = sqlx::query_as(select!("WHERE id = $1")).bind(id).fetch_optional(executor).await?;
    row.map(Row::read).transpose()
}

/// The one connection of a workspace that people have not disconnected, whosever it is.
pub(crate) async fn of_workspace(
    executor: impl SqliteExecutor<'_>,
    channel_type: &str,
    workspace_id: &str,
) -> Result<Option<ConnectionRow>, StoreError> {
    let row: Option<Row> = sqlx::query_as(select!("WHERE type = $1 AND workspace_id = $2 AND ended_at IS NULL"))
        .bind(channel_type)
        .bind(workspace_id)
        .fetch_optional(executor)
        .await?;
    row.map(Row::read).transpose()
}

/// All connections of a type that people have not disconnected, whosever they are.
pub(crate) async fn of_type(
    executor: impl SqliteExecutor<'_>,
    channel_type: &str,
) -> Result<Vec<ConnectionRow>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(select!("WHERE type = $1 AND ended_at IS NULL ORDER BY id"))
        .bind(channel_type)
        .fetch_all(executor)
        .await?;
    rows.into_iter().map(Row::read).collect()
}

/// An organization's connection of a workspace, disconnected or not.
pub(crate) async fn of_organization(
    executor: impl SqliteExecutor<'_>,
    organization: &str,
    channel_type: &str,
    workspace_id: &str,
) -> Result<Option<ConnectionRow>, StoreError> {
    let row: Option<Row> = sqlx::query_as(select!("WHERE organization_id = $1 AND type = $2 AND workspace_id = $3"))
        .bind(organization)
        .bind(channel_type)
        .bind(workspace_id)
        .fetch_optional(executor)
        .await?;
    row.map(Row::read).transpose()
}

/// An organization's connections by creation, those after `after`.
pub(crate) async fn list(
    executor: impl SqliteExecutor<'_>,
    organization: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<ConnectionRow>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(select!("WHERE organization_id = $1 AND id > $2 ORDER BY id LIMIT $3"))
        .bind(organization)
        .bind(after)
        .bind(limit)
        .fetch_all(executor)
        .await?;
    rows.into_iter().map(Row::read).collect()
}

macro_rules! renewable {
    ($before:literal, $after:literal) => {
        concat!($before, "renew_at IS NOT NULL AND ended_at IS NULL AND lost IS NULL", $after)
    };
}

/// The channel types of connections whose tokens are renewed. However many there are, each type costs a look.
const RENEWED_TYPES: &str = concat!(
    renewable!("WITH RECURSIVE types (type) AS (SELECT MIN(type) FROM connections WHERE ", " UNION ALL SELECT "),
    renewable!("(SELECT MIN(type) FROM connections WHERE ", " AND type > types.type) FROM types "),
    "WHERE types.type IS NOT NULL) SELECT type FROM types WHERE type IS NOT NULL"
);
const TO_RENEW: &str = renewable!(
    "SELECT id, generation FROM connections WHERE ",
    " AND type = $1 AND renew_at <= $2 ORDER BY renew_at, id LIMIT $3"
);
const NEXT_RENEWAL: &str =
    renewable!("SELECT MIN(renew_at) FROM connections WHERE ", " AND type = $1 AND renew_at > $2");

/// The channel types of connections whose tokens are renewed.
pub(crate) async fn renewed_types(executor: impl SqliteExecutor<'_>) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar(RENEWED_TYPES).fetch_all(executor).await?)
}

/// A type's connections whose tokens have to be renewed by now, and which these are: at most so many, those first that wait
/// longest.
pub(crate) async fn to_renew(
    executor: impl SqliteExecutor<'_>,
    channel_type: &str,
    now: Millis,
    limit: i64,
) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(sqlx::query_as(TO_RENEW).bind(channel_type).bind(now).bind(limit).fetch_all(executor).await?)
}

/// When after `now` the next token of a type is to be renewed.
pub(crate) async fn next_renewal(
    executor: impl SqliteExecutor<'_>,
    channel_type: &str,
    now: Millis,
) -> Result<Option<Millis>, StoreError> {
    Ok(sqlx::query_scalar(NEXT_RENEWAL).bind(channel_type).bind(now).fetch_one(executor).await?)
}

/// The tokens of a connection, as of one moment.
pub(crate) async fn tokens(store: &Store, id: &str) -> Result<Option<TokensRow>, StoreError> {
    let mut moment = store.readers().begin().await?;
    let row: Option<TokensRow> = sqlx::query_as("SELECT generation, expires_at, lost FROM connections WHERE id = $1")
        .bind(id)
        .fetch_optional(&mut *moment)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let sealed = sqlx::query_as("SELECT name, sealed FROM connection_secrets WHERE connection_id = $1 ORDER BY name")
        .bind(id)
        .fetch_all(&mut *moment)
        .await?;
    Ok(Some(TokensRow { sealed, ..row }))
}

/// Keeps a connection: a new one, or one that is connected again. Says nothing of its tokens.
pub(crate) async fn put(connection: &mut Connection, row: &ConnectionRow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO connections (id, organization_id, type, workspace_id, name, memo, default_target, generation, \
         connected_by, connected_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, $10) \
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, memo = excluded.memo, default_target = \
         COALESCE(excluded.default_target, connections.default_target), lost = NULL, lost_at = NULL, ended_at = NULL, \
         connected_by = excluded.connected_by, connected_at = excluded.connected_at, updated_at = excluded.updated_at",
    )
    .bind(&row.id)
    .bind(&row.organization_id)
    .bind(&row.channel_type)
    .bind(&row.workspace_id)
    .bind(&row.name)
    .bind(&row.memo)
    .bind(row.default_target.as_ref().map(text))
    .bind(&row.connected_by)
    .bind(row.connected_at)
    .bind(row.updated_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps tokens in place of those before, where it still had the tokens of `generation` and is not lost; whatever it was,
/// where that is none. Says whether it did.
pub(crate) async fn put_tokens(
    connection: &mut Connection,
    id: &str,
    generation: Option<i64>,
    term: Term,
    sealed: &[SealedToken],
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE connections SET generation = generation + 1, expires_at = $1, renew_at = $2 WHERE id = $3 AND ($4 IS NULL \
         OR generation = $4 AND lost IS NULL)",
    )
    .bind(term.expires_at)
    .bind(term.renew_at)
    .bind(id)
    .bind(generation)
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    forget_tokens(connection, id).await?;
    for token in sealed {
        sqlx::query("INSERT INTO connection_secrets (connection_id, name, sealed) VALUES ($1, $2, $3)")
            .bind(id)
            .bind(&token.name)
            .bind(&token.sealed)
            .execute(&mut *connection)
            .await?;
    }
    Ok(true)
}

async fn forget_tokens(connection: &mut Connection, id: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM connection_secrets WHERE connection_id = $1").bind(id).execute(connection).await?;
    Ok(())
}

/// Notes when the tokens are to be renewed.
pub(crate) async fn set_renewal(connection: &mut Connection, id: &str, at: Option<Millis>) -> Result<(), StoreError> {
    sqlx::query("UPDATE connections SET renew_at = $1 WHERE id = $2").bind(at).bind(id).execute(connection).await?;
    Ok(())
}

/// Marks that it has to be connected again. Says no where it is marked already, or has other tokens than those of
/// `generation` by now.
pub(crate) async fn lose(
    connection: &mut Connection,
    id: &str,
    generation: i64,
    why: &FailureBody,
    now: Millis,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE connections SET lost = $1, lost_at = $2, updated_at = $2 WHERE id = $3 AND generation = $4 AND lost IS NULL \
         AND ended_at IS NULL",
    )
    .bind(why.json())
    .bind(now)
    .bind(id)
    .bind(generation)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends a connection: its tokens and what was found in it are forgotten. Its row goes with them, unless channels use it.
pub(crate) async fn end(connection: &mut Connection, id: &str, now: Millis) -> Result<(), StoreError> {
    forget_tokens(connection, id).await?;
    sqlx::query("DELETE FROM inbound WHERE connection_id = $1").bind(id).execute(&mut *connection).await?;
    sqlx::query("DELETE FROM connection_targets WHERE connection_id = $1").bind(id).execute(&mut *connection).await?;
    sqlx::query(
        "UPDATE connections SET ended_at = $1, updated_at = $1, generation = generation + 1, expires_at = NULL, renew_at \
         = NULL, lost = NULL, lost_at = NULL, listing_pass = listing_pass + 1, listing_cursor = NULL, listed_at = NULL \
         WHERE id = $2",
    )
    .bind(now)
    .bind(id)
    .execute(&mut *connection)
    .await?;
    forget_unused(connection, id).await
}

/// Forgets an ended connection that no channel uses any more.
pub(crate) async fn forget_unused(connection: &mut Connection, id: &str) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM connections WHERE id = $1 AND ended_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM channels WHERE \
         connection_id = $1)",
    )
    .bind(id)
    .execute(connection)
    .await?;
    Ok(())
}

/// The ids and aliases of the channels that use it.
pub(crate) async fn channels(executor: impl SqliteExecutor<'_>, id: &str) -> Result<Vec<(String, String)>, StoreError> {
    let channels = sqlx::query_as("SELECT id, alias FROM channels WHERE connection_id = $1 ORDER BY id")
        .bind(id)
        .fetch_all(executor)
        .await?;
    Ok(channels)
}

const AWAKE_CHANNELS: &str = "SELECT id, alias FROM channels WHERE connection_id = $1 AND paused IS NULL ORDER BY id";

/// The ids and aliases of those that are not paused.
pub(crate) async fn awake_channels(
    executor: impl SqliteExecutor<'_>,
    id: &str,
) -> Result<Vec<(String, String)>, StoreError> {
    Ok(sqlx::query_as(AWAKE_CHANNELS).bind(id).fetch_all(executor).await?)
}

/// Writes JSON of what cannot fail to be JSON: string keys alone.
fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
#[path = "connections_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "connections_lost_tests.rs"]
mod lost_tests;
