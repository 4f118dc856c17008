//! What a relay said to a command, and what that means.

use std::error::Error as _;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::response::{Response, Severity};

use crate::text::line;

/// The most characters of a reply that anybody sees, without the mark of the cut.
const SHOWN: usize = 199;

/// Why a command did not succeed.
#[derive(Debug)]
pub(super) enum Failed {
    /// The relay said no.
    Refused(Reply),
    /// There is no answer that could be understood. The text is for people.
    Broken(String),
}

/// A reply that says no.
#[derive(Debug)]
pub(super) struct Reply {
    code: u16,
    text: String,
}

impl Reply {
    /// Of its code and its lines, joined.
    pub(super) fn new(code: u16, text: String) -> Self {
        Self { code, text }
    }

    /// Code and text in one line, fit for people.
    pub(super) fn line(&self) -> String {
        line(&format!("{} {}", self.code, self.text), SHOWN).trim_end().to_owned()
    }

    /// Whether the same may succeed later.
    pub(super) fn transient(&self) -> bool {
        self.code < 500
    }

    /// Whether the relay ends the connection with it.
    pub(super) fn closing(&self) -> bool {
        self.code == 421
    }

    /// Whether it says that there is no such address. 5.1.7 and 5.1.8 speak of the sender's.
    pub(super) fn unknown_address(&self) -> bool {
        match self.enhanced() {
            Some((5, 1, detail)) => !matches!(detail, 7 | 8),
            Some(enhanced) => enhanced == (5, 2, 1),
            None => matches!(self.code, 550 | 551 | 553) && !self.of_us(),
        }
    }

    /// Whether it speaks of what this host or its sender may do (RFC 3463: X.7.1 and its kin, 5.1.7 and 5.1.8), which only
    /// the operator can mend: "554 5.7.1 Relay access denied".
    pub(super) fn of_us(&self) -> bool {
        const WORDS: [&str; 4] = ["relay", "sender", "authentication required", "not permitted"];
        match self.enhanced() {
            Some((5, 7, _) | (5, 1, 7 | 8)) => true,
            Some(_) => false,
            None => {
                let text = self.text.to_ascii_lowercase();
                matches!(self.code, 530 | 535) || WORDS.iter().any(|word| text.contains(word))
            }
        }
    }

    /// The enhanced code (RFC 3463) that the text begins with.
    fn enhanced(&self) -> Option<(u16, u16, u16)> {
        let mut numbers = self.text.split_whitespace().next()?.split('.').map(|part| part.parse().ok());
        let code = (numbers.next()??, numbers.next()??, numbers.next()??);
        numbers.next().is_none().then_some(code)
    }
}

impl Failed {
    /// With all of `secrets` taken out: some relays repeat what they did not understand.
    pub(super) fn without(self, secrets: &[String]) -> Self {
        let hide = |text: String| {
            secrets.iter().filter(|secret| !secret.is_empty()).fold(text, |text, secret| text.replace(secret, "***"))
        };
        match self {
            Self::Refused(Reply { code, text }) => Self::Refused(Reply { code, text: hide(text) }),
            Self::Broken(text) => Self::Broken(hide(text)),
        }
    }

    /// In one line, fit for people.
    pub(super) fn line(&self) -> String {
        match self {
            Self::Refused(reply) => reply.line(),
            Self::Broken(text) => line(text, SHOWN),
        }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        let cause = error.source().map(ToString::to_string);
        match error.status() {
            Some(code) => Self::Refused(Reply::new(code.into(), cause.unwrap_or_default())),
            None => Self::Broken(cause.unwrap_or_else(|| error.to_string())),
        }
    }
}

/// Whether the relay said yes in the way that is `wanted` here: lettre takes each 2xx and 3xx for a yes.
pub(super) fn agreed(answer: Result<Response, Error>, wanted: Severity) -> Result<(), Failed> {
    let answer = answer?;
    if answer.code().severity == wanted {
        return Ok(());
    }
    Err(Failed::Broken(format!("it answered {} where that has no meaning", answer.code())))
}
