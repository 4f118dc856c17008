//! Whose turn it is. Holds, in memory, the targets that are not at rest: busy, waiting for their time, or remembered for
//! their pace. The deliveries themselves stay in the database, however many there are.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::clock::Millis;
use crate::directory::Terms;
use crate::store::rows::TargetRow;

/// An attempt that takes longer makes its target a suspect.
const SLOW: Duration = Duration::from_secs(1);
const DAY: Millis = 24 * 3_600_000;

/// A target's name: a keyed hash.
pub(crate) type Target = Arc<str>;

/// Decides which targets are sent to, one attempt at a time each, within so many slots.
pub(crate) struct Scheduler {
    inner: Mutex<Inner>,
    /// Rung when something may have become due earlier than known.
    bell: Notify,
}

#[derive(Default)]
struct Inner {
    targets: HashMap<Target, State>,
    /// Those that wait for their time.
    ready: BTreeSet<(Millis, Target)>,
    /// Those whose time came, and that wait until fewer suspects are in flight.
    parked: BTreeSet<(Millis, Target)>,
    free: usize,
    slots: usize,
    /// Attempts in flight to targets that failed, or were slow, last time.
    suspects: usize,
    /// Outcomes that cannot be written now: nothing new is sent meanwhile.
    stuck: usize,
    closed: bool,
}

#[derive(Clone, Debug, Default)]
struct State {
    /// Since when an attempt is in flight.
    busy: Option<Instant>,
    /// Whether that one counts as a suspect's.
    suspect: bool,
    /// Whether its last attempt took long.
    slow: bool,
    /// Where it stands in `ready` or `parked`.
    ready_at: Option<Millis>,
    /// Whether something may wait in the database.
    backlog: bool,
    terms: Terms,
    turn_at: Millis,
    not_before: Millis,
    failures: i64,
    word: Option<(String, i64)>,
}

/// Leave to send one message to a target. Given back by [`Scheduler::finish`].
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) target: Target,
    /// As it is to be kept with the lease; none where there is no pace to remember.
    pub(crate) row: Option<TargetRow>,
    /// Whether several events may go out as one message.
    pub(crate) digests: bool,
    /// Before this turn was taken.
    earlier: Millis,
}

/// What is known of a target after a turn.
#[derive(Clone, Debug)]
pub(crate) enum Finish {
    /// Something was sent, and the circuit breaker is as told. What was sent is due again then, unless it has ended.
    Sent(Breaker, Option<Millis>),
    /// Nothing was sent: the turn is not used up. What waits is due then, if anything does.
    Unused(Option<Millis>),
}

/// A target's circuit breaker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Breaker {
    pub(crate) not_before: Millis,
    /// In a row.
    pub(crate) failures: i64,
    /// The last word that blamed the channel, and how often it came in a row.
    pub(crate) word: Option<(String, i64)>,
}

impl Scheduler {
    pub(crate) fn new(slots: usize) -> Self {
        Self { inner: Mutex::new(Inner { free: slots, slots, ..Inner::default() }), bell: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a target from before a restart.
    pub(crate) fn remember(&self, row: TargetRow) {
        let TargetRow { target, turn_at, not_before, failures, word, word_count } = row;
        let mut inner = self.lock();
        let state = inner.targets.entry(target.into()).or_default();
        *state = State { turn_at, not_before, failures, word: word.map(|word| (word, word_count)), ..state.clone() };
    }

    /// Something waits for this target from before a restart: nothing overtakes it until [`Scheduler::more`] tells its time.
    pub(crate) fn expect(&self, target: Target) {
        self.lock().targets.entry(target).or_default().backlog = true;
    }

    /// Leave to send at once what is only about to be kept; none where something else is before it.
    pub(crate) fn claim(&self, target: &Target, terms: Terms, now: Millis) -> Option<Turn> {
        let mut inner = self.lock();
        if let Some(state) = inner.targets.get_mut(target) {
            state.terms = terms;
            if state.busy.is_some() || state.backlog || state.next() > now {
                return None;
            }
        }
        inner.has_room(target).then(|| inner.begin(target, terms, now))
    }

    /// Something for this target was kept, and is due then.
    pub(crate) fn more(&self, target: &Target, terms: Terms, due: Millis) {
        let mut inner = self.lock();
        let state = inner.targets.entry(Arc::clone(target)).or_default();
        state.terms = terms;
        state.backlog = true;
        if state.busy.is_none() {
            // Something that is due earlier keeps its time.
            let at = state.next().max(due);
            let at = state.ready_at.map_or(at, |earlier| earlier.min(at));
            inner.enqueue(target, at);
        }
        drop(inner);
        self.bell.notify_one();
    }

    /// The targets whose time has come, each with its turn taken.
    pub(crate) fn take(&self, now: Millis, most: usize) -> Vec<Turn> {
        let mut inner = self.lock();
        let mut turns = Vec::new();
        while turns.len() < most && inner.free > 0 && inner.is_open() {
            let Some((at, target)) = inner.ready.first().cloned() else { break };
            if at > now {
                break;
            }
            inner.ready.remove(&(at, Arc::clone(&target)));
            if !inner.has_room(&target) {
                inner.parked.insert((at, target));
                continue;
            }
            let terms = inner.targets.get(&target).map(|state| state.terms).unwrap_or_default();
            let turn = inner.begin(&target, terms, now);
            if let Some(state) = inner.targets.get_mut(&target) {
                // Whatever is kept from here on rings again.
                state.backlog = false;
            }
            turns.push(turn);
        }
        turns
    }

    /// More may wait behind what was leased by this turn.
    pub(crate) fn leased(&self, target: &Target) {
        if let Some(state) = self.lock().targets.get_mut(target) {
            state.backlog = true;
        }
    }

    /// A target's circuit breaker, and its pace's state.
    pub(crate) fn breaker(&self, target: &Target) -> (Breaker, Millis) {
        let inner = self.lock();
        let Some(state) = inner.targets.get(target) else { return (Breaker::default(), 0) };
        let State { not_before, failures, word, turn_at, .. } = state.clone();
        (Breaker { not_before, failures, word }, turn_at)
    }

    /// A turn is over.
    pub(crate) fn finish(&self, turn: Turn, finish: Finish, now: Millis) {
        let Turn { target, row: _, digests: _, earlier } = turn;
        let mut inner = self.lock();
        inner.free += 1;
        let Some(state) = inner.targets.get_mut(&target) else { return };
        if let (Some(began), Finish::Sent(..)) = (state.busy.take(), &finish) {
            state.slow = began.elapsed() > SLOW;
        }
        let was_suspect = std::mem::take(&mut state.suspect);
        let waits = match finish {
            Finish::Sent(Breaker { not_before, failures, word }, waits) => {
                (state.not_before, state.failures, state.word) = (not_before, failures, word);
                waits
            }
            Finish::Unused(waits) => {
                state.turn_at = earlier;
                waits
            }
        };
        // What else was kept meanwhile may be due before that.
        let due = if state.backlog { now } else { waits.unwrap_or(now) };
        state.backlog |= waits.is_some();
        if state.backlog {
            let at = state.next().max(due);
            inner.enqueue(&target, at);
        } else if state.is_at_rest(now) {
            inner.targets.remove(&target);
        }
        if was_suspect {
            inner.suspects -= 1;
            if let Some(next) = inner.parked.pop_first() {
                inner.ready.insert(next);
            }
        }
        drop(inner);
        self.bell.notify_one();
    }

    /// When the next target's time comes.
    pub(crate) fn next_due(&self) -> Option<Millis> {
        let inner = self.lock();
        (inner.free > 0 && inner.is_open()).then(|| inner.ready.first().map(|(at, _)| *at)).flatten()
    }

    /// Something may have changed.
    pub(crate) fn ring(&self) {
        self.bell.notify_one();
    }

    /// Waits until something may have changed.
    pub(crate) async fn rung(&self) {
        self.bell.notified().await;
    }

    /// An outcome cannot be written: no new turns until it is.
    pub(crate) fn stick(&self) {
        self.lock().stuck += 1;
    }

    /// It was written.
    pub(crate) fn unstick(&self) {
        self.lock().stuck -= 1;
        self.bell.notify_one();
    }

    /// No new turns from now on.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.bell.notify_one();
    }

    /// Attempts in flight.
    pub(crate) fn in_flight(&self) -> usize {
        let inner = self.lock();
        inner.slots - inner.free
    }

    /// Forgets targets at rest.
    pub(crate) fn sweep(&self, now: Millis) {
        self.lock().targets.retain(|_, state| {
            state.slow = false;
            // Failures of yesterday with nothing waiting say nothing of tomorrow.
            if state.not_before.saturating_add(DAY) < now {
                (state.failures, state.word) = (0, None);
            }
            state.busy.is_some() || state.backlog || !state.is_at_rest(now)
        });
    }
}

impl Inner {
    fn is_open(&self) -> bool {
        !self.closed && self.stuck == 0
    }

    /// Whether one more may go: targets that failed or were slow last time never take more than half of the slots, so that
    /// however many hang, others go on.
    fn has_room(&self, target: &Target) -> bool {
        let suspect = self.targets.get(target).is_some_and(State::is_suspect);
        self.is_open() && self.free > 0 && !(suspect && self.suspects >= self.slots.div_ceil(2))
    }

    fn begin(&mut self, target: &Target, terms: Terms, now: Millis) -> Turn {
        let state = self.targets.entry(Arc::clone(target)).or_default();
        let earlier = state.turn_at;
        state.busy = Some(Instant::now());
        state.ready_at = None;
        state.terms = terms;
        state.suspect = state.is_suspect();
        if let Some(pace) = terms.pace {
            state.turn_at = pace.take(state.turn_at, now);
        }
        let row = terms.pace.map(|_| row(target, state));
        self.free -= 1;
        self.suspects += usize::from(state.suspect);
        Turn { target: Arc::clone(target), row, digests: terms.digests, earlier }
    }

    fn enqueue(&mut self, target: &Target, at: Millis) {
        let Some(state) = self.targets.get_mut(target) else { return };
        let earlier = state.ready_at.replace(at);
        if let Some(earlier) = earlier {
            let place = (earlier, Arc::clone(target));
            if !self.ready.remove(&place) {
                self.parked.remove(&place);
            }
        }
        self.ready.insert((at, Arc::clone(target)));
    }
}

impl State {
    /// When something may be sent: pace and circuit breaker.
    fn next(&self) -> Millis {
        self.terms.pace.map_or(0, |pace| pace.next(self.turn_at)).max(self.not_before)
    }

    fn is_suspect(&self) -> bool {
        self.failures > 0 || self.slow
    }

    fn is_at_rest(&self, now: Millis) -> bool {
        self.busy.is_none()
            && !self.slow
            && self.turn_at <= now
            && self.not_before <= now
            && self.failures == 0
            && self.word.is_none()
    }
}

fn row(target: &Target, state: &State) -> TargetRow {
    let (word, word_count) = state.word.clone().map_or((None, 0), |(word, count)| (Some(word), count));
    TargetRow {
        target: target.to_string(),
        turn_at: state.turn_at,
        not_before: state.not_before,
        failures: state.failures,
        word,
        word_count,
    }
}

#[cfg(test)]
#[path = "scheduler_tests.rs"]
mod tests;
