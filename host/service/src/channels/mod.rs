//! Makes, changes, checks, pauses and ends channels. Each change is one transaction with its audit entry; after it nobody
//! uses what the channel was before.

mod change;
mod create;
mod draft;
mod error;
mod life;
mod preview;
mod record;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use pqh_runtime::contract::channel::FieldKind;
use pqh_runtime::contract::types::Failure;
use pqh_runtime::{Channel, FieldProblem, Grant};
use sqlx::SqliteExecutor;

pub(crate) use change::{Change, change, fits_version};
pub(crate) use create::{NewChannel, create};
pub(crate) use error::ChannelError;
pub(crate) use life::{check, delete, pause, resume, resume_found};
pub(crate) use preview::{Previewing, preview};

use crate::app::App;
use crate::catalog::Entry;
use crate::connections::asking::ask;
use crate::connections::{self, LiveConnection};
use crate::directory::LiveChannel;
use crate::plugins::Plugins;
use crate::sealed::SealedSecrets;
use crate::store::channels::{self, ChannelRow};
use crate::store::connections::ConnectionRow;
use crate::store::{self, Connection, StoreError};
use draft::Draft;

/// An organization's channel by its alias or id.
pub(crate) async fn find(app: &App, organization: &str, name: &str) -> Result<Arc<LiveChannel>, ChannelError> {
    let found = app.directory.resolve(organization, name).await?;
    found.ok_or_else(|| ChannelError::NotFound(name.to_owned()))
}

/// The same, as it is kept now.
async fn find_kept(
    app: &App,
    organization: &str,
    name: &str,
) -> Result<(Arc<LiveChannel>, ChannelRow, SealedSecrets), ChannelError> {
    let live = find(app, organization, name).await?;
    let kept = channels::whole(&app.store, &live.id).await?;
    let (row, secrets) = kept.ok_or_else(|| ChannelError::NotFound(name.to_owned()))?;
    let secrets = SealedSecrets::new(&row.id, live.organization.key.clone(), secrets);
    Ok((live, row, secrets))
}

/// A channel just changed, as it is now.
async fn again(app: &App, id: &str) -> Result<Arc<LiveChannel>, ChannelError> {
    app.directory.channel(id).await?.ok_or_else(|| ChannelError::NotFound(id.to_owned()))
}

/// The component of a type, and what it may do.
fn usable(plugins: &Plugins, channel_type: &str) -> Result<(Arc<Entry>, Grant), ChannelError> {
    let Some(entry) = plugins.find(channel_type) else {
        let known = plugins.all().map(|entry| entry.id().to_owned()).collect();
        return Err(ChannelError::UnknownType { found: channel_type.to_owned(), known });
    };
    let grant = plugins.grant_of(channel_type).ok_or_else(|| ChannelError::NotGranted(channel_type.to_owned()))?;
    Ok((entry, grant))
}

/// The channels of a connection that post to that target.
pub(crate) async fn at_target(app: &App, connection: &str, target: &str) -> Result<Vec<Arc<LiveChannel>>, StoreError> {
    let mut there = Vec::new();
    for (id, _) in store::connections::channels(app.store.readers(), connection).await? {
        let Some(live) = app.directory.channel(&id).await? else { continue };
        if target_of(app, &live).is_some_and(|posts_to| posts_to == target) {
            there.push(live);
        }
    }
    Ok(there)
}

/// The id of the target that a channel posts to, where its type has targets.
pub(crate) fn target_of(app: &App, live: &LiveChannel) -> Option<String> {
    let entry = app.plugins.find(&live.channel_type)?;
    let mut fields = entry.plugin.descriptor().fields.iter();
    let field = fields.find(|field| matches!(field.kind, FieldKind::Target))?;
    live.settings.get(&field.key)?.as_str().map(str::to_owned)
}

/// The connection that a channel of this type posts through: the one that is named, else the only one that the organization
/// has of the type. None for types that need none.
async fn connection_for(
    app: &App,
    organization: &str,
    entry: &Entry,
    named: Option<&str>,
) -> Result<Option<Arc<LiveConnection>>, ChannelError> {
    let channel_type = entry.id();
    if entry.plugin.oauth2().is_none() {
        return match named {
            Some(_) => Err(ChannelError::NeedsNoConnection(channel_type.to_owned())),
            None => Ok(None),
        };
    }
    let all = store::connections::list(app.store.readers(), organization, "", i64::MAX).await?;
    let of_type = || all.iter().filter(|row| row.channel_type == channel_type && row.ended_at.is_none());
    let known = || of_type().map(|row| (row.id.clone(), row.name.clone())).collect::<Vec<_>>();
    let fitting = named.map_or_else(|| of_type().collect(), |named| connections::named::called(of_type(), named));
    let [row] = fitting.as_slice() else {
        let ended = all.iter().filter(|row| row.channel_type == channel_type && row.ended_at.is_some());
        if let (Some(named), []) = (named, fitting.as_slice())
            && let [ended] = connections::named::called(ended, named).as_slice()
        {
            return Err(ChannelError::disconnected(ended));
        }
        let (found, channel_type) = (named.map(str::to_owned), channel_type.to_owned());
        return Err(ChannelError::WhichConnection { channel_type, found, known: known() });
    };
    let live = app.connections.find(&row.id).await?;
    match live.as_ref().and_then(|live| live.row.lost.clone()) {
        Some(lost) => Err(ChannelError::Lost(lost.failure())),
        None => Ok(live),
    }
}

/// Refuses what was tried out through a connection that was disconnected or lost meanwhile. `through` is how it was then.
async fn demand_connection(
    executor: impl SqliteExecutor<'_>,
    through: Option<&ConnectionRow>,
) -> Result<(), ChannelError> {
    let Some(through) = through else { return Ok(()) };
    match store::connections::find(executor, &through.id).await? {
        Some(ConnectionRow { lost: Some(lost), .. }) => Err(ChannelError::Lost(lost.failure())),
        Some(ConnectionRow { ended_at: None, .. }) => Ok(()),
        Some(_) | None => Err(ChannelError::disconnected(through)),
    }
}

/// Whether settings fit the component, and the other side takes them. `problems` are those that were found before.
async fn try_out(
    app: &App,
    entry: &Entry,
    grant: Grant,
    connection: Option<&Arc<LiveConnection>>,
    draft: &Draft,
    mut problems: Vec<FieldProblem>,
) -> Result<(), ChannelError> {
    let (settings, secrets) = (draft.settings.clone(), draft.secrets.clone());
    let configured = connections::configure(entry, grant, connection.map(Arc::as_ref), settings, secrets).await;
    let channel = match configured {
        Ok(channel) if problems.is_empty() => channel,
        Ok(_) => return Err(ChannelError::BadSettings(problems)),
        Err(error) => {
            // Of each field the first problem: what follows from it would only confuse.
            let more = error.problems().iter().filter(|problem| {
                problem.field.is_empty() || problems.iter().all(|known| known.field != problem.field)
            });
            let more: Vec<FieldProblem> = more.cloned().collect();
            problems.extend(more);
            return Err(ChannelError::BadSettings(problems));
        }
    };
    let Err(failure) = checked(app, connection, &channel).await else { return Ok(()) };
    // That it was disconnected meanwhile says more than what the check found then.
    match demand_connection(app.store.readers(), connection.map(|live| &live.row)).await {
        Err(gone @ ChannelError::Disconnected { .. }) => Err(gone),
        _ => Err(ChannelError::CheckFailed(failure)),
    }
}

/// Asks the other side whether it takes a channel's settings; in a connected workspace with tokens that work, as deliveries do.
async fn checked(app: &App, connection: Option<&Arc<LiveConnection>>, channel: &Channel) -> Result<(), Failure> {
    match connection {
        None => channel.check().await.result,
        Some(live) => ask(app, live, || async { channel.check().await.result }).await.map(|_| ()),
    }
}

/// Writes a change and makes it known.
async fn commit<T, F>(app: &App, id: &str, work: F) -> Result<T, ChannelError>
where
    T: Send + 'static,
    F: for<'a> FnOnce(&'a mut Connection) -> BoxFuture<'a, Result<T, ChannelError>> + Send + 'static,
{
    let result = app.store.write(work).await;
    // Also where nobody knows whether it was kept.
    app.directory.forget_channel(id);
    if result.is_ok() {
        app.delivery.reconcile_channel(id).await;
    }
    result
}
