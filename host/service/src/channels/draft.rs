//! Settings as a request gives them: secrets are parted from the rest and sealed before anything else happens to them.

use std::collections::BTreeMap;

use pqh_runtime::FieldProblem;
use pqh_runtime::contract::channel::{Descriptor, Field, FieldKind};
use serde_json::{Map, Value};

use crate::sealed::SealedSecrets;
use crate::settings::is_secret;
use crate::vault::VaultError;

/// What became of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Touch {
    Changed,
    Removed,
}

/// A channel's settings and secrets, on their way from what is kept to what is wanted.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) settings: Map<String, Value>,
    pub(super) secrets: SealedSecrets,
    /// The secrets that are not what they were.
    pub(super) touched: BTreeMap<String, Touch>,
}

impl Draft {
    pub(super) fn new(settings: Map<String, Value>, secrets: SealedSecrets) -> Self {
        Self { settings, secrets, touched: BTreeMap::new() }
    }

    /// Takes what was given: null removes, what is absent stays. What cannot even be kept is said of each field; whether
    /// the values are right is the runtime's to say.
    pub(super) fn take(
        &mut self,
        descriptor: &Descriptor,
        given: Map<String, Value>,
    ) -> Result<Vec<FieldProblem>, VaultError> {
        let mut problems = Vec::new();
        for (key, value) in given {
            match descriptor.fields.iter().find(|field| field.key == key) {
                Some(field) if is_secret(field) => {
                    if let Err(message) = self.take_secret(field, value)? {
                        problems.push(FieldProblem { field: key, message });
                    }
                }
                _ if value.is_null() => drop(self.settings.remove(&key)),
                _ => drop(self.settings.insert(key, value)),
            }
        }
        Ok(problems)
    }

    fn take_secret(&mut self, field: &Field, value: Value) -> Result<Result<(), String>, VaultError> {
        let key = &field.key;
        let secret = match (&field.kind, value) {
            (_, Value::Null) => {
                if self.secrets.remove(key) {
                    self.touched.insert(key.clone(), Touch::Removed);
                }
                return Ok(Ok(()));
            }
            // As the API shows a secret: whoever sends back what they read leaves it alone.
            (_, Value::Object(shown)) if shown.get("set") == Some(&Value::Bool(true)) => {
                let missing = self.secrets.row(key).is_none();
                return Ok(if missing { Err("this secret is not set: give its value".to_owned()) } else { Ok(()) });
            }
            (FieldKind::SecretHeaders, headers @ Value::Object(_)) => headers.to_string(),
            (_, Value::String(secret)) => secret,
            (FieldKind::SecretHeaders, other) => {
                return Ok(Err(format!("expected an object of header names and values, found {}", what(&other))));
            }
            (_, other) => return Ok(Err(format!("expected text, found {}", what(&other)))),
        };
        self.secrets.set(key, &field.kind, &secret.into())?;
        self.touched.insert(key.clone(), Touch::Changed);
        Ok(Ok(()))
    }
}

/// What kind of value it is: the value itself may be the secret.
fn what(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;
    use serde_json::json;

    use super::*;
    use crate::vault::{MasterKey, Vault};

    fn descriptor() -> Descriptor {
        let field = |key: &str, kind| Field {
            key: key.to_owned(),
            label: String::new(),
            help: String::new(),
            required: false,
            kind,
            default: None,
            rules: Vec::new(),
            hints: Vec::new(),
        };
        Descriptor {
            id: "t".to_owned(),
            name: String::new(),
            summary: String::new(),
            fields: vec![
                field("url", FieldKind::SecretUrl),
                field("extra", FieldKind::SecretHeaders),
                field("note", FieldKind::Text),
            ],
            destinations: Vec::new(),
            credentials: Vec::new(),
            target: Vec::new(),
            paces: Vec::new(),
            digests: false,
            hints: Vec::new(),
        }
    }

    fn draft() -> Draft {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::new(MasterKey::create(&folder.path().join("key")).unwrap());
        let (key, _) = vault.new_data_key("o").unwrap();
        Draft::new(Map::new(), SealedSecrets::new("c", key, Vec::new()))
    }

    fn take(draft: &mut Draft, given: &Value) -> Vec<FieldProblem> {
        draft.take(&descriptor(), given.as_object().unwrap().clone()).unwrap()
    }

    fn opened(draft: &Draft, key: &str) -> Option<String> {
        draft.secrets.open(key).unwrap().map(|secret| secret.expose_secret().to_owned())
    }

    #[test]
    fn secrets_are_parted_from_the_rest() {
        let mut draft = draft();
        let given = json!({ "url": "https://a.example/canary", "extra": { "x-key": "canary" }, "note": "n" });
        assert!(take(&mut draft, &given).is_empty());
        assert_eq!(Value::Object(draft.settings.clone()), json!({ "note": "n" }));
        assert_eq!(opened(&draft, "url").as_deref(), Some("https://a.example/canary"));
        assert_eq!(opened(&draft, "extra").as_deref(), Some(r#"{"x-key":"canary"}"#));
        assert_eq!(draft.touched.len(), 2);
    }

    #[test]
    fn what_is_absent_stays_and_null_removes() {
        let mut draft = draft();
        take(&mut draft, &json!({ "url": "https://a.example/canary", "note": "n" }));
        draft.touched.clear();
        take(&mut draft, &json!({ "note": null }));
        assert!(draft.settings.is_empty() && draft.touched.is_empty());
        assert!(opened(&draft, "url").is_some());
        take(&mut draft, &json!({ "url": null, "extra": null }));
        assert_eq!(opened(&draft, "url"), None);
        assert_eq!(draft.touched, BTreeMap::from([("url".to_owned(), Touch::Removed)]));
    }

    #[test]
    fn a_secret_that_comes_back_as_it_was_shown_stays() {
        let mut draft = draft();
        take(&mut draft, &json!({ "url": "https://a.example/canary" }));
        draft.touched.clear();
        let shown = json!({ "url": { "set": true, "origin": "https://a.example" } });
        assert!(take(&mut draft, &shown).is_empty());
        assert!(draft.touched.is_empty());
        assert_eq!(opened(&draft, "url").as_deref(), Some("https://a.example/canary"));
        let problems = take(&mut draft, &json!({ "extra": { "set": true } }));
        assert_eq!(problems[0].field, "extra");
    }

    #[test]
    fn a_secret_of_another_kind_is_refused_without_its_value() {
        let problems = take(&mut draft(), &json!({ "url": ["canary"], "extra": 12_345_678 }));
        assert_eq!(problems.len(), 2);
        assert!(problems.iter().all(|problem| !problem.message.contains("canary")), "{problems:?}");
        assert!(problems.iter().all(|problem| !problem.message.contains("123")), "{problems:?}");
    }
}
