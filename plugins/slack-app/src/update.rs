//! The message that opened an alert: where it stands, and its resolved look.

use alloc::{borrow::ToOwned, string::String};

use pqh_channel_sdk::json;
use pqh_channel_sdk::prelude::*;
use serde::Serialize;
use slack_format::Message;

use crate::api::{self, Body};
use crate::{answers, post::Place};

/// What a receipt keeps of a message.
#[derive(Debug, Serialize)]
pub(crate) struct Reference {
    pub(crate) channel: String,
    pub(crate) ts: String,
}

impl Reference {
    /// Out of a receipt of ours.
    pub(crate) fn read(reference: &str) -> Option<Self> {
        let held = json::read(reference.as_bytes());
        Some(Self { channel: held["channel"].as_str()?.to_owned(), ts: held["ts"].as_str()?.to_owned() })
    }

    /// The thread below the message.
    pub(crate) fn thread(&self) -> Place<'_> {
        Place { channel: &self.channel, thread: Some(&self.ts) }
    }

    /// Gives the message another look, where Slack takes it. False where the message is gone.
    pub(crate) fn update(&self, message: &Message) -> Result<bool, Failure> {
        let Message { text, attachments, .. } = message;
        let body =
            Body { channel: &self.channel, ts: Some(&self.ts), text: Some(text), attachments, ..Body::default() };
        match api::change("chat.update", &body) {
            Ok(_) => Ok(true),
            Err(failure) if answers::is_passing(&failure) => Err(failure),
            Err(failure) => {
                answers::warn("the alert's message cannot be updated", &failure);
                Ok(!is_gone(&failure))
            }
        }
    }
}

/// Whether there is no such message any more; other words say that it stays as it is.
fn is_gone(failure: &Failure) -> bool {
    matches!(&*failure.code, "message_not_found" | "channel_not_found" | "is_inactive")
}
