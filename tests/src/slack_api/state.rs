//! Everything that the simulator knows, and how a request is led to what answers it.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fmt;

use serde_json::{Map, Value};

use super::app::{App, Installation, RefreshToken, Token};
use super::call::{self, Arguments, Caller, Outcome, Refusal};
use super::limits::{Counted, Limits};
use super::misbehaviour::Misbehaviour;
use super::oauth::{self, Code};
use super::workspace::Team;
use super::{methods, pages};
use crate::http_service::{Answer, Reply, Request};

/// A call that came.
#[derive(Debug, Clone, PartialEq)]
pub struct Called {
    /// When, by the simulator's clock: milliseconds since 1970.
    pub at: i64,
    /// "chat.postMessage".
    pub method: String,
    /// Workspace or Enterprise organization of the token; empty where there was none that is known.
    pub place: String,
    /// What it brought, unless it could not be read. Of a form all are text.
    pub arguments: Map<String, Value>,
    /// What was answered: "ok", the word of the refusal, "ratelimited" for a 429.
    pub answer: String,
}

/// A page of a list that was given, also where a test then kept the answer from arriving. The cursor of a place in a list is
/// the same in every pass over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// When, by the simulator's clock: milliseconds since 1970.
    pub at: i64,
    /// The workspace.
    pub place: String,
    /// The cursor that it was asked by; empty for the first page.
    pub cursor: String,
    /// How many items it had.
    pub items: usize,
    /// Whether it was the last.
    pub is_last: bool,
}

/// Everything that changes.
pub(crate) struct State {
    pub(crate) clock: Box<dyn Fn() -> i64 + Send + Sync>,
    /// Where it listens; empty until it does.
    pub(crate) base_url: String,
    pub(crate) apps: Vec<App>,
    pub(crate) teams: Vec<Team>,
    /// Scopes that the authorize page does not grant.
    pub(crate) withheld: BTreeSet<String>,
    pub(crate) codes: Vec<Code>,
    pub(crate) installations: Vec<Installation>,
    pub(crate) tokens: Vec<Token>,
    pub(crate) refresh_tokens: Vec<RefreshToken>,
    /// Whether an app without rotation gets another token when it is installed once more.
    pub(crate) reinstall_renews: bool,
    /// Whether a renewal is answered with the new pair alone.
    pub(crate) bare_renewals: bool,
    /// How long a used refresh token is honoured: milliseconds.
    pub(crate) refresh_grace: i64,
    /// How many times a refresh token was exchanged.
    pub(crate) renewals: usize,
    pub(crate) limits: Limits,
    pub(crate) next: HashMap<String, VecDeque<Misbehaviour>>,
    pub(crate) always: HashMap<String, Misbehaviour>,
    pub(crate) calls: Vec<Called>,
    pub(crate) pages: Vec<(&'static str, Page)>,
    /// Cursors of an older age are refused.
    pub(crate) cursor_age: u32,
    serial: u32,
}

impl fmt::Debug for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("State").field("calls", &self.calls.len()).finish_non_exhaustive()
    }
}

impl State {
    pub(crate) fn new(clock: Box<dyn Fn() -> i64 + Send + Sync>) -> Self {
        Self {
            clock,
            base_url: String::new(),
            apps: Vec::new(),
            teams: Vec::new(),
            withheld: BTreeSet::new(),
            codes: Vec::new(),
            installations: Vec::new(),
            tokens: Vec::new(),
            refresh_tokens: Vec::new(),
            reinstall_renews: false,
            bare_renewals: false,
            refresh_grace: 60_000,
            renewals: 0,
            limits: Limits::default(),
            next: HashMap::new(),
            always: HashMap::new(),
            calls: Vec::new(),
            pages: Vec::new(),
            cursor_age: 0,
            serial: 0,
        }
    }

    pub(crate) fn now(&self) -> i64 {
        (self.clock)()
    }

    /// A number that was not given before.
    pub(crate) fn serial(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }

    pub(crate) fn team(&self, id: &str) -> Option<&Team> {
        self.teams.iter().find(|team| team.id == id)
    }

    pub(crate) fn team_mut(&mut self, id: &str) -> Option<&mut Team> {
        self.teams.iter_mut().find(|team| team.id == id)
    }

    /// What comes of `request`.
    pub(crate) fn judge(&mut self, request: &Request) -> Reply {
        if request.path == "/oauth/v2/authorize" && request.method == "GET" {
            return oauth::page(self, &request.query).into();
        }
        let Some(method) = request.path.strip_prefix("/api/") else {
            return pages::not_found().into();
        };
        let now = self.now();
        let mut called = Called {
            at: now,
            method: method.to_owned(),
            place: call::bearer(request)
                .and_then(|value| self.tokens.iter().find(|token| token.value == value))
                .map_or_else(String::new, |token| token.place.clone()),
            arguments: arguments_of(request),
            answer: String::new(),
        };
        let own = self.next.get_mut(method).and_then(VecDeque::pop_front);
        let any = own.or_else(|| self.next.get_mut("").and_then(VecDeque::pop_front));
        let told = any.or_else(|| self.always.get(method).or_else(|| self.always.get("")).cloned());
        let does = told.as_ref().is_none_or(Misbehaviour::does);
        let answer = if does { self.answer(method, request, now) } else { Answer::new(200, "") };
        let reply = told.map_or_else(|| Reply::Answer(answer.clone()), |told| told.reply(answer.clone()));
        called.answer = match &reply {
            Reply::Answer(answer) | Reply::Later(_, answer) | Reply::Held(_, answer) => word_of(answer),
            Reply::Close => "closed".to_owned(),
        };
        self.calls.push(called);
        reply
    }

    fn answer(&mut self, method: &str, request: &Request, now: i64) -> Answer {
        if method == "oauth.v2.access" {
            return call::answer(oauth::access(self, request, now));
        }
        let outcome = self.call(method, request, now);
        let scopes = outcome.1.map(|token| token.scopes.join(","));
        let answer = call::answer(outcome.0);
        scopes.map_or_else(|| answer.clone(), |scopes| answer.clone().header("X-OAuth-Scopes", &scopes))
    }

    fn call(&mut self, name: &str, request: &Request, now: i64) -> (Outcome, Option<Token>) {
        let Some(method) = methods::find(name) else {
            return (Err("unknown_method".into()), None);
        };
        let Some(value) = call::bearer(request) else {
            return (Err("not_authed".into()), None);
        };
        let Some(token) = self.tokens.iter().find(|token| token.value == value).cloned() else {
            return (Err("invalid_auth".into()), None);
        };
        if let Some(word) = token.refused(now) {
            return (Err(word.into()), None);
        }
        (self.run(method, request, &token, now), Some(token))
    }

    fn run(&mut self, method: &call::Method, request: &Request, token: &Token, now: i64) -> Outcome {
        let bot_id = self.installation(&token.app_id, &token.place).map(|held| held.bot_id.clone());
        let caller = Caller { token: token.clone(), bot_id: bot_id.unwrap_or_default(), now };
        let arguments = Arguments::read(request, method.takes)?;
        let channel = arguments.0.get("channel").and_then(Value::as_str).unwrap_or_default();
        let counted = Counted { app: &token.app_id, place: &token.place, method: method.name, channel };
        self.limits.admit(method.tier, &counted, now).map_err(Refusal::rate_limited)?;
        arguments.only(method.arguments)?;
        caller.needs(method.scope)?;
        (method.run)(self, &caller, &arguments)
    }
}

/// What a call brought, however it may be brought: for the record alone.
fn arguments_of(request: &Request) -> Map<String, Value> {
    if let Value::Object(arguments) = request.json() {
        return arguments;
    }
    let form = if request.body.is_empty() { request.query.as_bytes() } else { &request.body };
    let pairs = std::str::from_utf8(form).ok().and_then(super::form::pairs).unwrap_or_default();
    pairs.into_iter().map(|(name, value)| (name, value.into())).collect()
}

fn word_of(answer: &Answer) -> String {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    match body["error"].as_str() {
        Some(word) => word.to_owned(),
        None if body["ok"] == true => "ok".to_owned(),
        None => answer.status.to_string(),
    }
}
