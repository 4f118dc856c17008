//! Makes, changes, mutes and deletes alerts. Each change is one transaction with its audit entry.

use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Value, json};
use uuid::Uuid;

use super::definition::{self, Definition};
use super::error::AlertError;
use super::judge::PENDING;
use super::registry::Alert;
use crate::access::OrgCaller;
use crate::access::misfit::{self, Misfit};
use crate::app::App;
use crate::audit::{self, Entry, Object};
use crate::clock::{Millis, rfc3339};
use crate::delivery::Deleted;
use crate::directory::{alias_key, is_id};
use crate::store::alerts::{self, AlertRow};
use crate::store::{StoreError, digests, incidents};

/// Channels of an alert, at most.
const MOST_CHANNELS: usize = 100;
/// The longest cooldown: 30 days, in seconds.
const LONGEST_COOLDOWN: i64 = 30 * 86_400;
/// Urgencies, the least first.
const SEVERITIES: [&str; 3] = ["info", "warning", "critical"];

/// What is asked for.
pub(crate) struct NewAlert {
    pub(crate) name: String,
    pub(crate) rules: Vec<Value>,
    /// Aliases or ids.
    pub(crate) channels: Vec<String>,
    pub(crate) report: Option<Box<RawValue>>,
    pub(crate) severity: Option<String>,
    pub(crate) mentions: Option<Box<RawValue>>,
    pub(crate) labels: Option<Box<RawValue>>,
    pub(crate) cooldown_seconds: Option<i64>,
    pub(crate) frequency: Option<String>,
}

/// What is to change; what is absent stays, null removes.
#[derive(Default)]
pub(crate) struct Change {
    pub(crate) name: Option<String>,
    pub(crate) rules: Option<Vec<Value>>,
    pub(crate) channels: Option<Vec<String>>,
    pub(crate) report: Option<Box<RawValue>>,
    pub(crate) severity: Option<String>,
    pub(crate) mentions: Option<Box<RawValue>>,
    pub(crate) labels: Option<Box<RawValue>>,
    pub(crate) cooldown_seconds: Option<i64>,
    /// Empty removes.
    pub(crate) frequency: Option<String>,
    /// The `If-Match` header.
    pub(crate) only_if: Option<String>,
}

/// Whether an alert is to be silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Muting {
    /// Until somebody ends it.
    On,
    /// Until then.
    Until(Millis),
    Off,
}

/// An alert as it is kept now, with the channels that it tells.
pub(crate) async fn find(app: &App, organization: &str, name: &str) -> Result<(Arc<Alert>, AlertRow), AlertError> {
    for _ in 0..3 {
        let alert = app.alerts.resolve(organization, name).await?;
        match alerts::find(app.store.readers(), &alert.id).await? {
            Some(row) if row.version == alert.version => return Ok((alert, row)),
            _ => app.alerts.forget(&alert),
        }
    }
    Err(AlertError::NotFound(name.to_owned()))
}

/// Makes an alert.
pub(crate) async fn create(app: &App, by: &OrgCaller, new: NewAlert) -> Result<(Arc<Alert>, AlertRow), AlertError> {
    let NewAlert { name, rules, channels, report, severity, mentions, labels, cooldown_seconds, frequency } = new;
    let name = readable_name(&name)?;
    let definition = Definition {
        rules: definition::rules(&rules)?,
        severity: known_severity(severity.as_deref().unwrap_or("warning"))?.to_owned(),
        report: filled(report),
        mentions: filled(mentions),
        labels: filled(labels),
        frequency: frequency.filter(|text| !text.trim().is_empty()),
    };
    definition.check(&name)?;
    let channels = resolve_channels(app, &by.organization, &channels).await?;
    let now = app.clock.now();
    let row = AlertRow {
        id: Uuid::now_v7().to_string(),
        organization_id: by.organization.clone(),
        name,
        definition: serde_json::to_string(&definition).unwrap_or_default(),
        cooldown_ms: cooldown(cooldown_seconds.unwrap_or(0))?,
        muted_until: None,
        state: PENDING.to_owned(),
        incident_id: None,
        triggered_at: None,
        notified_at: None,
        told: "[]".to_owned(),
        last_run: None,
        last_trigger: None,
        checks: 0,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let mut entry = entry(by, now, "alert.created", &row);
    entry.after = Some(told(&row, &channels));
    let id = row.id.clone();
    let key = key(app, by).await?;
    app.store
        .write(move |connection| {
            Box::pin(async move {
                let inserted = alerts::insert(connection, &row, &alias_key(&row.name)).await;
                inserted.map_err(|error| taken(error, &row.name))?;
                alerts::put_channels(connection, &row.id, &channels).await?;
                audit::append(connection, &key, entry).await?;
                Ok::<_, AlertError>(())
            })
        })
        .await?;
    find(app, &by.organization, &id).await
}

/// Changes an alert: the next check judges by what it is then.
pub(crate) async fn change(
    app: &App,
    by: &OrgCaller,
    name: &str,
    change: Change,
) -> Result<(Arc<Alert>, AlertRow), AlertError> {
    let (alert, before) = find(app, &by.organization, name).await?;
    if let Some(expected) = &change.only_if
        && !crate::channels::fits_version(expected, before.version)
    {
        return Err(AlertError::VersionMismatch { expected: expected.clone(), found: before.version });
    }
    let mut row = before.clone();
    let mut definition = alert.definition.clone();
    if let Some(name) = &change.name {
        row.name = readable_name(name)?;
    }
    if let Some(rules) = &change.rules {
        definition.rules = definition::rules(rules)?;
    }
    if let Some(severity) = &change.severity {
        known_severity(severity)?.clone_into(&mut definition.severity);
    }
    let changed = |given: Option<Box<RawValue>>, kept| if given.is_some() { filled(given) } else { kept };
    definition.report = changed(change.report, definition.report);
    definition.mentions = changed(change.mentions, definition.mentions);
    definition.labels = changed(change.labels, definition.labels);
    definition.frequency = change.frequency.or(definition.frequency).filter(|text| !text.trim().is_empty());
    definition.check(&row.name)?;
    if let Some(seconds) = change.cooldown_seconds {
        row.cooldown_ms = cooldown(seconds)?;
    }
    let channels = match &change.channels {
        Some(names) => resolve_channels(app, &by.organization, names).await?,
        None => alert.channels.clone(),
    };
    row.definition = serde_json::to_string(&definition).unwrap_or_default();
    let is_same =
        (&row.name, &row.definition, row.cooldown_ms) == (&before.name, &before.definition, before.cooldown_ms);
    if is_same && channels == alert.channels {
        return Ok((alert, before));
    }
    let now = app.clock.now();
    (row.version, row.updated_at) = (before.version + 1, now);
    let mut entry = entry(by, now, "alert.changed", &row);
    entry.before = Some(told(&before, &alert.channels));
    entry.after = Some(told(&row, &channels));
    let id = row.id.clone();
    let key = key(app, by).await?;
    let result = app
        .store
        .write(move |connection| {
            Box::pin(async move {
                let updated = alerts::update(connection, &row, &alias_key(&row.name), before.version).await;
                if !updated.map_err(|error| taken(error, &row.name))? {
                    return Err(AlertError::ChangedMeanwhile);
                }
                alerts::put_channels(connection, &row.id, &channels).await?;
                audit::append(connection, &key, entry).await?;
                Ok(())
            })
        })
        .await;
    // Also where nobody knows whether it was kept.
    app.alerts.forget(&alert);
    result?;
    find(app, &by.organization, &id).await
}

/// Mutes an alert, or ends that. Its checks go on.
pub(crate) async fn mute(
    app: &App,
    by: &OrgCaller,
    name: &str,
    muting: Muting,
) -> Result<(Arc<Alert>, AlertRow), AlertError> {
    let (alert, row) = find(app, &by.organization, name).await?;
    let now = app.clock.now();
    let until = match muting {
        Muting::On => Some(Millis::MAX),
        Muting::Until(until) if until > now => Some(until),
        Muting::Until(until) => {
            let found = rfc3339(until);
            return Err(Misfit { field: "until", expected: "a time that is yet to come", found }.into());
        }
        Muting::Off => None,
    };
    let mut entry = entry(by, now, if until.is_some() { "alert.muted" } else { "alert.unmuted" }, &row);
    entry.before = Some(json!({ "muted": muted(row.muted_until, now) }));
    entry.after = Some(json!({ "muted": muted(until, now) }));
    let key = key(app, by).await?;
    let id = alert.id.clone();
    app.store
        .write(move |connection| {
            Box::pin(async move {
                if !alerts::mute(connection, &id, until, now).await? {
                    return Err(AlertError::NotFound(id));
                }
                audit::append(connection, &key, entry).await?;
                Ok(())
            })
        })
        .await?;
    find(app, &by.organization, &alert.id).await
}

/// Deletes an alert: what waits is cancelled, and nothing is told.
pub(crate) async fn delete(app: &App, by: &OrgCaller, name: &str) -> Result<(), AlertError> {
    let (alert, row) = find(app, &by.organization, name).await?;
    let now = app.clock.now();
    let mut entry = entry(by, now, "alert.deleted", &row);
    entry.before = Some(told(&row, &alert.channels));
    let key = key(app, by).await?;
    let id = alert.id.clone();
    let result = app
        .store
        .write(move |connection| {
            Box::pin(async move {
                if !alerts::delete(connection, &id).await? {
                    return Err(AlertError::NotFound(id));
                }
                let (ended, freed) = digests::without_alert(connection, &id, now).await?;
                let cancelled = incidents::cancel_of_alert(connection, &id, now).await?;
                audit::append(connection, &key, entry).await?;
                Ok(Deleted { ended, freed, cancelled })
            })
        })
        .await;
    app.alerts.forget(&alert);
    app.delivery.alert_deleted(&by.organization, result?).await;
    Ok(())
}

/// When it is muted until, as the API tells it: null where it is not, `true` where nobody said until when.
pub(crate) fn muted(until: Option<Millis>, now: Millis) -> Value {
    match until {
        Some(Millis::MAX) => Value::Bool(true),
        Some(until) if until > now => rfc3339(until).into(),
        _ => Value::Null,
    }
}

/// As the table and the events have it.
pub(super) fn severity(name: &str) -> &'static str {
    SEVERITIES.into_iter().find(|known| *known == name).unwrap_or("warning")
}

fn known_severity(name: &str) -> Result<&'static str, Misfit> {
    let found = SEVERITIES.into_iter().find(|known| *known == name);
    found.ok_or_else(|| Misfit {
        field: "severity",
        expected: "info, warning or critical",
        found: format!("{:?}", name.chars().take(60).collect::<String>()),
    })
}

fn readable_name(name: &str) -> Result<String, Misfit> {
    let name = misfit::name("name", name)?;
    if is_id(&name) {
        return Err(Misfit { field: "name", expected: "a name that does not look like an id", found: name });
    }
    Ok(name)
}

fn cooldown(seconds: i64) -> Result<Millis, Misfit> {
    if (0..=LONGEST_COOLDOWN).contains(&seconds) {
        return Ok(seconds * 1_000);
    }
    let found = seconds.to_string();
    Err(Misfit { field: "cooldown_seconds", expected: "0 to 2592000 seconds (30 days)", found })
}

/// What is null is not there.
fn filled(value: Option<Box<RawValue>>) -> Option<Box<RawValue>> {
    value.filter(|value| value.get() != "null")
}

async fn resolve_channels(app: &App, organization: &str, names: &[String]) -> Result<Vec<String>, AlertError> {
    if names.is_empty() || names.len() > MOST_CHANNELS {
        let message = format!("expected 1 to {MOST_CHANNELS} aliases or ids of channels; found {}", names.len());
        return Err(AlertError::BadDefinition { path: "channels".to_owned(), message });
    }
    let mut ids: Vec<String> = Vec::with_capacity(names.len());
    for (at, name) in names.iter().enumerate() {
        let found = app.directory.resolve(organization, name).await?;
        let channel = found.ok_or_else(|| AlertError::UnknownChannel {
            path: format!("channels[{at}]"),
            found: name.chars().take(100).collect(),
        })?;
        if !ids.contains(&channel.id) {
            ids.push(channel.id.clone());
        }
    }
    Ok(ids)
}

fn taken(error: StoreError, name: &str) -> AlertError {
    match error {
        StoreError::Duplicate { .. } => AlertError::NameTaken(name.to_owned()),
        error => error.into(),
    }
}

async fn key(app: &App, by: &OrgCaller) -> Result<crate::vault::DataKey, AlertError> {
    let organization = app.directory.organization(&by.organization).await?;
    Ok(organization.ok_or_else(|| AlertError::NotFound(by.organization.clone()))?.key.clone())
}

fn entry(by: &OrgCaller, at: Millis, action: &'static str, row: &AlertRow) -> Entry {
    Entry {
        chain: row.organization_id.clone(),
        at,
        actor: by.caller.actor(),
        source: by.caller.source.clone(),
        action,
        object: Object::new("alert", &row.id, &row.name),
        before: None,
        after: None,
    }
}

/// An alert as the audit log tells it.
fn told(row: &AlertRow, channels: &[String]) -> Value {
    let mut told: Value = serde_json::from_str(&row.definition).unwrap_or_default();
    told["name"] = row.name.as_str().into();
    told["cooldown_seconds"] = (row.cooldown_ms / 1_000).into();
    told["channels"] = channels.into();
    told
}
