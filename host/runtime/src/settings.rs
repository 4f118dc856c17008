//! Settings and secrets against the fields that a component describes. The host checks, since it alone sees secrets.

use std::fmt;

use lettre::Address;
use regex::Regex;
use secrecy::ExposeSecret;
use serde_json::{Map, Value};
use url::Url;

use crate::contract::channel::{Field, FieldKind};
use crate::descriptor::is_secret;
use crate::grant::Grant;
use crate::mail::address;
use crate::plugin::Plugin;
use crate::secrets::{SecretSource, SecretString};

/// A secret under this many characters cannot be masked without masking what is none.
pub(crate) const SHORTEST_SECRET: usize = 8;

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FieldProblem {
    /// Its key; empty where no single field is to blame.
    pub field: String,
    /// What was expected, what came, and what to do. Never holds a secret.
    pub message: String,
}

/// The settings do not fit the component.
#[derive(Clone, Debug, thiserror::Error)]
pub struct ConfigureError {
    problems: Vec<FieldProblem>,
}

impl ConfigureError {
    /// All that is wrong.
    pub fn problems(&self) -> &[FieldProblem] {
        &self.problems
    }
}

impl fmt::Display for ConfigureError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |problem: &FieldProblem| match problem.field.as_str() {
            "" => problem.message.clone(),
            field => format!("`{field}`: {}", problem.message),
        };
        formatter.write_str(&self.problems.iter().map(line).collect::<Vec<_>>().join("\n"))
    }
}

/// A pattern over the whole value.
pub(crate) fn whole(pattern: &str) -> Result<Regex, regex::Error> {
    regex::RegexBuilder::new(&format!(r"\A(?:{pattern})\z")).size_limit(1 << 20).build()
}

/// Checks all fields; without a source of secrets, those that are none.
pub(crate) async fn check(
    plugin: &Plugin,
    grant: &Grant,
    settings: &Map<String, Value>,
    secrets: Option<&dyn SecretSource>,
) -> Result<(), ConfigureError> {
    let fields = &plugin.descriptor().fields;
    let mut problems = Vec::new();
    let mut blame = |field: &str, message: String| problems.push(FieldProblem { field: field.to_owned(), message });
    if !grant.is_for(plugin.sha256()) {
        blame(
            "",
            format!("the grant is for another component: this one has the SHA-256 {}; grant it anew", plugin.sha256()),
        );
    }
    for key in settings.keys() {
        match fields.iter().find(|field| field.key == *key) {
            Some(field) if is_secret(&field.kind) => {
                blame(key, "this is a secret: give it as one, not among the settings".to_owned());
            }
            Some(_) => {}
            None => blame(key, format!("there is no such field; expected one of: {}", keys(fields))),
        }
    }
    for (index, field) in fields.iter().enumerate() {
        let value = if is_secret(&field.kind) {
            let Some(secrets) = secrets else { continue };
            match secrets.facts(&field.key) {
                None => None,
                Some(_) => match secrets.get(&field.key).await {
                    Ok(secret) => Some(Text::Secret(secret)),
                    Err(error) => {
                        blame(&field.key, error.to_string());
                        continue;
                    }
                },
            }
        } else {
            match settings.get(&field.key) {
                None | Some(Value::Null) => None,
                Some(value) => match text_of(field, value) {
                    Ok(text) => Some(Text::Plain(text)),
                    Err(message) => {
                        blame(&field.key, message);
                        continue;
                    }
                },
            }
        };
        match value {
            None if field.required => blame(&field.key, format!("this is required: {}", sentence(field))),
            None => {}
            Some(value) => {
                if let Some(message) = value_problem(plugin, index, field, value.expose()) {
                    blame(&field.key, message);
                }
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(ConfigureError { problems }) }
}

/// A field's value, wiped afterwards where it is secret.
enum Text {
    Plain(String),
    Secret(SecretString),
}

impl Text {
    fn expose(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Secret(secret) => secret.expose_secret(),
        }
    }
}

fn keys(fields: &[Field]) -> String {
    fields.iter().map(|field| field.key.as_str()).collect::<Vec<_>>().join(", ")
}

fn sentence(field: &Field) -> &str {
    if field.help.is_empty() { &field.label } else { &field.help }
}

/// The value as text, for the rules, where its JSON type fits the field.
fn text_of(field: &Field, value: &Value) -> Result<String, String> {
    let expected = |what: &str| Err(format!("expected {what}, found {value}"));
    match (&field.kind, value) {
        (FieldKind::Number, Value::Number(number)) => Ok(number.to_string()),
        (FieldKind::Number, _) => expected("a number"),
        (FieldKind::Toggle, Value::Bool(on)) => Ok(on.to_string()),
        (FieldKind::Toggle, _) => expected("true or false"),
        (FieldKind::EmailList, Value::Array(list)) if list.iter().all(Value::is_string) => {
            Ok(list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","))
        }
        (FieldKind::EmailList, _) => expected("a list of e-mail addresses"),
        (_, Value::String(text)) => Ok(text.clone()),
        _ => expected("text"),
    }
}

fn value_problem(plugin: &Plugin, index: usize, field: &Field, value: &str) -> Option<String> {
    // The component's own rules come first: they know best what a wrong value is.
    for (rule, pattern) in field.rules.iter().zip(plugin.patterns(index)) {
        if pattern.is_match(value) != rule.matches {
            return Some(crate::text::line(&rule.message, 500));
        }
    }
    let url = || match Url::parse(value) {
        Ok(url) if url.scheme() == "https" && url.has_host() => None,
        Ok(url) => Some(format!("expected an https URL, found one that starts with `{}:`", url.scheme())),
        Err(error) => Some(format!("expected a whole https URL: {error}")),
    };
    match &field.kind {
        FieldKind::SecretUrl | FieldKind::Url => url(),
        FieldKind::Secret if value.chars().count() < SHORTEST_SECRET => Some(format!(
            "a secret of under {SHORTEST_SECRET} characters is refused: it could not be kept out of answers and logs"
        )),
        FieldKind::Choice(options) if !options.iter().any(|option| option.value == value) => Some(format!(
            "expected one of: {}",
            options.iter().map(|option| option.value.as_str()).collect::<Vec<_>>().join(", ")
        )),
        FieldKind::EmailList => value
            .split(',')
            .find(|text| !is_address(text))
            .map(|text| format!("expected e-mail addresses such as `ada@example.com`, found {text:?}")),
        FieldKind::SecretHeaders => serde_json::from_str::<std::collections::BTreeMap<String, String>>(value)
            .err()
            .map(|_| "expected a JSON object of header names and values".to_owned()),
        _ => None,
    }
}

fn is_address(text: &str) -> bool {
    address(text).is_some_and(|address| address.domain().contains('.'))
}

/// The addresses in a field that holds a list of them.
pub(crate) fn addresses(value: Option<&Value>) -> Vec<Address> {
    let list = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(|text| address(text.as_str()?)).collect()
}
