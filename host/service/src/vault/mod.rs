//! Keeps secrets: a data key for each organization, wrapped by the master key. What is sealed is bound to the row that it
//! belongs to.

mod crypto;
mod data_key;
mod error;
mod master;

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

pub(crate) use data_key::DataKey;
pub(crate) use error::VaultError;
pub(crate) use master::MasterKey;

use crypto::Key;

/// The id under which the operator's data key is kept, beside those of organizations.
pub(crate) const OPERATOR: &str = "operator";

/// Wraps and unwraps data keys. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Vault(Arc<Keys>);

struct Keys {
    /// Wraps data keys.
    wrapping: Key,
    fingerprint: String,
}

impl Vault {
    /// The master key itself is gone after this: what is derived of it does all the work.
    pub(crate) fn new(master: MasterKey) -> Self {
        let MasterKey(master) = master;
        let wrapping = crypto::derive(&master, "pqh master key: wrap data keys");
        let fingerprint = crypto::keyed_hash(&master, "pqh master key: fingerprint", &[]);
        Self(Arc::new(Keys { wrapping, fingerprint }))
    }

    /// Tells one master key from another, and nothing else of it. The database keeps it.
    pub(crate) fn fingerprint(&self) -> String {
        self.0.fingerprint.clone()
    }

    /// A new data key, and the same wrapped, as the database keeps it.
    pub(crate) fn new_data_key(&self, organization: &str) -> Result<(DataKey, String), VaultError> {
        let key = crypto::random_key()?;
        let wrapped = self.wrap(organization, &key)?;
        Ok((DataKey::new(&key), wrapped))
    }

    /// The data key that was wrapped for this organization.
    pub(crate) fn data_key(&self, organization: &str, wrapped: &str) -> Result<DataKey, VaultError> {
        Ok(DataKey::new(&*self.unwrap(organization, wrapped)?))
    }

    /// The same data key, wrapped by this master key in place of the old one.
    pub(crate) fn rewrap(&self, old: &Self, organization: &str, wrapped: &str) -> Result<String, VaultError> {
        self.wrap(organization, &*old.unwrap(organization, wrapped)?)
    }

    fn wrap(&self, organization: &str, key: &[u8; 32]) -> Result<String, VaultError> {
        crypto::seal(&crypto::cipher(&self.0.wrapping), &identity(organization), key)
    }

    fn unwrap(&self, organization: &str, wrapped: &str) -> Result<Key, VaultError> {
        let opened = crypto::open(&crypto::cipher(&self.0.wrapping), &identity(organization), wrapped);
        let bytes = opened.map_err(|_| VaultError::Wrapped { organization: organization.to_owned() })?;
        let mut key = Zeroizing::new([0; 32]);
        if bytes.len() != key.len() {
            return Err(VaultError::Wrapped { organization: organization.to_owned() });
        }
        key.copy_from_slice(&bytes);
        Ok(key)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Vault(..)")
    }
}

fn identity(organization: &str) -> String {
    format!("data key of {organization}")
}

#[cfg(test)]
mod tests;
