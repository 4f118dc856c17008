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
use pqh_runtime::{FieldProblem, Grant};

pub(crate) use change::{Change, change, fits_version};
pub(crate) use create::{NewChannel, create};
pub(crate) use error::ChannelError;
pub(crate) use life::{check, delete, pause, resume};
pub(crate) use preview::{Previewing, preview};

use crate::app::App;
use crate::catalog::Entry;
use crate::directory::LiveChannel;
use crate::plugins::Plugins;
use crate::sealed::SealedSecrets;
use crate::store::Connection;
use crate::store::channels::{self, ChannelRow};
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

/// Whether settings fit the component, and the other side takes them. `problems` are those that were found before.
async fn try_out(
    entry: &Entry,
    grant: Grant,
    draft: &Draft,
    mut problems: Vec<FieldProblem>,
) -> Result<(), ChannelError> {
    let secrets = Arc::new(draft.secrets.clone());
    let configured = entry.plugin.configure(grant, draft.settings.clone(), secrets).await;
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
    channel.check().await.result.map_err(ChannelError::CheckFailed)
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
