//! What PagerDuty says of an event's body, by the plugin's FACTS.md: in its own words where those are known.
//!
//! Where PagerDuty is lenient or silent (it drops members that it does not know) this refuses: a test should see it.

use serde_json::{Map, Value};

/// "512 KB", as Alertmanager and Grafana read it.
pub const BODY_LIMIT: usize = 512_000;

/// What an alert's event does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Opens an alert, or adds to an open one.
    Trigger,
    /// Somebody works on it.
    Acknowledge,
    /// It is over.
    Resolve,
}

/// An event that PagerDuty takes, whatever its key.
#[derive(Debug, Clone)]
pub struct Valid {
    /// As it stands in the body: well-formed, not yet known.
    pub routing_key: String,
    /// Of a change event: none.
    pub action: Option<Action>,
    /// None where PagerDuty makes one.
    pub dedup_key: Option<String>,
    /// The whole body.
    pub body: Value,
}

/// Why an event is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It is no JSON object.
    Unrecognized,
    /// It breaks these rules.
    Invalid(Vec<String>),
}

/// Judges what came to `/v2/enqueue`.
///
/// # Errors
///
/// What PagerDuty refuses.
pub fn alert(bytes: &[u8]) -> Result<Valid, Refusal> {
    let (mut faults, members) = begin(bytes)?;
    let known =
        ["routing_key", "event_action", "dedup_key", "payload", "links", "images", "client", "client_url"].as_slice();
    faults.only(&members, "", known);
    let action = match members.get("event_action").and_then(Value::as_str) {
        Some("trigger") => Some(Action::Trigger),
        Some("acknowledge") => Some(Action::Acknowledge),
        Some("resolve") => Some(Action::Resolve),
        None | Some("") => faults.add("'event_action' is missing or blank"),
        Some(_) => faults
            .add("'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')"),
    };
    let dedup_key = faults.text(&members, "dedup_key", "dedup_key", 255);
    if dedup_key.is_none() && action.is_some_and(|action| action != Action::Trigger) {
        faults.say("'dedup_key' is missing or blank");
    }
    faults.text(&members, "client", "client", usize::MAX);
    if let Some(url) = faults.text(&members, "client_url", "client_url", usize::MAX) {
        faults.url(&url, "client_url");
    }
    faults.pictures(&members);
    match faults.object(&members, "payload") {
        Some(payload) => faults.alert_payload(&payload),
        None if action == Some(Action::Trigger) => faults.say("'payload' is missing or blank"),
        None => {}
    }
    faults.end(members, action, dedup_key)
}

/// Judges what came to `/v2/change/enqueue`.
///
/// # Errors
///
/// What PagerDuty refuses.
pub fn change(bytes: &[u8]) -> Result<Valid, Refusal> {
    let (mut faults, members) = begin(bytes)?;
    faults.only(&members, "", &["routing_key", "payload", "links"]);
    match faults.object(&members, "payload") {
        Some(payload) => {
            faults.only(&payload, "payload.", &["summary", "source", "timestamp", "custom_details"]);
            faults.summary(&payload);
            faults.text(&payload, "source", "payload.source", usize::MAX);
            faults.common_payload(&payload);
        }
        None => faults.say("'payload' is missing or blank"),
    }
    faults.end(members, None, None)
}

fn begin(bytes: &[u8]) -> Result<(Faults, Map<String, Value>), Refusal> {
    let mut faults = Faults::default();
    if bytes.len() > BODY_LIMIT {
        faults.say("the event is larger than 512 KB");
    }
    let Ok(Value::Object(members)) = serde_json::from_slice(bytes) else { return Err(Refusal::Unrecognized) };
    faults.routing_key(&members);
    faults.links(&members);
    Ok((faults, members))
}

#[derive(Debug, Default)]
struct Faults(Vec<String>);

impl Faults {
    fn say(&mut self, fault: impl Into<String>) {
        self.0.push(fault.into());
    }

    fn add<T>(&mut self, fault: &str) -> Option<T> {
        self.say(fault);
        None
    }

    fn end(
        self,
        members: Map<String, Value>,
        action: Option<Action>,
        dedup_key: Option<String>,
    ) -> Result<Valid, Refusal> {
        if !self.0.is_empty() {
            return Err(Refusal::Invalid(self.0));
        }
        let routing_key = members.get("routing_key").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Valid { routing_key, action, dedup_key, body: Value::Object(members) })
    }

    fn routing_key(&mut self, members: &Map<String, Value>) {
        match members.get("routing_key") {
            None => {
                self.say(
                    "'routing_key' must be provided in the body, or provided in the headers using 'x-routing-key'",
                );
            }
            Some(Value::String(key)) if !key.trim().is_empty() => {
                if key.chars().count() != 32 {
                    self.say("Length of 'routing_key' is incorrect (should be 32 characters)");
                }
                if !key.chars().all(|held| held.is_ascii_alphanumeric()) {
                    self.say("'routing_key' cannot contain non-alphanumeric characters.");
                }
            }
            Some(_) => self.say("'routing_key' cannot be blank"),
        }
    }

    fn only(&mut self, members: &Map<String, Value>, above: &str, known: &[&str]) {
        for name in members.keys().filter(|name| !known.contains(&name.as_str())) {
            self.say(format!("'{above}{name}' is not known, and would be lost"));
        }
    }

    /// A text that is there, not blank, and within its limit.
    fn text(&mut self, members: &Map<String, Value>, name: &str, called: &str, limit: usize) -> Option<String> {
        match members.get(name)? {
            Value::String(text) if text.trim().is_empty() => self.add(&format!("'{called}' is blank")),
            Value::String(text) if text.chars().count() > limit => {
                self.add(&format!("'{called}' is too long (maximum is {limit} characters)"))
            }
            Value::String(text) => Some(text.clone()),
            _ => self.add(&format!("'{called}' is no text")),
        }
    }

    fn object(&mut self, members: &Map<String, Value>, name: &str) -> Option<Map<String, Value>> {
        match members.get(name)? {
            Value::Object(object) => Some(object.clone()),
            _ => self.add(&format!("'{name}' is no object")),
        }
    }

    fn alert_payload(&mut self, payload: &Map<String, Value>) {
        let known =
            ["summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"].as_slice();
        self.only(payload, "payload.", known);
        self.summary(payload);
        for name in ["source", "severity"] {
            if payload.get(name).and_then(Value::as_str).is_none_or(|text| text.trim().is_empty()) {
                self.say(format!("'payload.{name}' is missing or blank"));
            }
        }
        let severity = payload.get("severity").and_then(Value::as_str).unwrap_or_default();
        if !["critical", "warning", "error", "info", ""].contains(&severity) {
            self.say(
                "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')",
            );
        }
        for name in ["component", "group", "class"] {
            self.text(payload, name, &format!("payload.{name}"), usize::MAX);
        }
        self.common_payload(payload);
    }

    fn summary(&mut self, payload: &Map<String, Value>) {
        match payload.get("summary").and_then(Value::as_str).unwrap_or_default() {
            text if text.trim().is_empty() => self.say("'payload.summary' is missing or blank"),
            text if text.chars().count() > 1024 => self.say("'summary' is too long (maiximum is 1024 characters)"),
            _ => {}
        }
    }

    fn common_payload(&mut self, payload: &Map<String, Value>) {
        if let Some(timestamp) = self.text(payload, "timestamp", "payload.timestamp", 40)
            && !is_timestamp(&timestamp)
        {
            self.say("'payload.timestamp' is no ISO 8601 time");
        }
        if payload.get("custom_details").is_some_and(|details| !details.is_object()) {
            self.say("'payload.custom_details' is no object");
        }
    }

    fn links(&mut self, members: &Map<String, Value>) {
        for link in self.list(members, "links") {
            self.only(&link, "links.", &["href", "text"]);
            self.text(&link, "text", "links.text", usize::MAX);
            match self.text(&link, "href", "links.href", usize::MAX) {
                Some(url) => self.url(&url, "links.href"),
                None => self.say("'links.href' is missing or blank"),
            }
        }
    }

    fn pictures(&mut self, members: &Map<String, Value>) {
        for image in self.list(members, "images") {
            self.only(&image, "images.", &["src", "href", "alt"]);
            if !self.text(&image, "src", "images.src", usize::MAX).is_some_and(|url| url.starts_with("https://")) {
                self.say("'images.src' is no https address");
            }
        }
    }

    fn list(&mut self, members: &Map<String, Value>, name: &str) -> Vec<Map<String, Value>> {
        let Some(value) = members.get(name) else { return Vec::new() };
        let items = value.as_array().map(|items| items.iter().map(|item| item.as_object().cloned()).collect());
        items.flatten().unwrap_or_else(|| {
            self.say(format!("'{name}' is no list of objects"));
            Vec::new()
        })
    }

    fn url(&mut self, url: &str, called: &str) {
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        if rest.is_none_or(str::is_empty) || url.chars().any(|held| held.is_whitespace() || held.is_control()) {
            self.say(format!("'{called}' is no URL"));
        }
    }
}

/// `YYYY-MM-DDThh:mm`, then seconds and their fraction if any, then `Z` or an offset.
fn is_timestamp(text: &str) -> bool {
    let fits = |text: &str, form: &str| {
        text.len() == form.len()
            && text.bytes().zip(form.bytes()).all(|(held, wanted)| match wanted {
                b'0' => held.is_ascii_digit(),
                b'+' => matches!(held, b'+' | b'-'),
                _ => held == wanted,
            })
    };
    let Some((start, rest)) = text.split_at_checked(16) else { return false };
    let (seconds, zone) = rest.split_at(rest.find(['Z', '+', '-']).unwrap_or(rest.len()));
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    fits(start, "0000-00-00T00:00")
        && (seconds.is_empty() || fits(whole, ":00"))
        && !fraction.is_empty()
        && fraction.bytes().all(|held| held.is_ascii_digit())
        && ["Z", "+0000", "+00:00"].iter().any(|form| fits(zone, form))
}
