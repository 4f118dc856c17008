//! The key of one organization: seals its secrets, and hashes what must not be told in clear.

use std::fmt;
use std::sync::Arc;

use aes_gcm::Aes256Gcm;
use secrecy::{ExposeSecret as _, SecretString};

use super::VaultError;
use super::crypto::{self, Key};

/// A data key. Cheap to clone; wiped with its last clone.
#[derive(Clone)]
pub(crate) struct DataKey(Arc<Keys>);

struct Keys {
    /// Seals and opens.
    cipher: Aes256Gcm,
    /// What the keys of hashes are derived from.
    hashing: Key,
}

impl DataKey {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let cipher = crypto::cipher(&crypto::derive(key, "pqh data key: seal"));
        Self(Arc::new(Keys { cipher, hashing: crypto::derive(key, "pqh data key: hash") }))
    }

    /// Seals a secret for the row that `identity` names: it opens there and nowhere else.
    pub(crate) fn seal(&self, identity: &str, secret: &SecretString) -> Result<String, VaultError> {
        crypto::seal(&self.0.cipher, identity, secret.expose_secret().as_bytes())
    }

    /// Opens what was sealed for this row.
    pub(crate) fn open(&self, identity: &str, sealed: &str) -> Result<SecretString, VaultError> {
        let bytes = crypto::open(&self.0.cipher, identity, sealed)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| VaultError::Format { identity: identity.to_owned() })?;
        // A copy of exactly its size: made into a box it does not move, and leaves nothing behind.
        Ok(SecretString::from(text.to_owned()))
    }

    /// A hash that only this organization's key makes, in hex; each purpose has a key of its own.
    pub(crate) fn keyed_hash(&self, purpose: &str, parts: &[&[u8]]) -> String {
        crypto::keyed_hash(&self.0.hashing, purpose, parts)
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DataKey(..)")
    }
}
