//! `--set` and `PQH_SET_…`: from text to settings of the kinds that a component's fields have, secrets apart.

use std::{collections::BTreeMap, io::Read as _};

use pqh_runtime::{
    MemorySecrets,
    contract::channel::{ChoiceOption, Descriptor, Field, FieldKind},
};
use serde_json::{Map, Value, json};

use crate::error::CliError;

/// What a channel is configured with.
pub(crate) struct Filled {
    /// What is not secret, as the component sees it.
    pub(crate) settings: Map<String, Value>,
    /// What is, which it never sees.
    pub(crate) secrets: MemorySecrets,
}

/// The fields of a channel type, whether a component described them or a service.
#[derive(Clone, Copy)]
pub(crate) struct Form<'a> {
    /// The type.
    pub(crate) id: &'a str,
    /// Its fields.
    pub(crate) fields: &'a [Field],
}

impl<'a> From<&'a Descriptor> for Form<'a> {
    fn from(descriptor: &'a Descriptor) -> Self {
        Self { id: &descriptor.id, fields: &descriptor.fields }
    }
}

/// Whether the environment may stand for what `--set` does not say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Environment {
    Read,
    Ignored,
}

/// A field's value.
enum Given {
    Plain(Value),
    Secret(String),
}

/// Whether any `--set` reads standard input for a secret of this form.
fn reads_stdin(form: Form, set: &[(String, String)]) -> bool {
    set.iter().any(|(key, value)| value == "-" && field(form, key).is_some_and(is_secret))
}

/// Reads the settings for a component. `stdin_taken`: standard input already holds the event.
pub(crate) fn fill(descriptor: &Descriptor, set: &[(String, String)], stdin_taken: bool) -> Result<Filled, CliError> {
    if stdin_taken && reads_stdin(descriptor.into(), set) {
        let message = "standard input cannot be both the event and a secret: read one of them from a file";
        return Err(CliError::input("stdin-twice", message));
    }
    let mut given = read(descriptor.into(), set, Environment::Read)?;
    let mut filled = Filled { settings: Map::new(), secrets: MemorySecrets::new() };
    for field in &descriptor.fields {
        match (given.remove(field.key.as_str()), &field.default) {
            (Some(Given::Secret(secret)), _) => {
                filled.secrets = filled.secrets.with(field.key.as_str(), secret.as_str());
            }
            (Some(Given::Plain(value)), _) => drop(filled.settings.insert(field.key.clone(), value)),
            (None, Some(default)) if !is_secret(field) => {
                filled.settings.insert(field.key.clone(), coerce(field, default)?);
            }
            (None, _) => {}
        }
    }
    Ok(filled)
}

/// Reads the settings for a service, which fills in what is left out itself: secrets among the others.
pub(crate) fn fill_for_service(
    form: Form,
    set: &[(String, String)],
    environment: Environment,
) -> Result<Map<String, Value>, CliError> {
    let value = |given| match given {
        Given::Plain(value) => value,
        Given::Secret(secret) => secret.into(),
    };
    Ok(read(form, set, environment)?.into_iter().map(|(key, given)| (key.to_owned(), value(given))).collect())
}

/// What `--set`, else the environment says of each field.
fn read<'a>(
    form: Form<'a>,
    set: &[(String, String)],
    environment: Environment,
) -> Result<BTreeMap<&'a str, Given>, CliError> {
    let set = given(form, set)?;
    let mut values = BTreeMap::new();
    let mut stdin_read = false;
    for field in form.fields {
        let value = match set.get(field.key.as_str()) {
            Some(value) if is_secret(field) => Given::Secret(secret(field, value, &mut stdin_read)?),
            Some(value) => Given::Plain(coerce(field, value)?),
            None if environment == Environment::Ignored => continue,
            None => match std::env::var(variable(&field.key)) {
                // An environment variable is the value itself: nothing in it means a file.
                Ok(value) if is_secret(field) => Given::Secret(value),
                Ok(value) => Given::Plain(coerce(field, &value)?),
                Err(_) => continue,
            },
        };
        values.insert(field.key.as_str(), value);
    }
    Ok(values)
}

/// What `--set` gave, each key once and known.
fn given<'a>(form: Form, set: &'a [(String, String)]) -> Result<BTreeMap<&'a str, &'a str>, CliError> {
    let mut given = BTreeMap::new();
    for (key, value) in set {
        if field(form, key).is_none() {
            return Err(unknown(form, key));
        }
        if given.insert(key.as_str(), value.as_str()).is_some() {
            return Err(CliError::input("setting-twice", format!("--set {key} stands twice: which is meant?")));
        }
    }
    Ok(given)
}

/// An error for a key that the form does not have.
pub(crate) fn unknown(form: Form, key: &str) -> CliError {
    let list: Vec<String> = form
        .fields
        .iter()
        .map(|field| {
            let required = if field.required { ", required" } else { "" };
            format!("  {}  {} ({}{required})", field.key, field.label, kind_name(&field.kind))
        })
        .collect();
    let message = format!("{} has no field {key:?}; it has\n{}", form.id, list.join("\n"));
    let keys: Vec<&str> = form.fields.iter().map(|field| field.key.as_str()).collect();
    CliError::input("unknown-setting", message).with(json!({ "field": key, "fields": keys }))
}

/// The form's field of that key.
pub(crate) fn field<'a>(form: Form<'a>, key: &str) -> Option<&'a Field> {
    form.fields.iter().find(|field| field.key == key)
}

/// Whether the host keeps the field's value from the component.
pub(crate) fn is_secret(field: &Field) -> bool {
    matches!(field.kind, FieldKind::Secret | FieldKind::SecretUrl | FieldKind::SecretHeaders)
}

/// The environment variable that stands for `--set KEY=…`.
pub(crate) fn variable(key: &str) -> String {
    format!("PQH_SET_{}", key.to_uppercase().replace('-', "_"))
}

/// A secret: from a file, from standard input, or, with a warning, as it stands on the command line.
fn secret(field: &Field, value: &str, stdin_read: &mut bool) -> Result<String, CliError> {
    let key = &field.key;
    let text = if let Some(path) = value.strip_prefix('@') {
        std::fs::read_to_string(path).map_err(|error| {
            CliError::input("unreadable-file", format!("--set {key}=@{path}: {error}")).with(json!({ "field": key }))
        })?
    } else if value == "-" {
        if std::mem::replace(stdin_read, true) {
            return Err(CliError::input("stdin-twice", "only one secret can be read from standard input"));
        }
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| CliError::input("unreadable-stdin", format!("--set {key}=-: standard input: {error}")))?;
        text
    } else {
        let variable = variable(key);
        tracing::warn!(
            "the secret {key:?} stands in shell history and in the list of processes: use --set {key}=@FILE, \
             --set {key}=- or {variable}"
        );
        return Ok(value.to_owned());
    };
    // Editors and `echo` end a file with a line end that is no part of the secret.
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Text as the field's kind has it in JSON.
fn coerce(field: &Field, text: &str) -> Result<Value, CliError> {
    let refuse = |expected: &str| {
        let message = format!("{}: expected {expected}, found {text:?}", field.key);
        CliError::input("bad-setting", message).with(json!({ "field": field.key }))
    };
    match &field.kind {
        FieldKind::Number => number(text).ok_or_else(|| refuse("a number")),
        FieldKind::Toggle => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(Value::Bool(true)),
            "false" | "no" | "off" | "0" => Ok(Value::Bool(false)),
            _ => Err(refuse("true or false")),
        },
        FieldKind::EmailList => {
            Ok(text.split([',', '\n']).map(str::trim).filter(|address| !address.is_empty()).collect())
        }
        FieldKind::Choice(options) => {
            if options.iter().any(|option| option.value == text) {
                return Ok(text.into());
            }
            let values: Vec<&str> = options.iter().map(|option| option.value.as_str()).collect();
            Err(refuse(&format!("one of {}", values.join(", "))))
        }
        _ => Ok(text.into()),
    }
}

/// A JSON number, whole where it is written so.
fn number(text: &str) -> Option<Value> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    serde_json::Number::from_f64(text.parse().ok()?).map(Value::Number)
}

/// What a field's kind is called.
pub(crate) fn kind_name(kind: &FieldKind) -> &'static str {
    match kind {
        FieldKind::Text => "text",
        FieldKind::Secret => "secret",
        FieldKind::SecretUrl => "secret-url",
        FieldKind::Url => "url",
        FieldKind::EmailList => "email-list",
        FieldKind::Number => "number",
        FieldKind::LongText => "long-text",
        FieldKind::Choice(_) => "choice",
        FieldKind::Toggle => "toggle",
        FieldKind::SecretHeaders => "secret-headers",
        FieldKind::Target => "target",
        FieldKind::Other(_) => "other",
    }
}

/// The kind that is called so. One that this program does not know yet goes as text: the service knows what it is.
pub(crate) fn kind_named(name: &str, options: Vec<ChoiceOption>) -> FieldKind {
    match name {
        "secret" => FieldKind::Secret,
        "secret-url" => FieldKind::SecretUrl,
        "url" => FieldKind::Url,
        "email-list" => FieldKind::EmailList,
        "number" => FieldKind::Number,
        "long-text" => FieldKind::LongText,
        "choice" => FieldKind::Choice(options),
        "toggle" => FieldKind::Toggle,
        "secret-headers" => FieldKind::SecretHeaders,
        "target" => FieldKind::Target,
        _ => FieldKind::Text,
    }
}

#[cfg(test)]
mod tests;
