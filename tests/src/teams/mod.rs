//! Workflows webhooks of Microsoft Teams on loopback that refuse what real ones refuse, by `plugins/teams/FACTS.md`.
//!
//! A real workflow answers 202 to a card that is too large or malformed, and loses it where only its owner sees it. The
//! simulator refuses such a card: a test should see it.

mod card;
#[cfg(test)]
mod tests;

use std::io;

use serde_json::{Value, json};

use crate::http_service::{Answer, HttpService, Request};

/// A host that the plugin may send to: what an upstream stands in for.
pub const HOST: &str = "default0123456789abcdef01234567.89.environment.api.powerplatform.com";
/// A workflow that lives.
pub const ALIVE: &str = "0123456789abcdef0123456789abcdef";
/// One that its owner turned off.
pub const DISABLED: &str = "d15ab1edd15ab1edd15ab1edd15ab1ed";
/// One that was deleted, of which the trigger is still known.
pub const DELETED: &str = "de1e7edade1e7edade1e7edade1e7eda";
/// One whose trigger wants callers to sign in.
pub const SIGNED_IN: &str = "51611ed151611ed151611ed151611ed1";
/// The signature that opens each of them.
pub const SIGNATURE: &str = "simulated-signature-of-forty-three-letters_";
/// What a message may take, once it is a string in the JSON that Teams keeps (FACTS.md, 3 and 7).
const LARGEST: usize = 28 * 1024;
/// What stands before the signature, byte for byte: it is what is signed.
const SIGNED: &str = "api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=";

/// The URL of a workflow, as its owner copies it.
pub fn url(workflow: &str) -> String {
    format!(
        "https://{HOST}:443/powerautomate/automations/direct/workflows/{workflow}/triggers/manual/paths/invoke?{SIGNED}{SIGNATURE}"
    )
}

/// Starts on a free port of the loopback address.
///
/// # Errors
///
/// When no port can be listened on.
pub async fn start() -> io::Result<HttpService> {
    HttpService::start(judge).await
}

/// What the workflow's trigger answers: who calls it comes first, then whether it runs, then the body.
pub fn judge(request: &Request) -> Answer {
    match run(request) {
        Ok(()) => Answer::new(202, "")
            .header("x-ms-workflow-run-id", "08584000000000000000000000000CU00")
            .header("x-ms-request-id", "westeurope:00000000-0000-0000-0000-000000000000"),
        Err(refusal) => refusal,
    }
}

fn run(request: &Request) -> Result<(), Answer> {
    let Some(workflow) = workflow(&request.path) else {
        return Err(error(404, "ResourceNotFound", "The path is no workflow's trigger."));
    };
    if ![ALIVE, DISABLED, DELETED, SIGNED_IN].contains(&workflow) {
        return Err(error(404, "WorkflowNotFound", &format!("The workflow '{workflow}' could not be found.")));
    }
    authorized(request, workflow)?;
    for (name, state) in [(DISABLED, "Disabled"), (DELETED, "Deleted")] {
        if workflow == name {
            let message = format!(
                "Could not execute workflow '{workflow}' trigger 'manual' with state '{state}': trigger is not enabled."
            );
            return Err(error(400, "WorkflowTriggerIsNotEnabled", &message));
        }
    }
    if request.method != "POST" {
        let message = format!(
            "The HTTP method of the request to trigger 'manual' is not valid: expected 'POST' and actual '{}'.",
            request.method
        );
        return Err(error(400, "TriggerRequestMethodNotValid", &message));
    }
    if request.content_type() != "application/json" {
        let message = format!(
            "The input body for trigger 'manual' of type 'Request' must be of type JSON, but was of type '{}'.",
            request.content_type()
        );
        return Err(error(400, "InvalidRequestContent", &message));
    }
    let body: Value = serde_json::from_slice(&request.body).map_err(|wrong| {
        let message = format!("The request content is not valid and could not be deserialized: '{wrong}'.");
        error(400, "InvalidRequestContent", &message)
    })?;
    let card = of_template(&body).map_err(|wrong| {
        let message = format!("The input body for trigger 'manual' of type 'Request' did not match its schema definition. Error details: '{wrong}'.");
        error(400, "TriggerInputSchemaMismatch", &message)
    })?;
    let kept = Value::from(body.to_string()).to_string().len();
    if kept > LARGEST {
        let message = format!(
            "Message properties size exceeded. Actual message properties size: {kept} bytes, whereas max allowed size is {LARGEST} bytes."
        );
        return Err(error(413, "MessageSizeExceeded", &message));
    }
    card::check(card).map_err(|wrong| error(400, "InvalidBotAdaptiveCard", &format!("The card {wrong}.")))
}

/// The workflow that a path names: below Power Platform's prefix or none, with a scale unit or none.
fn workflow(path: &str) -> Option<&str> {
    let path = path.strip_prefix("/powerautomate/automations/direct").unwrap_or(path);
    let path = match path.strip_prefix("/cu/") {
        Some(unit) => &unit[unit.find('/')?..],
        None => path,
    };
    let (workflow, rest) = path.strip_prefix("/workflows/")?.split_once('/')?;
    ["triggers/manual/paths/invoke", "triggers/manual/paths/invoke/"].contains(&rest).then_some(workflow)
}

/// Whether the query is signed, and nothing else says who calls.
fn authorized(request: &Request, workflow: &str) -> Result<(), Answer> {
    let parameter = |name: &str| request.query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    match parameter("api-version") {
        Some("1" | "2016-06-01") => {}
        Some(_) => return Err(error(400, "InvalidApiVersionParameter", "The api-version is not valid.")),
        None => {
            let message = "The api-version query parameter (?api-version=) is required for all requests.";
            return Err(error(400, "MissingApiVersionParameter", message));
        }
    }
    let (code, message) = match (parameter("sig"), request.header("authorization")) {
        (Some(_), Some(_)) => (
            "DirectApiRequestHasMoreThanOneAuthorization",
            "The request has SAS authentication scheme and 'Bearer' authorization scheme. Only one scheme should be used.",
        ),
        (None, _) => {
            ("DirectApiAuthorizationRequired", "The request must be authenticated only by Shared Access scheme.")
        }
        (Some(_), None) if workflow == SIGNED_IN => (
            "DirectApiInvalidAuthorizationScheme",
            "The request has SAS authentication scheme while it is disabled under your access control policy.",
        ),
        (Some(_), None) if request.query.strip_prefix(SIGNED) == Some(SIGNATURE) => return Ok(()),
        (Some(_), None) => ("DirectApiInvalidAuthorizationSignature", "The authentication credentials are not valid."),
    };
    Err(error(401, code, message))
}

/// The card of a body that has all that the template's trigger requires. Further members are let through.
fn of_template(body: &Value) -> Result<&Value, &'static str> {
    let members = body.as_object().ok_or("Invalid type. Expected Object.")?;
    if members.get("type").and_then(Value::as_str) != Some("message") {
        return Err("Required properties are missing from object: type.");
    }
    let attachments = members.get("attachments").and_then(Value::as_array).ok_or("Required: attachments.")?;
    let [attachment] = attachments.as_slice() else { return Err("One card a message.") };
    if attachment["contentType"] != "application/vnd.microsoft.card.adaptive" {
        return Err("Required properties are missing from object: contentType.");
    }
    if attachment.get("contentUrl") != Some(&Value::Null) {
        return Err("Required properties are missing from object: contentUrl.");
    }
    attachment.get("content").filter(|content| content.is_object()).ok_or("Required properties are missing: content.")
}

fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(status, &json!({ "error": { "code": code, "message": message } }))
}
