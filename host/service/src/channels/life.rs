//! Checks, pauses, resumes and deletes channels.

use std::collections::BTreeMap;
use std::sync::Arc;

use pqh_runtime::contract::types::{Failure, FailureKind};

use super::change::demand_version;
use super::{ChannelError, again, checked, commit, demand_connection, find, find_kept, record};
use crate::access::misfit;
use crate::access::{Caller, OrgCaller};
use crate::app::App;
use crate::audit::{self, Actor, Entry, Object};
use crate::directory::LiveChannel;
use crate::failure::kind_name;
use crate::store::channels::{self, ChannelRow, Paused, PausedBy};
use crate::store::{Connection, StoreError, alerts, connections, organizations};

/// Alerts that are named where a channel is in use, at most.
const NAMED: i64 = 20;

/// Asks the other side whether it still takes the channel's settings. If so, a pause that the service itself made is over.
pub(crate) async fn check(app: &App, by: &OrgCaller, name: &str) -> Result<Result<(), Failure>, ChannelError> {
    let live = find(app, &by.organization, name).await?;
    demand_connected(&live)?;
    let Some(channel) = &live.channel else { return Err(unusable(app, &live)) };
    let result = checked(app, live.connection.as_ref(), channel).await;
    let by_service = live.paused.as_ref().is_some_and(|paused| paused.by == PausedBy::Service);
    if result.is_ok() && by_service {
        let (version, paused_at) = (live.version, live.paused_at);
        // What was checked has to be what is kept, and the pause the one that was seen.
        let same = move |row: &ChannelRow| row.version == version && row.paused_at == paused_at;
        end_pause(app, &by.caller, &live, same).await?;
    }
    Ok(result)
}

/// Pauses a channel by hand: only a person ends that.
pub(crate) async fn pause(
    app: &App,
    by: &OrgCaller,
    name: &str,
    reason: Option<&str>,
) -> Result<Arc<LiveChannel>, ChannelError> {
    let live = find(app, &by.organization, name).await?;
    let reason = reason.map(|reason| misfit::name("reason", reason)).transpose()?;
    let message = reason.unwrap_or_else(|| format!("Paused by {}.", by.caller.name));
    let remedy = format!("Resume it when it is to go on: pqh channel resume {:?}.", live.alias);
    let paused =
        Paused { by: PausedBy::Person, kind: "by-hand".to_owned(), code: "paused-by-hand".to_owned(), message, remedy };
    let (id, key, caller, now) = (live.id.clone(), live.organization.key.clone(), by.caller.clone(), app.clock.now());
    commit(app, &live.id, move |connection| {
        Box::pin(async move {
            let row = kept(connection, &id).await?;
            channels::pause(connection, &id, &paused, now).await?;
            let mut entry = record::entry(&caller, now, "channel.paused", &row);
            entry.before = Some(record::pause(row.paused.as_ref()));
            entry.after = Some(record::pause(Some(&paused)));
            Ok(audit::append(connection, &key, entry).await?)
        })
    })
    .await?;
    again(app, &live.id).await
}

/// Ends a pause by hand, whoever made it.
pub(crate) async fn resume(app: &App, by: &OrgCaller, name: &str) -> Result<Arc<LiveChannel>, ChannelError> {
    let live = find(app, &by.organization, name).await?;
    demand_connected(&live)?;
    end_pause(app, &by.caller, &live, |_| true).await?;
    again(app, &live.id).await
}

/// Ends a pause that the service made because the target could not be posted to: its service says that it can.
pub(crate) async fn resume_found(app: &App, live: &Arc<LiveChannel>) -> Result<(), StoreError> {
    let (id, key, now) = (live.id.clone(), live.organization.key.clone(), app.clock.now());
    let unreachable = kind_name(FailureKind::Unreachable);
    app.store
        .write(move |connection| {
            Box::pin(async move {
                let Some(row) = channels::find(&mut *connection, &id).await? else { return Ok(()) };
                let fits = |paused: &Paused| paused.by == PausedBy::Service && paused.kind == unreachable;
                if !row.paused.as_ref().is_some_and(fits) || !channels::resume(connection, &id, now).await? {
                    return Ok(());
                }
                let entry = Entry {
                    chain: row.organization_id.clone(),
                    at: now,
                    actor: Actor::service(),
                    source: "local".to_owned(),
                    action: "channel.resumed",
                    object: Object::new("channel", &row.id, &row.alias),
                    before: Some(record::pause(row.paused.as_ref())),
                    after: Some(record::pause(None)),
                };
                audit::append(connection, &key, entry).await
            })
        })
        .await?;
    app.directory.forget_channel(&live.id);
    app.delivery.reconcile_channel(&live.id).await;
    Ok(())
}

/// A channel whose workspace is not connected can do nothing.
pub(super) fn demand_connected(live: &LiveChannel) -> Result<(), ChannelError> {
    let Some(connection) = &live.connection else { return Ok(()) };
    match (&connection.row.lost, connection.row.ended_at) {
        (Some(lost), _) => Err(ChannelError::Lost(lost.clone().failure())),
        (None, Some(_)) => Err(ChannelError::disconnected(&connection.row)),
        (None, None) => Ok(()),
    }
}

/// Ends a pause, if there is one and `applies` says so of the channel as it is then.
async fn end_pause(
    app: &App,
    caller: &Caller,
    live: &LiveChannel,
    applies: impl Fn(&ChannelRow) -> bool + Send + 'static,
) -> Result<(), ChannelError> {
    let (id, key, caller, now) = (live.id.clone(), live.organization.key.clone(), caller.clone(), app.clock.now());
    let through = live.connection.as_ref().map(|live| live.row.clone());
    commit(app, &live.id, move |connection| {
        Box::pin(async move {
            let row = kept(connection, &id).await?;
            if !applies(&row) {
                return Ok(());
            }
            demand_connection(&mut *connection, through.as_ref()).await?;
            if !channels::resume(connection, &id, now).await? {
                return Ok(());
            }
            let mut entry = record::entry(&caller, now, "channel.resumed", &row);
            entry.before = Some(record::pause(row.paused.as_ref()));
            entry.after = Some(record::pause(None));
            Ok(audit::append(connection, &key, entry).await?)
        })
    })
    .await
}

/// Deletes a channel. What waits for it is cancelled. One that alerts tell only with `force`: they tell it no more then.
pub(crate) async fn delete(
    app: &App,
    by: &OrgCaller,
    name: &str,
    force: bool,
    only_if: Option<&str>,
) -> Result<(), ChannelError> {
    let (live, row, _) = find_kept(app, &by.organization, name).await?;
    demand_version(only_if, row.version)?;
    let (key, caller, now) = (live.organization.key.clone(), by.caller.clone(), app.clock.now());
    let only_if = only_if.map(str::to_owned);
    let (was_told, left) = commit(app, &live.id, move |connection| {
        Box::pin(async move {
            let row = kept(connection, &row.id).await?;
            demand_version(only_if.as_deref(), row.version)?;
            let alerts = alerts::names_by_channel(&mut *connection, &row.id, NAMED).await?;
            if !alerts.is_empty() && !force {
                return Err(ChannelError::InUse(alerts));
            }
            let left = alerts::leave_channel(connection, &row.id).await?;
            channels::delete(connection, &row.id).await?;
            if let Some(id) = &row.connection_id {
                connections::forget_unused(connection, id).await?;
            }
            let mut entry = record::entry(&caller, now, "channel.deleted", &row);
            entry.before = Some(record::state(&row, &BTreeMap::new()));
            let was_told = tell_it_no_more(connection, &row).await?;
            audit::append(connection, &key, entry).await?;
            Ok((was_told, left))
        })
    })
    .await?;
    for alert in left {
        app.alerts.forget_id(&alert);
    }
    if was_told {
        app.directory.forget_organization(&by.organization);
    }
    Ok(())
}

/// Takes a deleted channel from those that notices go to. Says whether it was one of them.
async fn tell_it_no_more(connection: &mut Connection, row: &ChannelRow) -> Result<bool, StoreError> {
    let Some(mut organization) = organizations::find(&mut *connection, &row.organization_id).await? else {
        return Ok(false);
    };
    let mut ids: Vec<String> = serde_json::from_str(&organization.notice_channels).unwrap_or_default();
    if !ids.contains(&row.id) {
        return Ok(false);
    }
    ids.retain(|id| *id != row.id);
    organization.notice_channels = serde_json::Value::from(ids).to_string();
    organizations::update(connection, &organization).await?;
    Ok(true)
}

/// The channel as it is within this transaction.
async fn kept(connection: &mut Connection, id: &str) -> Result<ChannelRow, ChannelError> {
    channels::find(connection, id).await?.ok_or_else(|| ChannelError::NotFound(id.to_owned()))
}

/// Why a channel cannot be called.
fn unusable(app: &App, live: &LiveChannel) -> ChannelError {
    if app.plugins.find(&live.channel_type).is_some() && app.plugins.grant_of(&live.channel_type).is_none() {
        return ChannelError::NotGranted(live.channel_type.clone());
    }
    ChannelError::BadSettings(live.problems.clone())
}
