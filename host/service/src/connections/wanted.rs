//! Wakes whoever renews tokens ahead of time, where one is due sooner than they know. What is due later wakes nobody:
//! they look for it then.

use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::Notify;

use crate::clock::Millis;

/// The bell.
pub(super) struct Wanted {
    /// When they look again by themselves.
    known: AtomicI64,
    rung: Notify,
}

impl Default for Wanted {
    /// Whatever comes is news at first.
    fn default() -> Self {
        Self { known: AtomicI64::new(Millis::MAX), rung: Notify::new() }
    }
}

impl Wanted {
    /// One is to be renewed at `at`.
    pub(super) fn by(&self, at: Millis) {
        if at < self.known.load(Ordering::SeqCst) {
            self.rung.notify_one();
        }
    }

    /// They look now. What comes meanwhile is not overheard.
    pub(super) fn looking(&self) {
        self.known.store(Millis::MAX, Ordering::SeqCst);
    }

    /// Waits until one is due sooner than at `known`.
    pub(super) async fn sooner_than(&self, known: Millis) {
        self.known.store(known, Ordering::SeqCst);
        self.rung.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn only_what_is_due_sooner_than_known_wakes() {
        let wanted = Wanted::default();
        let rings = |known| wanted.sooner_than(known).now_or_never().is_some();
        assert!(!rings(100));
        wanted.by(100);
        wanted.by(Millis::MAX);
        assert!(!rings(100));
        wanted.by(99);
        assert!(rings(100) && !rings(100));
        wanted.looking();
        wanted.by(5_000);
        assert!(rings(100), "it came while they looked, and they may not have seen it");
    }
}
