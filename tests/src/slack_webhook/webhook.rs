//! One of the simulator's webhooks, as a test holds it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::state::Shared;
use super::{Hold, Misbehaviour, Received};

/// One webhook of a [`Simulator`](super::Simulator), with a life of its own.
#[derive(Debug, Clone)]
pub struct Webhook {
    path: String,
    shared: Arc<Shared>,
}

impl Webhook {
    pub(crate) fn new(path: &str, shared: &Arc<Shared>) -> Self {
        Self { path: path.to_owned(), shared: Arc::clone(shared) }
    }

    /// Its path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its URL as Slack would give it: a secret.
    pub fn url(&self) -> String {
        format!("https://hooks.slack.com{}", self.path)
    }

    /// From now on it answers `word` (of [`answer::WORDS`](super::answer::WORDS)) to everything; `None` brings it back
    /// to life.
    pub fn set_dead(&self, word: Option<&'static str>) {
        self.shared.at(&self.path, |hook| hook.dead = word);
    }

    /// Its next request not yet spoken for is treated so; before what the simulator was told of the next to any.
    pub fn next(&self, misbehaviour: Misbehaviour) {
        self.shared.at(&self.path, |hook| hook.next.push_back(misbehaviour));
    }

    /// Lets `messages` more through, then answers 429 with `Retry-After: seconds`.
    pub fn limit(&self, messages: usize, retry_after: u64) {
        self.shared.at(&self.path, |hook| hook.allowance = Some((messages, retry_after)));
    }

    /// Lets through whatever comes again.
    pub fn unlimit(&self) {
        self.shared.at(&self.path, |hook| hook.allowance = None);
    }

    /// Lets requests wait, until it is released.
    pub fn hold(&self, hold: Hold) {
        self.shared.hold(|path| path == self.path, Some(hold));
    }

    /// What waits here goes on.
    pub fn release(&self) {
        self.shared.hold(|path| path == self.path, None);
    }

    /// Its accepted messages, oldest first.
    pub fn messages(&self) -> Vec<Value> {
        self.received().into_iter().map(|received| received.message).collect()
    }

    /// Its accepted messages with when they came, oldest first.
    pub fn received(&self) -> Vec<Received> {
        self.shared.state().received.iter().filter(|received| *received.webhook == self.path).cloned().collect()
    }

    /// How many messages it accepted in each minute of the simulator's clock, by the number of the minute since 1970.
    pub fn per_minute(&self) -> BTreeMap<i64, usize> {
        let mut minutes = BTreeMap::new();
        for received in self.received() {
            *minutes.entry(received.at.div_euclid(60_000)).or_default() += 1;
        }
        minutes
    }

    /// How many requests came, refused ones included.
    pub fn requests(&self) -> usize {
        self.shared.at(&self.path, |hook| hook.requests).unwrap_or_default()
    }

    /// Waits until it has accepted `count` messages in all, and gives them.
    pub async fn wait_for(&self, count: usize) -> Vec<Value> {
        let mine = |received: &&Received| *received.webhook == self.path;
        self.shared.wait_until(|state| state.received.iter().filter(mine).count() >= count).await;
        self.messages()
    }
}
