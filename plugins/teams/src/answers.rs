//! What a workflow's trigger answers, and what it means: the code in the body first, then the status.

use alloc::{borrow::ToOwned, format};

use pqh_channel_sdk::answers::{Meaning, RETRIED};
use pqh_channel_sdk::http::Answer;
use pqh_channel_sdk::text::line;
use pqh_channel_sdk::{Failure, FailureKind};
use serde_json::Value;

use crate::URL;

const RECREATE: &str = "Copy the workflow's URL again (those at logic.azure.com ended in November 2025), or create the workflow again in Teams, and update the PyQueryHub notification channel.";
const COPY: &str = "In the workflow's trigger, set \"Who can trigger the flow?\" to \"Anyone\", copy the whole URL again, and update the PyQueryHub notification channel.";
const TURN_ON: &str = "Turn the workflow on again in Teams (Workflows) or Power Automate. If it was deleted, create a new one and update the PyQueryHub notification channel.";
const TEMPLATE: &str = "If the workflow's trigger was changed, create the workflow again from its template; else report it to PyQueryHub support with this error.";

/// Every code that a trigger is known to answer (FACTS.md, 2).
#[rustfmt::skip]
const MEANINGS: [Meaning; 15] = {
    use FailureKind::{Rejected, Throttled, Unauthorized, Unreachable};
    [
        Meaning::new("TriggerInputSchemaMismatch", Rejected, "The workflow's trigger expects another kind of message", TEMPLATE),
        Meaning::new("InvalidRequestContent", Rejected, "The workflow's trigger could not read the message", TEMPLATE),
        Meaning::new("TriggerRequestMethodNotValid", Unreachable, "The workflow's trigger takes another method than POST", TEMPLATE),
        Meaning::new("WorkflowTriggerIsNotEnabled", Unreachable, "The workflow is turned off, suspended or deleted", TURN_ON),
        Meaning::new("WorkflowNotFound", Unreachable, "The workflow does not exist any more", RECREATE),
        Meaning::new("WorkflowTriggerVersionNotFound", Unreachable, "The workflow's trigger does not exist any more", RECREATE),
        Meaning::new("MissingApiVersionParameter", Unauthorized, "The workflow's URL is not whole", COPY),
        Meaning::new("InvalidApiVersionParameter", Unauthorized, "The workflow's URL is not whole", COPY),
        Meaning::new("DirectApiAuthorizationRequired", Unauthorized, "The workflow's URL lost its signature, or the workflow is not open to anyone", COPY),
        Meaning::new("DirectApiInvalidAuthorizationScheme", Unauthorized, "The workflow's URL lost its signature, or the workflow or the tenant turned signatures off", COPY),
        Meaning::new("DirectApiInvalidAuthorizationSignature", Unauthorized, "The signature in the workflow's URL is not valid: it was made anew, or copied incompletely", COPY),
        Meaning::new("DirectApiRequestHasMoreThanOneAuthorization", Unreachable, "The request arrived with an authorization beside the URL's signature", "Look whether a proxy between PyQueryHub and Microsoft adds an \"Authorization\" header."),
        Meaning::new("OAuthAccessPolicyNotFound", Unauthorized, "The workflow wants whoever calls it to sign in", COPY),
        Meaning::new("MisMatchingOAuthClaims", Unauthorized, "The workflow wants whoever calls it to sign in", COPY),
        Meaning::new("RequestsThrottled", Throttled, "Teams asks for rest: messages came too fast", RETRIED),
    ]
};

/// What an answer to a request that can start no run says: a living trigger finds nothing wrong but that request.
pub(crate) fn of_check(answer: &Answer) -> Result<(), Failure> {
    match of_delivery(answer) {
        Err(failure) if ["InvalidRequestContent", "TriggerInputSchemaMismatch"].contains(&&*failure.code) => Ok(()),
        judged => judged,
    }
}

/// What an answer to a message says of its delivery. 2xx is "accepted by the workflow", which is all that is ever said.
pub(crate) fn of_delivery(answer: &Answer) -> Result<(), Failure> {
    if answer.is_success() {
        return Ok(());
    }
    // A `Value` of a string, as settings are read: anything else would bring a second parser into the component.
    let said: Value = serde_json::from_str(&answer.text()).unwrap_or_default();
    let said = |member| said["error"][member].as_str().unwrap_or_default();
    let (code, message) = (said("code"), line(said("message"), 300));
    let wrong_signature = message == "The authentication credentials are not valid.";
    let code = if wrong_signature { "DirectApiInvalidAuthorizationSignature" } else { code };
    let Some(meaning) = Meaning::find(&MEANINGS, code) else {
        let failure = answer.refusal("Teams");
        return Err(if code.is_empty() { failure } else { Failure { code: code.to_owned(), ..failure } });
    };
    let mut failure = meaning.failure().retry_after(answer.retry_after());
    let (colon, said) = if message.is_empty() { ("", ".") } else { (": ", &*message) };
    failure.message = format!("{}{colon}{said}", meaning.message);
    Err(if [COPY, RECREATE, TURN_ON].contains(&meaning.remedy) { failure.field(URL) } else { failure })
}
