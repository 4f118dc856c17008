//! What follows an event: an answer, a word of greeting, or what the host has to change.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use pqh_channel_sdk::inbound::{Action, Lost, Renamed, Request, about};
use pqh_channel_sdk::prelude::{Failure, FailureKind};
use pqh_channel_sdk::text::line_or;
use pqh_channel_sdk::words::UNNAMED;
use pqh_channel_sdk::{Workspace, json, log};
use serde_json::Value;

use super::answers::{READY, answer};
use crate::post::{self, Place};
use crate::{answers as words, api, check, connect};

pub(crate) fn handle(workspace: &Workspace, request: &Request) -> Result<Vec<Action>, Failure> {
    let sent = json::read(&request.body);
    let event = &sent["event"];
    // A renamed channel comes as an object.
    let channel = event["channel"].as_str().or_else(|| event["channel"]["id"].as_str()).unwrap_or_default();
    let us = connect::bot_of(workspace);
    let us = us.as_deref().unwrap_or_default();
    let is_us = !us.is_empty() && event["user"] == us;
    let action = match event["type"].as_str().unwrap_or_default() {
        "app_uninstalled" => gone("app_uninstalled", "the PyQueryHub app was removed from it")?,
        "tokens_revoked" if event["tokens"]["bot"][0].is_string() => gone("tokens_revoked", "its token was revoked")?,
        _ if channel.is_empty() => None,
        "app_mention" if !is_us => {
            mentioned(event, channel, us)?;
            None
        }
        "member_joined_channel" if is_us => Some(joined(event, channel)),
        "member_left_channel" if is_us => lost(channel, "not_in_channel")?,
        "channel_left" | "group_left" => lost(channel, "not_in_channel")?,
        "channel_archive" | "group_archive" => lost(channel, "is_archived")?,
        "channel_deleted" | "group_deleted" => lost(channel, "channel_not_found")?,
        "channel_unarchive" | "group_unarchive" if lost(channel, "is_archived")?.is_none() => {
            Some(Action::Find(channel.to_owned()))
        }
        "channel_rename" | "group_rename" => {
            let name = line_or(event["channel"]["name"].as_str().unwrap_or_default(), 100, UNNAMED);
            Some(Action::Rename(Renamed { target: channel.to_owned(), name: format!("#{name}") }))
        }
        _ => None,
    };
    Ok(action.into_iter().collect())
}

/// The connection is over where Slack says that its token is dead: the event may be late, and the workspace connected
/// again, or of a token that was renewed.
fn gone(code: &str, why: &str) -> Result<Option<Action>, Failure> {
    match api::ask("auth.test", &[]) {
        Ok(_) => {
            log::info(&format!("{code}, but the token lives"));
            Ok(None)
        }
        Err(failure) if failure.kind == FailureKind::Unauthorized => {
            let message = format!("Slack workspace not connected: {why}.");
            Ok(Some(Action::Disconnect(Failure::new(failure.kind, code, message).remedy(words::RECONNECT))))
        }
        // Slack cannot say just now.
        passing => passing.map(|_| None),
    }
}

/// A channel is lost where Slack says so now: events come late, and in any order.
fn lost(channel: &str, word: &str) -> Result<Option<Action>, Failure> {
    let is_left = word == "not_in_channel";
    match check::channel(channel) {
        Ok(found) if found["is_archived"] != true && (!is_left || found["is_member"] == true) => Ok(None),
        Err(failure) if words::is_passing(&failure) => Err(failure),
        _ => {
            let failure = words::word(word, &Value::Null);
            Ok(Some(Action::Lose(Lost { target: channel.to_owned(), failure })))
        }
    }
}

/// Answers in the thread of what was said, where it was said to us: in a channel shared with another company that connected
/// its workspace too, it may be their bot that was meant.
fn mentioned(event: &Value, channel: &str, us: &str) -> Result<(), Failure> {
    let thread = event["thread_ts"].as_str().or_else(|| event["ts"].as_str());
    let said = event["text"].as_str().unwrap_or_default();
    let is_us = |mention: &str| mention.strip_prefix(us).is_some_and(|rest| rest.starts_with(['>', '|']));
    if !said.split("<@").skip(1).any(is_us) {
        return Ok(());
    }
    post::words(Place { channel, thread }, answer(said, &about(channel))).map(drop)
}

/// Somebody invited the bot: it says that it is ready. Where a delivery brought it in, that says enough.
fn joined(event: &Value, channel: &str) -> Action {
    if event["inviter"].is_string() || !post::joined_by_itself(channel) {
        let place = Place { channel, thread: None };
        if let Err(failure) = post::words(place, String::from(READY)) {
            words::warn("no greeting", &failure);
        }
    }
    Action::Find(channel.to_owned())
}
