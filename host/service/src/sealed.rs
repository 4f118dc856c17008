//! A channel's secrets, sealed until the gate asks for one.

use std::collections::BTreeMap;

use async_trait::async_trait;
use pqh_runtime::contract::channel::FieldKind;
use pqh_runtime::{MemorySecrets, SecretError, SecretFacts, SecretSource, SecretString};

use crate::store::channels::SecretRow;
use crate::vault::{DataKey, VaultError};

/// The sealed secrets of one channel. Cheap enough to clone.
#[derive(Clone)]
pub(crate) struct SealedSecrets {
    channel: String,
    key: DataKey,
    sealed: BTreeMap<String, SecretRow>,
}

impl SealedSecrets {
    /// Those of a channel as they are kept.
    pub(crate) fn new(channel: &str, key: DataKey, rows: Vec<SecretRow>) -> Self {
        let sealed = rows.into_iter().map(|row| (row.field.clone(), row)).collect();
        Self { channel: channel.to_owned(), key, sealed }
    }

    /// Seals a secret in place of the one that was there. Of a URL, its origin stays in clear.
    pub(crate) fn set(&mut self, field: &str, kind: &FieldKind, secret: &SecretString) -> Result<(), VaultError> {
        let sealed = self.key.seal(&self.identity(field), secret)?;
        let origin = match kind {
            FieldKind::SecretUrl => {
                MemorySecrets::new().with(field, secret.clone()).facts(field).and_then(|facts| facts.origin)
            }
            _ => None,
        };
        self.sealed.insert(field.to_owned(), SecretRow { field: field.to_owned(), sealed, origin });
        Ok(())
    }

    /// Takes a secret away. Says whether it was there.
    pub(crate) fn remove(&mut self, field: &str) -> bool {
        self.sealed.remove(field).is_some()
    }

    /// One as it is kept.
    pub(crate) fn row(&self, field: &str) -> Option<&SecretRow> {
        self.sealed.get(field)
    }

    /// All as they are kept.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &SecretRow> {
        self.sealed.values()
    }

    /// Opens one; none where it is not filled in.
    pub(crate) fn open(&self, field: &str) -> Result<Option<SecretString>, VaultError> {
        self.sealed.get(field).map(|row| self.key.open(&self.identity(field), &row.sealed)).transpose()
    }

    /// What a sealed value is bound to: moved to another channel or field it does not open.
    fn identity(&self, field: &str) -> String {
        format!("channel:{}:{field}", self.channel)
    }
}

#[async_trait]
impl SecretSource for SealedSecrets {
    fn facts(&self, key: &str) -> Option<SecretFacts> {
        self.sealed.get(key).map(|row| SecretFacts { origin: row.origin.clone() })
    }

    async fn get(&self, key: &str) -> Result<SecretString, SecretError> {
        let error = |reason: String| SecretError::lasting(key, reason);
        self.open(key)
            .map_err(|problem| error(problem.to_string()))?
            .ok_or_else(|| error("it is not filled in".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::vault::{MasterKey, Vault};

    fn key() -> DataKey {
        let folder = tempfile::tempdir().unwrap();
        let master = MasterKey::create(&folder.path().join("key")).unwrap();
        Vault::new(master).new_data_key("o").unwrap().0
    }

    #[tokio::test]
    async fn a_secret_comes_back_for_its_channel_and_field_alone() {
        let key = key();
        let mut secrets = SealedSecrets::new("c", key.clone(), Vec::new());
        secrets.set("url", &FieldKind::SecretUrl, &"https://a.example:8443/canary".into()).unwrap();
        assert_eq!(secrets.get("url").await.unwrap().expose_secret(), "https://a.example:8443/canary");
        let row = secrets.row("url").unwrap().clone();
        assert!(!format!("{row:?}").contains("canary"));
        let moved = SealedSecrets::new("other", key.clone(), vec![row.clone()]);
        assert!(moved.get("url").await.is_err());
        let renamed = SealedSecrets::new("c", key, vec![SecretRow { field: "token".to_owned(), ..row }]);
        assert!(renamed.get("token").await.is_err());
    }

    #[tokio::test]
    async fn only_the_origin_of_a_secret_url_is_in_clear() {
        let mut secrets = SealedSecrets::new("c", key(), Vec::new());
        secrets.set("url", &FieldKind::SecretUrl, &"https://a.example:8443/canary".into()).unwrap();
        secrets.set("token", &FieldKind::Secret, &"https://a.example/canary".into()).unwrap();
        assert_eq!(secrets.facts("url").unwrap().origin.as_deref(), Some("https://a.example:8443"));
        assert_eq!(secrets.facts("token").unwrap().origin, None);
        assert_eq!(secrets.facts("none"), None);
        assert!(secrets.get("none").await.unwrap_err().to_string().contains("not filled in"));
    }
}
