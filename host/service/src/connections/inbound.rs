//! What services send to us: verified, answered at once, kept, and acted on afterwards, each message once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pqh_runtime::Unproven;
use pqh_runtime::contract::receiving::inbound::{Action, Request, Response};
use pqh_runtime::contract::types::{Failure, FailureKind};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::{self, JoinSet};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::asking::ask;
use super::door::{self, Admitted};
use super::standing::Known;
use super::{LiveConnection, fingerprint, targets};
use crate::app::App;
use crate::channels;
use crate::clock::Millis;
use crate::keys::KeyError;
use crate::store::connections::ConnectionRow;
use crate::store::inbound::{self, Accepted, Head, NewInbound};
use crate::store::rows::Origin;
use crate::store::{StoreError, connection_targets, connections};
use crate::vault::{DataKey, VaultError};

/// Messages that are acted on at the same time, each of another connection.
const AT_ONCE: usize = 16;
/// Connections that are looked at for the next ones.
const LOOKED_AT: i64 = 64;
/// How often a message is tried, where the service cannot be asked just now.
const TRIES: i64 = 5;
/// Between two tries: at first, and at most.
const FIRST_REST: Millis = 5_000;
const LONGEST_REST: Millis = 10 * 60_000;
/// How long until what could not be read is looked at again. Real time.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long what messages are known by is kept: services repeat them within the hour.
const SEEN: Millis = 24 * 3_600_000;
/// What came before is not acted on any more: nobody waits for an answer that long.
const LATE: Millis = 3_600_000;

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

impl InboundError {
    /// For the metrics.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "unknown-type",
            Self::NotConfigured(_) => "not-configured",
            Self::Unproven(_) => "unproven",
            Self::Unread(_) => "unread",
            Self::Busy => "busy",
            Self::Store(_) | Self::Key(_) | Self::Vault(_) => "not-kept",
        }
    }
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
pub(crate) async fn receive(app: &App, admitted: Admitted, request: Request) -> Result<Response, InboundError> {
    let (this, channel_type, unproven) = (app.clone(), admitted.channel_type.clone(), admitted.unproven);
    // Nobody cuts it short: what is kept is acted on, also where it was kept too late for the answer.
    let taking = app.running.spawn(async move { take(&this, &channel_type, request, unproven).await });
    match admitted.waits.in_time(taking).await? {
        Ok(taken) => taken,
        Err(_) => Err(InboundError::Busy),
    }
}

async fn take(
    app: &App,
    channel_type: &str,
    request: Request,
    unproven: OwnedSemaphorePermit,
) -> Result<Response, InboundError> {
    let (entry, secrets) = door::service(app, channel_type)?;
    entry.plugin.verify(&request, secrets, door::now(app))?;
    drop(unproven);
    let now = app.clock.now();
    let reception = entry.plugin.receive(&request).await.map_err(InboundError::Unread)?;
    let Some(workspace) = &reception.workspace else { return Ok(reception.response) };
    let metrics = &app.connections.0.needs.metrics;
    let row = connections::of_workspace(app.store.readers(), channel_type, workspace).await?;
    // Where it is lost nothing can be done with it.
    if let Some(row) = row.filter(|row| row.lost.is_none()) {
        let (id, key) = (Uuid::now_v7().to_string(), app.keys.of(&row.organization_id).await?);
        let request = seal(&key, &id, &request)?;
        let row = NewInbound { id, connection_id: row.id, request, received_at: now };
        let channel_type = channel_type.to_owned();
        let ids: Vec<String> = reception.message_ids.iter().map(|id| fingerprint(id)).collect();
        let accepted = app
            .store
            .write(move |connection| {
                Box::pin(async move { inbound::accept(connection, &channel_type, &ids, &row).await })
            })
            .await?;
        match accepted {
            Accepted::New => app.connections.0.inbound.notify_one(),
            Accepted::Seen => metrics.inbound("seen", 1),
            // A service that is refused sends again, and in the end nothing any more.
            Accepted::Full => door::dropped(app, "full", 1),
        }
    } else {
        metrics.inbound("not-connected", 1);
    }
    Ok(reception.response)
}

/// Acts on what came, until `stop`: of each connection one message at a time, in order. What was begun then ends.
pub(crate) async fn run(app: App, stop: CancellationToken) {
    let mut acting = JoinSet::new();
    let mut busy: HashMap<task::Id, String> = HashMap::new();
    while !stop.is_cancelled() {
        let now = app.clock.now();
        let heads = match inbound::heads(app.store.readers(), LOOKED_AT).await {
            Ok(heads) => heads,
            Err(error) => {
                tracing::error!("what services sent is looked at again later: {error}");
                let _ = tokio::time::timeout(LOOK_AGAIN, stop.cancelled()).await;
                continue;
            }
        };
        let next = heads.iter().map(|head| head.due_at).find(|due_at| *due_at > now);
        for head in heads.into_iter().filter(|head| head.due_at <= now) {
            if busy.len() < AT_ONCE && !busy.values().any(|connection| *connection == head.connection_id) {
                let connection = head.connection_id.clone();
                busy.insert(acting.spawn(act(app.clone(), head)).id(), connection);
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = app.connections.0.inbound.notified() => {}
            Some(ended) = acting.join_next_with_id() => {
                let (id, was_begun) = ended.unwrap_or_else(|fault| (fault.id(), true));
                busy.remove(&id);
                if !was_begun {
                    let _ = tokio::time::timeout(LOOK_AGAIN, stop.cancelled()).await;
                }
            }
            () = app.clock.sleep_until(next.unwrap_or(Millis::MAX)), if next.is_some() => {}
        }
    }
    while acting.join_next().await.is_some() {}
}

/// One message, to its end or to its next try. Says no where it could not be begun: it is due as before.
async fn act(app: App, head: Head) -> bool {
    let rest = FIRST_REST.saturating_mul(1 << head.attempts.clamp(0, 20)).min(LONGEST_REST);
    let metrics = &app.connections.0.needs.metrics;
    let (id, connection_id, now) = (head.id.clone(), head.connection_id.clone(), app.clock.now());
    let begun = app
        .store
        .write(move |connection| {
            Box::pin(async move {
                inbound::prune(connection, now.saturating_sub(SEEN)).await?;
                let late = inbound::drop_late(connection, &connection_id, now.saturating_sub(LATE)).await?;
                Ok::<_, StoreError>((late, inbound::begin(connection, &id, now.saturating_add(rest)).await?))
            })
        })
        .await;
    let (late, is_there) = match begun {
        Ok(begun) => begun,
        Err(error) => {
            metrics.inbound("not-begun", 1);
            tracing::error!("what a service sent is acted on later: {error}");
            return false;
        }
    };
    if late > 0 {
        door::dropped(&app, "late", late);
    }
    if !is_there {
        return true;
    }
    // The program ended with it each time: it is not tried for ever.
    let handled = if head.attempts < TRIES { handle(&app, &head).await } else { Err(given_up()) };
    let again = match handled {
        Ok(()) => {
            metrics.inbound("acted-on", 1);
            None
        }
        Err(failure) if is_passing(failure.kind) && head.attempts + 1 < TRIES => {
            metrics.inbound("again", 1);
            tracing::info!(code = %failure.code, "what a service sent is acted on again later: {}", failure.message);
            let asked = failure.retry_after.and_then(|asked| Millis::try_from(asked).ok()).unwrap_or(0);
            let asked = app.clock.now().saturating_add(asked.clamp(0, LONGEST_REST));
            Some(asked.max(now.saturating_add(rest)))
        }
        Err(failure) => {
            metrics.inbound("given-up", 1);
            tracing::warn!(code = %failure.code, "what a service sent could not be acted on: {}", failure.message);
            None
        }
    };
    let id = head.id;
    let written = app.store.write(move |connection| {
        Box::pin(async move {
            match again {
                Some(due_at) => inbound::rest(connection, &id, due_at).await,
                None => inbound::remove(connection, &id).await,
            }
        })
    });
    if let Err(error) = written.await {
        tracing::error!("what a service sent may be acted on once more: {error}");
    }
    true
}

fn given_up() -> Failure {
    let message = format!("it was begun {TRIES} times and never ended");
    super::failure(FailureKind::Rejected, "given-up", message, "Report it with the service's log.")
}

async fn handle(app: &App, head: &Head) -> Result<(), Failure> {
    let found = app.connections.find(&head.connection_id).await.map_err(|error| trouble(&error))?;
    let is_connected = |live: &Arc<LiveConnection>| live.row.ended_at.is_none() && live.row.lost.is_none();
    let Some(live) = found.filter(is_connected) else { return Ok(()) };
    let plugins = &app.plugins;
    let Some((entry, grant)) = plugins.find(&live.row.channel_type).zip(plugins.grant_of(&live.row.channel_type))
    else {
        return Err(trouble(&"the channel type is not installed, or granted nothing"));
    };
    let key = app.keys.of(&live.row.organization_id).await.map_err(|error| trouble(&error))?;
    let sealed = inbound::request(app.store.readers(), &head.id).await.map_err(|error| trouble(&error))?;
    let Some(sealed) = sealed else { return Ok(()) };
    let request = open(&key, &head.id, &sealed).map_err(|error| trouble(&error))?;
    let known: Arc<Known> = Arc::new(Known { app: app.clone(), live: Arc::clone(&live) });
    let (connection, workspace) = (live.connection(&entry, grant), live.workspace());
    // With which tokens it is acted on: where they are others later, what it says of these is out of date.
    let (generation, actions) =
        ask(app, &live, || connection.handle(&workspace, &request, Arc::clone(&known) as _)).await?;
    for action in actions {
        apply(app, &live, generation, action).await?;
    }
    Ok(())
}

/// Why it cannot be done just now.
fn trouble(error: &dyn std::fmt::Display) -> Failure {
    let (message, remedy) = (error.to_string(), "It is tried again by itself.");
    super::failure(FailureKind::Unavailable, "trouble", message, remedy)
}

async fn apply(app: &App, live: &Arc<LiveConnection>, generation: i64, action: Action) -> Result<(), Failure> {
    match action {
        Action::Disconnect(failure) => disconnect(app, live, generation, failure).await,
        action => change(app, &live.row, action).await.map_err(|error| trouble(&error)),
    }
}

/// The connection is lost, unless its service gives it new tokens: then only the old ones were revoked.
async fn disconnect(app: &App, live: &Arc<LiveConnection>, generation: i64, failure: Failure) -> Result<(), Failure> {
    if live.tokens.renews() {
        match live.tokens.renew(generation).await {
            Ok(_) => {
                let (id, code) = (&live.row.id, &failure.code);
                tracing::info!(connection = %id, %code, "a connection's tokens were revoked, and others have come");
                return Ok(());
            }
            Err(why) if why.kind == FailureKind::Unauthorized => {}
            Err(why) => return Err(why),
        }
    }
    let failure = Failure { kind: FailureKind::Unauthorized, ..failure };
    app.delivery.lose_connection(live, generation, &failure, Origin::Published).await;
    Ok(())
}

/// What has to be changed of a connection's targets.
async fn change(app: &App, row: &ConnectionRow, action: Action) -> Result<(), StoreError> {
    let id = row.id.clone();
    match action {
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
                targets::look_anew(app, row);
            }
            for channel in channels::at_target(app, &id, &target).await? {
                channels::resume_found(app, &channel).await?;
            }
        }
        Action::Disconnect(_) | Action::Other(_) => {}
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
