//! A call of a method of the Web API: what it brings, and how it may bring it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::app::Token;
use super::form;
use super::limits::Tier;
use super::misbehaviour;
use super::state::State;
use super::workspace::Team;
use crate::http_service::{Answer, Request};
use crate::slack_webhook::json::Strict;

/// The word that comes with 429.
const RATE_LIMITED: &str = "ratelimited";

/// How a method takes its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// GET with a query, or POST with a form: what reads.
    Read,
    /// POST with a form.
    Form,
    /// POST with JSON: what writes.
    Json,
    /// POST with either: what has no arguments.
    FormOrJson,
}

/// A method of the Web API that is called with a token.
#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) name: &'static str,
    pub(crate) takes: Takes,
    /// The scope that every call needs; empty where none is, or where it depends on the call.
    pub(crate) scope: &'static str,
    pub(crate) tier: Tier,
    pub(crate) arguments: &'static [&'static str],
    pub(crate) run: fn(&mut State, &Caller, &Arguments) -> Outcome,
}

/// Who calls, and when.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) token: Token,
    pub(crate) bot_id: String,
    pub(crate) now: i64,
}

impl Caller {
    /// Refuses a call that needs a scope which the token has not.
    pub(crate) fn needs(&self, scope: &str) -> Result<(), Refusal> {
        if scope.is_empty() || self.token.scopes.iter().any(|held| held == scope) {
            return Ok(());
        }
        let more = json!({ "needed": scope, "provided": self.token.scopes.join(",") });
        Err(Refusal { word: "missing_scope", more })
    }

    /// The caller's workspace.
    pub(crate) fn team<'a>(&self, state: &'a mut State) -> Result<&'a mut Team, Refusal> {
        // An org-wide token says no workspace, and we have no need to name one.
        state.team_mut(&self.token.place).ok_or(Refusal::from("team_not_found"))
    }
}

/// What comes of a call: the answer's members beside `ok`.
pub(crate) type Outcome = Result<Value, Refusal>;

/// Why a call is refused: `error`, and the members beside it.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) word: &'static str,
    pub(crate) more: Value,
}

impl Refusal {
    /// 429, with room after so many seconds.
    pub(crate) fn rate_limited(seconds: u64) -> Self {
        Self { word: RATE_LIMITED, more: seconds.into() }
    }
}

impl From<&'static str> for Refusal {
    fn from(word: &'static str) -> Self {
        Self { word, more: Value::Null }
    }
}

/// The answer to a call.
pub(crate) fn answer(outcome: Outcome) -> Answer {
    let (mut body, more) = match outcome {
        Ok(more) => (json!({ "ok": true }), more),
        Err(Refusal { word: RATE_LIMITED, more }) => {
            return misbehaviour::rate_limited(more.as_u64().unwrap_or(1));
        }
        Err(Refusal { word, more }) => (json!({ "ok": false, "error": word }), more),
    };
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    misbehaviour::json(200, &body)
}

/// The arguments of a call: of a form all are text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arguments(pub(crate) Map<String, Value>);

impl Arguments {
    /// Reads what `request` brings, if it brings it as `takes` says.
    pub(crate) fn read(request: &Request, takes: Takes) -> Result<Self, Refusal> {
        match (request.method.as_str(), takes) {
            ("GET", Takes::Read) if request.body.is_empty() => Self::of_form(&request.query, "invalid_arguments"),
            ("POST", _) if !request.query.is_empty() => Err("invalid_arguments".into()),
            ("POST", Takes::Json) => Self::of_json(request),
            ("POST", Takes::FormOrJson) if request.content_type() == "application/json" => Self::of_json(request),
            ("POST", _) => Self::of_form_body(request),
            _ => Err("invalid_arguments".into()),
        }
    }

    fn of_form(form: &str, word: &'static str) -> Result<Self, Refusal> {
        let mut arguments = Map::new();
        for (name, value) in form::pairs(form).ok_or(word)? {
            if arguments.insert(name, value.into()).is_some() {
                return Err(word.into());
            }
        }
        Ok(Self(arguments))
    }

    fn of_form_body(request: &Request) -> Result<Self, Refusal> {
        if request.body.is_empty() && request.content_type().is_empty() {
            return Ok(Self::default());
        }
        post_type(request, "application/x-www-form-urlencoded")?;
        Self::of_form(std::str::from_utf8(&request.body).map_err(|_| "invalid_form_data")?, "invalid_form_data")
    }

    fn of_json(request: &Request) -> Result<Self, Refusal> {
        post_type(request, "application/json")?;
        // Slack takes it without a charset and warns (`missing_charset`).
        let parameters = request.header("content-type").and_then(|value| value.split_once(';'));
        let charset = parameters.map(|(_, rest)| rest.trim().to_ascii_lowercase());
        if charset.as_deref() != Some("charset=utf-8") {
            return Err("invalid_charset".into());
        }
        let Strict(body) = serde_json::from_slice(&request.body).map_err(|_| "invalid_json")?;
        match body {
            Value::Object(arguments) => Ok(Self(arguments)),
            _ => Err("json_not_object".into()),
        }
    }

    /// Refuses a name that is not in `known`.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        let token = self.0.contains_key("token");
        if token {
            return Err("not_authed".into());
        }
        let all = self.0.keys().all(|name| known.contains(&name.as_str()));
        if all { Ok(()) } else { Err("invalid_arg_name".into()) }
    }

    /// A text that may be missing.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or("invalid_arguments".into()),
        }
    }

    /// A text that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name)?.filter(|text| !text.is_empty()).ok_or("invalid_arguments".into())
    }

    /// A flag; `false` where it is missing.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.0.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(text)) if matches!(text.as_str(), "true" | "1") => Ok(true),
            Some(Value::String(text)) if matches!(text.as_str(), "false" | "0") => Ok(false),
            Some(_) => Err("invalid_arguments".into()),
        }
    }
}

fn post_type(request: &Request, wanted: &str) -> Result<(), Refusal> {
    match request.content_type() {
        "" => Err("missing_post_type".into()),
        held if held == wanted => Ok(()),
        _ => Err("invalid_post_type".into()),
    }
}

/// The token of `Authorization: Bearer …`, the only way that the simulator takes one.
pub(crate) fn bearer(request: &Request) -> Option<&str> {
    request.header("authorization")?.strip_prefix("Bearer ").filter(|token| !token.is_empty())
}

/// Id and secret of `Authorization: Basic …`.
pub(crate) fn basic(request: &Request) -> Option<(String, String)> {
    let encoded = request.header("authorization")?.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}
