//! Disconnects a workspace: its tokens are forgotten here, whatever its service says to their revocation, and its channels
//! rest until it is connected again.

use std::sync::Arc;

use pqh_runtime::contract::types::FailureKind;

use super::error::ConnectionError;
use super::{keep, named};
use crate::access::OrgCaller;
use crate::app::App;
use crate::audit::{self, Entry};
use crate::delivery::pause_all;
use crate::failure::kind_name;
use crate::store::channels::{Paused, PausedBy};
use crate::store::connections;

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
    let _ = live.tokens.fresh(0).await;
    let secrets = live.tokens.opened().await;
    let entry = app.plugins.find(&live.row.channel_type);
    let service = entry.as_ref().map_or(live.row.channel_type.as_str(), |entry| &entry.plugin.descriptor().name);
    let paused = Paused {
        by: PausedBy::Service,
        kind: kind_name(FailureKind::Unauthorized).to_owned(),
        code: "disconnected".to_owned(),
        message: format!("{service} workspace not connected: {} disconnected {}.", by.caller.name, live.row.name),
        remedy: "Reconnect your workspace: pqh connection connect.".to_owned(),
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
    let (id, tokens) = (row.id.clone(), Arc::clone(&live.tokens));
    app.store
        .write(move |connection| {
            Box::pin(async move {
                let paused = pause_all(connection, &key, &row.id, &paused, &of_channels).await?;
                if !paused.is_empty() && !force {
                    return Err(ConnectionError::InUse(paused.into_iter().map(|(_, alias)| alias).collect()));
                }
                connections::end(connection, &row.id, now).await?;
                audit::append(connection, &key, ended).await?;
                Ok(())
            })
        })
        .await?;
    if let Err(error) = tokens.reload().await {
        tracing::error!("the tokens of a connection are read again at the next start: {error}");
    }
    app.connections.forget(&id);
    app.delivery.connection_changed(&id).await;
    let grant = app.plugins.grant_of(&live.row.channel_type);
    if let (Some(entry), Some(grant), Ok(secrets)) = (entry, grant, secrets)
        && let Err(failure) = entry.plugin.connection(grant, Arc::new(secrets)).revoke(&live.workspace()).await
    {
        tracing::warn!(
            connection = %id, code = %failure.code,
            "disconnected here; its service could not be told to forget the token: {}", failure.message
        );
    }
    Ok(())
}
