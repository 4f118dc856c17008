//! A message into a channel: joins it where it must, and falls back to plain text where Slack refuses the layout.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use pqh_channel_sdk::events::Event;
use pqh_channel_sdk::prelude::*;
use pqh_channel_sdk::{cache, log};
use serde_json::Value;
use slack_format::{Message, plain_text};

use crate::answers;
use crate::api::{self, Body, Metadata};

/// How long our own joining is remembered, in seconds.
const JOINED: u32 = 600;

/// Where a message goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) channel: &'a str,
    pub(crate) thread: Option<&'a str>,
}

/// Where a message went: a direct message's channel is another than the person whom it was sent to.
#[derive(Debug)]
pub(crate) struct Posted {
    pub(crate) channel: String,
    pub(crate) ts: String,
    pub(crate) warning: Option<String>,
}

/// Posts an event's message.
pub(crate) fn event(
    place: Place<'_>,
    event: &Event,
    message: &Message,
    metadata: &Metadata<'_>,
) -> Result<Posted, Failure> {
    match post(place, message, Some(metadata)) {
        Err(failure) if answers::is_layout(&failure) => {
            log::warn(&format!("{}; sending the same words as plain text", failure.message));
            let posted = post(place, &plain_text(event), Some(metadata))?;
            let warning = format!(
                "Slack refused the message's layout ({}), so the same words were posted as plain text.",
                failure.code
            );
            Ok(Posted { warning: Some(warning), ..posted })
        }
        posted => posted,
    }
}

/// Posts a few words of our own.
pub(crate) fn words(place: Place<'_>, text: String) -> Result<Posted, Failure> {
    let message = Message { text, unfurl_links: false, unfurl_media: false, attachments: alloc::vec::Vec::new() };
    post(place, &message, None)
}

fn post(place: Place<'_>, message: &Message, metadata: Option<&Metadata<'_>>) -> Result<Posted, Failure> {
    let body = Body {
        channel: place.channel,
        thread_ts: place.thread,
        text: Some(&message.text),
        unfurl_links: Some(message.unfurl_links),
        unfurl_media: Some(message.unfurl_media),
        attachments: &message.attachments,
        metadata,
        ..Body::default()
    };
    let said = match api::post("chat.postMessage", &body) {
        Err(refused) if refused.code == "not_in_channel" => {
            join(place.channel, refused)?;
            api::post("chat.postMessage", &body)
        }
        said => said,
    }?;
    let told = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(Posted { channel: told(&said["channel"]), ts: told(&said["ts"]), warning: None })
}

/// Joins a public channel; where it cannot be joined, what Slack `refused` stands.
fn join(channel: &str, refused: Failure) -> Result<(), Failure> {
    match api::change("conversations.join", &Body { channel, ..Body::default() }) {
        Ok(_) => {
            cache::put(&joined(channel), "", JOINED);
            Ok(())
        }
        Err(failure) if answers::is_passing(&failure) || failure.code == "is_archived" => Err(failure),
        Err(failure) => {
            log::warn(&format!("the channel cannot be joined: {} ({})", failure.message, failure.code));
            Err(refused)
        }
    }
}

/// Whether it was a delivery, and no person, that brought the bot into the channel just now.
pub(crate) fn joined_by_itself(channel: &str) -> bool {
    cache::get(&joined(channel)).is_some()
}

fn joined(channel: &str) -> String {
    format!("joined:{channel}")
}
