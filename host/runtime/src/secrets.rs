//! Where secrets come from. The embedder keeps them; the gate asks for one when it places it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use secrecy::ExposeSecret;
pub use secrecy::SecretString;

/// What may be known of a secret without reading it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretFacts {
    /// For a secret that is a URL: its origin, `https://hooks.example.com`.
    pub origin: Option<String>,
}

/// Why a secret could not be read. The message never holds it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the secret `{key}` cannot be read: {reason}")]
pub struct SecretError {
    /// The field's key.
    pub key: String,
    /// What went wrong, to an operator.
    pub reason: String,
    /// Whether it may be read later: nothing is wrong with the secret itself.
    pub passing: bool,
}

impl SecretError {
    /// It will not be read later either.
    pub fn lasting(key: &str, reason: impl Into<String>) -> Self {
        Self { key: key.to_owned(), reason: reason.into(), passing: false }
    }

    /// It may be read later.
    pub fn passing(key: &str, reason: impl Into<String>) -> Self {
        Self { key: key.to_owned(), reason: reason.into(), passing: true }
    }
}

/// The secrets of one channel, by the keys of the secret fields.
#[async_trait]
pub trait SecretSource: Send + Sync {
    /// What is known of the secret without reading it; none where it is not filled in.
    fn facts(&self, key: &str) -> Option<SecretFacts>;

    /// Reads the secret. Called when a request is about to carry it, never for a preview.
    async fn get(&self, key: &str) -> Result<SecretString, SecretError>;
}

/// Secrets that are held in memory, and wiped when dropped.
#[derive(Clone, Default)]
pub struct MemorySecrets(BTreeMap<String, SecretString>);

impl MemorySecrets {
    /// No secrets.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        self.0.insert(key.into(), secret.into());
        self
    }
}

#[async_trait]
impl SecretSource for MemorySecrets {
    fn facts(&self, key: &str) -> Option<SecretFacts> {
        let secret = self.0.get(key)?;
        let origin = url::Url::parse(secret.expose_secret())
            .ok()
            .map(|url| url.origin())
            .filter(url::Origin::is_tuple)
            .map(|origin| origin.ascii_serialization());
        Some(SecretFacts { origin })
    }

    async fn get(&self, key: &str) -> Result<SecretString, SecretError> {
        self.0.get(key).cloned().ok_or_else(|| SecretError::lasting(key, "it is not filled in"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_of_a_secret_url_is_told_and_nothing_else_of_it() {
        let secrets = MemorySecrets::new().with("url", "https://hooks.example.com/T/B/canary");
        assert_eq!(secrets.facts("url").unwrap().origin.as_deref(), Some("https://hooks.example.com"));
        assert_eq!(secrets.facts("other"), None);
    }
}
