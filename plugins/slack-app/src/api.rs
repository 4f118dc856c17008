//! Requests to Slack's Web API, and what comes back of them.

use alloc::{format, string::String};
use core::fmt::Write;

use pqh_channel_sdk::http::Answer;
use pqh_channel_sdk::prelude::*;
use serde::{Deserialize, Serialize};
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

/// What look-ups find, as far as we use it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Found {
    ok: bool,
    pub(crate) channel: Option<Item>,
    pub(crate) user: Option<Item>,
    pub(crate) channels: alloc::vec::Vec<Item>,
    pub(crate) members: alloc::vec::Vec<Item>,
    pub(crate) response_metadata: Option<Next>,
}

/// Where the next page is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Next {
    pub(crate) next_cursor: Option<String>,
}

/// A channel or a person.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) real_name: Option<String>,
    pub(crate) profile: Option<Profile>,
    pub(crate) is_archived: Option<bool>,
    pub(crate) is_private: Option<bool>,
    pub(crate) is_member: Option<bool>,
    pub(crate) is_bot: Option<bool>,
    pub(crate) deleted: Option<bool>,
}

/// How a person is called.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Profile {
    pub(crate) display_name: Option<String>,
}

/// Posts: twice would be seen twice.
pub(crate) fn post(method: &str, body: &Body<'_>) -> Result<Value, Failure> {
    answers::of(&request(method).json(body).send()?)
}

/// Changes something to what it may be already.
pub(crate) fn change(method: &str, body: &Body<'_>) -> Result<Value, Failure> {
    harmless(answers::of(&request(method).json(body).repeatable().send()?))
}

/// Asks for something, with parameters as a form: reads take no JSON (FACTS.md, 6).
pub(crate) fn ask(method: &str, parameters: &[(&str, &str)], timeout: Option<u32>) -> Result<Answer, Failure> {
    let mut form = String::new();
    for (name, value) in parameters {
        let and = if form.is_empty() { "" } else { "&" };
        let _ = write!(form, "{and}{name}=");
        encode(&mut form, value);
    }
    let request = request(method).body("application/x-www-form-urlencoded", form).repeatable();
    Ok(match timeout {
        Some(milliseconds) => request.timeout(milliseconds),
        None => request,
    }
    .send()?)
}

/// The answer's members.
pub(crate) fn read(answer: &Answer) -> Result<Value, Failure> {
    harmless(answers::of(answer))
}

/// The answer's channels and people, where it has any: of whole pages nothing else is kept.
pub(crate) fn found(answer: &Answer) -> Result<Found, Failure> {
    match answer.json::<Found>() {
        Ok(found) if found.ok && answer.is_success() => Ok(found),
        _ => Err(read(answer).err().unwrap_or_else(|| answers::unreadable(FailureKind::Unavailable))),
    }
}

/// What failed without harm can be tried again, whatever came of it.
fn harmless(judged: Result<Value, Failure>) -> Result<Value, Failure> {
    judged.map_err(|failure| match failure.kind {
        FailureKind::UnknownOutcome => Failure { kind: FailureKind::Unavailable, ..failure },
        _ => failure,
    })
}

fn request(method: &str) -> Request {
    Request::post(format!("https://slack.com/api/{method}")).credential(TOKEN)
}

fn encode(form: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            form.push(char::from(byte));
        } else {
            let _ = write!(form, "%{byte:02X}");
        }
    }
}
