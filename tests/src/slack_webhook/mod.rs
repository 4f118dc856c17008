//! A Slack incoming webhook on loopback that refuses what Slack refuses, and misbehaves when told to.
//!
//! Where Slack is lenient (it truncates over 40,000 characters, for one) the simulator refuses: a test should see it.

pub mod answer;
mod json;
mod markup;
pub mod render;
mod server;
pub mod validate;

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// Path of the simulator's one webhook.
pub const WEBHOOK_PATH: &str = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX";

/// What the simulator does with a request instead of judging it.
#[derive(Debug, Clone)]
pub enum Misbehaviour {
    /// Answers with this status, these headers and this body.
    Answer {
        /// HTTP status.
        status: u16,
        /// Headers beside `Content-Type`, such as `Retry-After` or `Location`.
        headers: Vec<(String, String)>,
        /// Whole body.
        body: String,
    },
    /// Judges as always, but answers after this time.
    Delay(Duration),
    /// Judges as always, but answers only after the test notified.
    HoldUntil(Arc<Notify>),
    /// Answers `ok` one byte at a time, this long apart, with padding of this many spaces.
    Drip {
        /// Time between two bytes.
        every: Duration,
        /// Bytes in all.
        bytes: usize,
    },
    /// Takes the whole request and closes the connection without an answer.
    CloseBeforeAnswer,
    /// Promises 100 bytes, sends two, and closes the connection.
    CloseInBody,
    /// Answers with the request's path and body in a header and the body, as a careless proxy does.
    Echo,
}

#[derive(Debug, Default)]
struct State {
    /// The word that the webhook answers to everything, `None` while it lives.
    dead: Option<&'static str>,
    next: VecDeque<Misbehaviour>,
    messages: Vec<Value>,
    requests: usize,
    /// Messages that are still let through before 429.
    allowance: Option<(usize, u64)>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    accepted: watch::Sender<usize>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running simulator; it ends when dropped.
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

    /// Starts on `port` of the loopback address; 0 takes a free one.
    ///
    /// # Errors
    ///
    /// When the port is taken.
    pub async fn start_on(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { state: Mutex::default(), accepted: watch::Sender::new(0) });
        let server = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, server })
    }

    /// `http://127.0.0.1:PORT`, for `--upstream hooks.slack.com=…`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The webhook's URL as Slack would give it: a secret.
    pub fn webhook_url() -> String {
        format!("https://hooks.slack.com{WEBHOOK_PATH}")
    }

    /// From now on the webhook answers `word` (of [`answer::WORDS`]) to everything; `None` brings it back to life.
    pub fn set_dead(&self, word: Option<&'static str>) {
        self.shared.state().dead = word;
    }

    /// The next request not yet spoken for is treated so.
    pub fn next(&self, misbehaviour: Misbehaviour) {
        self.shared.state().next.push_back(misbehaviour);
    }

    /// Lets `messages` more through, then answers 429 with `Retry-After: seconds`. Without this there is no limit.
    pub fn limit(&self, messages: usize, retry_after: u64) {
        self.shared.state().allowance = Some((messages, retry_after));
    }

    /// Accepted messages, oldest first.
    pub fn messages(&self) -> Vec<Value> {
        self.shared.state().messages.clone()
    }

    /// How many requests came, refused ones included.
    pub fn requests(&self) -> usize {
        self.shared.state().requests
    }

    /// Waits until `count` messages were accepted in all, and gives all.
    pub async fn wait_for(&self, count: usize) -> Vec<Value> {
        let mut accepted = self.shared.accepted.subscribe();
        // The sender lives in `self`, so this cannot fail before the condition holds.
        let _ = accepted.wait_for(|accepted| *accepted >= count).await;
        self.messages()
    }
}
