//! PagerDuty's Events API v2 on loopback: it refuses what PagerDuty refuses, and keeps the alerts that are open.

pub mod validate;
#[cfg(test)]
mod validate_tests;

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http_service::{Answer, HttpService, Request};
use validate::{Action, Refusal, Valid};

/// "approximately 120 calls/minute per integration key", over the last 60 seconds.
const CALLS: usize = 120;
const WINDOW: Duration = Duration::from_mins(1);

/// An alert that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAlert {
    /// The integration that it came by.
    pub routing_key: String,
    /// What it is known by.
    pub dedup_key: String,
    /// Of the newest trigger.
    pub summary: String,
    /// Of the newest trigger.
    pub severity: String,
    /// How many triggers it had.
    pub triggers: usize,
    /// Whether somebody works on it: it stays silent then.
    pub is_acknowledged: bool,
}

/// A running simulator; it ends when dropped.
#[derive(Debug)]
pub struct Simulator {
    service: HttpService,
    shared: Arc<Mutex<State>>,
}

impl Simulator {
    /// Starts on a free port of the loopback address, with these integration keys.
    ///
    /// # Errors
    ///
    /// When no port can be listened on.
    pub async fn start(keys: &[&str]) -> io::Result<Self> {
        let keys = keys.iter().map(|key| Key { text: (*key).to_owned(), calls: VecDeque::new() }).collect();
        let shared = Arc::new(Mutex::new(State { keys, ..State::default() }));
        let state = Arc::clone(&shared);
        let service = HttpService::start(move |request| lock(&state).judge(request, Instant::now())).await?;
        Ok(Self { service, shared })
    }

    /// Where requests came in: for what it should do wrong next, and to wait.
    pub fn service(&self) -> &HttpService {
        &self.service
    }

    /// The alerts that are open, oldest first.
    pub fn open_alerts(&self) -> Vec<OpenAlert> {
        lock(&self.shared).open.clone()
    }

    /// How many alerts were ever opened: each may have paged somebody.
    pub fn opened(&self) -> usize {
        lock(&self.shared).opened
    }

    /// The change events, oldest first, as they came.
    pub fn changes(&self) -> Vec<Value> {
        lock(&self.shared).changes.clone()
    }

    /// Somebody works on this alert.
    pub fn acknowledge(&self, dedup_key: &str) {
        for alert in lock(&self.shared).open.iter_mut().filter(|alert| alert.dedup_key == dedup_key) {
            alert.is_acknowledged = true;
        }
    }

    /// Takes an integration away: its key is unknown from now on.
    pub fn delete_key(&self, key: &str) {
        lock(&self.shared).keys.retain(|held| held.text != key);
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
struct Key {
    text: String,
    calls: VecDeque<Instant>,
}

#[derive(Debug, Default)]
struct State {
    keys: Vec<Key>,
    open: Vec<OpenAlert>,
    opened: usize,
    changes: Vec<Value>,
}

impl State {
    fn judge(&mut self, request: &Request, now: Instant) -> Answer {
        let is_change = match request.path.as_str() {
            "/v2/enqueue" => false,
            "/v2/change/enqueue" => true,
            _ => return Answer::new(404, "Not Found"),
        };
        if request.method != "POST" || !request.query.is_empty() {
            return Answer::new(405, "Method Not Allowed");
        }
        if request.content_type() != "application/json" {
            return unrecognized();
        }
        let judged = if is_change { validate::change(&request.body) } else { validate::alert(&request.body) };
        let valid = match judged {
            Ok(valid) => valid,
            Err(Refusal::Unrecognized) => return unrecognized(),
            Err(Refusal::Invalid(errors)) => return invalid(&errors),
        };
        let known = self.keys.iter_mut().find(|key| key.text == valid.routing_key);
        // Change events cannot be sent to the keys of rulesets.
        let Some(key) = known.filter(|key| !is_change || !key.text.starts_with('R')) else {
            return Answer::new(400, "Invalid routing key");
        };
        if key.is_tired(now) {
            return Answer::new(429, "");
        }
        match valid.action {
            None => {
                self.changes.push(valid.body);
                Answer::json(202, &json!({ "status": "success", "message": "Change event processed" }))
            }
            Some(action) => self.take(valid, action),
        }
    }

    fn take(&mut self, valid: Valid, action: Action) -> Answer {
        let Valid { routing_key, dedup_key, body, .. } = valid;
        let dedup_key = dedup_key.unwrap_or_else(|| format!("{:032x}", self.opened + 1));
        let at = self.open.iter().position(|alert| alert.routing_key == routing_key && alert.dedup_key == dedup_key);
        let text = |name: &str| body["payload"][name].as_str().unwrap_or_default().to_owned();
        match (action, at) {
            (Action::Trigger, Some(at)) => {
                let alert = &mut self.open[at];
                (alert.summary, alert.severity) = (text("summary"), text("severity"));
                alert.triggers += 1;
            }
            (Action::Trigger, None) => {
                self.opened += 1;
                self.open.push(OpenAlert {
                    routing_key,
                    dedup_key: dedup_key.clone(),
                    summary: text("summary"),
                    severity: text("severity"),
                    triggers: 1,
                    is_acknowledged: false,
                });
            }
            (Action::Acknowledge, Some(at)) => self.open[at].is_acknowledged = true,
            (Action::Resolve, Some(at)) => drop(self.open.remove(at)),
            // Dropped, and accepted all the same.
            (Action::Acknowledge | Action::Resolve, None) => {}
        }
        Answer::json(202, &json!({ "status": "success", "message": "Event processed", "dedup_key": dedup_key }))
    }
}

impl Key {
    /// Counts a call; whether it is one too many.
    fn is_tired(&mut self, now: Instant) -> bool {
        while self.calls.front().is_some_and(|at| now.duration_since(*at) >= WINDOW) {
            self.calls.pop_front();
        }
        if self.calls.len() >= CALLS {
            return true;
        }
        self.calls.push_back(now);
        false
    }
}

fn unrecognized() -> Answer {
    Answer::json(
        400,
        &json!({
            "status": "Unrecognized object", "message": "Event object format is unrecognized", "errors": ["JSON parse error"]
        }),
    )
}

fn invalid(errors: &[String]) -> Answer {
    Answer::json(400, &json!({ "status": "invalid event", "message": "Event object is invalid", "errors": errors }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "e93facc04764012d7bfb002500d5d1a6";
    const RULESET: &str = "R0212P1QXGEIQE2NMTQ7L7WXD00DWHIN";

    fn state() -> State {
        let key = |text: &str| Key { text: text.to_owned(), calls: VecDeque::new() };
        State { keys: vec![key(KEY), key(RULESET)], ..State::default() }
    }

    fn request(path: &str, body: &Value) -> Request {
        Request {
            method: "POST".to_owned(),
            path: path.to_owned(),
            query: String::new(),
            headers: vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())],
            body: body.to_string().into_bytes(),
        }
    }

    fn post(state: &mut State, body: &Value) -> Answer {
        state.judge(&request("/v2/enqueue", body), Instant::now())
    }

    fn trigger(key: &str, dedup_key: &str) -> Value {
        let payload = json!({ "summary": "s", "source": "x", "severity": "info" });
        json!({ "routing_key": key, "event_action": "trigger", "dedup_key": dedup_key, "payload": payload })
    }

    fn act(action: &str, dedup_key: &str) -> Value {
        json!({ "routing_key": KEY, "event_action": action, "dedup_key": dedup_key })
    }

    #[test]
    fn an_alert_opens_once_is_added_to_and_is_resolved() {
        let mut state = state();
        for _ in 0..2 {
            let answer = post(&mut state, &trigger(KEY, "a"));
            assert_eq!(answer.status, 202);
            assert!(answer.body.contains(r#""dedup_key":"a""#), "{}", answer.body);
        }
        assert_eq!((state.open.len(), state.open[0].triggers, state.opened), (1, 2, 1));
        assert_eq!(post(&mut state, &act("acknowledge", "a")).status, 202);
        assert!(state.open[0].is_acknowledged);
        assert_eq!(post(&mut state, &act("resolve", "a")).status, 202);
        assert!(state.open.is_empty());
        assert_eq!(post(&mut state, &act("resolve", "a")).status, 202);
        post(&mut state, &trigger(KEY, "a"));
        assert_eq!((state.open.len(), state.opened), (1, 2));
    }

    #[test]
    fn a_resolution_reaches_only_alerts_of_its_own_key() {
        let mut state = state();
        post(&mut state, &trigger(RULESET, "a"));
        assert_eq!(post(&mut state, &act("resolve", "a")).status, 202);
        assert_eq!(state.open.len(), 1);
    }

    #[test]
    fn unknown_keys_are_told_as_text_and_invalid_events_with_their_errors() {
        let mut state = state();
        let answer = post(&mut state, &trigger(&"a".repeat(32), "a"));
        assert_eq!((answer.status, answer.body.as_str()), (400, "Invalid routing key"));
        let answer = post(&mut state, &json!({ "routing_key": KEY }));
        assert!(answer.status == 400 && answer.body.contains("'event_action' is missing or blank"), "{}", answer.body);
        assert_eq!(state.judge(&request("/v1/enqueue", &json!({})), Instant::now()).status, 404);
        let mut form = request("/v2/enqueue", &trigger(KEY, "a"));
        form.headers.clear();
        assert_eq!(state.judge(&form, Instant::now()).status, 400);
    }

    #[test]
    fn a_change_event_opens_nothing_and_a_ruleset_takes_none() {
        let mut state = state();
        let body = |key: &str| json!({ "routing_key": key, "payload": { "summary": "Build Success" } });
        assert_eq!(state.judge(&request("/v2/change/enqueue", &body(KEY)), Instant::now()).status, 202);
        assert_eq!(state.judge(&request("/v2/change/enqueue", &body(RULESET)), Instant::now()).status, 400);
        assert_eq!((state.changes.len(), state.open.len()), (1, 0));
    }

    #[test]
    fn a_key_is_tired_after_120_calls_in_a_minute() {
        let mut state = state();
        let start = Instant::now();
        let request = request("/v2/enqueue", &trigger(KEY, "a"));
        for _ in 0..CALLS {
            assert_eq!(state.judge(&request, start).status, 202);
        }
        assert_eq!(state.judge(&request, start + Duration::from_secs(59)).status, 429);
        assert_eq!(state.judge(&request, start + WINDOW).status, 202);
    }

    #[tokio::test]
    async fn it_answers_on_loopback_and_says_what_is_open() {
        let simulator = Simulator::start(&[KEY]).await.unwrap();
        let address = simulator.service().base_url().replace("http://", "");
        let body = trigger(KEY, "a").to_string();
        let raw = format!(
            "POST /v2/enqueue HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, raw.as_bytes()).await.unwrap();
        simulator.service().wait_for(1).await;
        assert_eq!(simulator.open_alerts()[0].dedup_key, "a");
        simulator.acknowledge("a");
        assert!(simulator.open_alerts()[0].is_acknowledged);
        simulator.delete_key(KEY);
        assert_eq!((simulator.opened(), simulator.changes().len()), (1, 0));
    }
}
