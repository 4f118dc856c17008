//! Which tokens are good. Those that were found good are remembered, so that a request costs no query.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use subtle::ConstantTimeEq as _;

use super::{Role, token};
use crate::store::{self, Store, StoreError};

/// What a good token stands for.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) organization: Option<String>,
    hash: token::Hash,
}

impl Facts {
    /// Whether `text` is this token; takes as long for a near miss as for a far one.
    fn is(&self, text: &str) -> bool {
        token::hash(text).ct_eq(&self.hash).into()
    }
}

/// The good tokens.
#[derive(Default)]
pub(crate) struct Tokens(RwLock<Remembered>);

#[derive(Default)]
struct Remembered {
    good: HashMap<String, Arc<Facts>>,
    /// Counts what was forgotten: a look-up that began before must not be remembered after.
    forgotten: u64,
}

impl Tokens {
    /// The remembered token that `text` is.
    pub(super) fn known(&self, id: &str, text: &str) -> Option<Arc<Facts>> {
        let remembered = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let facts = remembered.good.get(id).map(Arc::clone)?;
        drop(remembered);
        facts.is(text).then_some(facts)
    }

    /// Looks for the token that `text` is, and remembers it.
    pub(super) async fn look_up(&self, store: &Store, id: &str, text: &str) -> Result<Option<Arc<Facts>>, StoreError> {
        let began = self.0.read().unwrap_or_else(PoisonError::into_inner).forgotten;
        let Some(row) = store::tokens::find(store.readers(), id).await? else { return Ok(None) };
        let mut hash = token::Hash::default();
        let Some(role) = Role::from_name(&row.role) else { return Ok(None) };
        if row.revoked_at.is_some() || hex::decode_to_slice(&row.hash, &mut hash).is_err() {
            return Ok(None);
        }
        let facts = Arc::new(Facts { id: row.id, name: row.name, role, organization: row.organization_id, hash });
        if !facts.is(text) {
            return Ok(None);
        }
        let mut remembered = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if remembered.forgotten == began {
            remembered.good.insert(facts.id.clone(), Arc::clone(&facts));
        }
        drop(remembered);
        Ok(Some(facts))
    }

    /// Forgets one that was revoked.
    pub(crate) fn forget(&self, id: &str) {
        let mut remembered = self.0.write().unwrap_or_else(PoisonError::into_inner);
        remembered.forgotten = remembered.forgotten.wrapping_add(1);
        remembered.good.remove(id);
    }
}
