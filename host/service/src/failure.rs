//! A failure as the API tells it and the database keeps it.

use pqh_runtime::contract::types::{Failure, FailureKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why something did not work: for the service by its kind, for people by its texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct FailureBody {
    /// "throttled", "unavailable", "unknown-outcome", "rejected", "unreachable" or "unauthorized".
    pub(crate) kind: String,
    /// The other side's own word.
    pub(crate) code: String,
    /// What it means.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) remedy: String,
    /// The setting to blame, where it is one.
    pub(crate) field: Option<String>,
    /// How long the other side asked to be left alone.
    pub(crate) retry_after_ms: Option<u64>,
}

impl From<&Failure> for FailureBody {
    fn from(failure: &Failure) -> Self {
        let Failure { kind, code, message, remedy, field, retry_after, attributes: _ } = failure.clone();
        let kind = kind_name(kind).to_owned();
        Self { kind, code, message, remedy, field, retry_after_ms: retry_after }
    }
}

impl FailureBody {
    /// A failure that the service itself found.
    pub(crate) fn ours(kind: FailureKind, code: &str, message: String, remedy: &str) -> Self {
        Self {
            kind: kind_name(kind).to_owned(),
            code: code.to_owned(),
            message,
            remedy: remedy.to_owned(),
            field: None,
            retry_after_ms: None,
        }
    }

    /// As the database keeps it.
    pub(crate) fn json(&self) -> String {
        // Texts and numbers alone: it cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// As components say it.
    pub(crate) fn failure(self) -> Failure {
        let Self { kind, code, message, remedy, field, retry_after_ms } = self;
        Failure { field, retry_after: retry_after_ms, ..Failure::new(kind_named(&kind), code, message, remedy) }
    }

    /// What the database kept.
    pub(crate) fn read(kept: &str) -> Option<Self> {
        serde_json::from_str(kept).ok()
    }
}

/// What a kind is called.
pub(crate) fn kind_name(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Throttled => "throttled",
        FailureKind::Unavailable => "unavailable",
        FailureKind::UnknownOutcome => "unknown-outcome",
        FailureKind::Rejected => "rejected",
        FailureKind::Unreachable => "unreachable",
        FailureKind::Unauthorized => "unauthorized",
    }
}

/// The kind that is called so.
fn kind_named(name: &str) -> FailureKind {
    use FailureKind::{Rejected, Throttled, Unauthorized, Unavailable, UnknownOutcome, Unreachable};
    let all = [Throttled, Unavailable, UnknownOutcome, Rejected, Unreachable, Unauthorized];
    all.into_iter().find(|kind| kind_name(*kind) == name).unwrap_or(Rejected)
}
