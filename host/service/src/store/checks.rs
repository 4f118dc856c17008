//! Checks of alerts: many in one transaction, each judged by whoever asked, with the alert as it is then.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::{QueryBuilder, Sqlite, SqliteExecutor};

use super::accept::{Accept, Accepted};
use super::alerts::{self, AlertRow};
use super::{Connection, StoreError, bulk};
use crate::clock::Millis;

/// A check as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct CheckRow {
    pub(crate) alert_id: String,
    /// Counts the alert's checks, from 1.
    pub(crate) number: i64,
    pub(crate) at: Millis,
    pub(crate) received_at: Millis,
    /// JSON: one for each rule.
    pub(crate) verdicts: String,
    /// The alert's state after it.
    pub(crate) state: String,
    /// The event that tells people.
    pub(crate) event_id: Option<String>,
    /// Why nobody was told, or not yet.
    pub(crate) silence: Option<String>,
    /// Over the values that came.
    pub(crate) fingerprint: String,
}

/// A check to judge and to keep.
#[derive(Clone)]
pub(crate) struct Check {
    pub(crate) alert_id: String,
    /// When it was made, where it says so itself: only then can it be one that was kept before.
    pub(crate) at: Option<Millis>,
    pub(crate) judge: Judge,
}

/// Judges a check by the alert as it is now, and by what was kept for the same moment before, if anything. May be asked
/// more than once: what it says is kept once.
pub(crate) type Judge = Arc<dyn Fn(&AlertRow, Option<CheckRow>) -> Judged + Send + Sync>;

/// What a judge says.
#[derive(Clone, Debug)]
pub(crate) enum Judged {
    /// To be kept.
    Keep(Box<Kept>),
    /// The same was kept before.
    Repeated(CheckRow),
    /// Another was kept for the same moment.
    Conflict,
    /// The alert is not what it was when it was read.
    Changed,
    /// These channels have to be known first.
    Unknown(Vec<String>),
    /// The organization has too much undelivered; so much is allowed.
    QueueFull(i64),
    /// There is no such alert any more.
    Gone,
}

/// What is kept of a check.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// The alert after it.
    pub(crate) alert: AlertRow,
    pub(crate) check: CheckRow,
    /// What tells people.
    pub(crate) accept: Option<Accept>,
    /// Deliveries that the event folded into its own: known once it is kept.
    pub(crate) folded: usize,
    /// Whether it stands in the transaction.
    written: bool,
}

impl Kept {
    /// To be kept.
    pub(crate) fn of(alert: AlertRow, check: CheckRow, accept: Option<Accept>) -> Self {
        Self { alert, check, accept, folded: 0, written: false }
    }
}

/// Judges and keeps all of `checks`, in their order, and says what became of each.
pub(super) async fn judge(connection: &mut Connection, checks: &[Check]) -> Result<Vec<Judged>, StoreError> {
    let mut alerts = read(connection, checks).await?;
    let mut all = Vec::with_capacity(checks.len());
    for check in checks {
        let Some(alert) = alerts.get_mut(&check.alert_id) else {
            all.push(Judged::Gone);
            continue;
        };
        let earlier = match (check.at, alert.last_run) {
            (Some(moment), Some(last)) if moment <= last => {
                flush(connection, &mut all).await?;
                at(&mut *connection, &check.alert_id, moment).await?
            }
            _ => None,
        };
        let judged = (check.judge)(alert, earlier);
        if let Judged::Keep(kept) = &judged {
            *alert = kept.alert.clone();
        }
        all.push(judged);
    }
    flush(connection, &mut all).await?;
    let touched: Vec<&AlertRow> = all
        .iter()
        .filter_map(|judged| if let Judged::Keep(kept) = judged { alerts.get(&kept.alert.id) } else { None })
        .collect();
    update(connection, touched).await?;
    Ok(all)
}

async fn read(connection: &mut Connection, checks: &[Check]) -> Result<HashMap<String, AlertRow>, StoreError> {
    let mut ids: Vec<&str> = checks.iter().map(|check| check.alert_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut rows = HashMap::with_capacity(ids.len());
    for slice in bulk::slices(&ids) {
        let mut query = QueryBuilder::<Sqlite>::new(alerts::select!("WHERE id IN ("));
        let mut list = query.separated(", ");
        for id in slice {
            list.push_bind(*id);
        }
        let found: Vec<AlertRow> = query.push(")").build_query_as().fetch_all(&mut *connection).await?;
        rows.extend(found.into_iter().map(|row| (row.id.clone(), row)));
    }
    Ok(rows)
}

/// Writes the checks that were judged and are not written yet, with their events.
async fn flush(connection: &mut Connection, all: &mut [Judged]) -> Result<(), StoreError> {
    let mut fresh: Vec<&mut Kept> = all
        .iter_mut()
        .filter_map(|judged| if let Judged::Keep(kept) = judged { Some(&mut **kept) } else { None })
        .filter(|kept| !kept.written)
        .collect();
    let rows: Vec<&CheckRow> = fresh.iter().map(|kept| &kept.check).collect();
    for slice in bulk::slices(&rows) {
        insert(connection, slice).await?;
    }
    for kept in &mut fresh {
        kept.written = true;
        if let Some(accept) = &kept.accept {
            let kept_event = super::accept::accept(connection, std::slice::from_ref(accept)).await?;
            if let Some(Accepted::New { folded }) = kept_event.first() {
                kept.folded = *folded;
            }
        }
    }
    Ok(())
}

async fn insert(connection: &mut Connection, rows: &[&CheckRow]) -> Result<(), StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT INTO checks (alert_id, number, at, received_at, verdicts, state, event_id, silence, fingerprint) ",
    );
    query.push_values(rows, |mut values, row| {
        let CheckRow { alert_id, number, at, received_at, verdicts, state, event_id, silence, fingerprint } = row;
        values
            .push_bind(alert_id)
            .push_bind(number)
            .push_bind(at)
            .push_bind(received_at)
            .push_bind(verdicts)
            .push_bind(state)
            .push_bind(event_id)
            .push_bind(silence)
            .push_bind(fingerprint);
    });
    query.build().execute(connection).await?;
    Ok(())
}

/// Writes what checks changed of alerts, each once.
async fn update(connection: &mut Connection, touched: Vec<&AlertRow>) -> Result<(), StoreError> {
    let last: HashMap<&str, &AlertRow> = touched.into_iter().map(|row| (row.id.as_str(), row)).collect();
    let rows: Vec<&AlertRow> = last.into_values().collect();
    for slice in bulk::slices(&rows) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "WITH judged (alert, now_state, incident, since, notified, who, run, triggered, count) AS (",
        );
        query.push_values(slice, |mut values, row| {
            values
                .push_bind(&row.id)
                .push_bind(&row.state)
                .push_bind(&row.incident_id)
                .push_bind(row.triggered_at)
                .push_bind(row.notified_at)
                .push_bind(&row.told)
                .push_bind(row.last_run)
                .push_bind(row.last_trigger)
                .push_bind(row.checks);
        });
        query.push(
            ") UPDATE alerts SET state = now_state, incident_id = incident, triggered_at = since, notified_at = notified, \
             told = who, last_run = run, last_trigger = triggered, checks = count FROM judged WHERE id = alert",
        );
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}

const COLUMNS: &str =
    "SELECT alert_id, number, at, received_at, verdicts, state, event_id, silence, fingerprint FROM checks ";

/// The check that counted for a moment, or was the first to come for it.
async fn at(executor: impl SqliteExecutor<'_>, alert: &str, at: Millis) -> Result<Option<CheckRow>, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(COLUMNS);
    query.push("WHERE alert_id = ").push_bind(alert).push(" AND at = ").push_bind(at).push(" ORDER BY number LIMIT 1");
    Ok(query.build_query_as().fetch_optional(executor).await?)
}

/// The event by which a check told people last.
pub(crate) async fn telling(executor: impl SqliteExecutor<'_>, alert: &str) -> Result<Option<String>, StoreError> {
    let event = sqlx::query_scalar(
        "SELECT event_id FROM checks WHERE alert_id = $1 AND event_id IS NOT NULL ORDER BY at DESC, number DESC LIMIT 1",
    )
    .bind(alert)
    .fetch_optional(executor)
    .await?;
    Ok(event)
}

/// An alert's checks, the latest first; those before a time and, of the same time, before a number.
pub(crate) async fn list(
    executor: impl SqliteExecutor<'_>,
    alert: &str,
    before: Option<(Millis, i64)>,
    limit: i64,
) -> Result<Vec<CheckRow>, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(COLUMNS);
    query.push("WHERE alert_id = ").push_bind(alert);
    if let Some((at, number)) = before {
        query.push(" AND (at, number) < (").push_bind(at).push(", ").push_bind(number).push(")");
    }
    query.push(" ORDER BY at DESC, number DESC LIMIT ").push_bind(limit);
    Ok(query.build_query_as().fetch_all(executor).await?)
}
