//! What services send to us: verified, answered at once, kept, and acted on afterwards, each message once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pqh_runtime::Unproven;
use pqh_runtime::contract::receiving::inbound::{Action, Request, Response};
use pqh_runtime::contract::types::{Failure, FailureKind};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::LiveConnection;
use super::standing::Known;
use super::tokens::SOON;
use crate::app::App;
use crate::channels;
use crate::clock::Millis;
use crate::keys::KeyError;
use crate::store::inbound::{self, InboundRow};
use crate::store::rows::Origin;
use crate::store::{StoreError, connection_targets, connections};
use crate::vault::{DataKey, VaultError};

/// A service that gets no answer for so long sends again. Real time.
const PATIENCE: Duration = Duration::from_millis(2_500);
/// Messages that are acted on at the same time, each of another connection.
const AT_ONCE: i64 = 16;
/// How often a message is tried, where the service cannot be asked just now.
const TRIES: i64 = 5;
/// Between two tries: at first, and at most.
const FIRST_REST: Millis = 5_000;
const LONGEST_REST: Millis = 10 * 60_000;
/// How long what messages are known by is kept: services repeat them within the hour.
const SEEN: Millis = 24 * 3_600_000;

/// Why a message is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InboundError {
    #[error("There is no channel type {0:?} whose service sends messages.")]
    NotFound(String),
    #[error(
        "Messages of {0} are not taken: the operator has to write `signing_secret_file` into the section [connections.{0}], \
         and restart the service."
    )]
    NotConfigured(String),
    #[error("The message is not taken: {0}.")]
    Unproven(#[from] Unproven),
    #[error("The message cannot be read by the channel type's component: {}", .0.message)]
    Unread(Failure),
    #[error("The message cannot be kept in time. Send it again.")]
    Busy,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// A request as it is sealed.
#[derive(Serialize, Deserialize)]
struct Kept {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    query: Vec<(String, String)>,
    /// Base64.
    body: String,
}

/// Takes a message: what to answer.
pub(crate) async fn receive(app: &App, channel_type: &str, request: Request) -> Result<Response, InboundError> {
    tokio::time::timeout(PATIENCE, take(app, channel_type, request)).await.unwrap_or(Err(InboundError::Busy))
}

async fn take(app: &App, channel_type: &str, request: Request) -> Result<Response, InboundError> {
    let unknown = || InboundError::NotFound(channel_type.chars().take(100).collect());
    let entry = app.plugins.find(channel_type).filter(|entry| entry.plugin.verification().is_some());
    let entry = entry.ok_or_else(unknown)?;
    let application = app.connections.application(channel_type);
    let secrets = application.map(|application| application.signing_secrets.as_slice()).unwrap_or_default();
    if secrets.is_empty() {
        return Err(InboundError::NotConfigured(channel_type.to_owned()));
    }
    let now = app.clock.now();
    let time = UNIX_EPOCH + Duration::from_millis(u64::try_from(now).unwrap_or(0));
    entry.plugin.verify(&request, secrets, time)?;
    let reception = entry.plugin.receive(&request).await.map_err(InboundError::Unread)?;
    if let Some(workspace) = &reception.workspace
        && let Some(row) = connections::of_workspace(app.store.readers(), channel_type, workspace).await?
    {
        let (id, key) = (Uuid::now_v7().to_string(), app.keys.of(&row.organization_id).await?);
        let request = seal(&key, &id, &request)?;
        let row = InboundRow { id, connection_id: row.id, request, received_at: now, due_at: now, attempts: 0 };
        let (channel_type, ids) = (channel_type.to_owned(), reception.message_ids);
        let is_new = app
            .store
            .write(move |connection| {
                Box::pin(async move { inbound::accept(connection, &channel_type, &ids, &row).await })
            })
            .await?;
        if is_new {
            app.connections.0.inbound.notify_one();
        }
    }
    Ok(reception.response)
}

/// Acts on what came, until `stop`: of each connection one message at a time, in order.
pub(crate) async fn run(app: App, stop: CancellationToken) {
    let busy: Arc<Mutex<HashSet<String>>> = Arc::default();
    while !stop.is_cancelled() {
        let now = app.clock.now();
        let due = match inbound::due(app.store.readers(), now, 4 * AT_ONCE).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!("what services sent is looked at again later: {error}");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        for row in due {
            let is_free = {
                let mut busy = busy.lock().unwrap_or_else(PoisonError::into_inner);
                i64::try_from(busy.len()).is_ok_and(|count| count < AT_ONCE) && busy.insert(row.connection_id.clone())
            };
            if is_free {
                let (app, busy) = (app.clone(), Arc::clone(&busy));
                let running = app.running.clone();
                running.spawn(async move {
                    let connection = row.connection_id.clone();
                    act(&app, row).await;
                    busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&connection);
                    app.connections.0.inbound.notify_one();
                });
            }
        }
        let next = inbound::next_due(app.store.readers()).await.ok().flatten().filter(|next| *next > now);
        tokio::select! {
            () = stop.cancelled() => {}
            () = app.connections.0.inbound.notified() => {}
            () = app.clock.sleep_until(next.unwrap_or(Millis::MAX)), if next.is_some() => {}
        }
    }
}

/// One message, to its end or to its next try.
async fn act(app: &App, row: InboundRow) {
    let id = row.id.clone();
    let rest = FIRST_REST.saturating_mul(1 << row.attempts.clamp(0, 20)).min(LONGEST_REST);
    let due_at = app.clock.now().saturating_add(rest);
    let begun = app
        .store
        .write(move |connection| {
            Box::pin(async move {
                inbound::prune(connection, due_at.saturating_sub(SEEN)).await?;
                inbound::begin(connection, &id, due_at).await
            })
        })
        .await;
    if let Err(error) = begun {
        tracing::error!("what a service sent is acted on later: {error}");
        return;
    }
    match handle(app, &row).await {
        Ok(()) => {}
        Err(failure) if is_passing(failure.kind) && row.attempts + 1 < TRIES => {
            tracing::info!(code = %failure.code, "what a service sent is acted on again later: {}", failure.message);
            return;
        }
        Err(failure) => {
            tracing::warn!(code = %failure.code, "what a service sent could not be acted on: {}", failure.message);
        }
    }
    let id = row.id;
    let removed =
        app.store.write(move |connection| Box::pin(async move { inbound::remove(connection, &id).await })).await;
    if let Err(error) = removed {
        tracing::error!("what a service sent may be acted on once more: {error}");
    }
}

async fn handle(app: &App, row: &InboundRow) -> Result<(), Failure> {
    let trouble = |error: &dyn std::fmt::Display| {
        let (message, remedy) = (error.to_string(), "It is tried again by itself.");
        super::failure(FailureKind::Unavailable, "trouble", message, remedy)
    };
    let found = app.connections.find(&row.connection_id).await.map_err(|error| trouble(&error))?;
    let Some(live) = found.filter(|live| live.row.ended_at.is_none()) else { return Ok(()) };
    let plugins = &app.plugins;
    let Some((entry, grant)) = plugins.find(&live.row.channel_type).zip(plugins.grant_of(&live.row.channel_type))
    else {
        return Err(trouble(&"the channel type is not installed, or granted nothing"));
    };
    let key = app.keys.of(&live.row.organization_id).await.map_err(|error| trouble(&error))?;
    let request = open(&key, &row.id, &row.request).map_err(|error| trouble(&error))?;
    // With which tokens it is acted on: where they are others later, what it says of these is out of date.
    let generation = live.tokens.fresh(SOON).await.unwrap_or_else(|stale| stale.generation);
    let known = Known { app: app.clone(), live: Arc::clone(&live) };
    let connection = live.connection(&entry, grant);
    for action in connection.handle(&live.workspace(), &request, Arc::new(known)).await? {
        apply(app, &live, generation, action).await.map_err(|error| trouble(&error))?;
    }
    Ok(())
}

async fn apply(app: &App, live: &Arc<LiveConnection>, generation: i64, action: Action) -> Result<(), StoreError> {
    let id = live.row.id.clone();
    match action {
        Action::Disconnect(failure) => {
            let failure = Failure { kind: FailureKind::Unauthorized, ..failure };
            app.delivery.lose_connection(live, generation, &failure, Origin::Published).await;
        }
        Action::Rename(renamed) => {
            app.store
                .write(move |connection| {
                    Box::pin(async move {
                        connection_targets::rename(connection, &id, &renamed.target, &renamed.name).await
                    })
                })
                .await?;
        }
        Action::Lose(lost) => {
            reach(app, &id, &lost.target, false).await?;
            let failure = Failure { kind: FailureKind::Unreachable, ..lost.failure };
            for channel in channels::at_target(app, &id, &lost.target).await? {
                app.delivery.pause_channel(&channel, &failure, Origin::Published).await;
            }
        }
        Action::Find(target) => {
            if !reach(app, &id, &target, true).await? {
                app.connections.look_for_targets(&live.row);
            }
            for channel in channels::at_target(app, &id, &target).await? {
                channels::resume_found(app, &channel).await?;
            }
        }
        Action::Other(_) => {}
    }
    Ok(())
}

/// Whether a target can be posted to. Says whether it is known at all.
async fn reach(app: &App, id: &str, target: &str, reachable: bool) -> Result<bool, StoreError> {
    let known = connection_targets::find(app.store.readers(), id, target).await?.is_some();
    let (id, target) = (id.to_owned(), target.to_owned());
    app.store
        .write(move |connection| {
            Box::pin(async move { connection_targets::set_reachable(connection, &id, &target, reachable).await })
        })
        .await?;
    Ok(known)
}

fn is_passing(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::Throttled | FailureKind::Unavailable)
}

fn seal(key: &DataKey, id: &str, request: &Request) -> Result<String, VaultError> {
    let Request { method, url, headers, query, body } = request.clone();
    let kept = Kept { method, url, headers, query, body: STANDARD.encode(body) };
    // Texts alone: it cannot fail.
    let text = serde_json::to_string(&kept).unwrap_or_default();
    key.seal(&identity(id), &SecretString::from(text))
}

fn open(key: &DataKey, id: &str, sealed: &str) -> Result<Request, VaultError> {
    let identity = identity(id);
    let format = || VaultError::Format { identity: identity.clone() };
    let opened = key.open(&identity, sealed)?;
    let Kept { method, url, headers, query, body } =
        serde_json::from_str(opened.expose_secret()).map_err(|_| format())?;
    let body = STANDARD.decode(body).map_err(|_| format())?;
    Ok(Request { method, url, headers, query, body })
}

/// What a message is bound to.
fn identity(id: &str) -> String {
    format!("inbound:{id}")
}
