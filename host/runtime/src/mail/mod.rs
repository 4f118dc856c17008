//! Mail: composed by components, checked against their grants, and handed to the relay that the operator configured.

mod compose;
mod config;
mod dial;
#[cfg(test)]
mod peer;
mod progress;
mod recipient;
mod relay;
mod reply;
mod talk;
mod wire;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lettre::Address;
use secrecy::ExposeSecret as _;

use crate::contract::outbound_mail::{Error, ErrorKind, Message, Sent};
use crate::egress::{Exchange, LiveEgress};
use crate::gate::RESERVE;
use crate::gate::binding::Binding;
use crate::limits::Limits;
use crate::preview::PreviewedMail;
use crate::settings::SHORTEST_SECRET;

pub use config::{MailConfig, MailConfigError};
pub(crate) use progress::Progress;
pub use recipient::RecipientPattern;
pub use relay::MailTls;
use relay::{Handed, Relay, Trouble, TroubleKind};

/// What is said where there is no relay.
const NO_RELAY: &str =
    "this host has no mail relay: its operator has to name one and a sender (for the service: [mail] in pqh.toml)";

/// Hands mail to the relay. One for all components; connections are shared.
pub(crate) struct Post {
    config: MailConfig,
    relay: Relay,
}

/// The host refused it.
pub(crate) fn denied(message: impl Into<String>) -> Error {
    Error { kind: ErrorKind::Denied, message: message.into() }
}

impl Post {
    pub(crate) fn new(config: MailConfig) -> Result<Self, String> {
        Ok(Self { relay: Relay::new(config.relay.clone())?, config })
    }

    /// Sends one mail of a component, or says why not.
    async fn send(&self, call: &mut LiveEgress, message: &Message, to: &[Address]) -> Result<Sent, Error> {
        let number = call.mails;
        call.mails += 1;
        let message_id = compose::message_id(&call.delivery, number, self.config.from.email.domain());
        let mail = call.progress.of(&message_id, now());
        let left = mail.left(to);
        let slot = call.wire.len();
        call.wire.push(Exchange { repeatable: false, sent: false, accepted: None });
        if left.is_empty() {
            // An earlier attempt got so far, and no further.
            return settled(call, slot, &message_id, "no address is left to send it to");
        }
        let bytes = compose::compose(message, &self.config.from, to, &message_id, mail.date).map_err(denied)?;
        // From here on bytes may leave: the record must stand even if this future is dropped.
        call.wire[slot].sent = true;
        let handed = self.relay.send(&self.config.from.email, &left, &bytes, patience(call)).await;
        match handed {
            Ok(Handed { taken, refused, deferred }) => {
                call.wire[slot].accepted = Some(true);
                call.progress.of(&message_id, now()).note(taken, &refused);
                if deferred.is_empty() {
                    return settled(call, slot, &message_id, "");
                }
                let replies: Vec<String> =
                    deferred.iter().map(|late| format!("{} ({})", late.address, late.reply)).collect();
                let message = format!(
                    "{} of {} addresses have the mail, and the relay takes it later for the others: {}",
                    to.len() - deferred.len(),
                    to.len(),
                    replies.join("; ")
                );
                Err(Error { kind: ErrorKind::Unavailable, message })
            }
            Err(Trouble { kind: TroubleKind::UnknownOutcome, message, .. }) => {
                Err(Error { kind: ErrorKind::UnknownOutcome, message })
            }
            Err(Trouble { kind, message, refused }) => {
                // Nobody has it: that is as good as a whole answer.
                call.wire[slot].accepted = Some(false);
                let mail = call.progress.of(&message_id, now());
                if kind != TroubleKind::Rejected {
                    mail.note(Vec::new(), &refused);
                }
                if !mail.taken.is_empty() && mail.left(to).is_empty() {
                    return settled(call, slot, &message_id, &message);
                }
                Err(error(kind, message))
            }
        }
    }

    /// Asks the relay about addresses, and sends nothing.
    async fn verify(&self, call: &mut LiveEgress, to: &[Address]) -> Result<Vec<String>, Error> {
        call.wire.push(Exchange { repeatable: true, sent: false, accepted: None });
        match self.relay.verify(&self.config.from.email, to, patience(call)).await {
            Ok(Handed { refused, .. }) => Ok(refused.iter().map(|refusal| refusal.address.to_string()).collect()),
            Err(Trouble { kind, message, .. }) => Err(error(kind, message)),
        }
    }
}

/// Everybody has it, or never will.
fn settled(call: &mut LiveEgress, slot: usize, message_id: &str, message: &str) -> Result<Sent, Error> {
    let mail = call.progress.of(message_id, 0);
    let refused = mail.refused.iter().map(ToString::to_string).collect();
    call.wire[slot].accepted = Some(!mail.taken.is_empty());
    if mail.taken.is_empty() {
        return Err(Error { kind: ErrorKind::Unreachable, message: message.to_owned() });
    }
    Ok(Sent { message_id: message_id.to_owned(), refused })
}

fn error(kind: TroubleKind, message: String) -> Error {
    let kind = match kind {
        TroubleKind::Rejected => ErrorKind::Rejected,
        TroubleKind::Unreachable => ErrorKind::Unreachable,
        TroubleKind::Unavailable => ErrorKind::Unavailable,
        TroubleKind::UnknownOutcome => ErrorKind::UnknownOutcome,
    };
    Error { kind, message }
}

fn patience(call: &LiveEgress) -> Duration {
    call.deadline.saturating_duration_since(Instant::now()).saturating_sub(RESERVE)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Sends for a call, where all that the host demands is kept.
pub(crate) async fn send(call: &mut LiveEgress, message: &Message) -> Result<Sent, Error> {
    let runtime = call.runtime.clone();
    let to = admit(runtime.0.post.as_ref(), &call.binding, &runtime.0.limits, call.wire.len(), message)?;
    let post = runtime.0.post.as_ref().ok_or_else(|| denied(NO_RELAY))?;
    mask_password(post, call);
    post.send(call, message, &to).await.map_err(|error| masked(call, error))
}

/// Verifies for a call, where all that the host demands is kept.
pub(crate) async fn verify(call: &mut LiveEgress, to: &[String]) -> Result<Vec<String>, Error> {
    let runtime = call.runtime.clone();
    let to = recipients(runtime.0.post.as_ref(), &call.binding, &runtime.0.limits, call.wire.len(), to)?;
    let post = runtime.0.post.as_ref().ok_or_else(|| denied(NO_RELAY))?;
    mask_password(post, call);
    post.verify(call, &to).await.map_err(|error| masked(call, error))
}

/// What would be sent, and why it would not.
pub(crate) fn preview(
    post: Option<&Post>,
    binding: &Binding,
    limits: &Limits,
    before: usize,
    message: &Message,
) -> (PreviewedMail, Result<(), Error>) {
    let verdict = admit(post, binding, limits, before, message).map(drop);
    let Message { to, subject, text, html, conversation } = message.clone();
    let mail = PreviewedMail {
        from: post.map(|post| post.config.from.to_string()),
        to,
        subject,
        text,
        html,
        conversation,
        verdict: verdict.as_ref().map_or_else(|error| error.message.clone(), |()| "allowed".to_owned()),
    };
    (mail, verdict)
}

fn admit(
    post: Option<&Post>,
    binding: &Binding,
    limits: &Limits,
    before: usize,
    message: &Message,
) -> Result<Vec<Address>, Error> {
    let Message { to, subject, text, html, conversation } = message;
    if subject.chars().any(char::is_control) {
        return Err(denied("the subject holds a line break or another control character: it is one line"));
    }
    let bytes =
        [subject.len(), text.len(), html.as_ref().map_or(0, String::len), conversation.as_ref().map_or(0, String::len)];
    let bytes: usize = bytes.iter().sum();
    if bytes > limits.request_bytes {
        return Err(denied(format!("the mail has {bytes} bytes, and at most {} are taken", limits.request_bytes)));
    }
    recipients(post, binding, limits, before, to)
}

/// The addresses, each once, where the grant and the operator allow all of them.
fn recipients(
    post: Option<&Post>,
    binding: &Binding,
    limits: &Limits,
    before: usize,
    to: &[String],
) -> Result<Vec<Address>, Error> {
    if before >= limits.requests {
        return Err(denied(format!("more than {} requests and mails in one call", limits.requests)));
    }
    let mut addresses: Vec<Address> = Vec::with_capacity(to.len());
    for text in to {
        let address: Address = text
            .trim()
            .parse()
            .map_err(|_| denied(format!("{text:?} is no e-mail address such as `ada@example.com`")))?;
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err(denied("the mail has no address to go to"));
    }
    if addresses.len() > limits.recipients {
        return Err(denied(format!(
            "the mail has {} addresses, and at most {} are taken: use a distribution list",
            addresses.len(),
            limits.recipients
        )));
    }
    for address in &addresses {
        binding.allows_mail(address).map_err(denied)?;
        let domains = post.map(|post| post.config.domains.as_slice()).unwrap_or_default();
        if !domains.is_empty() && !domains.iter().any(|domain| domain.matches(address)) {
            let domains: Vec<String> = domains.iter().map(ToString::to_string).collect();
            return Err(denied(format!(
                "mail to {address} is not allowed by the operator of this host, only to {}",
                domains.join(", ")
            )));
        }
    }
    if post.is_none() {
        return Err(denied(NO_RELAY));
    }
    Ok(addresses)
}

fn mask_password(post: &Post, call: &mut LiveEgress) {
    // A shorter one stands in too much else.
    if let Some((_, password)) = &post.config.relay.credentials
        && password.expose_secret().chars().count() >= SHORTEST_SECRET
    {
        call.masks.add(password.expose_secret());
    }
}

fn masked(call: &LiveEgress, Error { kind, message }: Error) -> Error {
    Error { kind, message: call.masks.text(message) }
}
