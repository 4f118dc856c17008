//! The audit log: every change with time, who, from where, what, before and after. Each chain (one of every organization,
//! and the operators' own) is held together by keyed hashes, and its end by a seal.

mod verify;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::clock::Millis;
use crate::store::audit::{self, AuditRow, HeadRow};
use crate::store::{Connection, StoreError};
use crate::vault::DataKey;

/// The chain of what belongs to no organization.
pub(crate) use crate::vault::OPERATOR;
pub(crate) use verify::{Verdict, VerifyError, verify};

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Actor {
    /// The token's id; null for the service itself and for who has its files at hand.
    pub(crate) token: Option<String>,
    /// The token's name.
    pub(crate) name: String,
    /// The token's role; `service`, or `local` for who has the service's files at hand.
    pub(crate) role: String,
}

impl Actor {
    /// The service itself.
    pub(crate) fn service() -> Self {
        Self { token: None, name: "service".to_owned(), role: "service".to_owned() }
    }

    /// A command that opens the database itself.
    pub(crate) fn local(command: &str) -> Self {
        Self { token: None, name: command.to_owned(), role: "local".to_owned() }
    }
}

/// What was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Object {
    /// `organization`, `token`, `member`, `channel`, `grant`, …
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) name: String,
}

impl Object {
    /// An object of that kind.
    pub(crate) fn new(kind: &str, id: &str, name: &str) -> Self {
        Self { kind: kind.to_owned(), id: id.to_owned(), name: name.to_owned() }
    }
}

/// A change.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// An organization's id, or [`OPERATOR`].
    pub(crate) chain: String,
    pub(crate) at: Millis,
    pub(crate) actor: Actor,
    /// The address that it came from; `local` for the service itself and for commands on its machine.
    pub(crate) source: String,
    /// `token.created`: kind and what happened.
    pub(crate) action: &'static str,
    pub(crate) object: Object,
    /// What it was; secrets as "changed".
    pub(crate) before: Option<Value>,
    /// What it is; secrets as "changed".
    pub(crate) after: Option<Value>,
}

/// Adds an entry to its chain, within the caller's transaction. `key` is the chain's: the organization's, or the operators'.
pub(crate) async fn append(connection: &mut Connection, key: &DataKey, entry: Entry) -> Result<(), StoreError> {
    let head = audit::head(&mut *connection, &entry.chain).await?;
    let (number, previous) = head.map_or((0, String::new()), |head| (head.number, head.hash));
    let mut row = AuditRow {
        chain: entry.chain,
        number: number.saturating_add(1),
        at: entry.at,
        actor: json(&entry.actor)?,
        source: entry.source,
        action: entry.action.to_owned(),
        object: json(&entry.object)?,
        before: entry.before.map(|value| value.to_string()),
        after: entry.after.map(|value| value.to_string()),
        hash: String::new(),
    };
    row.hash = hash(key, &previous, row.number, &row);
    audit::insert(connection, &row).await?;
    let seal = seal(key, &row.chain, row.number, &row.hash);
    audit::set_head(connection, &HeadRow { chain: row.chain, number: row.number, hash: row.hash, seal }).await
}

/// The hash of a row that stands at `number`, after the one whose hash is `previous`.
fn hash(key: &DataKey, previous: &str, number: i64, row: &AuditRow) -> String {
    let optional = |text: &Option<String>| text.as_ref().map_or_else(String::new, |text| format!("={text}"));
    key.keyed_hash(
        "audit",
        &[
            previous.as_bytes(),
            row.chain.as_bytes(),
            &number.to_be_bytes(),
            &row.at.to_be_bytes(),
            row.actor.as_bytes(),
            row.source.as_bytes(),
            row.action.as_bytes(),
            row.object.as_bytes(),
            optional(&row.before).as_bytes(),
            optional(&row.after).as_bytes(),
        ],
    )
}

/// What says that a chain ends here.
fn seal(key: &DataKey, chain: &str, number: i64, hash: &str) -> String {
    key.keyed_hash("audit-seal", &[chain.as_bytes(), &number.to_be_bytes(), hash.as_bytes()])
}

fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Statement { reason: error.to_string() })
}
