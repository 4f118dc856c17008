//! After a write of which nobody knows whether it was kept: a full disk, or a database taken away just then. What the
//! database holds rules; what is in memory is made to agree with it.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Engine, reconcile};
use crate::store::{StoreError, recovery};

/// Deliveries that are in the hands of this process, and whether memory and database may disagree.
#[derive(Default)]
pub(super) struct Certainty {
    in_hand: Mutex<HashSet<String>>,
    lost: AtomicBool,
}

impl Certainty {
    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a delivery in hand: before its lease can be in the database, so that no lease is without its holder.
    pub(super) fn take(&self, delivery: &str) {
        self.lock().insert(delivery.to_owned());
    }

    /// Its outcome is written, or it never was ours.
    pub(super) fn release(&self, delivery: &str) {
        self.lock().remove(delivery);
    }

    /// Nobody knows whether a write was kept.
    pub(super) fn lose(&self) {
        self.lost.store(true, Ordering::Release);
    }
}

impl Engine {
    /// Where a write's end is not known: takes back leases that nobody holds (nothing was sent for them), counts anew what
    /// has not ended, and gives every target with something waiting its turn. Runs in the task that leases, so that no lease
    /// is on its way meanwhile.
    pub(super) async fn resync(&self) -> Result<(), StoreError> {
        if !self.0.certainty.lost.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let (engine, now) = (self.clone(), self.now());
        let taken = self
            .store()
            .write(move |connection| {
                Box::pin(async move {
                    let sending = recovery::sending(&mut *connection).await?;
                    let held = engine.0.certainty.lock().clone();
                    let orphans: Vec<String> = sending.into_iter().filter(|id| !held.contains(id)).collect();
                    recovery::requeue(connection, &orphans, now).await?;
                    engine.0.open.reset(recovery::open_counts(&mut *connection).await?);
                    Ok::<_, StoreError>(orphans.len())
                })
            })
            .await;
        match taken {
            Ok(count) => {
                tracing::info!("the database is back: {count} deliveries that were kept and not sent are queued again");
                let engine = self.clone();
                self.0.tasks.spawn(reconcile::all(engine));
                Ok(())
            }
            Err(error) => {
                self.0.certainty.lose();
                Err(error)
            }
        }
    }
}
