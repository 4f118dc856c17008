//! What became of a delivery, a preview or a check.

use pqh_runtime::{
    Outcome, Preview, PreviewedMail,
    contract::{channel::Receipt, events::Event, types::Failure},
};
use serde_json::{Value, json};

use super::{
    Format, clean,
    failure::{self, Told},
    say, say_error,
};
use crate::failure::{FailureBody, kind_name};

/// Tells a delivery's outcome.
pub(crate) fn sent(event: &Event, place: &str, outcome: &Outcome, format: Format) {
    match (format, outcome) {
        (Format::Json, outcome) => super::json(&outcome_json(outcome)),
        (Format::Human, Outcome::Delivered(receipt)) => {
            say(&clean(&format!("Delivered {:?} to {place} (event {})", event.title, event.id)));
            if let Some(permalink) = &receipt.permalink {
                say(&clean(&format!("See it: {permalink}")));
            }
            for warning in &receipt.warnings {
                say_error(&clean(&format!("warning: {warning}")));
            }
        }
        (Format::Human, Outcome::Failed(failure)) => {
            say_error(&clean(&format!("Not delivered: {:?} to {place} (event {})", event.title, event.id)));
            say_error(&failure_text(failure));
        }
    }
}

/// Tells what a check found.
pub(crate) fn checked(place: &str, result: &Result<(), Failure>, format: Format) {
    match (format, result) {
        (Format::Json, Ok(())) => super::json(&json!({ "outcome": "passed" })),
        (Format::Json, Err(failure)) => super::json(&failed_json(failure)),
        (Format::Human, Ok(())) => say(&clean(&format!("{place}: works"))),
        (Format::Human, Err(failure)) => {
            say_error(&clean(&format!("{place}: does not work")));
            say_error(&failure_text(failure));
        }
    }
}

/// Shows the requests and mail of a preview.
pub(crate) fn previewed(preview: &Preview, format: Format) -> Result<(), serde_json::Error> {
    let requests = serde_json::to_value(&preview.requests)?;
    let nothing = preview.requests.is_empty() && preview.mails.is_empty();
    if format == Format::Json {
        let mut whole = json!({ "requests": requests, "mails": preview.mails });
        // With nothing at all to send, why that is so is all that there is to say.
        if let (Outcome::Failed(failure), true) = (&preview.outcome, nothing) {
            whole["outcome"] = "failed".into();
            whole["failure"] = json!(FailureBody::from(failure));
        }
        super::json(&whole);
        return Ok(());
    }
    for request in requests.as_array().into_iter().flatten() {
        say(&request_text(request));
    }
    for mail in &preview.mails {
        say(&mail_text(mail));
    }
    if nothing {
        say_error("Nothing would be sent.");
        if let Outcome::Failed(failure) = &preview.outcome {
            say_error(&failure_text(failure));
        }
    }
    Ok(())
}

/// A request as one reads it: the line, the headers, the body, and what the host would add or refuse.
fn request_text(request: &Value) -> String {
    let text = |key: &str| request[key].as_str().unwrap_or_default().to_owned();
    let url =
        request["url"].as_str().map_or_else(|| format!("{} (the rest is secret)", text("destination")), str::to_owned);
    let mut lines = vec![format!("{} {url}", text("method").to_uppercase())];
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        lines.push(format!("{name}: {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    }
    lines.push(String::new());
    lines.push(match &request["body"] {
        Value::String(body) => body.clone(),
        Value::Null => String::new(),
        body => format!("{body:#}"),
    });
    let credentials: Vec<&str> =
        request["credentials"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !credentials.is_empty() {
        lines.push(format!("credentials: {}", credentials.join(", ")));
    }
    lines.push(format!("verdict: {}", text("verdict")));
    clean(&lines.join("\n"))
}

/// A mail as one reads it: the headers, the plain text, and what the host would refuse.
fn mail_text(mail: &PreviewedMail) -> String {
    let PreviewedMail { from, to, subject, text, html, conversation, verdict } = mail;
    let mut lines = vec![
        format!("From: {}", from.as_deref().unwrap_or("(no sender: this host has no mail relay)")),
        format!("To: {}", to.join(", ")),
        format!("Subject: {subject}"),
    ];
    lines.extend(conversation.as_ref().map(|key| format!("Conversation: {key}")));
    lines.extend([String::new(), text.clone()]);
    lines.extend(html.as_ref().map(|html| format!("and the same as HTML ({} bytes; --json shows it)", html.len())));
    lines.push(format!("verdict: {verdict}"));
    clean(&lines.join("\n"))
}

fn outcome_json(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Delivered(receipt) => json!({ "outcome": "delivered", "receipt": receipt_json(receipt) }),
        Outcome::Failed(failure) => failed_json(failure),
    }
}

fn receipt_json(receipt: &Receipt) -> Value {
    json!({ "reference": receipt.reference, "permalink": receipt.permalink, "warnings": receipt.warnings })
}

fn failed_json(failure: &Failure) -> Value {
    json!({ "outcome": "failed", "failure": FailureBody::from(failure) })
}

fn failure_text(failure: &Failure) -> String {
    failure::text(&Told {
        kind: kind_name(failure.kind),
        code: &failure.code,
        message: &failure.message,
        remedy: &failure.remedy,
        field: failure.field.as_deref(),
        retry_after_ms: failure.retry_after,
    })
}
