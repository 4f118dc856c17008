//! What the simulator knows: its webhooks, what they took, and what they are told to do.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::watch;

use super::{Hold, Misbehaviour};

/// Milliseconds between two messages of one webhook, at Slack's rate.
const INTERVAL: i64 = 1_000;

/// A message that a webhook accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// When, by the simulator's clock: milliseconds since 1970.
    pub at: i64,
    /// The webhook's path.
    pub webhook: Arc<str>,
    /// The message.
    pub message: Value,
}

/// One webhook.
#[derive(Debug)]
pub(crate) struct Hook {
    pub(crate) path: Arc<str>,
    /// The word that it answers to everything, `None` while it lives.
    pub(crate) dead: Option<&'static str>,
    pub(crate) next: VecDeque<Misbehaviour>,
    pub(crate) requests: usize,
    /// Messages that are still let through before 429, and its `Retry-After`.
    pub(crate) allowance: Option<(usize, u64)>,
    pub(crate) hold: Option<Hold>,
    /// When its bucket is empty again, at Slack's rate.
    empty_at: i64,
}

impl Hook {
    fn new(path: &str) -> Self {
        Self {
            path: path.into(),
            dead: None,
            next: VecDeque::new(),
            requests: 0,
            allowance: None,
            hold: None,
            empty_at: i64::MIN,
        }
    }

    /// Counts one message more, or says after how many seconds there is room for it.
    pub(crate) fn admit(&mut self, burst: Option<u32>, now: i64) -> Result<(), u64> {
        if let Some((left, retry_after)) = &mut self.allowance {
            *left = left.checked_sub(1).ok_or(*retry_after)?;
        }
        if let Some(burst) = burst {
            let empty_at = self.empty_at.max(now) + INTERVAL;
            let over = empty_at - now - i64::from(burst) * INTERVAL;
            if over > 0 {
                return Err(u64::try_from(over).unwrap_or_default().div_ceil(1_000));
            }
            self.empty_at = empty_at;
        }
        Ok(())
    }
}

/// Everything that changes.
pub(crate) struct State {
    pub(crate) hooks: HashMap<Arc<str>, Hook>,
    /// The webhooks' paths in the order in which they were added.
    pub(crate) paths: Vec<Arc<str>>,
    /// For the next requests to any webhook.
    pub(crate) next: VecDeque<Misbehaviour>,
    pub(crate) received: Vec<Received>,
    pub(crate) requests: usize,
    /// How many messages a webhook takes at once, where Slack's rate is enforced.
    pub(crate) burst: Option<u32>,
    pub(crate) clock: Box<dyn Fn() -> i64 + Send + Sync>,
}

impl fmt::Debug for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("State").field("hooks", &self.hooks.len()).finish_non_exhaustive()
    }
}

/// The state, and what tells of its changes.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    /// Told at each accepted message and each release.
    changed: watch::Sender<()>,
    /// How many requests are held.
    pub(crate) held: watch::Sender<usize>,
}

impl Shared {
    pub(crate) fn new(path: &str) -> Self {
        let state = State {
            hooks: HashMap::new(),
            paths: Vec::new(),
            next: VecDeque::new(),
            received: Vec::new(),
            requests: 0,
            burst: None,
            clock: Box::new(|| jiff::Timestamp::now().as_millisecond()),
        };
        let shared = Self { state: Mutex::new(state), changed: watch::Sender::new(()), held: watch::Sender::new(0) };
        shared.add(path);
        shared
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, path: &str) {
        let mut state = self.state();
        if !state.hooks.contains_key(path) {
            let hook = Hook::new(path);
            state.paths.push(Arc::clone(&hook.path));
            state.hooks.insert(Arc::clone(&hook.path), hook);
        }
    }

    /// Changes the webhook at `path`, if there is one.
    pub(crate) fn at<T>(&self, path: &str, change: impl FnOnce(&mut Hook) -> T) -> Option<T> {
        self.state().hooks.get_mut(path).map(change)
    }

    /// Lets the webhooks that are meant hold, or release what they held.
    pub(crate) fn hold(&self, meant: impl Fn(&str) -> bool, hold: Option<Hold>) {
        let mut state = self.state();
        state.hooks.values_mut().filter(|hook| meant(&hook.path)).for_each(|hook| hook.hold = hold);
        drop(state);
        self.changed.send_replace(());
    }

    /// Keeps an accepted message.
    pub(crate) fn keep(&self, mut state: MutexGuard<'_, State>, webhook: Arc<str>, at: i64, message: Value) {
        state.received.push(Received { at, webhook, message });
        drop(state);
        self.changed.send_replace(());
    }

    /// Waits until `holds` does.
    pub(crate) async fn wait_until(&self, holds: impl Fn(&State) -> bool) {
        let mut changed = self.changed.subscribe();
        while !holds(&self.state()) {
            // The sender lives in `self`.
            let _ = changed.changed().await;
        }
    }

    /// Waits while the webhook at `path` holds requests here. Whoever goes meanwhile is counted no longer.
    pub(crate) async fn wait_while_held(self: &Arc<Self>, path: &str, here: Hold) {
        let holds = |state: &State| state.hooks.get(path).is_some_and(|hook| hook.hold == Some(here));
        if !holds(&self.state()) {
            return;
        }
        let _waiting = Waiting::new(self);
        self.wait_until(|state| !holds(state)).await;
    }
}

/// One held request.
struct Waiting(Arc<Shared>);

impl Waiting {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.held.send_modify(|held| *held += 1);
        Self(Arc::clone(shared))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.held.send_modify(|held| *held -= 1);
    }
}
