//! What has to be done now and then: leases of an earlier process are taken back, what was held too long fails, what was
//! kept long enough goes.

use std::time::Duration;

use pqh_runtime::contract::types::FailureKind;

use super::{Engine, Parts};
use crate::clock::{Millis, millis};
use crate::config::Config;
use crate::failure::FailureBody;
use crate::store::pruning::{self, Cutoffs};
use crate::store::{StoreError, deliveries, recovery, targets};

/// Between two rounds.
const ROUND: Millis = 10 * 60_000;

/// At a start, before anything is leased: every lease of an earlier process ended without an outcome.
pub(super) async fn take_back_leases(parts: &Parts, lease: Millis, most: u32, now: Millis) -> Result<(), StoreError> {
    let most = i64::from(most);
    let cause = FailureBody::ours(
        FailureKind::UnknownOutcome,
        LOST,
        format!("The service ended {} times while it was sending this message.", most + 1),
        "Look in the channel whether it arrived; find out why the service ends; replay it then.",
    )
    .json();
    let (again, failed) = parts
        .store
        .write(move |connection| {
            Box::pin(async move { recovery::take_back_leases(connection, now, lease, most, &cause, LOST).await })
        })
        .await?;
    parts.metrics.lost_leases(again + failed);
    if again + failed > 0 {
        tracing::warn!(
            "{again} deliveries were being sent when the service ended: they are sent again, marked; {failed} are given up"
        );
    }
    Ok(())
}

/// How long what is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    delivered: Duration,
    failed: Duration,
    checks: Duration,
    held: Duration,
}

impl Limits {
    pub(super) fn of(config: &Config) -> Self {
        let retention = &config.retention;
        Self {
            // An event's id is known for as long as its deliveries are.
            delivered: retention.delivered.max(retention.idempotency),
            failed: retention.failed.max(retention.idempotency),
            checks: retention.checks,
            held: config.retry.held,
        }
    }
}

const LOST: &str = "lost-leases";
const HELD_TOO_LONG: &str = "held-too-long";

/// Runs until the engine stops.
pub(super) async fn run(engine: Engine) {
    loop {
        if let Err(error) = engine.keep().await {
            tracing::error!("old deliveries are looked through again later: {error}");
        }
        let next = engine.now().saturating_add(ROUND);
        engine.0.parts.clock.sleep_until(next).await;
    }
}

impl Engine {
    /// One round.
    async fn keep(&self) -> Result<(), StoreError> {
        let now = self.now();
        self.0.scheduler.sweep(now);
        self.store().write(move |connection| Box::pin(targets::sweep(connection, now))).await?;
        self.fail_held(now).await?;
        let Limits { delivered, failed, checks, held: _ } = self.0.limits;
        let before = |kept: Duration| now.saturating_sub(millis(kept));
        let cutoffs = Cutoffs { delivered: before(delivered), failed: before(failed), checks: before(checks) };
        while self.store().write(move |connection| Box::pin(pruning::prune(connection, cutoffs))).await? {
            // Others write between two batches.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    async fn fail_held(&self, now: Millis) -> Result<(), StoreError> {
        let limit = self.0.limits.held;
        let before = now.saturating_sub(millis(limit));
        let days = limit.as_secs() / 86_400;
        let cause = FailureBody::ours(
            FailureKind::Unreachable,
            HELD_TOO_LONG,
            format!("The message was held for {days} days: its channel was paused, its plan lapsed or its grant gone."),
            "Mend the channel, then replay the message.",
        )
        .json();
        let failed = self
            .store()
            .write(move |connection| {
                Box::pin(async move { deliveries::fail_held(connection, before, &cause, HELD_TOO_LONG, now).await })
            })
            .await?;
        for organization in &failed {
            self.0.open.ended(organization, 1);
        }
        if !failed.is_empty() {
            tracing::warn!(
                "{} deliveries were held for {days} days and are failed: they can be replayed",
                failed.len()
            );
        }
        Ok(())
    }
}
