//! What services sent to us: kept until it was acted on, and each message once.

use sqlx::SqliteExecutor;

use super::{Connection, StoreError};
use crate::clock::Millis;

/// A message as it is kept.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct InboundRow {
    pub(crate) id: String,
    pub(crate) connection_id: String,
    /// JSON of the request, sealed.
    pub(crate) request: String,
    pub(crate) received_at: Millis,
    pub(crate) due_at: Millis,
    pub(crate) attempts: i64,
}

/// Keeps a message, unless any of what it is known by was seen before. Says whether it is new.
pub(crate) async fn accept(
    connection: &mut Connection,
    channel_type: &str,
    ids: &[String],
    row: &InboundRow,
) -> Result<bool, StoreError> {
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
    if is_new {
        sqlx::query(
            "INSERT INTO inbound (id, connection_id, request, received_at, due_at, attempts) VALUES ($1, $2, $3, $4, $5, 0)",
        )
        .bind(&row.id)
        .bind(&row.connection_id)
        .bind(&row.request)
        .bind(row.received_at)
        .bind(row.due_at)
        .execute(connection)
        .await?;
    }
    Ok(is_new)
}

/// Those that are due, oldest first, of each connection the first alone: what it sends is acted on in order.
pub(crate) async fn due(
    executor: impl SqliteExecutor<'_>,
    now: Millis,
    limit: i64,
) -> Result<Vec<InboundRow>, StoreError> {
    let rows = sqlx::query_as(
        "SELECT id, connection_id, request, received_at, due_at, attempts FROM inbound AS this WHERE due_at <= $1 AND NOT \
         EXISTS (SELECT 1 FROM inbound AS other WHERE other.connection_id = this.connection_id AND other.id < this.id) \
         ORDER BY due_at, id LIMIT $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(executor)
    .await?;
    Ok(rows)
}

/// When the next one is due.
pub(crate) async fn next_due(executor: impl SqliteExecutor<'_>) -> Result<Option<Millis>, StoreError> {
    Ok(sqlx::query_scalar("SELECT MIN(due_at) FROM inbound").fetch_one(executor).await?)
}

/// An attempt begins: counted before anything follows, so that one which ends the program does not end it for good.
pub(crate) async fn begin(connection: &mut Connection, id: &str, due_at: Millis) -> Result<(), StoreError> {
    sqlx::query("UPDATE inbound SET attempts = attempts + 1, due_at = $1 WHERE id = $2")
        .bind(due_at)
        .bind(id)
        .execute(connection)
        .await?;
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
