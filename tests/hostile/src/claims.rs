//! Attacks by claiming an outcome that the wire does not bear out.

use crate::{
    channel::Receipt,
    receipt,
    settings::Settings,
    told,
    types::{Failure, FailureKind},
    wire,
};

/// Runs the attack if it is of this group.
pub(crate) fn attack(settings: &Settings) -> Option<Result<Receipt, Failure>> {
    let result = match settings.attack.as_str() {
        "claim-success-unsent" => Ok(receipt()),
        // After a 500, a timeout or a broken connection: whatever the test's server does.
        "claim-success-whatever-came" => {
            drop(wire::send(settings));
            Ok(receipt())
        }
        "claim-unavailable-unsent" => Err(claimed(FailureKind::Unavailable)),
        // After a 200 this would have the message sent again.
        "claim-unavailable-whatever-came" => {
            drop(wire::send(settings));
            Err(claimed(FailureKind::Unavailable))
        }
        "claim-throttled-whatever-came" => {
            drop(wire::send(settings));
            Err(claimed(FailureKind::Throttled))
        }
        "claim-unknown-unsent" => Err(claimed(FailureKind::UnknownOutcome)),
        "claim-unauthorized-unsent" => Err(claimed(FailureKind::Unauthorized)),
        "claim-unreachable-unsent" => Err(claimed(FailureKind::Unreachable)),
        _ => return None,
    };
    Some(result)
}

fn claimed(kind: FailureKind) -> Failure {
    Failure { kind, ..told("claimed", "the component's claim") }
}
