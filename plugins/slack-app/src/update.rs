//! The message that opened an alert: where it stands, and its resolved look.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use pqh_channel_sdk::log;
use pqh_channel_sdk::prelude::*;
use serde::Serialize;
use serde_json::Value;
use slack_format::Message;

use crate::answers;
use crate::api::{self, Body};

/// What a receipt keeps of a message.
#[derive(Debug, Serialize)]
pub(crate) struct Reference {
    pub(crate) channel: String,
    pub(crate) ts: String,
}

impl Reference {
    /// Of a receipt of ours.
    pub(crate) fn read(reference: &str) -> Option<Self> {
        let held: Value = serde_json::from_str(reference).ok()?;
        let member = |name| Some(held[name].as_str().filter(|text: &&str| !text.is_empty())?.to_owned());
        Some(Self { channel: member("channel")?, ts: member("ts")? })
    }

    pub(crate) fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Gives the message another look. False where it can have none any more: gone, or not to be changed.
    pub(crate) fn update(&self, message: &Message) -> Result<bool, Failure> {
        let body = Body {
            channel: &self.channel,
            ts: Some(&self.ts),
            text: Some(&message.text),
            attachments: &message.attachments,
            ..Body::default()
        };
        match api::change("chat.update", &body) {
            Ok(_) => Ok(true),
            Err(failure) if answers::is_passing(&failure) => Err(failure),
            Err(failure) => {
                log::info(&format!("the alert's message cannot be updated ({}); posting a new one", failure.code));
                Ok(false)
            }
        }
    }
}
