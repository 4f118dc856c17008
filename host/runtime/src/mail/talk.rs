//! One conversation with the relay about one mail.

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::{Response, Severity};
use tokio::time::error::Elapsed;

use super::relay::{Handed, Refusal, Trouble, TroubleKind};
use super::reply::{Failed, agreed};

/// How far the conversation came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Sender,
    Addresses,
    Data,
    /// From here on, the relay may have the mail.
    Message,
}

/// Why a conversation did not reach its end.
pub(super) enum Stop {
    Failed(Failed),
    /// There is nothing to ask the relay.
    Unfit(TroubleKind, &'static str),
}

impl From<Failed> for Stop {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

/// The end of a conversation, or that there was no time for it.
type Ended = Result<Result<(), Stop>, Elapsed>;

/// A conversation. What it reached can be seen also when it was broken off.
pub(super) struct Talk<'a> {
    smtp: &'a mut AsyncSmtpConnection,
    step: Step,
    handed: Handed,
}

impl<'a> Talk<'a> {
    pub(super) fn new(smtp: &'a mut AsyncSmtpConnection) -> Self {
        Self { smtp, step: Step::Sender, handed: Handed::default() }
    }

    /// Without a mail: only asks who would be taken.
    pub(super) async fn run(&mut self, from: &Address, to: &[Address], mail: Option<&[u8]>) -> Result<(), Stop> {
        let parameters = self.parameters(from, to, mail.unwrap_or_default())?;
        let other_letters = self.smtp.server_info().supports_feature(Extension::SmtpUtfEight);
        agreed(self.smtp.command(Mail::new(Some(from.clone()), parameters)).await, Severity::PositiveCompletion)?;
        self.step = Step::Addresses;
        for address in to {
            if other_letters || is_ascii(address) {
                self.address(address).await?;
            } else {
                self.handed.refused.push(Refusal {
                    address: address.clone(),
                    reply: "the relay takes no addresses with other letters (no SMTPUTF8)".to_owned(),
                    unknown_address: false,
                    of_us: false,
                });
            }
        }
        match mail {
            // What it says to this changes nothing: it is asked again before the connection is used again.
            None => drop(self.smtp.command(Rset).await),
            Some(mail) if !self.handed.taken.is_empty() => self.message(mail).await?,
            Some(_) => {}
        }
        Ok(())
    }

    fn parameters(&self, from: &Address, to: &[Address], mail: &[u8]) -> Result<Vec<MailParameter>, Stop> {
        let has = |extension| self.smtp.server_info().supports_feature(extension);
        let mut parameters = Vec::new();
        if !mail.is_ascii() {
            if !has(Extension::EightBitMime) {
                return Err(Stop::Unfit(TroubleKind::Rejected, "takes no mail with 8-bit characters (no 8BITMIME)"));
            }
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        if has(Extension::SmtpUtfEight) {
            if !is_ascii(from) || !to.iter().all(is_ascii) {
                parameters.push(MailParameter::SmtpUtfEight);
            }
        } else if !is_ascii(from) {
            return Err(Stop::Unfit(TroubleKind::Unavailable, "takes no sender with other letters (no SMTPUTF8)"));
        }
        Ok(parameters)
    }

    /// A refused address is no failure, unless the relay hangs up with it.
    async fn address(&mut self, address: &Address) -> Result<(), Failed> {
        let answer = self.smtp.command(Rcpt::new(address.clone(), Vec::new())).await;
        let reply = match agreed(answer, Severity::PositiveCompletion) {
            Ok(()) => {
                self.handed.taken.push(address.clone());
                return Ok(());
            }
            Err(Failed::Refused(reply)) if !reply.closing() => reply,
            Err(failed) => return Err(failed),
        };
        let list = if reply.transient() { &mut self.handed.deferred } else { &mut self.handed.refused };
        list.push(Refusal {
            address: address.clone(),
            reply: reply.line(),
            unknown_address: !reply.transient() && reply.unknown_address(),
            of_us: !reply.transient() && reply.of_us(),
        });
        Ok(())
    }

    async fn message(&mut self, mail: &[u8]) -> Result<(), Failed> {
        self.step = Step::Data;
        agreed(self.smtp.command(Data).await, Severity::PositiveIntermediate)?;
        self.step = Step::Message;
        let answer = self.smtp.message(mail).await;
        agreed(self.last_word(answer).await, Severity::PositiveCompletion)
    }

    /// A relay that hung up while the mail was on its way may have said before why it does not want it.
    async fn last_word(&mut self, answer: Result<Response, Error>) -> Result<Response, Error> {
        let broken = answer.as_ref().is_err_and(|error| error.status().is_none() && !error.is_response());
        if broken
            && let Err(said) = self.smtp.read_response().await
            && said.status().is_some()
        {
            return Err(said);
        }
        answer
    }

    /// Whether the relay had closed the connection before this conversation.
    pub(super) fn found_closed(&self, ended: &Ended) -> bool {
        let closed = match ended {
            Ok(Err(Stop::Failed(Failed::Refused(reply)))) => reply.closing(),
            Ok(Err(Stop::Failed(Failed::Broken(_)))) => true,
            _ => false,
        };
        closed && self.step == Step::Sender
    }

    /// What its end means for the mail.
    pub(super) fn judge(self, ended: Ended, relay: &str) -> Result<Handed, Trouble> {
        let deferred = matches!(ended, Ok(Ok(()))) && !self.handed.deferred.is_empty();
        let (kind, message) = match ended {
            Ok(Ok(())) if !self.handed.taken.is_empty() => return Ok(self.handed),
            Ok(Ok(())) => self.nobody(relay),
            Ok(Err(Stop::Unfit(kind, why))) => (kind, format!("{relay} {why}")),
            Ok(Err(Stop::Failed(Failed::Refused(reply)))) => {
                let of_the_mail = matches!(self.step, Step::Data | Step::Message);
                let for_good = of_the_mail && !reply.transient();
                let kind = if for_good { TroubleKind::Rejected } else { TroubleKind::Unavailable };
                (kind, format!("{relay} refused {}: {}", self.step.object(), reply.line()))
            }
            Ok(Err(Stop::Failed(failed @ Failed::Broken(_)))) => self.no_answer(relay, &failed.line()),
            Err(_) => self.no_answer(relay, "the time was over"),
        };
        Err(Trouble { refused: self.handed.refused, deferred, ..Trouble::new(kind, message) })
    }

    fn no_answer(&self, relay: &str, why: &str) -> (TroubleKind, String) {
        match self.step {
            Step::Message => (
                TroubleKind::UnknownOutcome,
                format!("the mail left for {relay}, which may have it, but did not confirm it: {why}"),
            ),
            step => (TroubleKind::Unavailable, format!("{relay} gave no answer about {}: {why}", step.object())),
        }
    }

    /// The relay took no address.
    fn nobody(&self, relay: &str) -> (TroubleKind, String) {
        let Handed { refused, deferred, .. } = &self.handed;
        let kind = if !deferred.is_empty() || refused.iter().any(|refusal| refusal.of_us) {
            TroubleKind::Unavailable
        } else if !refused.is_empty() && refused.iter().all(|refusal| refusal.unknown_address) {
            TroubleKind::Unreachable
        } else {
            TroubleKind::Rejected
        };
        let message = match deferred.first().or(refused.first()) {
            Some(first) => format!("{relay} took none of the addresses; of the first it says: {}", first.reply),
            None => "the mail has no addresses".to_owned(),
        };
        (kind, message)
    }
}

impl Step {
    fn object(self) -> &'static str {
        match self {
            Self::Sender => "the sender",
            Self::Addresses => "an address",
            Self::Data => "the announcement of the mail",
            Self::Message => "the mail",
        }
    }
}

fn is_ascii(address: &Address) -> bool {
    AsRef::<str>::as_ref(address).is_ascii()
}
