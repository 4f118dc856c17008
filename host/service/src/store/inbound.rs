//! What services sent to us: kept until it was acted on, and each message once.

use sqlx::SqliteExecutor;

use super::{Connection, StoreError};
use crate::clock::Millis;

/// A message as it comes.
#[derive(Clone, Debug)]
pub(crate) struct NewInbound {
    pub(crate) id: String,
    pub(crate) connection_id: String,
    /// JSON of the request, sealed.
    pub(crate) request: String,
    pub(crate) received_at: Millis,
}

/// How many messages of one connection wait, at most.
pub(crate) const MOST: i64 = 1_000;

/// What became of a message that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accepted {
    /// It is kept.
    New,
    /// It came before.
    Seen,
    /// Too many wait.
    Full,
}

/// The first message of a connection that waits: what it sends is acted on in order.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Head {
    pub(crate) id: String,
    pub(crate) connection_id: String,
    pub(crate) due_at: Millis,
    pub(crate) attempts: i64,
}

/// Keeps a message, unless any of what it is known by was seen before, or as many wait as there may.
pub(crate) async fn accept(
    connection: &mut Connection,
    channel_type: &str,
    ids: &[String],
    row: &NewInbound,
) -> Result<Accepted, StoreError> {
    let waiting: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM inbound WHERE connection_id = $1")
        .bind(&row.connection_id)
        .fetch_one(&mut *connection)
        .await?;
    if waiting >= MOST {
        return Ok(Accepted::Full);
    }
    let mut is_new = true;
    for id in ids {
        let done =
            sqlx::query("INSERT INTO inbound_seen (type, message_id, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
                .bind(channel_type)
                .bind(id)
                .bind(row.received_at)
                .execute(&mut *connection)
                .await?;
        is_new &= done.rows_affected() == 1;
    }
    if !is_new {
        return Ok(Accepted::Seen);
    }
    sqlx::query(
        "INSERT INTO inbound (id, connection_id, request, received_at, due_at, attempts) VALUES ($1, $2, $3, $4, $4, 0)",
    )
    .bind(&row.id)
    .bind(&row.connection_id)
    .bind(&row.request)
    .bind(row.received_at)
    .execute(connection)
    .await?;
    Ok(Accepted::New)
}

/// The first messages of connections, those that are due first. However many wait, each connection costs a look or two.
pub(crate) async fn heads(executor: impl SqliteExecutor<'_>, limit: i64) -> Result<Vec<Head>, StoreError> {
    Ok(sqlx::query_as(HEADS).bind(limit).fetch_all(executor).await?)
}

const HEADS: &str = "WITH RECURSIVE waiting (connection_id) AS (SELECT MIN(connection_id) FROM inbound UNION ALL SELECT \
                     (SELECT MIN(connection_id) FROM inbound WHERE connection_id > waiting.connection_id) FROM waiting \
                     WHERE waiting.connection_id IS NOT NULL) \
                     SELECT id, inbound.connection_id, due_at, attempts FROM waiting JOIN inbound ON inbound.id = (SELECT \
                     MIN(id) FROM inbound AS first WHERE first.connection_id = waiting.connection_id) \
                     ORDER BY due_at, id LIMIT $1";

/// What a message holds, sealed; none where it is gone.
pub(crate) async fn request(executor: impl SqliteExecutor<'_>, id: &str) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar("SELECT request FROM inbound WHERE id = $1").bind(id).fetch_optional(executor).await?)
}

/// An attempt begins: counted before anything follows, so that one which ends the program does not end it for good. Says
/// whether the message is there.
pub(crate) async fn begin(connection: &mut Connection, id: &str, due_at: Millis) -> Result<bool, StoreError> {
    let done = sqlx::query("UPDATE inbound SET attempts = attempts + 1, due_at = $1 WHERE id = $2")
        .bind(due_at)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Drops what came of a connection before `before`. How many that were.
pub(crate) async fn drop_late(
    connection: &mut Connection,
    connection_id: &str,
    before: Millis,
) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM inbound WHERE connection_id = $1 AND received_at < $2")
        .bind(connection_id)
        .bind(before)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

/// It rests until its next try.
pub(crate) async fn rest(connection: &mut Connection, id: &str, due_at: Millis) -> Result<(), StoreError> {
    sqlx::query("UPDATE inbound SET due_at = $1 WHERE id = $2").bind(due_at).bind(id).execute(connection).await?;
    Ok(())
}

/// It was acted on, or is given up.
pub(crate) async fn remove(connection: &mut Connection, id: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM inbound WHERE id = $1").bind(id).execute(connection).await?;
    Ok(())
}

/// Forgets what messages were known by that came before `before`.
pub(crate) async fn prune(connection: &mut Connection, before: Millis) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM inbound_seen WHERE at < $1").bind(before).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
#[path = "inbound_tests.rs"]
mod tests;
