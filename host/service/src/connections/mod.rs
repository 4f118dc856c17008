//! Workspaces that organizations connected by OAuth 2.0: their tokens, and what is needed to use them.
//!
//! [`tokens`] keeps the tokens and renews them; [`flow`] brings a person to the service and back; [`keep`] and [`end`]
//! change what is kept of a connection; [`targets`] finds where messages can go; [`door`] lets in what services send,
//! and [`inbound`] acts on it.

mod applications;
pub(crate) mod asking;
mod changing;
pub(crate) mod door;
pub(crate) mod end;
pub(crate) mod error;
pub(crate) mod flow;
pub(crate) mod inbound;
pub(crate) mod keep;
pub(crate) mod named;
mod pending;
pub(crate) mod secrets;
mod standing;
pub(crate) mod targets;
pub(crate) mod tokens;
mod unrenewed;
mod wanted;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pqh_runtime::contract::types::{Failure, Workspace};
use pqh_runtime::{Channel, ConfigureError, Grant, SecretString};
use serde_json::{Map, Value};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use crate::catalog::Entry;
use crate::clock::{Clock, Millis};
use crate::config::{Config, ConfigError};
use crate::health::{Health, Note};
use crate::keys::Keys;
use crate::metrics::Metrics;
use crate::plugins::Plugins;
use crate::sealed::SealedSecrets;
use crate::store::connections::{self, ConnectionRow};
use crate::store::{Store, StoreError};
use applications::{Application, Applications};
use changing::Changing;
use pending::Waiting;
use secrets::{ChannelSecrets, TokenSecrets};
use tokens::TokenKeeper;
use unrenewed::Unrenewed;
use wanted::Wanted;

/// The connections of all organizations. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Connections(Arc<Inner>);

struct Inner {
    needs: Arc<Needs>,
    /// One keeper for each connection that was used: nobody else renews its tokens.
    keepers: Mutex<HashMap<String, Arc<TokenKeeper>>>,
    changing: Changing,
    /// People who are asked whether to connect what they allowed.
    waiting: Waiting,
    listings: targets::Listings,
    /// Rung where something came from a service.
    inbound: Notify,
    /// Where services come in.
    door: door::Door,
}

/// What keepers work with.
struct Needs {
    store: Store,
    keys: Arc<Keys>,
    plugins: Plugins,
    clock: Clock,
    metrics: Metrics,
    unrenewed: Unrenewed,
    applications: Applications,
    /// Renewals, which nobody cuts short.
    tasks: TaskTracker,
    /// Rung where tokens have to be renewed sooner than was known.
    wanted: Wanted,
}

/// A connection as it is used.
pub(crate) struct LiveConnection {
    pub(crate) row: ConnectionRow,
    pub(crate) tokens: Arc<TokenKeeper>,
}

impl LiveConnection {
    /// As the component sees it.
    pub(crate) fn workspace(&self) -> Workspace {
        workspace(&self.row)
    }

    /// The component with the tokens, and with what it wants to know again.
    pub(crate) fn connection(&self, entry: &Entry, grant: Grant) -> pqh_runtime::Connection {
        let tokens = Arc::new(TokenSecrets(Arc::clone(&self.tokens)));
        entry.plugin.connection(grant, tokens).sharing(self.tokens.cache(&entry.plugin))
    }
}

/// A connection's workspace as the component sees it.
pub(crate) fn workspace(row: &ConnectionRow) -> Workspace {
    Workspace { id: row.workspace_id.clone(), name: row.name.clone(), memo: row.memo.clone() }
}

impl Connections {
    /// With nothing in memory yet. Reads the files of the applications' secrets.
    pub(crate) fn new(
        store: Store,
        keys: Arc<Keys>,
        plugins: Plugins,
        clock: Clock,
        metrics: Metrics,
        health: Arc<Health>,
        config: &Config,
    ) -> Result<Self, ConfigError> {
        let applications = Applications::read(config)?;
        let (tasks, wanted, unrenewed) = (TaskTracker::new(), Wanted::default(), Unrenewed::new(health));
        let needs = Arc::new(Needs { store, keys, plugins, clock, metrics, unrenewed, applications, tasks, wanted });
        Ok(Self(Arc::new(Inner {
            needs,
            keepers: Mutex::default(),
            changing: Changing::default(),
            waiting: Waiting::default(),
            listings: targets::Listings::default(),
            inbound: Notify::new(),
            door: door::Door::default(),
        })))
    }

    /// Readiness tells of sections that no installed type is connected by: a component that does not load, or a name that is
    /// written wrongly, stops nobody else's alerts.
    pub(crate) fn warn(&self, health: &Health) {
        let plugins = &self.0.needs.plugins;
        let connects =
            |channel_type: &str| plugins.find(channel_type).is_some_and(|entry| entry.plugin.oauth2().is_some());
        let known: Vec<&str> = plugins.all().map(|entry| entry.id()).filter(|id| connects(id)).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        for unused in self.0.needs.applications.types().filter(|channel_type| !connects(channel_type)) {
            let message =
                format!("[connections.{unused}] is for no channel type that is connected; installed are: {known}.");
            tracing::warn!("{message}");
            let remedy = "Correct the section's name, install the channel type, or remove the section; then restart.";
            health.warn(&format!("connections {unused}"), Note::new("connection-unused", message, remedy));
        }
    }

    /// A connection by its id, whosever it is.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<Arc<LiveConnection>>, StoreError> {
        let Some(row) = connections::find(self.store().readers(), id).await? else { return Ok(None) };
        Ok(Some(Arc::new(LiveConnection { tokens: self.tokens(&row).await?, row })))
    }

    /// The keeper of a connection's tokens.
    async fn tokens(&self, row: &ConnectionRow) -> Result<Arc<TokenKeeper>, StoreError> {
        if let Some(keeper) = self.keepers().get(&row.id) {
            return Ok(Arc::clone(keeper));
        }
        let loaded = TokenKeeper::load(&self.0.needs, row).await?;
        // Somebody else's, who was faster: there is one alone.
        Ok(Arc::clone(self.keepers().entry(row.id.clone()).or_insert(loaded)))
    }

    /// Forgets the keepers of connections that were ended. One that somebody has stays: there is one alone.
    fn forget_ended(&self) {
        self.keepers().retain(|_, keeper| Arc::strong_count(keeper) > 1 || !keeper.is_empty());
    }

    /// Whoever renews looks for what is due: what is due sooner than they find rings for them.
    pub(crate) fn looking_for_renewals(&self) {
        self.0.needs.wanted.looking();
    }

    /// Waits until tokens have to be renewed sooner than at `known`.
    pub(crate) async fn renewal_wanted(&self, known: Millis) {
        self.0.needs.wanted.sooner_than(known).await;
    }

    /// The application that is registered with a type's service.
    pub(crate) fn application(&self, channel_type: &str) -> Option<&Application> {
        self.0.needs.applications.find(channel_type)
    }

    /// Asks nobody for targets any more, and waits for nobody.
    pub(crate) fn abandon(&self) {
        self.0.listings.stop.cancel();
    }

    /// Waits until no tokens are asked for any more, but not longer than `limit`; takes back what nobody confirmed.
    pub(crate) async fn stop(&self, limit: Duration) {
        self.abandon();
        let work = async {
            self.take_back_all().await;
            self.0.needs.tasks.close();
            self.0.needs.tasks.wait().await;
        };
        if tokio::time::timeout(limit, work).await.is_err() {
            tracing::warn!("stopping while tokens are asked for: they are asked for again at the next start");
        }
    }

    fn store(&self) -> &Store {
        &self.0.needs.store
    }

    fn keepers(&self) -> MutexGuard<'_, HashMap<String, Arc<TokenKeeper>>> {
        self.0.keepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A channel with its settings and secrets, in its workspace where its type has any.
pub(crate) async fn configure(
    entry: &Entry,
    grant: Grant,
    connection: Option<&LiveConnection>,
    settings: Map<String, Value>,
    secrets: SealedSecrets,
) -> Result<Channel, ConfigureError> {
    match connection {
        None => entry.plugin.configure(grant, settings, Arc::new(secrets)).await,
        Some(live) => {
            let secrets = ChannelSecrets::new(secrets, Arc::clone(&live.tokens));
            let channel = entry.plugin.configure_in(grant, live.workspace(), settings, Arc::new(secrets)).await?;
            Ok(channel.sharing(live.tokens.cache(&entry.plugin)))
        }
    }
}

/// Random text that nobody guesses: 256 bits as base64url.
fn chance() -> Result<SecretString, getrandom::Error> {
    use base64::Engine as _;
    let mut bytes = zeroize::Zeroizing::new([0_u8; 32]);
    getrandom::fill(bytes.as_mut_slice())?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes.as_slice()).into())
}

/// What is kept of such a text: SHA-256, hex.
fn fingerprint(text: &str) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::digest(text.as_bytes()))
}

/// A failure of ours, as components say theirs.
pub(crate) fn failure(
    kind: pqh_runtime::contract::types::FailureKind,
    code: &str,
    message: String,
    remedy: &str,
) -> Failure {
    Failure::new(kind, code, message, remedy)
}
