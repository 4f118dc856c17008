//! Whether a channel would work: the token lives, and its target can be posted to. Posts nothing.

use pqh_channel_sdk::prelude::*;
use serde_json::Value;

use crate::{CHANNEL, answers, api};

pub(crate) fn check(channel: &str) -> Result<(), Failure> {
    api::ask("auth.test", &[])?;
    let found = if channel.starts_with(['U', 'W']) { person(channel) } else { self::channel(channel) };
    let refused = |word| Err(answers::word(word, &Value::Null).field(CHANNEL));
    match found {
        Ok(person) if person["deleted"] == true => refused("user_disabled"),
        Ok(channel) if channel["is_archived"] == true => refused("is_archived"),
        Ok(channel) if channel["is_private"] == true && channel["is_member"] == false => refused("not_in_channel"),
        Ok(_) => Ok(()),
        // That we may not look does not mean that we may not post.
        Err(failure) if failure.code == "missing_scope" => {
            answers::warn("the target is not checked", &failure);
            Ok(())
        }
        Err(failure) if answers::is_passing(&failure) => Err(failure),
        Err(failure) => Err(failure.field(CHANNEL)),
    }
}

/// What Slack says of a channel. A public one that the bot is not in is joined with the first message.
pub(crate) fn channel(id: &str) -> Result<Value, Failure> {
    Ok(api::ask("conversations.info", &[("channel", id)])?["channel"].take())
}

/// What Slack says of a person.
pub(crate) fn person(id: &str) -> Result<Value, Failure> {
    Ok(api::ask("users.info", &[("user", id)])?["user"].take())
}
