//! A request of Slack to an app: signed, and sent again when it was not answered.

use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;

/// The signature of `body` at `timestamp` (seconds since 1970) by `secret`: `v0=` and 64 hexadecimal digits.
pub fn sign(secret: &str, timestamp: i64, body: &[u8]) -> String {
    use std::fmt::Write;
    // A key of any length is taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(format!("v0:{timestamp}:").as_bytes());
    mac.update(body);
    let mut signature = "v0=".to_owned();
    for byte in mac.finalize().into_bytes() {
        // Writing to a string does not fail.
        let _ = write!(signature, "{byte:02x}");
    }
    signature
}

/// A request of Slack to an app: POST with these headers and this body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    secret: String,
    timestamp: i64,
    content_type: &'static str,
    body: Vec<u8>,
    retry: Option<(u8, String)>,
    missing_scope: Option<&'static str>,
    is_subscribed: bool,
}

impl Delivery {
    pub(crate) fn new(secret: &str, timestamp: i64, content_type: &'static str, body: Vec<u8>) -> Self {
        Self {
            secret: secret.to_owned(),
            timestamp,
            content_type,
            body,
            retry: None,
            missing_scope: None,
            is_subscribed: true,
        }
    }

    /// The same, for which the installation has not this scope, or the app no subscription.
    pub(crate) fn judged(mut self, missing_scope: Option<&'static str>, is_subscribed: bool) -> Self {
        (self.missing_scope, self.is_subscribed) = (missing_scope, is_subscribed);
        self
    }

    /// Whether Slack would send it: the app subscribed to the event, and has the scope that it needs. A test leaves what
    /// Slack would not send.
    pub fn is_sent(&self) -> bool {
        self.is_subscribed && self.missing_scope.is_none()
    }

    /// The scope that this event needs and the installation has not.
    pub fn missing_scope(&self) -> Option<&'static str> {
        self.missing_scope
    }

    /// The three times that it is sent again when it is not answered with 2xx within three seconds: at once, after a minute,
    /// after five.
    pub fn retries(&self, reason: &str) -> [Self; 3] {
        [(1, 0), (2, 60), (3, 300)].map(|(number, later)| self.clone().retry(number, reason, self.timestamp + later))
    }

    /// The same, sent again at `timestamp` (seconds since 1970): `number` is 1, 2 or 3, `reason` such as `http_timeout`.
    #[must_use]
    pub fn retry(mut self, number: u8, reason: &str, timestamp: i64) -> Self {
        self.retry = Some((number, reason.to_owned()));
        self.timestamp = timestamp;
        self
    }

    /// The same, signed at `timestamp` (seconds since 1970).
    #[must_use]
    pub fn at(mut self, timestamp: i64) -> Self {
        self.timestamp = timestamp;
        self
    }

    /// The same, signed by another secret.
    #[must_use]
    pub fn signed_by(mut self, secret: &str) -> Self {
        secret.clone_into(&mut self.secret);
        self
    }

    /// What it is signed with, and its retry headers.
    pub fn headers(&self) -> Vec<(String, String)> {
        let mut headers = vec![
            ("Content-Type", self.content_type.to_owned()),
            ("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)".to_owned()),
            ("X-Slack-Request-Timestamp", self.timestamp.to_string()),
            ("X-Slack-Signature", sign(&self.secret, self.timestamp, &self.body)),
        ];
        if let Some((number, reason)) = &self.retry {
            headers.push(("X-Slack-Retry-Num", number.to_string()));
            headers.push(("X-Slack-Retry-Reason", reason.clone()));
        }
        headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The body, as it is sent.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Headers and body: a test may tamper with either.
    pub fn parts(&self) -> (Vec<(String, String)>, Vec<u8>) {
        (self.headers(), self.body.clone())
    }

    /// The body as JSON, of an interaction its payload; null where it is neither.
    pub fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        let payload = || super::form::pairs(&text)?.into_iter().find(|(name, _)| name == "payload");
        let json = payload().map_or_else(|| text.to_string(), |(_, payload)| payload);
        serde_json::from_str(&json).unwrap_or_default()
    }

    /// What an event is known by.
    pub fn event_id(&self) -> String {
        self.json()["event_id"].as_str().unwrap_or_default().to_owned()
    }
}
