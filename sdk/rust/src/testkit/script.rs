//! The scripted gate: answers in order, requests and log lines recorded.
#![expect(
    clippy::panic,
    clippy::manual_assert,
    clippy::missing_panics_doc,
    reason = "a mistake in a test is told by a panic"
)]

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::marker::PhantomData;

use serde_json::Value;

use crate::bindings::pyqueryhub::notify::{log::Level, outbound_http as wit, outbound_mail, standing};
use crate::http::ErrorKind;
use crate::mail;

#[derive(Default)]
struct Script {
    answers: VecDeque<Result<wit::Response, wit::Error>>,
    requests: Vec<Sent>,
    relayed: VecDeque<Result<Vec<outbound_mail::Refusal>, outbound_mail::Error>>,
    mails: Vec<outbound_mail::Message>,
    standing: HashMap<String, standing::Facts>,
    logs: Vec<(Level, String)>,
    cache: HashMap<String, String>,
}

thread_local! {
    static SCRIPT: RefCell<Option<Script>> = const { RefCell::new(None) };
}

/// The scripted gate of this thread. When it goes, answers that nobody asked for fail the test.
#[derive(Debug)]
pub struct Gate {
    this_thread: PhantomData<*const ()>,
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl Gate {
    /// A gate without answers. Panics where the thread has one already.
    pub fn new() -> Self {
        SCRIPT.with_borrow_mut(|script| {
            if script.is_some() {
                panic!("this thread has a Gate already: finish() or drop it before making another");
            }
            *script = Some(Script::default());
        });
        Self { this_thread: PhantomData }
    }

    /// The next request gets this status and body.
    #[must_use]
    pub fn answer(self, status: u16, body: &str) -> Self {
        self.answer_with(status, body, &[])
    }

    /// The next request gets this status, body and headers. `retry-after` is read as the host does, in seconds.
    #[must_use]
    pub fn answer_with(self, status: u16, body: &str, headers: &[(&str, &str)]) -> Self {
        let headers: Vec<wit::Header> =
            headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), (*value).to_owned())).collect();
        let retry_after = headers
            .iter()
            .find(|(name, _)| name == "retry-after")
            .and_then(|(_, value)| value.parse::<u64>().ok())
            .map(|seconds| seconds * 1000);
        self.push(Ok(wit::Response { status, headers, body: body.into(), truncated: false, retry_after }))
    }

    /// The next request gets no whole answer.
    #[must_use]
    pub fn error(self, kind: ErrorKind, message: &str, request_sent: bool) -> Self {
        self.push(Err(wit::Error { kind, message: message.to_owned(), request_sent }))
    }

    fn push(self, answer: Result<wit::Response, wit::Error>) -> Self {
        scripted(|script| script.answers.push_back(answer));
        self
    }

    /// The relay takes the next mail, or the next verification, but for these addresses.
    #[must_use]
    pub fn mail(self, refused: &[&str]) -> Self {
        let refusal = |address: &&str| outbound_mail::Refusal {
            address: (*address).to_owned(),
            reason: "550 5.1.1 no such user".to_owned(),
        };
        scripted(|script| script.relayed.push_back(Ok(refused.iter().map(refusal).collect())));
        self
    }

    /// The next mail, or the next verification, ends so.
    #[must_use]
    pub fn mail_error(self, kind: mail::ErrorKind, message: &str) -> Self {
        let error = outbound_mail::Error { kind, message: message.to_owned() };
        scripted(|script| script.relayed.push_back(Err(error)));
        self
    }

    /// What the host knows of a target.
    #[must_use]
    pub fn standing(self, target: &str, facts: standing::Facts) -> Self {
        scripted(|script| drop(script.standing.insert(target.to_owned(), facts)));
        self
    }

    /// The mail so far, in order.
    pub fn mails(&self) -> Vec<SentMail> {
        scripted(|script| script.mails.clone())
    }

    /// The requests so far, in order.
    pub fn requests(&self) -> Vec<Sent> {
        scripted(|script| script.requests.clone())
    }

    /// The log so far, in order.
    pub fn logs(&self) -> Vec<(Level, String)> {
        scripted(|script| script.logs.clone())
    }

    /// Ends the script; panics where an answer was left over.
    pub fn finish(self) {
        drop(self);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let left = SCRIPT.take().map_or(0, |script| script.answers.len() + script.relayed.len());
        if left > 0 && !std::thread::panicking() {
            panic!("{left} scripted answers were left over: the plugin sent fewer requests than the test expects");
        }
    }
}

/// A mail as the plugin composed it.
pub use outbound_mail::Message as SentMail;

/// A request as the plugin sent it.
#[derive(Debug, Clone)]
pub struct Sent {
    raw: wit::Request,
}

impl Sent {
    /// Its method.
    pub fn method(&self) -> wit::Method {
        self.raw.method
    }

    /// Its address.
    pub fn address(&self) -> &wit::Address {
        &self.raw.address
    }

    /// The URL in clear, or `{name}` for a credential that is one, with what is added to its path.
    pub fn url(&self) -> String {
        match &self.raw.address {
            wit::Address::Url(url) => url.clone(),
            wit::Address::Secret(secret) => {
                secret.path.iter().fold(format!("{{{}}}", secret.credential), |url, segment| format!("{url}/{segment}"))
            }
        }
    }

    /// A header by its name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.raw.headers.iter().find(|(held, _)| held.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The credentials attached.
    pub fn credentials(&self) -> &[String] {
        &self.raw.credentials
    }

    /// Whether it was said to do no harm when done twice.
    pub fn is_repeatable(&self) -> bool {
        self.raw.repeatable
    }

    /// The body's bytes.
    pub fn body(&self) -> &[u8] {
        &self.raw.body
    }

    /// The body as JSON; panics where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.raw.body).unwrap_or_else(|error| {
            panic!("the request's body is no JSON ({error}): {}", String::from_utf8_lossy(&self.raw.body))
        })
    }
}

fn scripted<T>(with: impl FnOnce(&mut Script) -> T) -> T {
    SCRIPT.with_borrow_mut(|script| match script {
        Some(script) => with(script),
        None => {
            panic!("the plugin used the gate, and this thread has none: begin the test with `let gate = Gate::new()`")
        }
    })
}

pub(crate) fn send(request: &wit::Request) -> Result<wit::Response, wit::Error> {
    scripted(|script| {
        script.requests.push(Sent { raw: request.clone() });
        let number = script.requests.len();
        script.answers.pop_front().unwrap_or_else(|| {
            panic!(
                "request {number} ({:?} {:?}) has no scripted answer: add `.answer(…)` or `.error(…)` to the Gate",
                request.method, request.address
            )
        })
    })
}

pub(crate) fn send_mail(message: &outbound_mail::Message) -> Result<outbound_mail::Sent, outbound_mail::Error> {
    scripted(|script| {
        script.mails.push(message.clone());
        let message_id = format!("<{}@relay.example>", script.mails.len());
        script.relayed("mail").map(|refused| outbound_mail::Sent { message_id, refused })
    })
}

pub(crate) fn verify_mail(_to: &[String]) -> Result<Vec<outbound_mail::Refusal>, outbound_mail::Error> {
    scripted(|script| script.relayed("verification"))
}

pub(crate) fn about(target: &str) -> standing::Facts {
    let nothing = standing::Facts {
        channels: Vec::new(),
        alerts: Vec::new(),
        omitted: 0,
        last_delivery: None,
        attributes: Vec::new(),
    };
    scripted(|script| script.standing.get(target).cloned().unwrap_or(nothing))
}

impl Script {
    fn relayed(&mut self, what: &str) -> Result<Vec<outbound_mail::Refusal>, outbound_mail::Error> {
        self.relayed.pop_front().unwrap_or_else(|| {
            panic!("this {what} has no scripted answer: add `.mail(…)` or `.mail_error(…)` to the Gate")
        })
    }
}

pub(crate) fn write(level: Level, message: &str) {
    SCRIPT.with_borrow_mut(|script| {
        if let Some(script) = script {
            script.logs.push((level, message.to_owned()));
        }
    });
}

pub(crate) fn get(key: &str) -> Option<String> {
    SCRIPT.with_borrow(|script| script.as_ref()?.cache.get(key).cloned())
}

pub(crate) fn put(key: &str, value: &str, _seconds: u32) {
    SCRIPT.with_borrow_mut(|script| {
        if let Some(script) = script {
            script.cache.insert(key.to_owned(), value.to_owned());
        }
    });
}
