//! Renews the tokens of connections ahead of time, so that no delivery waits for it.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;

use super::Engine;
use crate::clock::Millis;
use crate::store::connections;
use crate::store::rows::Origin;

/// Between two rounds, at most.
const LONGEST: Millis = 10 * 60_000;
/// At least. Real time, whatever the clock says.
const SHORTEST: Duration = Duration::from_millis(100);
/// Renewals at the same time: services that hang delay no others.
const AT_ONCE: usize = 16;
/// How long a round waits for a renewal. Real time, whatever the clock says; the renewal itself goes on.
const PATIENCE: Duration = Duration::from_mins(1);

/// Between two looks for what nobody confirmed.
const UNCONFIRMED: Millis = 60_000;

/// Runs until the engine stops. At a start, renewals that were cut off come first.
pub(super) async fn run(engine: Engine) {
    let parts = &engine.0.parts;
    loop {
        engine.renew_due().await;
        let next = engine.patiently(|| connections::next_renewal(engine.store().readers())).await.flatten();
        let next = next.unwrap_or(Millis::MAX).min(engine.now().saturating_add(LONGEST));
        tokio::time::sleep(SHORTEST).await;
        tokio::select! {
            () = parts.clock.sleep_until(next) => {}
            () = parts.connections.renewal_wanted() => {}
        }
    }
}

/// Has services forget what nobody confirmed in time, until the engine stops.
pub(super) async fn take_back(engine: Engine) {
    loop {
        let now = engine.now();
        engine.0.parts.connections.take_back_expired(now).await;
        engine.0.parts.clock.sleep_until(now.saturating_add(UNCONFIRMED)).await;
    }
}

impl Engine {
    /// Renews what is due, and what was cut off.
    async fn renew_due(&self) {
        let now = self.now();
        let due = self.patiently(|| connections::to_renew(self.store().readers(), now)).await.unwrap_or_default();
        stream::iter(due).for_each_concurrent(AT_ONCE, |id| async move { self.renew_connection(&id).await }).await;
    }

    async fn renew_connection(&self, id: &str) {
        let found = self.patiently(|| self.0.parts.connections.find(id)).await.flatten();
        let Some(live) = found.filter(|live| live.tokens.renews()) else { return };
        let generation = live.tokens.generation();
        let renewed = tokio::time::timeout(PATIENCE, live.tokens.renew(generation)).await;
        if let (Ok(Err(_)), Some(dead)) = (renewed, live.tokens.dead()) {
            self.lose_connection(&live, generation, &dead, Origin::Published).await;
        }
    }
}
