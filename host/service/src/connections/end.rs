//! Disconnects a workspace: its tokens are forgotten here, whatever its service says to their revocation, and its channels
//! rest until it is connected again.

use std::time::Duration;

use pqh_runtime::contract::types::FailureKind;

use super::error::ConnectionError;
use super::{keep, named};
use crate::access::OrgCaller;
use crate::app::App;
use crate::audit::{self, Entry};
use crate::delivery::pause_all;
use crate::failure::kind_name;
use crate::store::channels::{Paused, PausedBy};
use crate::store::connections::{self, ConnectionRow};

/// How long a person waits for the service whose workspace is disconnected.
const PATIENCE: Duration = Duration::from_secs(5);

/// Disconnects. With `force` also where channels use it.
pub(crate) async fn end(app: &App, by: &OrgCaller, name: &str, force: bool) -> Result<(), ConnectionError> {
    let live = named::find(app, &by.organization, name).await?;
    if live.row.ended_at.is_some() {
        return Ok(());
    }
    let used = connections::channels(app.store.readers(), &live.row.id).await?;
    if !used.is_empty() && !force {
        return Err(ConnectionError::InUse(used.into_iter().map(|(_, alias)| alias).collect()));
    }
    // For their last use: a token that has just expired could not even be revoked.
    let _ = tokio::time::timeout(PATIENCE, live.tokens.fresh(0)).await;
    let changing = app.connections.0.changing.turn(&live.row.channel_type, &live.row.workspace_id).await;
    let turn = live.tokens.turn().await;
    match connections::find(app.store.readers(), &live.row.id).await? {
        // Somebody else was faster.
        None | Some(ConnectionRow { ended_at: Some(_), .. }) => return Ok(()),
        Some(now) if now.connected_at != live.row.connected_at => {
            return Err(ConnectionError::ConnectedAgain(now.name));
        }
        Some(_) => {}
    }
    let secrets = live.tokens.opened().await;
    let entry = app.plugins.find(&live.row.channel_type);
    let service = entry.as_ref().map_or(live.row.channel_type.as_str(), |entry| &entry.plugin.descriptor().name);
    let paused = Paused {
        by: PausedBy::Service,
        kind: kind_name(FailureKind::Unauthorized).to_owned(),
        code: "disconnected".to_owned(),
        message: format!("{service} workspace not connected: {} disconnected {}.", by.caller.name, live.row.name),
        remedy: format!("Reconnect your workspace: pqh connection connect {}.", live.row.channel_type),
    };
    let key = app.keys.of(&by.organization).await?;
    let (row, now) = (live.row.clone(), app.clock.now());
    let audited = |action, object| Entry {
        chain: row.organization_id.clone(),
        at: now,
        actor: by.caller.actor(),
        source: by.caller.source.clone(),
        action,
        object,
        before: None,
        after: None,
    };
    let mut ended = audited("connection.disconnected", keep::object(&row));
    ended.before = Some(keep::state(&row));
    let of_channels = audited("channel.paused", keep::object(&row));
    let id = row.id.clone();
    app.store
        .write(move |connection| {
            Box::pin(async move {
                let used = connections::channels(&mut *connection, &row.id).await?;
                if !used.is_empty() && !force {
                    return Err(ConnectionError::InUse(used.into_iter().map(|(_, alias)| alias).collect()));
                }
                pause_all(connection, &key, &row.id, &paused, &of_channels).await?;
                connections::end(connection, &row.id, now).await?;
                audit::append(connection, &key, ended).await?;
                Ok(())
            })
        })
        .await?;
    if let Err(error) = live.tokens.reload(&turn).await {
        tracing::error!("the tokens of a connection are read again later: {error}");
    }
    drop(turn);
    app.connections.forget_ended();
    drop(changing);
    app.delivery.connection_ended(&id).await;
    let grant = app.plugins.grant_of(&live.row.channel_type);
    let (Some(entry), Some(grant), Ok(secrets)) = (entry, grant, secrets) else {
        tracing::warn!(connection = %id, "disconnected here alone: nobody can tell its service to forget the token");
        return Ok(());
    };
    let (connections, workspace) = (app.connections.clone(), live.workspace());
    let revoking = app.connections.0.needs.tasks.spawn(async move {
        // Where nobody can tell whether they are of use, they stay.
        let _ = connections.take_back(&entry, grant, secrets, Some(&workspace)).await;
    });
    // Where it takes longer, it goes on alone.
    let _ = tokio::time::timeout(PATIENCE, revoking).await;
    Ok(())
}
