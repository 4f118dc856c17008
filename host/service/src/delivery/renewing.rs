//! Renews the tokens of connections ahead of time, so that no delivery waits for it.

use super::Engine;
use crate::clock::Millis;
use crate::store::connections;
use crate::store::rows::Origin;
use pqh_runtime::contract::types::FailureKind;

/// Tokens are renewed when they work for no longer than this.
const AHEAD: Millis = 3_600_000;
/// Between two rounds, at most, and at least.
const LONGEST: Millis = 60_000;
const SHORTEST: Millis = 5_000;

/// Runs until the engine stops. At a start, renewals that were cut off come first.
pub(super) async fn run(engine: Engine) {
    loop {
        let now = engine.now();
        engine.0.parts.connections.take_back_expired(now).await;
        engine.renew_due(now.saturating_add(AHEAD)).await;
        let first = engine.patiently(|| connections::first_expiry(engine.store().readers())).await.flatten();
        let due = first.map_or(Millis::MAX, |expiry| expiry.saturating_sub(AHEAD));
        let now = engine.now();
        let next = due.clamp(now.saturating_add(SHORTEST), now.saturating_add(LONGEST));
        engine.0.parts.clock.sleep_until(next).await;
    }
}

impl Engine {
    /// Renews what expires before that time, and what was cut off.
    async fn renew_due(&self, before: Millis) {
        let due = self.patiently(|| connections::to_renew(self.store().readers(), before)).await.unwrap_or_default();
        for id in due {
            let found = self.patiently(|| self.0.parts.connections.find(&id)).await.flatten();
            let Some(live) = found.filter(|live| live.tokens.renews()) else { continue };
            let generation = live.tokens.generation();
            if let Err(failure) = live.tokens.renew(generation).await
                && failure.kind == FailureKind::Unauthorized
            {
                self.lose_connection(&live, generation, &failure, Origin::Published).await;
            }
        }
    }
}
