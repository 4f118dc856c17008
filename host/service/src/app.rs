//! What every request needs: the parts of the running service.

use std::ops::Deref;
use std::sync::Arc;

use tokio_util::task::TaskTracker;

use crate::access::{RateLimits, Tokens};
use crate::alerts::Registry;
use crate::clock::Clock;
use crate::config::Config;
use crate::connections::Connections;
use crate::delivery::Engine;
use crate::directory::Directory;
use crate::health::Health;
use crate::keys::Keys;
use crate::metrics::Metrics;
use crate::plugins::Plugins;
use crate::store::Store;
use crate::vault::Vault;

/// The running service. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Parts>);

/// Its parts.
pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) vault: Vault,
    pub(crate) keys: Arc<Keys>,
    pub(crate) clock: Clock,
    pub(crate) config: Config,
    pub(crate) tokens: Tokens,
    pub(crate) limits: RateLimits,
    pub(crate) health: Arc<Health>,
    pub(crate) metrics: Metrics,
    pub(crate) delivery: Engine,
    pub(crate) plugins: Plugins,
    pub(crate) connections: Connections,
    pub(crate) directory: Directory,
    pub(crate) alerts: Registry,
    /// Requests that are worked on.
    pub(crate) running: TaskTracker,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("App(..)")
    }
}

impl App {
    /// Puts the parts together.
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Called after a change of an organization is durable: what waits for its channels agrees with it then.
    pub(crate) async fn organization_changed(&self, id: &str) {
        self.directory.forget_organization(id);
        self.delivery.reconcile_organization(id).await;
    }
}
