//! Renews the tokens of connections ahead of time, so that no delivery waits for it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::task::{Id, JoinSet};

use super::Engine;
use crate::clock::Millis;
use crate::store::connections;
use crate::store::rows::Origin;

/// Between two looks for what is due, at most.
const LONGEST: Millis = 10 * 60_000;
/// At least. Real time, whatever the clock says.
const SHORTEST: Duration = Duration::from_millis(100);
/// Renewals of a channel type at the same time. A service that hangs delays those of no other.
const AT_ONCE: usize = 16;
/// So many are looked for: those that are under way are due until they end.
const LOOK: i64 = 32;
const _: () = assert!(LOOK.unsigned_abs() == 2 * AT_ONCE as u64, "those under way and as many others");

/// Between two looks for what nobody confirmed.
const UNCONFIRMED: Millis = 60_000;

/// The renewals that are under way. They end with it.
#[derive(Default)]
struct UnderWay {
    tasks: JoinSet<()>,
    /// Type and connection of each.
    which: HashMap<Id, (String, String)>,
}

impl UnderWay {
    /// Forgets those that ended.
    fn reap(&mut self) {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
            self.which.remove(&id);
        }
    }

    /// Waits until one ended; without end where there is none.
    async fn ended(&mut self) {
        match self.tasks.join_next_with_id().await {
            Some(ended) => {
                let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
                self.which.remove(&id);
            }
            None => std::future::pending().await,
        }
    }

    /// Begins those of a type that are due and not under way, as far as there is room for them.
    fn begin<F>(&mut self, channel_type: &str, due: Vec<(String, i64)>, renew: impl Fn(String, i64) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let here: HashSet<String> =
            self.which.values().filter(|(of, _)| of == channel_type).map(|(_, id)| id.clone()).collect();
        let room = AT_ONCE.saturating_sub(here.len());
        for (id, generation) in due.into_iter().filter(|(id, _)| !here.contains(id)).take(room) {
            let task = self.tasks.spawn(renew(id.clone(), generation));
            self.which.insert(task.id(), (channel_type.to_owned(), id));
        }
    }
}

/// Runs until the engine stops. At a start, renewals that were cut off come first.
pub(super) async fn run(engine: Engine) {
    let parts = &engine.0.parts;
    let mut under_way = UnderWay::default();
    loop {
        under_way.reap();
        let next = engine.renew_due(&mut under_way).await;
        tokio::time::sleep(SHORTEST).await;
        tokio::select! {
            () = parts.clock.sleep_until(next) => {}
            () = parts.connections.renewal_wanted(next) => {}
            // There is room for another.
            () = under_way.ended() => {}
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
    /// Begins to renew what is due, and what was cut off. When the next is.
    async fn renew_due(&self, under_way: &mut UnderWay) -> Millis {
        let (now, readers) = (self.now(), self.store().readers());
        let mut next = now.saturating_add(LONGEST);
        self.0.parts.connections.looking_for_renewals();
        for channel_type in self.patiently(|| connections::renewed_types(readers)).await.unwrap_or_default() {
            let due = self.patiently(|| connections::to_renew(readers, &channel_type, now, LOOK)).await;
            under_way.begin(&channel_type, due.unwrap_or_default(), |id, generation| {
                let engine = self.clone();
                async move { engine.renew_connection(&id, generation).await }
            });
            let later = self.patiently(|| connections::next_renewal(readers, &channel_type, now)).await.flatten();
            next = next.min(later.unwrap_or(Millis::MAX));
        }
        next
    }

    async fn renew_connection(&self, id: &str, generation: i64) {
        let found = self.patiently(|| self.0.parts.connections.find(id)).await.flatten();
        let Some(live) = found.filter(|live| live.tokens.renews()) else { return };
        if let (Err(_), Some(dead)) = (live.tokens.renew_due(generation).await, live.tokens.dead()) {
            self.lose_connection(&live, generation, &dead, Origin::Published).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Semaphore;

    use super::*;

    fn ids(name: &str, count: usize) -> Vec<(String, i64)> {
        (0..count).map(|number| (format!("{name}{number}"), 1)).collect()
    }

    #[tokio::test]
    async fn thousands_of_a_type_that_hang_take_no_room_of_another_and_none_is_begun_twice() {
        let mut under_way = UnderWay::default();
        let answers = Arc::new(Semaphore::new(0));
        let hangs = |_, _| {
            let answers = Arc::clone(&answers);
            async move { answers.acquire().await.unwrap().forget() }
        };
        for _ in 1..=3 {
            under_way.begin("chat", ids("chat", 5_000), hangs);
            assert_eq!(under_way.which.len(), AT_ONCE);
        }
        under_way.begin("phone", ids("phone", 1), |_, _| std::future::ready(()));
        under_way.ended().await;
        assert!(under_way.which.values().all(|(of, _)| of == "chat"));
        assert_eq!(under_way.which.len(), AT_ONCE);
        // Those that end make room for others; those that still hang are due, and not begun again.
        answers.add_permits(3);
        for _ in 1..=3 {
            under_way.ended().await;
        }
        under_way.begin("chat", ids("chat", 2 * AT_ONCE), hangs);
        let here: HashSet<&String> = under_way.which.values().map(|(_, id)| id).collect();
        assert_eq!((here.len(), under_way.which.len(), under_way.tasks.len()), (AT_ONCE, AT_ONCE, AT_ONCE));
    }

    #[tokio::test]
    async fn one_that_panics_makes_room_as_well() {
        let mut under_way = UnderWay::default();
        under_way.begin("chat", ids("chat", 1), |_, _| async { panic!("a test's") });
        tokio::task::yield_now().await;
        under_way.reap();
        assert!(under_way.which.is_empty());
    }
}
