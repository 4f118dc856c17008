//! A changed channel: another alias, other settings or secrets. What is absent stays; changed settings are tried out before
//! they are kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::create::{readable_alias, refuse_taken, taken};
use super::draft::{Draft, Touch};
use super::life::demand_connected;
use super::{ChannelError, again, commit, demand_connection, find_kept, record, try_out, usable};
use crate::access::OrgCaller;
use crate::app::App;
use crate::audit;
use crate::directory::{LiveChannel, alias_key};
use crate::quiet::{Calendar, QuietHours};
use crate::store::channels::{self, ChannelRow, PausedBy};
use crate::target;

/// What is asked for.
#[derive(Default)]
pub(crate) struct Change {
    pub(crate) alias: Option<String>,
    /// Null removes.
    pub(crate) settings: Option<Map<String, Value>>,
    pub(crate) quiet_hours: Option<Vec<QuietHours>>,
    /// The `If-Match` header: the change is only meant for that version.
    pub(crate) only_if: Option<String>,
}

/// Changes a channel.
pub(crate) async fn change(
    app: &App,
    by: &OrgCaller,
    name: &str,
    change: Change,
) -> Result<Arc<LiveChannel>, ChannelError> {
    let (live, before, secrets) = find_kept(app, &by.organization, name).await?;
    let Change { alias, settings, quiet_hours, only_if } = change;
    demand_version(only_if.as_deref(), before.version)?;
    let mut row = before.clone();
    if let Some(alias) = alias {
        row.alias = readable_alias(&alias)?;
        refuse_taken(&app.store, &row.organization_id, &row.alias, Some(&row.id)).await?;
    }
    if let Some(quiet_hours) = quiet_hours {
        Calendar::new(&quiet_hours, &live.organization.time_zone)?;
        row.quiet_hours = quiet_hours;
    }
    let mut draft = Draft::new(before.settings.clone(), secrets);
    let key = live.organization.key.clone();
    let mut is_checked = false;
    if let Some(settings) = settings {
        let (component, grant) = usable(&app.plugins, &row.channel_type)?;
        let problems = draft.take(component.plugin.descriptor(), settings)?;
        if !problems.is_empty() || !draft.touched.is_empty() || draft.settings != before.settings {
            demand_connected(&live)?;
            let connection = live.connection.as_ref();
            try_out(app, &component, grant, connection, &draft, problems).await?;
            let workspace = connection.map(|live| live.row.workspace_id.as_str());
            row.target =
                target::of(component.plugin.descriptor(), workspace, &draft.settings, &draft.secrets, &key, &row.id)?;
            is_checked = true;
        }
    }
    row.settings.clone_from(&draft.settings);
    if row.alias == before.alias && row.quiet_hours == before.quiet_hours && !is_checked {
        return Ok(live);
    }
    let now = app.clock.now();
    (row.version, row.updated_at) = (before.version.saturating_add(1), now);
    let mut entry = record::entry(&by.caller, now, "channel.changed", &row);
    entry.before = Some(record::state(&before, &BTreeMap::new()));
    entry.after = Some(record::state(&row, &draft.touched));
    // Settings that were just taken by the other side mend what the service had paused the channel for.
    let resumes = is_checked && before.paused.as_ref().is_some_and(|paused| paused.by == PausedBy::Service);
    let mut ending = record::entry(&by.caller, now, "channel.resumed", &row);
    ending.before = Some(record::pause(before.paused.as_ref()));
    ending.after = Some(record::pause(None));
    let id = row.id.clone();
    let through = live.connection.as_ref().filter(|_| is_checked).map(|live| live.row.clone());
    commit(app, &id, move |connection| {
        Box::pin(async move {
            demand_connection(&mut *connection, through.as_ref()).await?;
            let updated = channels::update(connection, &row, &alias_key(&row.alias), before.version).await;
            if !updated.map_err(|error| taken(error, &row.alias))? {
                return Err(ChannelError::ChangedMeanwhile);
            }
            keep_secrets(connection, &row, &draft).await?;
            audit::append(connection, &key, entry).await?;
            if resumes && channels::resume(connection, &row.id, now).await? {
                audit::append(connection, &key, ending).await?;
            }
            Ok(())
        })
    })
    .await?;
    again(app, &id).await
}

/// Whether a list of entity tags, or `*`, means that version.
pub(crate) fn fits_version(only_if: &str, version: i64) -> bool {
    let tag = format!("\"{version}\"");
    only_if.split(',').map(str::trim).any(|wanted| wanted == "*" || wanted == tag)
}

/// Refuses a change that is meant for another version. `only_if` is a list of entity tags, or `*`.
pub(super) fn demand_version(only_if: Option<&str>, version: i64) -> Result<(), ChannelError> {
    let Some(only_if) = only_if else { return Ok(()) };
    if fits_version(only_if, version) {
        return Ok(());
    }
    Err(ChannelError::VersionMismatch { expected: only_if.to_owned(), found: version })
}

async fn keep_secrets(
    connection: &mut crate::store::Connection,
    row: &ChannelRow,
    draft: &Draft,
) -> Result<(), ChannelError> {
    for (field, touch) in &draft.touched {
        match (touch, draft.secrets.row(field)) {
            (Touch::Changed, Some(secret)) => channels::put_secret(connection, &row.id, secret).await?,
            _ => channels::remove_secret(connection, &row.id, field).await?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_for_another_version_is_refused_with_both() {
        for fits in [None, Some("*"), Some("\"3\""), Some("\"1\", \"3\"")] {
            assert!(demand_version(fits, 3).is_ok(), "{fits:?}");
        }
        for other in ["\"2\"", "3", "W/\"3\"", ""] {
            let error = demand_version(Some(other), 3).unwrap_err().to_string();
            assert!(error.contains("at version 3"), "{error}");
        }
    }
}
