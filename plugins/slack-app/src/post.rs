//! A message into a channel: joins it where it must, and falls back to plain text where Slack refuses the layout.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use pqh_channel_sdk::cache;
use pqh_channel_sdk::events::Event;
use pqh_channel_sdk::prelude::*;
use pqh_channel_sdk::words::Words;
use slack_format::{Message, plain_words};

use crate::answers;
use crate::api::{self, Body, Metadata};
use crate::update::Reference;

/// What is remembered of a channel that the bot joined by itself, and for how many seconds.
const JOINED: &str = "yes";
const FOR: u32 = 600;

/// Where a message goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) channel: &'a str,
    pub(crate) thread: Option<&'a str>,
}

/// Where a message went: to a person it goes in a channel of its own.
#[derive(Debug)]
pub(crate) struct Posted {
    pub(crate) at: Reference,
    pub(crate) warning: Option<String>,
}

/// Posts an event's message.
pub(crate) fn event(
    to: Place<'_>,
    event: &Event,
    words: &Words<'_>,
    message: &Message,
    data: &Metadata<'_>,
) -> Result<Posted, Failure> {
    match post(to, message, Some(data)) {
        Err(failure) if answers::is_layout(&failure) => {
            answers::warn("sending plain text", &failure);
            let word = failure.code;
            let warning =
                format!("Slack refused the message's layout ({word}), so the same words were posted as plain text.");
            Ok(Posted { warning: Some(warning), ..post(to, &plain_words(event, words), Some(data))? })
        }
        posted => posted,
    }
}

/// Posts a few words of our own.
pub(crate) fn words(to: Place<'_>, text: String) -> Result<Posted, Failure> {
    post(to, &Message { text, unfurl_links: false, unfurl_media: false, attachments: Vec::new() }, None)
}

fn post(to: Place<'_>, message: &Message, metadata: Option<&Metadata<'_>>) -> Result<Posted, Failure> {
    let body = Body {
        channel: to.channel,
        ts: None,
        thread_ts: to.thread,
        text: Some(&message.text),
        unfurl_links: Some(message.unfurl_links),
        unfurl_media: Some(message.unfurl_media),
        attachments: &message.attachments,
        metadata,
    };
    let said = match api::post("chat.postMessage", &body) {
        Err(refused) if refused.code == "not_in_channel" => {
            join(to.channel, refused)?;
            api::post("chat.postMessage", &body)?
        }
        said => said?,
    };
    let told = |name| said[name].as_str().unwrap_or_default().to_owned();
    Ok(Posted { at: Reference { channel: told("channel"), ts: told("ts") }, warning: None })
}

/// Joins a public channel; where it cannot be joined, what Slack `refused` stands.
fn join(channel: &str, refused: Failure) -> Result<(), Failure> {
    // Before it is done: Slack may tell of it sooner than it answers.
    cache::put(&joined(channel), JOINED, FOR);
    let said = api::change("conversations.join", &Body { channel, ..Body::default() });
    if said.is_err() {
        cache::put(&joined(channel), "", 1);
    }
    match said {
        Ok(_) => Ok(()),
        Err(failure) if answers::is_passing(&failure) || failure.code == "is_archived" => Err(failure),
        Err(failure) => {
            answers::warn("the channel cannot be joined", &failure);
            Err(refused)
        }
    }
}

/// Whether it was a delivery, and no person, that brought the bot into the channel just now.
pub(crate) fn joined_by_itself(channel: &str) -> bool {
    cache::get(&joined(channel)).is_some_and(|held| held == JOINED)
}

fn joined(channel: &str) -> String {
    format!("joined:{channel}")
}
