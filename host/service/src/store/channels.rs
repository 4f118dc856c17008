//! Channels and their sealed secrets.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sqlx::SqliteExecutor;

use super::{Connection, Store, StoreError};
use crate::clock::Millis;
use crate::quiet::QuietHours;

/// A channel as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct ChannelRow {
    pub(crate) id: String,
    pub(crate) organization_id: String,
    pub(crate) alias: String,
    pub(crate) channel_type: String,
    /// The connection that it posts through, where its type has any.
    pub(crate) connection_id: Option<String>,
    /// Without secrets.
    pub(crate) settings: Map<String, Value>,
    /// Keyed hash of where it leads.
    pub(crate) target: String,
    pub(crate) quiet_hours: Vec<QuietHours>,
    pub(crate) paused: Option<Paused>,
    pub(crate) paused_at: Option<Millis>,
    /// Counts its edits.
    pub(crate) version: i64,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
}

/// Why a channel is paused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Paused {
    pub(crate) by: PausedBy,
    /// A failure's kind, such as "unreachable"; "by-hand" where a person paused it.
    pub(crate) kind: String,
    /// The other side's own word: "gone".
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) remedy: String,
}

/// Who paused a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PausedBy {
    /// The service itself: a check that passes ends it.
    Service,
    /// Only a person ends it.
    Person,
}

/// A secret as it is kept.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct SecretRow {
    pub(crate) field: String,
    /// Bound to the channel and the field.
    pub(crate) sealed: String,
    /// A URL's origin, in clear.
    pub(crate) origin: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    organization_id: String,
    alias: String,
    #[sqlx(rename = "type")]
    channel_type: String,
    connection_id: Option<String>,
    settings: String,
    target: String,
    quiet_hours: String,
    paused: Option<String>,
    paused_at: Option<Millis>,
    version: i64,
    created_at: Millis,
    updated_at: Millis,
}

impl Row {
    fn read(self) -> Result<ChannelRow, StoreError> {
        let damaged = |id: &str, column: &str, error: &serde_json::Error| StoreError::Statement {
            reason: format!("the column {column} of the channel {id} is damaged: {error}"),
        };
        let settings = serde_json::from_str(&self.settings).map_err(|error| damaged(&self.id, "settings", &error))?;
        let paused = self.paused.as_deref().map(serde_json::from_str).transpose();
        let paused = paused.map_err(|error| damaged(&self.id, "paused", &error))?;
        let quiet_hours =
            serde_json::from_str(&self.quiet_hours).map_err(|error| damaged(&self.id, "quiet_hours", &error))?;
        let Self { id, organization_id, alias, channel_type, connection_id, target, .. } = self;
        let Self { paused_at, version, created_at, updated_at, .. } = self;
        Ok(ChannelRow {
            id,
            organization_id,
            alias,
            channel_type,
            connection_id,
            settings,
            target,
            quiet_hours,
            paused,
            paused_at,
            version,
            created_at,
            updated_at,
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, organization_id, alias, type, connection_id, settings, target, quiet_hours, paused, paused_at, \
             version, created_at, updated_at FROM channels ",
            $rest
        )
    };
}

/// By its id.
pub(crate) async fn find(executor: impl SqliteExecutor<'_>, id: &str) -> Result<Option<ChannelRow>, StoreError> {
    let row: Option<Row> = sqlx::query_as(select!("WHERE id = $1")).bind(id).fetch_optional(executor).await?;
    row.map(Row::read).transpose()
}

/// A channel and its secrets, as of one moment.
pub(crate) async fn whole(store: &Store, id: &str) -> Result<Option<(ChannelRow, Vec<SecretRow>)>, StoreError> {
    let mut moment = store.readers().begin().await?;
    let Some(row) = find(&mut *moment, id).await? else { return Ok(None) };
    let secrets = secrets(&mut *moment, id).await?;
    Ok(Some((row, secrets)))
}

/// The id behind an alias. `alias_key` is the alias in lower case.
pub(crate) async fn id_of_alias(
    executor: impl SqliteExecutor<'_>,
    organization: &str,
    alias_key: &str,
) -> Result<Option<String>, StoreError> {
    let id = sqlx::query_scalar("SELECT id FROM channels WHERE organization_id = $1 AND alias_key = $2")
        .bind(organization)
        .bind(alias_key)
        .fetch_optional(executor)
        .await?;
    Ok(id)
}

/// The ids of an organization's channels by creation, those after `after`.
pub(crate) async fn ids(
    executor: impl SqliteExecutor<'_>,
    organization: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    let ids = sqlx::query_scalar("SELECT id FROM channels WHERE organization_id = $1 AND id > $2 ORDER BY id LIMIT $3")
        .bind(organization)
        .bind(after)
        .bind(limit)
        .fetch_all(executor)
        .await?;
    Ok(ids)
}

/// The ids of all channels of a type.
pub(crate) async fn ids_of_type(
    executor: impl SqliteExecutor<'_>,
    channel_type: &str,
) -> Result<Vec<String>, StoreError> {
    let ids = sqlx::query_scalar("SELECT id FROM channels WHERE type = $1 ORDER BY id")
        .bind(channel_type)
        .fetch_all(executor)
        .await?;
    Ok(ids)
}

/// All secrets of a channel.
pub(crate) async fn secrets(executor: impl SqliteExecutor<'_>, id: &str) -> Result<Vec<SecretRow>, StoreError> {
    let rows = sqlx::query_as("SELECT field, sealed, origin FROM channel_secrets WHERE channel_id = $1 ORDER BY field")
        .bind(id)
        .fetch_all(executor)
        .await?;
    Ok(rows)
}

/// Keeps a new channel; a [`StoreError::Duplicate`] where its alias is taken.
pub(crate) async fn insert(connection: &mut Connection, row: &ChannelRow, alias_key: &str) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO channels (id, organization_id, alias, alias_key, type, settings, target, version, created_at, \
         updated_at, quiet_hours, connection_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(&row.id)
    .bind(&row.organization_id)
    .bind(&row.alias)
    .bind(alias_key)
    .bind(&row.channel_type)
    .bind(text(&row.settings))
    .bind(&row.target)
    .bind(row.version)
    .bind(row.created_at)
    .bind(row.updated_at)
    .bind(text(&row.quiet_hours))
    .bind(&row.connection_id)
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes what an edit changes: alias, settings, target, version and its time. Says whether the channel was still at the
/// version `from`.
pub(crate) async fn update(
    connection: &mut Connection,
    row: &ChannelRow,
    alias_key: &str,
    from: i64,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE channels SET alias = $1, alias_key = $2, settings = $3, target = $4, version = $5, updated_at = $6, \
         quiet_hours = $9 WHERE id = $7 AND version = $8",
    )
    .bind(&row.alias)
    .bind(alias_key)
    .bind(text(&row.settings))
    .bind(&row.target)
    .bind(row.version)
    .bind(row.updated_at)
    .bind(&row.id)
    .bind(from)
    .bind(text(&row.quiet_hours))
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Keeps a secret in place of the one that was there.
pub(crate) async fn put_secret(connection: &mut Connection, id: &str, secret: &SecretRow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO channel_secrets (channel_id, field, sealed, origin) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (channel_id, field) DO UPDATE SET sealed = excluded.sealed, origin = excluded.origin",
    )
    .bind(id)
    .bind(&secret.field)
    .bind(&secret.sealed)
    .bind(&secret.origin)
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets a secret.
pub(crate) async fn remove_secret(connection: &mut Connection, id: &str, field: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM channel_secrets WHERE channel_id = $1 AND field = $2")
        .bind(id)
        .bind(field)
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes a channel and its secrets. Says whether it was there.
pub(crate) async fn delete(connection: &mut Connection, id: &str) -> Result<bool, StoreError> {
    sqlx::query("DELETE FROM channel_secrets WHERE channel_id = $1").bind(id).execute(&mut *connection).await?;
    let done = sqlx::query("DELETE FROM channels WHERE id = $1").bind(id).execute(connection).await?;
    Ok(done.rows_affected() == 1)
}

/// Pauses a channel, or says another reason where it is paused already. Says whether the channel is there.
pub(crate) async fn pause(
    connection: &mut Connection,
    id: &str,
    paused: &Paused,
    now: Millis,
) -> Result<bool, StoreError> {
    let done = sqlx::query("UPDATE channels SET paused = $1, paused_at = $2, updated_at = $2 WHERE id = $3")
        .bind(text(paused))
        .bind(now)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends a pause. Says whether there was one.
pub(crate) async fn resume(connection: &mut Connection, id: &str, now: Millis) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE channels SET paused = NULL, paused_at = NULL, updated_at = $1 WHERE id = $2 AND paused IS NOT NULL",
    )
    .bind(now)
    .bind(id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that administrators are told of a message that was rejected. Says no where they were told within `interval`.
pub(crate) async fn tell_rejection(
    connection: &mut Connection,
    id: &str,
    now: Millis,
    interval: Millis,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE channels SET rejection_told_at = $1 WHERE id = $2 AND (rejection_told_at IS NULL OR \
         rejection_told_at <= $3)",
    )
    .bind(now)
    .bind(id)
    .bind(now.saturating_sub(interval))
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes JSON of what cannot fail to be JSON: string keys alone.
fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
#[path = "channels_tests.rs"]
mod tests;
