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

use crate::contract::outbound_mail::{Error, ErrorKind, Message, Refusal, Sent};
use crate::egress::{Exchange, LiveEgress};
use crate::gate::RESERVE;
use crate::gate::binding::Binding;
use crate::limits::Limits;
use crate::preview::PreviewedMail;
use crate::settings::SHORTEST_SECRET;

pub use config::{MailConfig, MailConfigError};
pub(crate) use progress::Progress;
pub use recipient::RecipientPattern;
pub(crate) use recipient::address;
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

/// The operator's to mend, as a relay that is down.
fn no_relay() -> Error {
    Error { kind: ErrorKind::Unavailable, message: NO_RELAY.to_owned() }
}

/// The host refused it.
pub(crate) fn denied(message: impl Into<String>) -> Error {
    Error { kind: ErrorKind::Denied, message: message.into() }
}

impl Post {
    pub(crate) fn new(config: MailConfig) -> Result<Self, String> {
        Ok(Self { relay: Relay::new(config.relay.clone())?, config })
    }

    /// Sends one mail of a component, the call's `number`th, or says why not.
    async fn send(
        &self,
        call: &mut LiveEgress,
        number: usize,
        message: &Message,
        to: &[Address],
    ) -> Result<Sent, Error> {
        let message_id = compose::message_id(&call.delivery, number, self.config.from.email.domain());
        let mail = call.progress.of(&message_id, now());
        let (left, date) = (mail.left(to), mail.date);
        let slot = call.wire.len();
        call.wire.push(Exchange { repeatable: false, sent: false, accepted: None });
        let sent = |refused| Ok(Sent { message_id: message_id.clone(), refused });
        if left.is_empty() {
            // An earlier attempt got so far, and no further.
            call.wire[slot].accepted = Some(true);
            return sent(Vec::new());
        }
        let bytes = compose::compose(message, &self.config.from, to, &message_id, date).map_err(denied)?;
        // From here on bytes may leave: the record must stand even if this future is dropped.
        call.wire[slot].sent = true;
        let handed = self.relay.send(&self.config.from.email, &left, &bytes, patience(call)).await;
        let mail = call.progress.of(&message_id, date);
        match handed {
            Ok(Handed { taken, refused, deferred }) => {
                call.wire[slot].accepted = Some(true);
                mail.taken.extend(taken);
                if deferred.is_empty() {
                    return sent(refused.into_iter().map(refusal).collect());
                }
                let have = to.len() - mail.left(to).len();
                let replies: Vec<String> =
                    deferred.iter().map(|late| format!("{} ({})", late.address, late.reply)).collect();
                let message = format!(
                    "{have} of {} addresses have the mail; the relay takes it later for {}",
                    to.len(),
                    replies.join(", ")
                );
                Err(Error { kind: ErrorKind::Unavailable, message })
            }
            Err(Trouble { kind: TroubleKind::UnknownOutcome, message, .. }) => {
                Err(Error { kind: ErrorKind::UnknownOutcome, message })
            }
            // Others have it already, and these never will.
            Err(Trouble { kind: TroubleKind::Rejected | TroubleKind::Unreachable, message, .. })
                if !mail.taken.is_empty() =>
            {
                call.wire[slot].accepted = Some(true);
                let refused = |address: Address| Refusal { address: address.to_string(), reason: message.clone() };
                sent(left.into_iter().map(refused).collect())
            }
            Err(Trouble { kind, message, .. }) => {
                // Nobody has it: that is as good as a whole answer.
                call.wire[slot].accepted = Some(false);
                Err(error(kind, message))
            }
        }
    }

    /// Asks the relay about addresses, and sends nothing. One that it takes later is as good as taken.
    async fn verify(&self, call: &mut LiveEgress, to: &[Address]) -> Result<Vec<Refusal>, Error> {
        call.wire.push(Exchange { repeatable: true, sent: false, accepted: None });
        match self.relay.verify(&self.config.from.email, to, patience(call)).await {
            Ok(Handed { refused, .. }) | Err(Trouble { refused, deferred: true, .. }) => {
                Ok(refused.into_iter().map(refusal).collect())
            }
            Err(Trouble { kind, message, .. }) => Err(error(kind, message)),
        }
    }
}

fn refusal(refused: relay::Refusal) -> Refusal {
    Refusal { address: refused.address.to_string(), reason: refused.reply }
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
    // Counted before all else, so that a mail is the same one whatever became of those before it.
    let number = call.mails;
    call.mails += 1;
    let to = admit(runtime.0.post.as_ref(), &call.binding, &runtime.0.limits, call.wire.len(), message)?;
    let post = runtime.0.post.as_ref().ok_or_else(no_relay)?;
    mask_password(post, call);
    post.send(call, number, message, &to).await.map_err(|error| masked(call, error))
}

/// Verifies for a call, where all that the host demands is kept.
pub(crate) async fn verify(call: &mut LiveEgress, to: &[String]) -> Result<Vec<Refusal>, Error> {
    let runtime = call.runtime.clone();
    let to = recipients(runtime.0.post.as_ref(), &call.binding, &runtime.0.limits, call.wire.len(), to)?;
    let post = runtime.0.post.as_ref().ok_or_else(no_relay)?;
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
        let address = recipient::address(text)
            .ok_or_else(|| denied(format!("{text:?} is no e-mail address such as `ada@example.com`")))?;
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
        return Err(no_relay());
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
