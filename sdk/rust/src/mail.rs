//! Mail, through the relay that the host's operator configured.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::Failure;
use crate::bindings::pyqueryhub::notify::outbound_mail as wit;
pub use wit::{ErrorKind, Refusal, Sent};

/// A mail in the making. Sender, date and identity are the host's.
#[derive(Debug, Clone)]
#[must_use = "a mail goes nowhere until it is sent"]
pub struct Mail {
    raw: wit::Message,
}

impl Mail {
    /// A mail to these addresses: each must be granted to the component.
    pub fn to(addresses: &[String]) -> Self {
        let raw = wit::Message {
            to: addresses.to_vec(),
            subject: String::new(),
            text: String::new(),
            html: None,
            conversation: None,
        };
        Self { raw }
    }

    /// What a list of mail shows. One line.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.raw.subject = subject.into();
        self
    }

    /// The body as plain text.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.raw.text = text.into();
        self
    }

    /// The same as HTML, for those who read that.
    pub fn html(mut self, html: impl Into<String>) -> Self {
        self.raw.html = Some(html.into());
        self
    }

    /// Mail with the same key is one conversation.
    pub fn conversation(mut self, key: Option<&str>) -> Self {
        self.raw.conversation = key.map(ToOwned::to_owned);
        self
    }

    /// Hands it to the relay. Addresses that the relay refused for good are in [`Sent::refused`]; the others have it.
    pub fn send(self) -> Result<Sent, Error> {
        crate::gate::send_mail(&self.raw).map_err(Error::from)
    }
}

/// Asks the relay whether it takes mail for these addresses, and sends none. Answers those that it refuses for good.
pub fn verify(addresses: &[String]) -> Result<Vec<Refusal>, Error> {
    crate::gate::verify_mail(addresses).map_err(Error::from)
}

/// "bo@example.com (550 5.1.1 no such user)", for each.
pub fn named(refused: &[Refusal]) -> String {
    let named = |Refusal { address, reason }: &Refusal| format!("{address} ({reason})");
    refused.iter().map(named).collect::<Vec<_>>().join(", ")
}

/// There was no mail, or nobody knows. Becomes a [`Failure`] by `?`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Why.
    pub kind: ErrorKind,
    /// The host's words.
    pub message: String,
}

impl From<wit::Error> for Error {
    fn from(wit::Error { kind, message }: wit::Error) -> Self {
        Self { kind, message }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl core::error::Error for Error {}

impl From<Error> for Failure {
    fn from(Error { kind, message }: Error) -> Self {
        match kind {
            // Mended by the operator or in the settings, and everything that waits can go out then.
            ErrorKind::Denied => Self::unreachable("mail_denied", format!("This mail is not allowed here: {message}"))
                .remedy("Correct the channel's addresses, or ask the operator to allow them."),
            ErrorKind::Rejected => Self::rejected("mail_rejected", format!("The mail was refused for good: {message}"))
                .remedy(
                    "Read what the relay said; if it is about the message's content, report it to PyQueryHub support.",
                ),
            ErrorKind::Unreachable => Self::unreachable(
                "no_recipient",
                format!("No mail can be delivered to any of the addresses: {message}"),
            )
            .remedy("Correct the channel's addresses."),
            ErrorKind::Unavailable => {
                Self::unavailable("mail_unavailable", format!("The mail could not go out now: {message}")).remedy(
                    "A delivery is tried again by itself. If it lasts, ask the operator to look at the mail relay.",
                )
            }
            ErrorKind::UnknownOutcome => {
                Self::unknown_outcome("mail_unconfirmed", format!("The mail may have gone out: {message}"))
                    .remedy("Look whether the mail is there before sending it again.")
            }
        }
    }
}
