//! Slack's incoming webhooks on loopback that refuse what Slack refuses, and misbehave when told to.
//!
//! Where Slack is lenient (it truncates over 40,000 characters, for one) the simulator refuses: a test should see it.

pub mod answer;
pub(crate) mod json;
mod markup;
mod misbehaviour;
pub mod render;
mod server;
mod state;
pub mod validate;
mod webhook;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use misbehaviour::{Hold, Misbehaviour};
pub use state::Received;
use state::Shared;
pub use webhook::Webhook;

/// Path of the simulator's first webhook, the only one by default.
pub const WEBHOOK_PATH: &str = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX";

/// A running simulator; it ends when dropped. What it is told of one webhook without saying which is meant for the first.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Simulator {
    /// Starts on a free port of the loopback address.
    ///
    /// # Errors
    ///
    /// When no port can be listened on.
    pub async fn start() -> io::Result<Self> {
        Self::start_on(0).await
    }

    /// Starts with this many webhooks in all, each with a path of its own.
    ///
    /// # Errors
    ///
    /// When no port can be listened on.
    pub async fn start_with(webhooks: usize) -> io::Result<Self> {
        let simulator = Self::start().await?;
        for number in 1..webhooks {
            simulator.add_webhook(&format!("/services/T00000000/B{number:08}/{number:X>24}"));
        }
        Ok(simulator)
    }

    /// Starts on `port` of the loopback address; 0 takes a free one.
    ///
    /// # Errors
    ///
    /// When the port is taken.
    pub async fn start_on(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(WEBHOOK_PATH));
        let server = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, server })
    }

    /// `http://127.0.0.1:PORT`, for `--upstream hooks.slack.com=…`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The first webhook's URL as Slack would give it: a secret.
    pub fn webhook_url() -> String {
        format!("https://hooks.slack.com{WEBHOOK_PATH}")
    }

    /// Adds a webhook at `path`; one that is there already stays as it is.
    pub fn add_webhook(&self, path: &str) -> Webhook {
        self.shared.add(path);
        Webhook::new(path, &self.shared)
    }

    /// All webhooks, in the order in which they were added.
    pub fn webhooks(&self) -> Vec<Webhook> {
        self.shared.state().paths.iter().map(|path| Webhook::new(path, &self.shared)).collect()
    }

    /// The first webhook.
    pub fn webhook(&self) -> Webhook {
        Webhook::new(WEBHOOK_PATH, &self.shared)
    }

    /// From now on it is the time (milliseconds since 1970) that `clock` says; else the machine's.
    pub fn set_clock(&self, clock: impl Fn() -> i64 + Send + Sync + 'static) {
        self.shared.state().clock = Box::new(clock);
    }

    /// From now on each webhook takes one message a second by the simulator's clock after `burst` at once, and answers
    /// 429 with `Retry-After` to more. Slack documents "short bursts"; some 25 were seen.
    pub fn enforce_rate(&self, burst: u32) {
        self.shared.state().burst = Some(burst);
    }

    /// All webhooks let requests wait, until they are released.
    pub fn hold(&self, hold: Hold) {
        self.shared.hold(|_| true, Some(hold));
    }

    /// Everything that waits goes on.
    pub fn release(&self) {
        self.shared.hold(|_| true, None);
    }

    /// How many requests wait because their webhook holds them. Those whose connection ended are not counted.
    pub fn held(&self) -> usize {
        *self.shared.held.borrow()
    }

    /// Waits until at least `count` requests are held at the same time, and gives how many.
    pub async fn wait_for_held(&self, count: usize) -> usize {
        let mut held = self.shared.held.subscribe();
        // The sender lives in `self`, so this cannot fail before the condition holds.
        held.wait_for(|held| *held >= count).await.map_or(0, |held| *held)
    }

    /// From now on the first webhook answers `word` (of [`answer::WORDS`]) to everything; `None` brings it back to life.
    pub fn set_dead(&self, word: Option<&'static str>) {
        self.webhook().set_dead(word);
    }

    /// The next request not yet spoken for, to any webhook, is treated so.
    pub fn next(&self, misbehaviour: Misbehaviour) {
        self.shared.state().next.push_back(misbehaviour);
    }

    /// The first webhook lets `messages` more through, then answers 429 with `Retry-After: seconds`. Without this, and
    /// without [`enforce_rate`](Self::enforce_rate), there is no limit.
    pub fn limit(&self, messages: usize, retry_after: u64) {
        self.webhook().limit(messages, retry_after);
    }

    /// Accepted messages of all webhooks, oldest first.
    pub fn messages(&self) -> Vec<Value> {
        self.shared.state().received.iter().map(|received| received.message.clone()).collect()
    }

    /// Accepted messages of all webhooks with when and where they came, oldest first.
    pub fn received(&self) -> Vec<Received> {
        self.shared.state().received.clone()
    }

    /// How many requests came, refused ones included.
    pub fn requests(&self) -> usize {
        self.shared.state().requests
    }

    /// Waits until `count` messages were accepted in all, and gives all.
    pub async fn wait_for(&self, count: usize) -> Vec<Value> {
        self.shared.wait_until(|state| state.received.len() >= count).await;
        self.messages()
    }
}
