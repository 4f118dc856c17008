//! What ends a command early, each with its exit code.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};

/// The fault that ends a command, before or beside the outcome of a delivery.
#[derive(Debug)]
pub(crate) struct CliError {
    /// Whether usage or input is at fault (exit code 2), or the work itself (exit code 1).
    pub(crate) blame: Blame,
    /// Stable, for programs: "bad-event".
    pub(crate) code: Cow<'static, str>,
    /// What was expected, what was found, what to do.
    pub(crate) message: String,
    /// Further members of the JSON error: the path, the fields, the flags.
    pub(crate) details: Value,
}

/// Who can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Blame {
    /// Whoever typed the command or wrote its input.
    Input,
    /// Nobody at the keyboard.
    Work,
}

impl CliError {
    /// Usage or input at fault.
    pub(crate) fn input(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { blame: Blame::Input, code: code.into(), message: message.into(), details: Value::Null }
    }

    /// The work failed.
    pub(crate) fn work(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { blame: Blame::Work, code: code.into(), message: message.into(), details: Value::Null }
    }

    /// Adds members for programs; an object.
    pub(crate) fn with(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    /// As `--json` prints it.
    pub(crate) fn to_json(&self) -> Value {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let (Value::Object(error), Value::Object(details)) = (&mut error, &self.details) {
            error.extend(details.clone());
        }
        json!({ "error": error })
    }
}
