//! What answers mean: a service's own words by a table, and what HTTP's statuses mean to every service.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use crate::http::Answer;
use crate::text::{one_line, truncate};
use crate::{Failure, FailureKind};

/// What people are told where nobody has to do anything.
pub const RETRIED: &str = "PyQueryHub automatically tries again, no action needed.";

/// What one of a service's own words for a failure means.
#[derive(Debug, Clone, Copy)]
pub struct Meaning {
    /// The word, which becomes the failure's code.
    pub word: &'static str,
    /// What the host does about it.
    pub kind: FailureKind,
    /// What it means, to an administrator.
    pub message: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

impl Meaning {
    /// For tables: one in a line.
    pub const fn new(word: &'static str, kind: FailureKind, message: &'static str, remedy: &'static str) -> Self {
        Self { word, kind, message, remedy }
    }

    /// The meaning of a word.
    pub fn find<'a>(table: &'a [Self], word: &str) -> Option<&'a Self> {
        table.iter().find(|meaning| meaning.word == word)
    }

    /// The failure that it is.
    pub fn failure(&self) -> Failure {
        Failure::new(self.kind, self.word, self.message).remedy(self.remedy)
    }
}

impl Answer {
    /// What a status says by itself, where the service said nothing more exact: 429 is `throttled`, 408 and 5xx are
    /// `unavailable`, all else is `rejected`. `service` is what people call it: "Teams".
    pub fn refusal(&self, service: &str) -> Failure {
        let status = self.status();
        let code = format!("http_{status}");
        match status {
            429 => Failure::throttled("rate_limited", format!("{service} asks for rest: messages came too fast."))
                .remedy(RETRIED)
                .retry_after(self.retry_after()),
            300..=399 => Failure::rejected(
                "redirected",
                format!("{service} answered with a redirect (HTTP {status}), which is never followed."),
            )
            .remedy("Check the address: copy it again from where it was made, and update the PyQueryHub notification channel."),
            408 | 500..=599 => Failure::unavailable(
                code,
                match status {
                    503 => format!("{service} is unavailable: temporary downtime (HTTP 503)."),
                    _ => format!("{service} has an internal problem (HTTP {status})."),
                },
            )
            .remedy(RETRIED)
            .retry_after(self.retry_after()),
            _ => Failure::rejected(code, format!("{service} refused the message with HTTP {status}{}.", self.said()))
                .remedy("Contact PyQueryHub support with this error."),
        }
    }

    /// ": " and the start of what the service said, for people; nothing where it said nothing.
    pub fn said(&self) -> String {
        let text = one_line(&self.text());
        if text.is_empty() { String::new() } else { format!(": {}", truncate(&text, 80, "…")) }
    }

    /// The body, trimmed, where it is short enough to be a word; else nothing.
    pub fn word(&self) -> String {
        if self.bytes().len() > 100 { String::new() } else { self.text().trim().to_owned() }
    }
}
