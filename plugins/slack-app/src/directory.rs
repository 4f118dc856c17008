//! Where messages can go: channels, then people, page by page.

use alloc::format;
use alloc::string::String;

use pqh_channel_sdk::directory::Page;
use pqh_channel_sdk::text::line_or;
use pqh_channel_sdk::words::UNNAMED;
use pqh_channel_sdk::{Failure, Target, TargetKind, log};

use crate::api::{self, Found, Item};

/// How many a page has; and where a page of so many is longer than the host takes.
const LIMITS: [&str; 2] = ["200", "50"];
/// Slack's own bot, which is listed as a person.
const SLACKBOT: &str = "USLACKBOT";

/// A page. Cursors are Slack's, with what they are of in front: "c:" channels, "u:" people.
pub(crate) fn page(cursor: Option<&str>) -> Result<Page, Failure> {
    match cursor.and_then(|cursor| cursor.split_once(':')) {
        Some(("u", cursor)) => people(cursor),
        Some(("c", cursor)) => channels(cursor),
        _ => channels(""),
    }
}

fn channels(cursor: &str) -> Result<Page, Failure> {
    let types = [("types", "public_channel,private_channel"), ("exclude_archived", "true")];
    let found = listed("conversations.list", &types, cursor)?;
    let next = Some(next("c", &found).unwrap_or_else(|| String::from("u:")));
    let targets = found.channels.iter().filter(|item| item.is_archived != Some(true)).map(of_channel).collect();
    Ok(Page { targets, next })
}

fn people(cursor: &str) -> Result<Page, Failure> {
    let found = match listed("users.list", &[], cursor) {
        // Channels are found without it.
        Err(failure) if failure.code == "missing_scope" => {
            log::warn(&format!("people are not listed: {}", failure.message));
            Found::default()
        }
        found => found?,
    };
    let is_person = |item: &&Item| item.deleted != Some(true) && item.is_bot != Some(true) && item.id != SLACKBOT;
    let next = next("u", &found);
    Ok(Page { targets: found.members.iter().filter(is_person).map(of_person).collect(), next })
}

fn listed(method: &str, filters: &[(&str, &str)], cursor: &str) -> Result<Found, Failure> {
    let [many, few] = LIMITS.map(|limit| {
        let mut parameters = filters.to_vec();
        parameters.push(("limit", limit));
        if !cursor.is_empty() {
            parameters.push(("cursor", cursor));
        }
        parameters
    });
    let mut answer = api::ask(method, &many, None)?;
    if answer.is_truncated() {
        answer = api::ask(method, &few, None)?;
    }
    api::found(&answer)
}

fn next(of: &str, found: &Found) -> Option<String> {
    let cursor = found.response_metadata.as_ref()?.next_cursor.as_deref()?;
    (!cursor.is_empty()).then(|| format!("{of}:{cursor}"))
}

/// A channel as people see it. The bot joins public ones by itself.
pub(crate) fn of_channel(item: &Item) -> Target {
    let is_private = item.is_private == Some(true);
    Target {
        id: item.id.clone(),
        name: format!("#{}", line_or(item.name.as_deref().unwrap_or_default(), 100, UNNAMED)),
        kind: if is_private { TargetKind::PrivateChannel } else { TargetKind::PublicChannel },
        reachable: item.is_archived != Some(true) && (!is_private || item.is_member == Some(true)),
    }
}

/// A person as people see them: by the name that they chose, else by their own.
pub(crate) fn of_person(item: &Item) -> Target {
    let chosen = item.profile.as_ref().and_then(|profile| profile.display_name.as_ref());
    let names = [chosen, item.real_name.as_ref(), item.name.as_ref()];
    let name = names.into_iter().flatten().find(|name| !name.trim().is_empty());
    Target {
        id: item.id.clone(),
        name: format!("@{}", line_or(name.map_or("", String::as_str), 100, UNNAMED)),
        kind: TargetKind::Person,
        reachable: true,
    }
}
