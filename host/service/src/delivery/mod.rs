//! What becomes of events: kept, leased one at a time for each target, attempted, tried again, ended.
//!
//! [`Engine::submit`] keeps an event with a delivery for each channel; only then is it accepted. A delivery whose target is
//! at rest is leased in the same transaction and sent at once; any other waits in the database until [`scheduler`] gives
//! its target a turn. [`attempt`] runs one, [`verdict`] says what its outcome means, and one transaction writes both.

mod alert;
mod attempt;
mod blame;
mod digest;
mod dispatch;
mod keeping;
mod loss;
mod notice;
mod open;
mod pace;
mod people;
mod reconcile;
mod renewing;
mod resync;
mod scheduler;
mod submit;
mod verdict;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use alert::{AlertEvent, Deleted};
pub(crate) use loss::pause_all;
pub(crate) use people::CancelError;
pub(crate) use submit::{Submission, SubmitError, Submitted};

use crate::clock::{Clock, Millis, millis};
use crate::config::Config;
use crate::connections::Connections;
use crate::directory::Directory;
use crate::health::Health;
use crate::metrics::{Metrics, Snapshot};
use crate::store::{Store, StoreError, recovery, targets};
use open::Open;
use resync::Certainty;
use scheduler::Scheduler;
use verdict::Rules;

/// A lease outlives the call that it is for by this much: its outcome has to be written, too.
const LEASE_MARGIN: Duration = Duration::from_mins(1);
/// Sandboxes that are left for checks and previews.
const SPARE_SLOTS: usize = 16;

/// The delivery of events. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Engine(Arc<Inner>);

struct Inner {
    parts: Parts,
    scheduler: Scheduler,
    rules: Rules,
    lease: Millis,
    limits: keeping::Limits,
    /// Names this process in its leases.
    owner: String,
    /// The last number of the order of acceptance.
    seq: AtomicI64,
    open: Open,
    certainty: Certainty,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// What the engine works with.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) directory: Directory,
    pub(crate) connections: Connections,
    pub(crate) metrics: Metrics,
    pub(crate) health: Arc<Health>,
}

impl Engine {
    /// Takes back what an earlier process left, and begins to deliver.
    pub(crate) async fn start(parts: Parts, config: &Config) -> Result<Self, StoreError> {
        let now = parts.clock.now();
        let lease = millis(config.limits.deadline + LEASE_MARGIN);
        keeping::take_back_leases(&parts, lease, config.retry.lost_leases, now).await?;
        let slots = config.limits.concurrency.saturating_sub(SPARE_SLOTS).max(1);
        let retry = &config.retry;
        let engine = Self(Arc::new(Inner {
            scheduler: Scheduler::new(slots),
            rules: Rules {
                first: retry.first,
                longest: retry.longest,
                give_up: retry.give_up,
                unknown_outcome: retry.unknown_outcome.clone(),
            },
            lease,
            limits: keeping::Limits::of(config),
            owner: uuid::Uuid::now_v7().to_string(),
            seq: AtomicI64::new(recovery::last_seq(parts.store.readers()).await?),
            open: Open::new(config.limits.queue, recovery::open_counts(parts.store.readers()).await?),
            certainty: Certainty::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            parts,
        }));
        for row in targets::restless(engine.store().readers(), now).await? {
            engine.0.scheduler.remember(row);
        }
        for target in recovery::targets_with_waiting(engine.store().readers()).await? {
            engine.0.scheduler.expect(target.into());
        }
        // Not cut short: what it has leased has to be sent.
        engine.0.tasks.spawn(dispatch::run(engine.clone(), engine.0.stop.clone()));
        engine.spawn(keeping::run);
        engine.spawn(reconcile::all);
        engine.spawn(renewing::run);
        engine.spawn(renewing::take_back);
        Ok(engine)
    }

    /// Runs a part of the engine until it ends or the engine stops.
    fn spawn<F>(&self, part: impl FnOnce(Self) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (engine, stop) = (self.clone(), self.0.stop.clone());
        self.0.tasks.spawn(async move {
            stop.run_until_cancelled(part(engine)).await;
        });
    }

    /// Leases nothing more, and waits for the attempts in flight to end and be written, but not longer than `limit`.
    pub(crate) async fn stop(&self, limit: Duration) {
        self.abandon();
        self.0.tasks.close();
        if tokio::time::timeout(limit, self.0.tasks.wait()).await.is_err() {
            let left = self.0.scheduler.in_flight();
            tracing::warn!("stopping with {left} attempts in flight: they are sent again, marked, at the next start");
        }
    }

    /// Leases nothing more, and waits for nobody.
    pub(crate) fn abandon(&self) {
        self.0.scheduler.close();
        self.0.stop.cancel();
    }

    /// What metrics tell of now.
    pub(crate) async fn snapshot(&self) -> Snapshot {
        let readers = self.store().readers();
        let now = self.now();
        let oldest_due = recovery::oldest_due(readers).await.map(|due| {
            let overdue = due.map_or(0, |due| now.saturating_sub(due).max(0));
            Duration::from_millis(overdue.unsigned_abs())
        });
        Snapshot {
            undelivered: self.0.open.total(),
            in_flight: self.0.scheduler.in_flight(),
            oldest_due: oldest_due.ok(),
            paused_channels: recovery::paused_channels(readers).await.ok(),
            lost_connections: recovery::lost_connections(readers).await.ok(),
        }
    }

    fn store(&self) -> &Store {
        &self.0.parts.store
    }

    fn now(&self) -> Millis {
        self.0.parts.clock.now()
    }

    /// The next number of the order of acceptance: microseconds since 1970, or one more than the last.
    fn next_seq(&self) -> i64 {
        let now = self.now().saturating_mul(1_000);
        let next = |last: i64| Some(now.max(last + 1));
        let last = self.0.seq.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or_else(|last| last);
        now.max(last + 1)
    }
}
