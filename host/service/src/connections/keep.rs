//! Keeps what a person confirmed: a new connection, or one that is connected again, whose channels go on.

use pqh_runtime::contract::types::{Target, TargetKind};
use pqh_runtime::{MemorySecrets, Tokens};
use serde_json::json;
use uuid::Uuid;

use super::error::Obstacle;
use super::pending::Pending;
use super::{targets, tokens, workspace};
use crate::access::Role;
use crate::app::App;
use crate::audit::{self, Actor, Entry, Object};
use crate::clock::Millis;
use crate::failure::kind_name;
use crate::store::channels::{self, PausedBy};
use crate::store::connections::{self, ConnectionRow, FoundTarget};
use crate::store::{Connection, StoreError};

/// What was kept.
pub(crate) struct Kept {
    pub(crate) row: ConnectionRow,
    /// Whether the organization had it before.
    pub(crate) again: bool,
    /// The ids of the channels that go on.
    pub(crate) resumed: Vec<String>,
}

/// The secrets of a token answer, as a component's requests carry them.
pub(super) fn secrets_of(tokens: &Tokens) -> MemorySecrets {
    tokens.secrets.iter().fold(MemorySecrets::new(), |all, (name, secret)| all.with(name, secret.clone()))
}

/// A target as it is kept.
pub(super) fn found_target(target: Target) -> FoundTarget {
    let Target { id, name, kind, reachable, attributes: _ } = target;
    let kind = match kind {
        TargetKind::PublicChannel => "public-channel",
        TargetKind::PrivateChannel => "private-channel",
        TargetKind::Person => "person",
        TargetKind::Other => "other",
    };
    FoundTarget { id, name, kind: kind.to_owned(), reachable }
}

/// Keeps a connection with its tokens. Channels that were paused for its sake go on.
pub(super) async fn connect(app: &App, pending: &Pending, source: &str) -> Result<Kept, Obstacle> {
    let Pending { authorization, tokens: came, came_at, found, .. } = pending;
    let found = found.get().ok_or(Obstacle::Trouble)?;
    let organization = authorization.organization_id.clone();
    let key = app.keys.of(&organization).await?;
    let changing = app.connections.0.changing.turn(&authorization.channel_type, &found.workspace.id).await;
    let readers = app.store.readers();
    let before =
        connections::of_organization(readers, &organization, &authorization.channel_type, &found.workspace.id).await?;
    let now = app.clock.now();
    let again = before.is_some();
    let row = ConnectionRow {
        id: before.as_ref().map_or_else(|| Uuid::now_v7().to_string(), |row| row.id.clone()),
        organization_id: organization,
        channel_type: authorization.channel_type.clone(),
        workspace_id: found.workspace.id.clone(),
        name: found.workspace.name.clone(),
        memo: found.workspace.memo.clone(),
        default_target: found.default_target.clone().map(found_target),
        lost: None,
        lost_at: None,
        ended_at: None,
        connected_by: authorization.person.clone(),
        connected_at: now,
        updated_at: now,
    };
    let term = tokens::term(*came_at, came.expires_in, came.refresh.is_some());
    let sealed = tokens::seal(&key, &row.id, &came.secrets, came.refresh.as_ref())?;
    // There before anybody else can be: what it holds is brought up to date below.
    let keeper = app.connections.tokens(&row).await?;
    let actor = Actor {
        token: Some(authorization.token_id.clone()),
        name: authorization.person.clone(),
        role: Role::Admin.name().to_owned(),
    };
    let entry = |action, object| Entry {
        chain: row.organization_id.clone(),
        at: now,
        actor: actor.clone(),
        source: source.to_owned(),
        action,
        object,
        before: None,
        after: None,
    };
    let action = if again { "connection.renewed" } else { "connection.connected" };
    let mut connected = entry(action, object(&row));
    connected.before = before.as_ref().map(state);
    connected.after = Some(state(&row));
    let resumed = entry("channel.resumed", object(&row));
    let kept = row.clone();
    let turn = keeper.turn().await;
    let written = app
        .store
        .write(move |connection| {
            Box::pin(async move {
                connections::put(connection, &row).await?;
                connections::put_tokens(connection, &row.id, None, term, &sealed).await?;
                audit::append(connection, &key, connected).await?;
                let ids = resume(connection, &row.id, now).await?;
                for (id, alias) in &ids {
                    let entry = Entry { object: Object::new("channel", id, alias), ..resumed.clone() };
                    audit::append(connection, &key, entry).await?;
                }
                Ok::<_, StoreError>(ids)
            })
        })
        .await;
    if let Err(error) = keeper.reload(&turn).await {
        tracing::error!("the tokens of a connection are read again later: {error}");
    }
    drop(turn);
    let resumed: Vec<String> = match written {
        Ok(resumed) => resumed.into_iter().map(|(id, _)| id).collect(),
        Err(error) => {
            if !again {
                drop(keeper);
                app.connections.forget_ended();
            }
            return Err(match error {
                StoreError::Duplicate { .. } => Obstacle::OtherOrganization { workspace: kept.name },
                error => error.into(),
            });
        }
    };
    drop(changing);
    app.delivery.connection_found(&kept.id).await;
    targets::look_anew(app, &kept);
    Ok(Kept { row: kept, again, resumed })
}

/// Ends the pauses that the service made for a connection's sake. Which channels those are: ids and aliases.
async fn resume(connection: &mut Connection, id: &str, now: Millis) -> Result<Vec<(String, String)>, StoreError> {
    let mut resumed = Vec::new();
    let unauthorized = kind_name(pqh_runtime::contract::types::FailureKind::Unauthorized);
    for (id, alias) in connections::channels(&mut *connection, id).await? {
        let row = channels::find(&mut *connection, &id).await?;
        let paused = row.and_then(|row| row.paused);
        let fits = paused.is_some_and(|paused| paused.by == PausedBy::Service && paused.kind == unauthorized);
        if fits && channels::resume(connection, &id, now).await? {
            resumed.push((id, alias));
        }
    }
    Ok(resumed)
}

/// As the audit log names it.
pub(super) fn object(row: &ConnectionRow) -> Object {
    Object::new("connection", &row.id, &row.name)
}

/// As the audit log tells it: never a token.
pub(super) fn state(row: &ConnectionRow) -> serde_json::Value {
    let status = status(row);
    json!({ "type": row.channel_type, "workspace": workspace(row).id, "name": row.name, "status": status, "token": "changed" })
}

/// `connected`; `lost`, where it has to be connected again; `disconnected` by people, and kept for its channels.
pub(crate) fn status(row: &ConnectionRow) -> &'static str {
    match (row.ended_at, &row.lost) {
        (Some(_), _) => "disconnected",
        (None, Some(_)) => "lost",
        (None, None) => "connected",
    }
}
