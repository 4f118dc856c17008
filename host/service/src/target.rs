//! Where a channel leads, as a keyed hash: channels of one organization with the same target share its pace.

use pqh_runtime::contract::channel::{Descriptor, FieldKind};
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};
use url::Url;
use zeroize::Zeroizing;

use crate::sealed::SealedSecrets;
use crate::vault::{DataKey, VaultError};

/// The hash over the fields that the descriptor's `target` names, within the workspace where there is one; where it names
/// none, or none of them is filled in, the channel is a target of its own.
pub(crate) fn of(
    descriptor: &Descriptor,
    workspace: Option<&str>,
    settings: &Map<String, Value>,
    secrets: &SealedSecrets,
    key: &DataKey,
    channel: &str,
) -> Result<String, VaultError> {
    let mut values: Vec<Option<Zeroizing<String>>> = Vec::with_capacity(descriptor.target.len());
    for field in &descriptor.target {
        let plain = settings.get(field).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        let value = match plain {
            Some(plain) => Some(Zeroizing::new(plain)),
            None => secrets.open(field)?.map(|secret| Zeroizing::new(secret.expose_secret().to_owned())),
        };
        values.push(value.map(|value| if is_url(descriptor, field) { normal(value) } else { value }));
    }
    if values.iter().all(Option::is_none) {
        return Ok(key.keyed_hash("target", &[descriptor.id.as_bytes(), channel.as_bytes()]));
    }
    let mut parts = vec![descriptor.id.as_bytes()];
    parts.extend(workspace.map(str::as_bytes));
    parts.extend(values.iter().map(|value| value.as_ref().map_or(&[][..], |value| value.as_bytes())));
    Ok(key.keyed_hash("target", &parts))
}

fn is_url(descriptor: &Descriptor, key: &str) -> bool {
    let field = descriptor.fields.iter().find(|field| field.key == key);
    field.is_some_and(|field| matches!(field.kind, FieldKind::Url | FieldKind::SecretUrl))
}

/// One spelling for all that a URL has: its host's case, a port that goes without saying.
fn normal(url: Zeroizing<String>) -> Zeroizing<String> {
    Url::parse(&url).map_or(url, |parsed| Zeroizing::new(String::from(parsed)))
}

#[cfg(test)]
mod tests {
    use pqh_runtime::contract::channel::Field;
    use serde_json::json;

    use super::*;
    use crate::vault::{MasterKey, Vault};

    fn descriptor(target: &[&str]) -> Descriptor {
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
            fields: vec![field("url", FieldKind::SecretUrl), field("room", FieldKind::Text)],
            destinations: Vec::new(),
            credentials: Vec::new(),
            target: target.iter().map(|&key| key.to_owned()).collect(),
            paces: Vec::new(),
            digests: false,
            hints: Vec::new(),
        }
    }

    struct Keys(Vault, DataKey);

    impl Keys {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let vault = Vault::new(MasterKey::create(&folder.path().join("key")).unwrap());
            let (key, _) = vault.new_data_key("o").unwrap();
            Self(vault, key)
        }

        fn target(&self, names: &[&str], channel: &str, url: Option<&str>, room: Option<&str>) -> String {
            let mut secrets = SealedSecrets::new(channel, self.1.clone(), Vec::new());
            if let Some(url) = url {
                secrets.set("url", &FieldKind::SecretUrl, &url.into()).unwrap();
            }
            let settings = room.map(|room| json!({ "room": room })).unwrap_or(json!({}));
            of(&descriptor(names), None, settings.as_object().unwrap(), &secrets, &self.1, channel).unwrap()
        }
    }

    #[test]
    fn channels_with_the_same_values_share_a_target_however_the_url_is_spelt() {
        let keys = Keys::new();
        let one = keys.target(&["url"], "1", Some("https://a.example/x"), Some("red"));
        assert_eq!(one, keys.target(&["url"], "2", Some("https://A.example:443/x"), Some("blue")));
        assert_ne!(one, keys.target(&["url"], "2", Some("https://a.example/X"), None));
        assert!(!one.contains("a.example"));
    }

    #[test]
    fn a_value_counts_for_its_own_field() {
        let keys = Keys::new();
        let of = |room, names: &[&str]| keys.target(names, "1", Some("https://a.example/x"), room);
        assert_ne!(of(Some("red"), &["url", "room"]), of(Some("blue"), &["url", "room"]));
        assert_ne!(of(Some("red"), &["url", "room"]), of(Some("red"), &["room", "url"]));
    }

    #[test]
    fn without_a_value_a_channel_is_a_target_of_its_own() {
        let keys = Keys::new();
        for names in [&[][..], &["room"]] {
            assert_eq!(keys.target(names, "1", None, None), keys.target(names, "1", None, None));
            assert_ne!(keys.target(names, "1", None, None), keys.target(names, "2", None, None));
        }
    }

    #[test]
    fn another_organization_has_other_targets() {
        let keys = Keys::new();
        let other = Keys(keys.0.clone(), keys.0.new_data_key("other").unwrap().0);
        let target = |keys: &Keys| keys.target(&["url"], "1", Some("https://a.example/x"), None);
        assert_ne!(target(&keys), target(&other));
    }
}
