//! Goes through a chain, and says which row is not what it was.

use crate::store::audit::{self, AuditRow, HeadRow};
use crate::store::{self, Connection, Store, StoreError};
use crate::vault::{DataKey, Vault, VaultError};

use super::{OPERATOR, hash, seal};

/// Rows that are read at once.
const PAGE: i64 = 500;

/// What became of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing was changed. The head is worth keeping elsewhere: only with it a later check can tell that the whole database
    /// was put back to an older state.
    Intact { rows: i64, head: String },
    /// Something was.
    Broken(Fault),
}

/// What is wrong with a chain, at its first row where something is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("row {number} was changed after it was written")]
    Changed { number: i64 },
    #[error("row {number} is missing: it was deleted")]
    Missing { number: i64 },
    #[error("row {number} stood at {original} when it was written: rows were reordered")]
    Moved { number: i64, original: i64 },
    #[error("the rows end at {last}, but {sealed} were written: the last were cut off")]
    Cut { last: i64, sealed: i64 },
    #[error("the rows go on to {last}, but only {sealed} were sealed: rows were added, or the end was put back")]
    Unsealed { last: i64, sealed: i64 },
    #[error("the record of the chain's end was changed, which hides rows that were cut off")]
    Seal,
    #[error("the record of the chain's end is missing, which hides rows that were cut off")]
    NoSeal,
    #[error("no row has the hash {head}: the database was put back to an older state, or the head is another chain's")]
    HeadUnknown { head: String },
}

/// Why a chain could not be gone through.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyError {
    #[error("there is no organization {0:?}")]
    UnknownChain(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl From<sqlx::Error> for VerifyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Goes through a chain: an organization's id or [`OPERATOR`]. `head` is a hash that the chain is known to have had.
pub(crate) async fn verify(
    store: &Store,
    vault: &Vault,
    chain: &str,
    head: Option<&str>,
) -> Result<Verdict, VerifyError> {
    // One transaction sees one state, whoever writes meanwhile.
    let mut reading = store.readers().begin().await?;
    let wrapped = if chain == OPERATOR {
        store::organizations::meta(&mut *reading, store::organizations::OPERATOR_KEY).await?
    } else {
        store::organizations::find(&mut *reading, chain).await?.map(|row| row.data_key)
    };
    let wrapped = wrapped.ok_or_else(|| VerifyError::UnknownChain(chain.to_owned()))?;
    let key = vault.data_key(chain, &wrapped)?;
    let result = go_through(&mut reading, &key, chain, head).await?;
    Ok(match result {
        Ok((rows, head)) => Verdict::Intact { rows, head },
        Err(fault) => Verdict::Broken(fault),
    })
}

async fn go_through(
    connection: &mut Connection,
    key: &DataKey,
    chain: &str,
    expected: Option<&str>,
) -> Result<Result<(i64, String), Fault>, StoreError> {
    let (mut last, mut previous, mut seen) = (0, String::new(), false);
    loop {
        let page = audit::following(&mut *connection, chain, last, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for row in page {
            let number = last + 1;
            if row.number != number {
                return Ok(Err(Fault::Missing { number }));
            }
            if hash(key, &previous, number, &row) != row.hash {
                return Ok(Err(changed_or_moved(connection, key, &row).await?));
            }
            seen = seen || expected == Some(row.hash.as_str());
            (last, previous) = (number, row.hash);
        }
    }
    let sealed = audit::head(&mut *connection, chain).await?;
    if let Some(fault) = end_fault(key, chain, sealed, last, &previous) {
        return Ok(Err(fault));
    }
    Ok(match expected {
        Some(head) if !seen => Err(Fault::HeadUnknown { head: head.to_owned() }),
        _ => Ok((last, previous)),
    })
}

/// Whether the record of the chain's end fits its rows.
fn end_fault(key: &DataKey, chain: &str, sealed: Option<HeadRow>, last: i64, hash: &str) -> Option<Fault> {
    let Some(sealed) = sealed else { return Some(Fault::NoSeal) };
    if seal(key, chain, sealed.number, &sealed.hash) != sealed.seal {
        return Some(Fault::Seal);
    }
    match last.cmp(&sealed.number) {
        std::cmp::Ordering::Less => Some(Fault::Cut { last, sealed: sealed.number }),
        std::cmp::Ordering::Greater => Some(Fault::Unsealed { last, sealed: sealed.number }),
        std::cmp::Ordering::Equal => (sealed.hash != hash).then_some(Fault::Seal),
    }
}

/// A row whose hash does not fit was changed, unless it fits another place of the chain.
async fn changed_or_moved(connection: &mut Connection, key: &DataKey, row: &AuditRow) -> Result<Fault, StoreError> {
    let hashes = audit::hashes(connection, &row.chain).await?;
    let mut before = "";
    for (original, at) in &hashes {
        // Of two neighbours that changed places, the first is followed by the one that it stood behind.
        let fits = |previous: &str| hash(key, previous, *original, row) == row.hash;
        if *original != row.number && (fits(before) || fits(at)) {
            return Ok(Fault::Moved { number: row.number, original: *original });
        }
        before = at;
    }
    Ok(Fault::Changed { number: row.number })
}
