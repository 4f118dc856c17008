//! Requests to Slack's Web API.

use alloc::{format, string::String};
use core::fmt::Write;

use pqh_channel_sdk::prelude::*;
use serde::Serialize;
use serde_json::Value;
use slack_format::Attachment;

use crate::{TOKEN, answers};

/// What is sent as JSON: only what is there.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Body<'a> {
    pub(crate) channel: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ts: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thread_ts: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unfurl_links: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unfurl_media: Option<bool>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) attachments: &'a [Attachment],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<&'a Metadata<'a>>,
}

/// What a message carries for machines, so that it can be found again.
#[derive(Debug, Serialize)]
pub(crate) struct Metadata<'a> {
    pub(crate) event_type: &'static str,
    pub(crate) event_payload: Payload<'a>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Payload<'a> {
    pub(crate) event_id: &'a str,
    pub(crate) delivery_id: &'a str,
}

/// Posts: twice would be seen twice.
pub(crate) fn post(method: &str, body: &Body<'_>) -> Result<Value, Failure> {
    answers::of(&request(method).json(body).send()?)
}

/// Changes something to what it may be already.
pub(crate) fn change(method: &str, body: &Body<'_>) -> Result<Value, Failure> {
    harmless(request(method).json(body))
}

/// Asks for something. Reads take no JSON (platform facts, 6), but forms, which keep addresses out of URLs.
pub(crate) fn ask(method: &str, parameters: &[(&str, &str)]) -> Result<Value, Failure> {
    harmless(form(method, parameters))
}

/// Asks for what a delivery can do without, and waits 2 seconds for it at most.
pub(crate) fn ask_briefly(method: &str, parameters: &[(&str, &str)]) -> Result<Value, Failure> {
    harmless(form(method, parameters).timeout(2000))
}

fn request(method: &str) -> Request {
    Request::post(format!("https://slack.com/api/{method}")).credential(TOKEN)
}

fn form(method: &str, parameters: &[(&str, &str)]) -> Request {
    let mut form = String::new();
    for (name, value) in parameters {
        let _ = write!(form, "{name}=");
        for byte in value.bytes() {
            let _ = match byte {
                b'-' | b'_' | b'.' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => form.write_char(byte.into()),
                _ => write!(form, "%{byte:02X}"),
            };
        }
        form.push('&');
    }
    form.pop();
    request(method).body("application/x-www-form-urlencoded", form)
}

/// What failed without harm can be tried again, whatever came of it.
fn harmless(request: Request) -> Result<Value, Failure> {
    answers::of(&request.repeatable().send()?).map_err(|failure| match failure.kind {
        FailureKind::UnknownOutcome => Failure { kind: FailureKind::Unavailable, ..failure },
        _ => failure,
    })
}
