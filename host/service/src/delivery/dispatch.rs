//! Gives turns: wakes when something was kept, when a turn ended, and when the next target's time comes.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::Engine;
use super::attempt::Started;
use super::scheduler::{Finish, Turn};
use crate::clock::Millis;
use crate::event;
use crate::store::lease::{Found, Lease};
use crate::store::rows::{KeptEvent, Leased, Origin};

/// A queue that waited longer goes out as digests.
const DIGEST_AFTER: Millis = 60_000;
/// Leases of one transaction, at most.
const BATCH: usize = 64;

/// Runs until the engine stops.
pub(super) async fn run(engine: Engine, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = engine.resync().await {
            tracing::error!("memory and database may disagree until it can be written: {error}");
            tokio::time::sleep(super::attempt::WRITE_AGAIN).await;
            if error.is_passing() {
                continue;
            }
        }
        let turns = engine.0.scheduler.take(engine.now(), BATCH);
        if !turns.is_empty() {
            engine.lease(turns).await;
            continue;
        }
        let due = engine.0.scheduler.next_due();
        tokio::select! {
            () = stop.cancelled() => {}
            () = engine.0.scheduler.rung() => {}
            () = engine.0.parts.clock.sleep_until(due.unwrap_or(Millis::MAX)), if due.is_some() => {}
        }
    }
}

impl Engine {
    /// Leases the heads of these targets' queues, and starts their attempts.
    async fn lease(&self, turns: Vec<Turn>) {
        let now = self.now();
        let leases = turns.iter().map(|turn| self.lease_of(turn, now)).collect();
        match self.store().lease(leases).await {
            Ok(found) => {
                for (turn, found) in turns.into_iter().zip(found) {
                    self.begin(turn, found).await;
                }
            }
            Err(error) => {
                tracing::error!("nothing can be leased: {error}");
                self.0.certainty.lose();
                // Due again at once; the pause keeps a broken database from being asked without end.
                for turn in turns {
                    self.0.scheduler.finish(turn, Finish::Unused(Some(now)), now);
                }
                tokio::time::sleep(super::attempt::WRITE_AGAIN).await;
            }
        }
    }

    fn lease_of(&self, turn: &Turn, now: Millis) -> Lease {
        Lease {
            target: turn.target.to_string(),
            owner: self.0.owner.clone(),
            now,
            until: now.saturating_add(self.0.lease),
            turn: turn.row.clone(),
            digest_before: turn.digests.then(|| now.saturating_sub(DIGEST_AFTER)),
        }
    }

    /// What waits for a channel as one message, in place of its head.
    async fn begin_digest(&self, turn: Turn, channel_id: &str) {
        let now = self.now();
        match self.lease_digest(&turn, channel_id, self.lease_of(&turn, now)).await {
            // Never another digest: nothing leads back here.
            Ok(Some(Found::Digest { .. }) | None) => {
                // Held or led elsewhere: then that is made so, and the target is looked at again for what else waits.
                self.reconcile_channel(channel_id).await;
                self.0.scheduler.finish(turn, Finish::Unused(Some(now)), now);
            }
            Ok(Some(found)) => Box::pin(self.begin(turn, found)).await,
            Err(error) => {
                tracing::error!("nothing can be leased: {error}");
                self.0.certainty.lose();
                self.0.scheduler.finish(turn, Finish::Unused(Some(now)), now);
                tokio::time::sleep(super::attempt::WRITE_AGAIN).await;
            }
        }
    }

    async fn begin(&self, turn: Turn, found: Found) {
        let now = self.now();
        match found {
            Found::Digest { channel_id } => self.begin_digest(turn, &channel_id).await,
            Found::Nothing => self.0.scheduler.finish(turn, Finish::Unused(None), now),
            Found::Later(due) => self.0.scheduler.finish(turn, Finish::Unused(Some(due)), now),
            Found::Head(head) => {
                self.0.scheduler.leased(&turn.target);
                let (leased, kept) = *head;
                self.begin_kept(turn, leased, kept).await;
            }
        }
    }

    /// An event is read anew from what was kept, with the organization as it is now.
    async fn begin_kept(&self, turn: Turn, leased: Leased, kept: KeptEvent) {
        let origin = Origin::named(&kept.origin);
        let event = match self.organization(&kept.organization_id).await {
            Some(organization) if origin == Origin::Digest => {
                event::digest::read(&kept.body, &organization.time_zone, &organization.locale, kept.accepted_at)
            }
            Some(organization) => {
                event::read_kept(&kept.body, &organization.time_zone, &organization.locale, kept.accepted_at)
            }
            None => Err(event::EventError::gone()),
        };
        match event {
            Ok(mut event) => {
                event.id = kept.event_key;
                event.alert_id = kept.alert_id;
                event.incident_id = kept.incident_id;
                self.start_attempt(Started { turn, leased, event: Arc::new(event), origin });
            }
            Err(error) => self.start_hopeless(turn, leased, &error),
        }
    }
}
