//! What became of a call: the component claims, and the wire overrules.

use serde::Serialize;

use crate::contract::channel::Receipt;
use crate::contract::types::{Failure, FailureKind};
use crate::egress::Exchange;
use crate::plugin::PastDeadline;

/// The code of a failure that is the component's own fault.
pub const PLUGIN_FAULT: &str = "plugin-fault";

/// What became of a delivery.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The service took the message.
    Delivered(Receipt),
    /// It did not, or nobody knows.
    Failed(Failure),
}

/// How a call of a component ended, as the sandbox saw it.
pub(crate) enum Ended<T> {
    /// It returned.
    Returned(T),
    /// It trapped, exhausted a limit, or gave back what crosses no border. The reason is for people.
    Trapped(String),
    /// Its time was over.
    TimedOut(String),
    /// It never began: others took its place for all of its time.
    Crowded,
}

/// Says in a sentence why a call failed, without the host's paths or a backtrace.
pub(crate) fn reason(error: &wasmtime::Error, refused: Option<&str>) -> String {
    if let Some(refused) = refused {
        return refused.to_owned();
    }
    if error.is::<PastDeadline>() {
        return PastDeadline.to_string();
    }
    if let Some(trap) = error.downcast_ref::<wasmtime::Trap>() {
        return format!("it trapped: {trap}");
    }
    crate::text::line(&error.root_cause().to_string(), 300)
}

/// A failure that is the component's own fault.
pub(crate) fn plugin_fault(message: &str) -> Failure {
    Failure::new(
        FailureKind::Rejected,
        PLUGIN_FAULT,
        format!("The channel's plugin failed: {message}"),
        "Report this to the plugin's author, with the plugin's version and its log; this message was not retried.",
    )
}

fn unknown(message: String) -> Failure {
    Failure::new(
        FailureKind::UnknownOutcome,
        "unknown-outcome",
        message,
        "Look in the channel whether the message arrived; it is sent again later, marked as possibly doubled.",
    )
}

fn timed_out(message: &str) -> Failure {
    Failure::new(
        FailureKind::Unavailable,
        "timed-out",
        format!("The channel's plugin did not finish: {message}. Nothing was sent"),
        "It is tried again; if it stays so, report it to the plugin's author.",
    )
}

/// Nothing is wrong but that too much is done at the same time.
pub(crate) fn crowded() -> Failure {
    Failure {
        kind: FailureKind::Unavailable,
        code: "crowded".to_owned(),
        message: "The channel's plugin did not get its turn: too many calls wait for services. Nothing was sent."
            .to_owned(),
        remedy: "It is tried again; if it happens often, raise `[limits] concurrency`.".to_owned(),
        field: None,
        retry_after: None,
        attributes: Vec::new(),
    }
}

/// Whether a request that must not be doubled left, and no whole answer came back.
fn in_doubt(wire: &[Exchange]) -> bool {
    wire.iter().any(|exchange| exchange.sent && !exchange.repeatable && exchange.accepted.is_none())
}

fn accepted(wire: &[Exchange]) -> bool {
    wire.iter().any(|exchange| exchange.accepted == Some(true))
}

fn accepted_unrepeatable(wire: &[Exchange]) -> bool {
    wire.iter().any(|exchange| !exchange.repeatable && exchange.accepted == Some(true))
}

/// Whether a delivery that trapped may be tried again at once.
pub(crate) fn nothing_sent(wire: &[Exchange]) -> bool {
    wire.iter().all(|exchange| !exchange.sent)
}

/// Judges a delivery by claim and wire.
pub(crate) fn judge(ended: Ended<Result<Receipt, Failure>>, wire: &[Exchange]) -> Outcome {
    Outcome::Failed(match ended {
        Ended::Returned(Ok(receipt)) if accepted(wire) => return Outcome::Delivered(receipt),
        Ended::Returned(Ok(_)) => plugin_fault("it claimed a delivery, but no service accepted anything"),
        // Both kinds send it again.
        Ended::Returned(Err(failure))
            if matches!(failure.kind, FailureKind::Unavailable | FailureKind::Throttled) && in_doubt(wire) =>
        {
            Failure { kind: FailureKind::UnknownOutcome, ..failure }
        }
        Ended::Returned(Err(failure)) => failure,
        Ended::Trapped(reason) | Ended::TimedOut(reason) if in_doubt(wire) => unknown(format!(
            "The message may have arrived: it was sent, and then the channel's plugin failed ({reason})"
        )),
        Ended::Trapped(reason) | Ended::TimedOut(reason) if accepted_unrepeatable(wire) => {
            unknown(format!("The service accepted a request, and then the channel's plugin failed ({reason})"))
        }
        Ended::TimedOut(reason) => timed_out(&reason),
        Ended::Crowded => crowded(),
        Ended::Trapped(reason) => plugin_fault(&reason),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEFT: Exchange = Exchange { repeatable: false, sent: true, accepted: None };
    const ACCEPTED: Exchange = Exchange { repeatable: false, sent: true, accepted: Some(true) };
    const REFUSED: Exchange = Exchange { repeatable: false, sent: true, accepted: Some(false) };
    const LOOKED_UP: Exchange = Exchange { repeatable: true, sent: true, accepted: None };

    fn receipt() -> Ended<Result<Receipt, Failure>> {
        Ended::Returned(Ok(Receipt { reference: None, permalink: None, warnings: Vec::new(), attributes: Vec::new() }))
    }

    fn unavailable() -> Ended<Result<Receipt, Failure>> {
        Ended::Returned(Err(Failure { kind: FailureKind::Unavailable, ..timed_out("") }))
    }

    fn kind(outcome: Outcome) -> Option<(FailureKind, String)> {
        match outcome {
            Outcome::Delivered(_) => None,
            Outcome::Failed(failure) => Some((failure.kind, failure.code)),
        }
    }

    #[test]
    fn success_needs_an_accepted_request() {
        assert!(kind(judge(receipt(), &[ACCEPTED])).is_none());
        for wire in [&[][..], &[LEFT], &[REFUSED]] {
            assert_eq!(kind(judge(receipt(), wire)).unwrap().1, PLUGIN_FAULT);
        }
    }

    #[test]
    fn unavailable_after_a_request_without_an_answer_is_unknown() {
        assert_eq!(kind(judge(unavailable(), &[LEFT])).unwrap().0, FailureKind::UnknownOutcome);
        assert_eq!(kind(judge(unavailable(), &[LOOKED_UP])).unwrap().0, FailureKind::Unavailable);
        assert_eq!(kind(judge(unavailable(), &[REFUSED])).unwrap().0, FailureKind::Unavailable);
    }

    #[test]
    fn a_trap_after_an_accepted_or_unanswered_request_is_unknown() {
        for wire in [[LEFT], [ACCEPTED]] {
            let trapped = judge(Ended::Trapped("x".into()), &wire);
            assert_eq!(kind(trapped).unwrap().0, FailureKind::UnknownOutcome);
            let late = judge(Ended::TimedOut("x".into()), &wire);
            assert_eq!(kind(late).unwrap().0, FailureKind::UnknownOutcome);
        }
    }

    #[test]
    fn a_trap_with_nothing_sent_is_the_plugins_fault() {
        assert_eq!(kind(judge(Ended::Trapped("x".into()), &[])).unwrap().1, PLUGIN_FAULT);
        assert!(nothing_sent(&[Exchange { repeatable: false, sent: false, accepted: None }]));
    }

    #[test]
    fn what_never_got_its_turn_is_tried_again() {
        assert_eq!(kind(judge(Ended::Crowded, &[])).unwrap(), (FailureKind::Unavailable, "crowded".to_owned()));
    }
}
