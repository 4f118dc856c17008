//! A receiver of signed webhooks that refuses whatever the Standard Webhooks specification or our schema does not allow.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde_json::Value;

use crate::http_service::{Answer, HttpService, Request};

/// A secret for tests: 32 bytes.
pub const SECRET: &str = "whsec_cHlxdWVyeWh1Yi1ub3RpZnktdGVzdHMtb25seSEhISE=";
/// How far a timestamp may be off, in seconds: what the specification's libraries take.
const TOLERANCE: u64 = 300;
/// The most that a body has (plugins/webhook/FACTS.md, 6).
const MOST_BYTES: usize = 256 << 10;

/// What a receiver keeps of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// `webhook-id`.
    pub id: String,
    /// The body's `type`.
    pub kind: String,
    /// How often it came.
    pub times: usize,
}

/// A receiver with its secret. It takes an id that it has seen before, as the specification asks, and counts it.
pub struct Receiver {
    key: Vec<u8>,
    /// Unix seconds; 0 for the system's clock.
    now: AtomicU64,
    received: Mutex<Vec<Received>>,
}

impl fmt::Debug for Receiver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Receiver").field("received", &self.received()).finish_non_exhaustive()
    }
}

impl Receiver {
    /// By the system's clock.
    ///
    /// # Errors
    ///
    /// Where the secret is not `whsec_` and the base64 of 24 to 64 bytes.
    pub fn new(secret: &str) -> Result<Self, String> {
        let encoded = secret.strip_prefix("whsec_").ok_or("the secret does not start with whsec_")?;
        let key = STANDARD.decode(encoded).map_err(|error| format!("the secret is no base64: {error}"))?;
        if !(24..=64).contains(&key.len()) {
            return Err(format!("the secret has {} bytes, not 24 to 64", key.len()));
        }
        Ok(Self { key, now: AtomicU64::new(0), received: Mutex::default() })
    }

    /// From now on it is this time, in Unix seconds.
    pub fn at(&self, now: u64) {
        self.now.store(now, Ordering::Relaxed);
    }

    /// All that was taken, in the order in which it first came.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Starts it on a free port of the loopback address.
    ///
    /// # Errors
    ///
    /// When no port can be listened on.
    pub async fn start(self: &Arc<Self>) -> io::Result<HttpService> {
        let receiver = Arc::clone(self);
        HttpService::start(move |request| receiver.judge(request)).await
    }

    /// What it answers: 204, or why not.
    pub fn judge(&self, request: &Request) -> Answer {
        match self.take(request) {
            Ok(()) => Answer::new(204, ""),
            Err((status, why)) => Answer::new(status, why),
        }
    }

    fn take(&self, request: &Request) -> Result<(), (u16, String)> {
        let refuse = |status: u16, why: &str| Err((status, why.to_owned()));
        if request.method != "POST" {
            return refuse(405, "only POST");
        }
        if request.content_type() != "application/json" {
            return refuse(415, "the body is no application/json");
        }
        if request.body.len() > MOST_BYTES {
            return refuse(413, "the body has over 256 KiB");
        }
        let id = self.verify(request).map_err(|why| (401, why.to_owned()))?;
        let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
            return refuse(400, "the body is no JSON");
        };
        outline(&body, id).map_err(|why| (400, why))?;
        let kind = body["type"].as_str().unwrap_or_default().to_owned();
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        match received.iter_mut().find(|known| known.id == id) {
            Some(known) if known.kind != kind => return refuse(400, "this webhook-id was another type's"),
            Some(known) => known.times += 1,
            None => received.push(Received { id: id.to_owned(), kind, times: 1 }),
        }
        Ok(())
    }

    /// The id, where the signature is right and not too old.
    fn verify<'a>(&self, request: &'a Request) -> Result<&'a str, &'static str> {
        let mut names = HashMap::new();
        for (name, value) in &request.headers {
            if names.insert(name.as_str(), value.as_str()).is_some() && name.starts_with("webhook-") {
                return Err("a header of the signature stands twice");
            }
        }
        let header = |name: &str| names.get(name).copied().filter(|value| !value.is_empty());
        let (Some(id), Some(timestamp), Some(signatures)) =
            (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"))
        else {
            return Err("missing required headers");
        };
        if id.contains('.') {
            return Err("the webhook-id holds a full stop");
        }
        let decimal = timestamp.bytes().all(|byte| byte.is_ascii_digit());
        let seconds: u64 = timestamp.parse().ok().filter(|_| decimal).ok_or("the timestamp is no integer")?;
        let now = match self.now.load(Ordering::Relaxed) {
            0 => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
            set => set,
        };
        if seconds.abs_diff(now) > TOLERANCE {
            return Err("the timestamp is too old or too new");
        }
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&self.key).map_err(|_| "the secret is no key")?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(&request.body);
        // Several are there while a secret is being replaced; one that fits is enough.
        let fits = signatures
            .split(' ')
            .filter_map(|signature| STANDARD.decode(signature.strip_prefix("v1,")?).ok())
            .any(|code| mac.clone().verify_slice(&code).is_ok());
        if fits { Ok(id) } else { Err("no matching signature found") }
    }
}

/// What a member holds.
#[derive(Clone, Copy)]
enum Kind {
    Any,
    Bool,
    Schema,
    Time,
    Short,
    Long,
    Severity,
    Status,
    Null(&'static Self),
    List(&'static Self),
    Object(&'static [(&'static str, Self)]),
}

use Kind::{Any, Bool, List, Long, Null, Object, Schema, Severity, Short, Status, Time};

const NAMED: Kind = Object(&[("name", Short), ("value", Short)]);
const RULE: Kind = Object(&[("metric", Short), ("comparison", Short), ("threshold", Short), ("current", Short)]);
const ENVELOPE: [(&str, Kind); 6] = [
    ("type", Short),
    ("timestamp", Time),
    ("schema", Schema),
    ("delivery", Object(&[("id", Short), ("attempt", Any)])),
    ("data", Any),
    ("truncated", Bool),
];
const PING: [(&str, Kind); 3] = [("type", Short), ("schema", Schema), ("data", Object(&[]))];
const EVENT: [(&str, Kind); 12] = [
    ("id", Short),
    ("alert_id", Null(&Short)),
    ("incident_id", Null(&Short)),
    ("title", Short),
    ("severity", Severity),
    ("occurred_at", Time),
    ("occurred_at_local", Short),
    ("locale", Short),
    ("report", Null(&Object(&[("name", Short), ("url", Null(&Short))]))),
    ("mentions", List(&Short)),
    ("labels", List(&NAMED)),
    ("attributes", List(&NAMED)),
];

/// What each type has of its own; none where there is no such type.
fn own(kind: &str) -> Option<&'static [(&'static str, Kind)]> {
    Some(match kind {
        "alert.triggered" => &[("broken_rules", List(&RULE))],
        "alert.resolved" => &[("triggered_at", Null(&Time)), ("triggered_at_local", Null(&Short))],
        "notebook.message" => &[("status", Status), ("message", Long)],
        "service.notice" => &[("kind", Short), ("message", Long), ("remedy", Null(&Long))],
        "test" => &[],
        _ => return None,
    })
}

/// Whether a body has the members of schema 1, each of its kind, and no other.
fn outline(body: &Value, id: &str) -> Result<(), String> {
    let kind = body["type"].as_str().unwrap_or_default();
    if kind == "ping" {
        return members(body, &PING, "the ping");
    }
    let own = own(kind).ok_or_else(|| format!("there is no type {kind:?}"))?;
    let mut envelope = body.clone();
    let left_out = envelope.as_object_mut().and_then(|members| members.remove("left_out"));
    members(&envelope, &ENVELOPE, "the body")?;
    members(&body["data"], &[&EVENT, own].concat(), "data")?;
    if body["delivery"]["id"] != id || body["delivery"]["attempt"].as_u64().is_none_or(|attempt| attempt == 0) {
        return Err("delivery is not this one".to_owned());
    }
    if body["timestamp"] != body["data"]["occurred_at"] {
        return Err("timestamp and occurred_at differ".to_owned());
    }
    if left_out.is_some() && body["truncated"] != true {
        return Err("something was left out, and truncated does not say so".to_owned());
    }
    let lists = ["broken_rules", "mentions", "labels", "attributes"];
    let counts = left_out.iter().filter_map(Value::as_object).flatten();
    match { counts }
        .find(|(name, count)| !lists.contains(&name.as_str()) || count.as_u64().is_none_or(|left| left == 0))
    {
        Some((name, count)) => Err(format!("left_out has {name}: {count}")),
        None => Ok(()),
    }
}

fn members(value: &Value, known: &[(&str, Kind)], place: &str) -> Result<(), String> {
    let Some(held) = value.as_object() else { return Err(format!("{place} is no object")) };
    if let Some((name, _)) = known.iter().find(|(name, kind)| !held.get(*name).is_some_and(|value| fits(value, *kind)))
    {
        return Err(format!("{place} has no right {name}"));
    }
    match held.keys().find(|name| !known.iter().any(|(known, _)| known == name)) {
        Some(name) => Err(format!("{place} has an unknown {name}")),
        None => Ok(()),
    }
}

fn fits(value: &Value, kind: Kind) -> bool {
    let text = |limit: usize| value.as_str().is_some_and(|text| text.chars().count() <= limit);
    let one_of = |words: &[&str]| value.as_str().is_some_and(|text| words.contains(&text));
    match kind {
        Any => true,
        Bool => value.is_boolean(),
        Schema => value == "1",
        Time => value.as_str().is_some_and(is_time),
        Short => text(2_000),
        Long => text(10_000),
        Severity => one_of(&["info", "warning", "critical"]),
        Status => one_of(&["success", "warning", "failure"]),
        Null(kind) => value.is_null() || fits(value, *kind),
        List(kind) => value.as_array().is_some_and(|entries| entries.iter().all(|entry| fits(entry, *kind))),
        Object(known) => members(value, known, "").is_ok(),
    }
}

/// "2024-12-15T14:14:00.000Z".
fn is_time(text: &str) -> bool {
    text.len() == 24
        && text.bytes().zip("0000-00-00T00:00:00.000Z".bytes()).all(|(found, form)| match form {
            b'0' => found.is_ascii_digit(),
            _ => found == form,
        })
}

#[cfg(test)]
#[path = "webhook_receiver_tests.rs"]
mod tests;
