//! The organizations' data keys, unwrapped once and kept in memory.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use crate::audit::OPERATOR;
use crate::store::organizations::{self, OPERATOR_KEY};
use crate::store::{Store, StoreError};
use crate::vault::{DataKey, Vault, VaultError};

/// Why a key cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("there is no data key of {0:?}")]
    Unknown(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// The keys.
pub(crate) struct Keys {
    store: Store,
    vault: Vault,
    unwrapped: RwLock<HashMap<String, DataKey>>,
}

impl Keys {
    /// Of that database.
    pub(crate) fn new(store: Store, vault: Vault) -> Self {
        Self { store, vault, unwrapped: RwLock::default() }
    }

    /// The key of an organization, or of the operators' chain ([`OPERATOR`]).
    pub(crate) async fn of(&self, id: &str) -> Result<DataKey, KeyError> {
        if let Some(key) = self.unwrapped.read().unwrap_or_else(PoisonError::into_inner).get(id) {
            return Ok(key.clone());
        }
        let wrapped = if id == OPERATOR {
            organizations::meta(self.store.readers(), OPERATOR_KEY).await?
        } else {
            organizations::find(self.store.readers(), id).await?.map(|row| row.data_key)
        };
        let wrapped = wrapped.ok_or_else(|| KeyError::Unknown(id.to_owned()))?;
        let key = self.vault.data_key(id, &wrapped)?;
        self.unwrapped.write().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), key.clone());
        Ok(key)
    }

    /// The key of the operators' chain.
    pub(crate) async fn operator(&self) -> Result<DataKey, KeyError> {
        self.of(OPERATOR).await
    }
}
