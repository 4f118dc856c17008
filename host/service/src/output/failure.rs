//! A failure as one reads it: kind and code, what it means, what to do.

use super::clean;
use crate::client::wire;

/// A failure's parts, whether a component told it here or a service there.
pub(super) struct Told<'a> {
    pub(super) kind: &'a str,
    pub(super) code: &'a str,
    pub(super) message: &'a str,
    pub(super) remedy: &'a str,
    pub(super) field: Option<&'a str>,
    pub(super) retry_after_ms: Option<u64>,
}

impl<'a> From<&'a wire::Failure> for Told<'a> {
    fn from(failure: &'a wire::Failure) -> Self {
        Self {
            kind: &failure.kind,
            code: &failure.code,
            message: &failure.message,
            remedy: &failure.remedy,
            field: failure.field.as_deref(),
            retry_after_ms: failure.retry_after_ms,
        }
    }
}

/// The failure as lines.
pub(super) fn text(failure: &Told) -> String {
    let mut lines = vec![format!("{}: {}", failure.kind, failure.code)];
    if !failure.message.is_empty() {
        lines.push(format!("What it means: {}", failure.message));
    }
    if !failure.remedy.is_empty() {
        lines.push(format!("What to do: {}", failure.remedy));
    }
    if let Some(field) = failure.field {
        lines.push(format!("Setting to blame: {field}"));
    }
    if let Some(milliseconds) = failure.retry_after_ms {
        lines.push(format!("Not again before: {} s", milliseconds.div_ceil(1000)));
    }
    clean(&lines.join("\n"))
}
