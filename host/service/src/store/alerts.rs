//! Alerts and the channels that they tell.

use sqlx::SqliteExecutor;

use super::{Connection, StoreError};
use crate::clock::Millis;

/// An alert as it is kept.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct AlertRow {
    pub(crate) id: String,
    pub(crate) organization_id: String,
    pub(crate) name: String,
    /// JSON: what people say of it.
    pub(crate) definition: String,
    pub(crate) cooldown_ms: Millis,
    /// No trigger is told before.
    pub(crate) muted_until: Option<Millis>,
    /// 'pending' or 'triggered'.
    pub(crate) state: String,
    /// Of the incident that is open now.
    pub(crate) incident_id: Option<String>,
    pub(crate) triggered_at: Option<Millis>,
    pub(crate) notified_at: Option<Millis>,
    /// JSON array of the ids of the channels that are told of it.
    pub(crate) told: String,
    /// `at` of the last check that counted.
    pub(crate) last_run: Option<Millis>,
    /// `at` of the last trigger that people were told of.
    pub(crate) last_trigger: Option<Millis>,
    /// The number of the last check.
    pub(crate) checks: i64,
    /// Counts its edits.
    pub(crate) version: i64,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
}

impl AlertRow {
    /// The ids of the channels that are told of the open incident.
    pub(crate) fn told(&self) -> Vec<String> {
        serde_json::from_str(&self.told).unwrap_or_default()
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, organization_id, name, definition, cooldown_ms, muted_until, state, incident_id, triggered_at, \
             notified_at, told, last_run, last_trigger, checks, version, created_at, updated_at FROM alerts ",
            $rest
        )
    };
}
pub(super) use select;

/// By its id.
pub(crate) async fn find(executor: impl SqliteExecutor<'_>, id: &str) -> Result<Option<AlertRow>, StoreError> {
    Ok(sqlx::query_as(select!("WHERE id = $1")).bind(id).fetch_optional(executor).await?)
}

/// The id behind a name. `name_key` is the name in lower case.
pub(crate) async fn id_of_name(
    executor: impl SqliteExecutor<'_>,
    organization: &str,
    name_key: &str,
) -> Result<Option<String>, StoreError> {
    let id = sqlx::query_scalar("SELECT id FROM alerts WHERE organization_id = $1 AND name_key = $2")
        .bind(organization)
        .bind(name_key)
        .fetch_optional(executor)
        .await?;
    Ok(id)
}

/// An organization's alerts by creation, those after `after`.
pub(crate) async fn list(
    executor: impl SqliteExecutor<'_>,
    organization: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<AlertRow>, StoreError> {
    let rows = sqlx::query_as(select!("WHERE organization_id = $1 AND id > $2 ORDER BY id LIMIT $3"))
        .bind(organization)
        .bind(after)
        .bind(limit)
        .fetch_all(executor)
        .await?;
    Ok(rows)
}

/// The ids of the channels that an alert tells, in their order.
pub(crate) async fn channels(executor: impl SqliteExecutor<'_>, alert: &str) -> Result<Vec<String>, StoreError> {
    let ids = sqlx::query_scalar("SELECT channel_id FROM alert_channels WHERE alert_id = $1 ORDER BY position")
        .bind(alert)
        .fetch_all(executor)
        .await?;
    Ok(ids)
}

/// The names of alerts that tell a channel, at most `limit`.
pub(crate) async fn names_by_channel(
    executor: impl SqliteExecutor<'_>,
    channel: &str,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    let names = sqlx::query_scalar(
        "SELECT a.name FROM alert_channels c JOIN alerts a ON a.id = c.alert_id WHERE c.channel_id = $1 \
         ORDER BY a.name LIMIT $2",
    )
    .bind(channel)
    .bind(limit)
    .fetch_all(executor)
    .await?;
    Ok(names)
}

/// The alerts that tell any of these channels: name, whether it is triggered, and since when; triggered ones first.
pub(crate) async fn of_channels(
    executor: impl SqliteExecutor<'_>,
    channels: &[String],
) -> Result<Vec<(String, bool, Option<Millis>)>, StoreError> {
    let mut query = sqlx::QueryBuilder::new(
        "SELECT name, state = 'triggered', triggered_at FROM alerts WHERE id IN (SELECT alert_id FROM alert_channels WHERE \
         channel_id IN (",
    );
    let mut places = query.separated(", ");
    for channel in channels {
        places.push_bind(channel);
    }
    query.push(")) ORDER BY 2 DESC, name");
    Ok(query.build_query_as().fetch_all(executor).await?)
}

/// Takes a channel from all alerts. Which.
pub(crate) async fn leave_channel(connection: &mut Connection, channel: &str) -> Result<Vec<String>, StoreError> {
    let alerts: Vec<String> = sqlx::query_scalar("DELETE FROM alert_channels WHERE channel_id = $1 RETURNING alert_id")
        .bind(channel)
        .fetch_all(&mut *connection)
        .await?;
    for alert in &alerts {
        let query = sqlx::query("UPDATE alerts SET version = version + 1 WHERE id = $1");
        query.bind(alert).execute(&mut *connection).await?;
    }
    Ok(alerts)
}

/// Keeps a new alert; a [`StoreError::Duplicate`] where its name is taken.
pub(crate) async fn insert(connection: &mut Connection, row: &AlertRow, name_key: &str) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO alerts (id, organization_id, name, name_key, definition, cooldown_ms, muted_until, state, told, \
         checks, version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(&row.id)
    .bind(&row.organization_id)
    .bind(&row.name)
    .bind(name_key)
    .bind(&row.definition)
    .bind(row.cooldown_ms)
    .bind(row.muted_until)
    .bind(&row.state)
    .bind(&row.told)
    .bind(row.checks)
    .bind(row.version)
    .bind(row.created_at)
    .bind(row.updated_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes what an edit changes. Says whether the alert was still at the version `from`.
pub(crate) async fn update(
    connection: &mut Connection,
    row: &AlertRow,
    name_key: &str,
    from: i64,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE alerts SET name = $1, name_key = $2, definition = $3, cooldown_ms = $4, version = $5, updated_at = $6 \
         WHERE id = $7 AND version = $8",
    )
    .bind(&row.name)
    .bind(name_key)
    .bind(&row.definition)
    .bind(row.cooldown_ms)
    .bind(row.version)
    .bind(row.updated_at)
    .bind(&row.id)
    .bind(from)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Has an alert tell these channels.
pub(crate) async fn put_channels(connection: &mut Connection, alert: &str, ids: &[String]) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM alert_channels WHERE alert_id = $1").bind(alert).execute(&mut *connection).await?;
    for (position, channel) in (0_i64..).zip(ids) {
        sqlx::query("INSERT INTO alert_channels (alert_id, channel_id, position) VALUES ($1, $2, $3)")
            .bind(alert)
            .bind(channel)
            .bind(position)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Mutes an alert, or ends that. Says whether it is there.
pub(crate) async fn mute(
    connection: &mut Connection,
    id: &str,
    until: Option<Millis>,
    now: Millis,
) -> Result<bool, StoreError> {
    let done = sqlx::query("UPDATE alerts SET muted_until = $1, updated_at = $2 WHERE id = $3")
        .bind(until)
        .bind(now)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// A channel is not told of an open incident after all.
pub(crate) async fn untell(
    connection: &mut Connection,
    alert: &str,
    incident: &str,
    channel: &str,
) -> Result<(), StoreError> {
    retell(connection, alert, incident, |told| told.retain(|id| id != channel)).await
}

/// A channel is told of an open incident after all.
pub(crate) async fn tell(
    connection: &mut Connection,
    alert: &str,
    incident: &str,
    channel: &str,
) -> Result<(), StoreError> {
    retell(connection, alert, incident, |told| {
        if !told.iter().any(|id| id == channel) {
            told.push(channel.to_owned());
        }
    })
    .await
}

async fn retell(
    connection: &mut Connection,
    alert: &str,
    incident: &str,
    change: impl FnOnce(&mut Vec<String>),
) -> Result<(), StoreError> {
    let Some(row) = find(&mut *connection, alert).await? else { return Ok(()) };
    if row.incident_id.as_deref() != Some(incident) {
        return Ok(());
    }
    let mut told = row.told();
    change(&mut told);
    sqlx::query("UPDATE alerts SET told = $1 WHERE id = $2")
        .bind(serde_json::to_string(&told).unwrap_or_default())
        .bind(alert)
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes an alert, its list of channels and its checks. Says whether it was there.
pub(crate) async fn delete(connection: &mut Connection, id: &str) -> Result<bool, StoreError> {
    sqlx::query("DELETE FROM alert_channels WHERE alert_id = $1").bind(id).execute(&mut *connection).await?;
    sqlx::query("DELETE FROM checks WHERE alert_id = $1").bind(id).execute(&mut *connection).await?;
    let done = sqlx::query("DELETE FROM alerts WHERE id = $1").bind(id).execute(connection).await?;
    Ok(done.rows_affected() == 1)
}
