//! The running service: starts it, tells where it is, stops it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::{RateLimits, Tokens};
use crate::alerts::Registry;
use crate::api;
use crate::app::{App, Parts};
use crate::boot::{self, BootError, Lock};
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::connections::{Connections, inbound};
use crate::delivery::{self, Engine};
use crate::directory::Directory;
use crate::health::Health;
use crate::keys::Keys;
use crate::listen;
use crate::metrics::Metrics;
use crate::plugins::{Plugins, PluginsError};
use crate::store::StoreError;

/// A running service. Dropped without [`Service::stop`], it ends like a process that was killed.
#[derive(Debug)]
pub struct Service {
    address: SocketAddr,
    database: PathBuf,
    token_file: PathBuf,
    stop_within: Duration,
    app: App,
    /// No new connections.
    closing: CancellationToken,
    server: JoinHandle<()>,
    /// Acts on what services sent.
    inbound: JoinHandle<()>,
    _lock: Lock,
}

/// Why the service does not start: what is wrong, and what to do.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct StartError(#[from] Cause);

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error(transparent)]
    Boot(#[from] BootError),
    #[error(transparent)]
    Plugins(#[from] PluginsError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot listen at {address}: {reason}; name another address by `listen` or --listen")]
    Bind { address: SocketAddr, reason: std::io::Error },
}

impl From<BootError> for StartError {
    fn from(error: BootError) -> Self {
        Self(error.into())
    }
}

impl Service {
    /// Starts the service. In an empty folder it makes the database, the master key and a first operator's token.
    pub async fn start(config: Config, clock: Clock) -> Result<Self, StartError> {
        let lock = boot::lock(&config.database).await?;
        let token_file = config.operator_token_file.clone();
        let (store, vault) = boot::open(&config, clock.now()).await?;
        let listener =
            TcpListener::bind(config.listen).await.map_err(|reason| Cause::Bind { address: config.listen, reason })?;
        let address = listener.local_addr().map_err(|reason| Cause::Bind { address: config.listen, reason })?;
        let database = store.path().to_owned();
        let stop_within = config.shutdown.patience;
        let health = Arc::new(Health::default());
        let plugins = Plugins::start(&config, address, &store, &health).await.map_err(Cause::from)?;
        let keys = Arc::new(Keys::new(store.clone(), vault.clone()));
        let metrics = Metrics::new();
        let connections = Connections::new(
            store.clone(),
            Arc::clone(&keys),
            plugins.clone(),
            clock.clone(),
            metrics.clone(),
            Arc::clone(&health),
            &config,
        )
        .map_err(Cause::from)?;
        connections.warn(&health);
        let directory = Directory::new(store.clone(), vault.clone(), plugins.clone(), connections.clone());
        let parts = delivery::Parts {
            store: store.clone(),
            clock: clock.clone(),
            directory: directory.clone(),
            connections: connections.clone(),
            metrics: metrics.clone(),
            health: Arc::clone(&health),
        };
        let delivery = Engine::start(parts, &config).await.map_err(Cause::from)?;
        let app = App::new(Parts {
            directory,
            delivery,
            metrics,
            plugins,
            alerts: Registry::new(store.clone()),
            keys,
            connections,
            tokens: Tokens::default(),
            limits: RateLimits::new(config.limits.requests_per_second),
            health,
            running: TaskTracker::new(),
            store,
            vault,
            clock,
            config,
        });
        let closing = CancellationToken::new();
        let inbound = tokio::spawn(inbound::run(app.clone(), closing.clone()));
        let server = tokio::spawn(listen::serve(listener, api::router(app.clone()), closing.clone()));
        Ok(Self { address, database, token_file, stop_within, app, closing, server, inbound, _lock: lock })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The database's file.
    pub fn database(&self) -> &Path {
        &self.database
    }

    /// The file that took the first operator's token at the first start.
    pub fn operator_token_file(&self) -> &Path {
        &self.token_file
    }

    /// Stops: takes no new connections, lets running requests end, and cuts off what takes longer than `[shutdown] seconds`.
    pub async fn stop(mut self) {
        let until = Instant::now() + self.stop_within;
        self.app.health.stop();
        self.closing.cancel();
        if tokio::time::timeout_at(until, &mut self.server).await.is_err() {
            self.server.abort();
            tracing::warn!("requests that took longer than the time to stop were cut off");
        }
        self.app.running.close();
        if tokio::time::timeout_at(until, self.app.running.wait()).await.is_err() {
            tracing::warn!("{} requests were still worked on at the end", self.app.running.len());
        }
        if tokio::time::timeout_at(until, &mut self.inbound).await.is_err() {
            self.inbound.abort();
            tracing::warn!("what services sent is acted on once more after the next start");
        }
        self.app.delivery.stop(until.saturating_duration_since(Instant::now())).await;
        self.app.connections.stop(until.saturating_duration_since(Instant::now())).await;
        self.app.store.close().await;
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.app.delivery.abandon();
        self.closing.cancel();
        self.server.abort();
        self.inbound.abort();
        self.app.connections.abandon();
    }
}
