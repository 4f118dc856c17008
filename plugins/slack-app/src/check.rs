//! Whether a channel would work: the token lives, and its target can be posted to. Posts nothing.

use alloc::format;

use pqh_channel_sdk::log;
use pqh_channel_sdk::prelude::*;
use serde_json::Value;

use crate::api::Item;
use crate::{CHANNEL, answers, api};

pub(crate) fn check(channel: &str) -> Result<(), Failure> {
    api::ask("auth.test", &[], None).and_then(|answer| api::read(&answer))?;
    let is_person = channel.starts_with(['U', 'W']);
    let found = if is_person { person(channel) } else { self::channel(channel) };
    let refused = |word| Err(answers::word(word, &Value::Null).field(CHANNEL));
    let item = match found {
        Ok(Some(item)) => item,
        Ok(None) => return refused(if is_person { "user_not_found" } else { "channel_not_found" }),
        // That we may not look does not mean that we may not post.
        Err(failure) if failure.code == "missing_scope" => {
            log::warn(&format!("the target is not checked: {}", failure.message));
            return Ok(());
        }
        Err(failure) if answers::is_passing(&failure) => return Err(failure),
        Err(failure) => return Err(failure.field(CHANNEL)),
    };
    match item {
        Item { deleted: Some(true), .. } => refused("user_disabled"),
        Item { is_archived: Some(true), .. } => refused("is_archived"),
        Item { is_private: Some(true), is_member: Some(false), .. } => refused("not_in_channel"),
        _ => Ok(()),
    }
}

/// What Slack says of a channel. A public one that the bot is not in is joined with the first message.
pub(crate) fn channel(id: &str) -> Result<Option<Item>, Failure> {
    Ok(api::found(&api::ask("conversations.info", &[("channel", id)], None)?)?.channel)
}

/// What Slack says of a person.
pub(crate) fn person(id: &str) -> Result<Option<Item>, Failure> {
    Ok(api::found(&api::ask("users.info", &[("user", id)], None)?)?.user)
}
