//! Failures in one line each.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::http;
use crate::{Failure, FailureKind, Receipt};

impl Failure {
    /// A failure of any kind, with the service's own word and what it means to an administrator.
    pub fn new(kind: FailureKind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: code.into(),
            message: message.into(),
            remedy: String::new(),
            field: None,
            retry_after: None,
            attributes: Vec::new(),
        }
    }

    /// The service asks for rest.
    pub fn throttled(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(FailureKind::Throttled, code, message)
    }

    /// Passing trouble; surely not delivered.
    pub fn unavailable(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(FailureKind::Unavailable, code, message)
    }

    /// It may have been delivered.
    pub fn unknown_outcome(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(FailureKind::UnknownOutcome, code, message)
    }

    /// This message can never be delivered; the channel is fine.
    pub fn rejected(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(FailureKind::Rejected, code, message)
    }

    /// The target cannot be posted to until somebody acts.
    pub fn unreachable(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(FailureKind::Unreachable, code, message)
    }

    /// The credential is dead: somebody has to reconnect.
    pub fn unauthorized(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(FailureKind::Unauthorized, code, message)
    }

    /// What an administrator can do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// The key of the field to blame: a form shows the failure there.
    #[must_use]
    pub fn field(mut self, key: impl Into<String>) -> Self {
        self.field = Some(key.into());
        self
    }

    /// How long the service asked to be left alone, in milliseconds.
    #[must_use]
    pub fn retry_after(mut self, milliseconds: Option<u64>) -> Self {
        self.retry_after = milliseconds;
        self
    }
}

impl From<http::Error> for Failure {
    fn from(error: http::Error) -> Self {
        use http::ErrorKind::{Denied, Failed, Timeout, Unauthorized};
        let code = match error.kind {
            Denied => {
                return Self::rejected("denied", error.message)
                    .remedy("Ask the operator whether this plugin is granted what it needs.");
            }
            Unauthorized => {
                return Self::unauthorized("unauthorized", error.message)
                    .remedy("Fill in the channel's secret again, or reconnect it.");
            }
            Timeout => "timeout",
            Failed => "connection_failed",
        };
        if error.request_sent && !error.repeatable {
            Self::unknown_outcome(
                code,
                format!("No whole answer came back, so it may have been delivered: {}", error.message),
            )
            .remedy("Look whether the message is there before sending it again.")
        } else {
            Self::unavailable(code, format!("The service could not be reached: {}", error.message))
                .remedy("A delivery is tried again by itself. If it lasts, check the service's status and the network.")
        }
    }
}

impl Receipt {
    /// Delivered, with nothing further to say.
    pub fn new() -> Self {
        Self { reference: None, permalink: None, warnings: Vec::new(), attributes: Vec::new() }
    }

    /// What the component needs to find this message again. At most 4 KiB.
    #[must_use]
    pub fn reference(mut self, reference: impl Into<String>) -> Self {
        self.reference = Some(reference.into());
        self
    }

    /// Where people can see the message.
    #[must_use]
    pub fn permalink(mut self, url: impl Into<String>) -> Self {
        self.permalink = Some(url.into());
        self
    }

    /// What did not go as it should, though the message was delivered.
    #[must_use]
    pub fn warning(mut self, warning: impl Into<String>) -> Self {
        self.warnings.push(warning.into());
        self
    }
}

impl Default for Receipt {
    fn default() -> Self {
        Self::new()
    }
}
