//! `--set` and `PQH_SET_…`: from text to settings of the kinds that a component's fields have, secrets apart.

use std::{collections::BTreeMap, io::Read as _};

use pqh_runtime::{
    MemorySecrets,
    contract::channel::{Descriptor, Field, FieldKind},
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

/// Whether any `--set` reads standard input for a secret of this descriptor.
fn reads_stdin(descriptor: &Descriptor, set: &[(String, String)]) -> bool {
    set.iter().any(|(key, value)| value == "-" && field(descriptor, key).is_some_and(is_secret))
}

/// Reads the settings. `stdin_taken`: standard input already holds the event.
pub(crate) fn fill(descriptor: &Descriptor, set: &[(String, String)], stdin_taken: bool) -> Result<Filled, CliError> {
    if stdin_taken && reads_stdin(descriptor, set) {
        let message = "standard input cannot be both the event and a secret: read one of them from a file";
        return Err(CliError::input("stdin-twice", message));
    }
    let given = given(descriptor, set)?;
    let mut filled = Filled { settings: Map::new(), secrets: MemorySecrets::new() };
    let mut stdin_read = false;
    for field in &descriptor.fields {
        if let Some(value) = given.get(field.key.as_str()) {
            if is_secret(field) {
                let secret = secret(field, value, &mut stdin_read)?;
                filled.secrets = filled.secrets.with(field.key.as_str(), secret.as_str());
            } else {
                filled.settings.insert(field.key.clone(), coerce(field, value)?);
            }
        } else if let Ok(value) = std::env::var(variable(&field.key)) {
            // An environment variable is the value itself: nothing in it means a file.
            if is_secret(field) {
                filled.secrets = filled.secrets.with(field.key.as_str(), value.as_str());
            } else {
                filled.settings.insert(field.key.clone(), coerce(field, &value)?);
            }
        } else if let Some(default) = &field.default
            && !is_secret(field)
        {
            filled.settings.insert(field.key.clone(), coerce(field, default)?);
        }
    }
    Ok(filled)
}

/// What `--set` gave, each key once and known.
fn given<'a>(descriptor: &Descriptor, set: &'a [(String, String)]) -> Result<BTreeMap<&'a str, &'a str>, CliError> {
    let mut given = BTreeMap::new();
    for (key, value) in set {
        if field(descriptor, key).is_none() {
            return Err(unknown(descriptor, key));
        }
        if given.insert(key.as_str(), value.as_str()).is_some() {
            return Err(CliError::input("setting-twice", format!("--set {key} stands twice: which is meant?")));
        }
    }
    Ok(given)
}

fn unknown(descriptor: &Descriptor, key: &str) -> CliError {
    let list: Vec<String> = descriptor
        .fields
        .iter()
        .map(|field| {
            let required = if field.required { ", required" } else { "" };
            format!("  {}  {} ({}{required})", field.key, field.label, kind_name(&field.kind))
        })
        .collect();
    let message = format!("{} has no field {key:?}; it has\n{}", descriptor.id, list.join("\n"));
    let keys: Vec<&str> = descriptor.fields.iter().map(|field| field.key.as_str()).collect();
    CliError::input("unknown-setting", message).with(json!({ "field": key, "fields": keys }))
}

fn field<'a>(descriptor: &'a Descriptor, key: &str) -> Option<&'a Field> {
    descriptor.fields.iter().find(|field| field.key == key)
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
    }
}

#[cfg(test)]
mod tests {
    use pqh_runtime::SecretSource as _;

    use super::*;

    fn field(key: &str, kind: FieldKind) -> Field {
        let (label, help) = (key.to_owned(), String::new());
        let (rules, hints) = (Vec::new(), Vec::new());
        Field { key: key.to_owned(), label, help, required: false, kind, default: None, rules, hints }
    }

    fn descriptor(fields: Vec<Field>) -> Descriptor {
        Descriptor {
            id: "test".to_owned(),
            name: String::new(),
            summary: String::new(),
            fields,
            destinations: Vec::new(),
            credentials: Vec::new(),
            target: Vec::new(),
            paces: Vec::new(),
            digests: false,
            hints: Vec::new(),
        }
    }

    fn set(key: &str, value: &str) -> Vec<(String, String)> {
        vec![(key.to_owned(), value.to_owned())]
    }

    fn coerced(kind: FieldKind, value: &str) -> Result<Value, String> {
        let filled = fill(&descriptor(vec![field("a", kind)]), &set("a", value), false);
        filled.map(|filled| filled.settings["a"].clone()).map_err(|error| error.message)
    }

    #[test]
    fn values_take_the_kind_of_their_field() {
        assert_eq!(coerced(FieldKind::Text, "12"), Ok(json!("12")));
        assert_eq!(coerced(FieldKind::Number, "12"), Ok(json!(12)));
        assert_eq!(coerced(FieldKind::Number, "1.5"), Ok(json!(1.5)));
        assert_eq!(coerced(FieldKind::Toggle, "Yes"), Ok(json!(true)));
        assert_eq!(
            coerced(FieldKind::EmailList, "a@x.example, b@x.example,"),
            Ok(json!(["a@x.example", "b@x.example"]))
        );
        assert_eq!(coerced(FieldKind::Number, "many"), Err("a: expected a number, found \"many\"".to_owned()));
        assert!(coerced(FieldKind::Number, "NaN").is_err());
        assert!(coerced(FieldKind::Toggle, "maybe").is_err());
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_fields() {
        let error =
            fill(&descriptor(vec![field("url", FieldKind::SecretUrl)]), &set("urll", "x"), false).err().unwrap();
        assert_eq!(error.message, "test has no field \"urll\"; it has\n  url  url (secret-url)");
        assert_eq!(error.details["fields"], json!(["url"]));
    }

    #[test]
    fn a_key_that_stands_twice_is_refused() {
        let twice = [set("a", "1"), set("a", "2")].concat();
        let error = fill(&descriptor(vec![field("a", FieldKind::Text)]), &twice, false).err().unwrap();
        assert_eq!(error.code, "setting-twice");
    }

    #[test]
    fn standard_input_cannot_be_the_event_and_a_secret() {
        let descriptor = descriptor(vec![field("url", FieldKind::SecretUrl), field("note", FieldKind::Text)]);
        assert_eq!(fill(&descriptor, &set("url", "-"), true).err().unwrap().code, "stdin-twice");
        assert!(fill(&descriptor, &set("note", "-"), true).is_ok());
    }

    #[test]
    fn a_secret_is_kept_apart_from_the_settings() {
        let filled = fill(&descriptor(vec![field("k", FieldKind::Secret)]), &set("k", "s"), false).unwrap();
        assert!(filled.settings.is_empty());
        assert!(filled.secrets.facts("k").is_some());
    }

    #[test]
    fn the_environment_variable_is_named_after_the_key() {
        assert_eq!(variable("routing-key"), "PQH_SET_ROUTING_KEY");
    }
}
