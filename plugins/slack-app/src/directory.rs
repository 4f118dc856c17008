//! Where messages can go: channels, then people, page by page.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use pqh_channel_sdk::directory::{Directory, Page};
use pqh_channel_sdk::prelude::*;
use pqh_channel_sdk::text::line_or;
use pqh_channel_sdk::words::UNNAMED;
use pqh_channel_sdk::{Target, TargetKind};
use serde_json::Value;

use crate::{Settings, SlackApp, answers, api};

impl Directory for SlackApp {
    /// Cursors are Slack's, with what they are of in front: "c:" channels, "u:" people.
    fn list_targets(_: &Configuration<Settings>, cursor: Option<&str>) -> Result<Page, Failure> {
        match cursor.and_then(|cursor| cursor.split_once(':')) {
            Some(("u", cursor)) => people(cursor),
            Some((_, cursor)) => channels(cursor),
            None => channels(""),
        }
    }
}

fn channels(cursor: &str) -> Result<Page, Failure> {
    let filters = [("types", "public_channel,private_channel"), ("exclude_archived", "true")];
    let said = listed("conversations.list", &filters, cursor)?;
    let is_open = |item: &&Value| item["is_archived"] != true;
    let next = next("c", &said).unwrap_or_else(|| "u:".to_owned());
    Ok(Page { targets: targets(&said["channels"], is_open, of_channel), next: Some(next) })
}

fn people(cursor: &str) -> Result<Page, Failure> {
    let said = match listed("users.list", &[], cursor) {
        // Channels are found without it.
        Err(failure) if failure.code == "missing_scope" => {
            answers::warn("people are not listed", &failure);
            Value::Null
        }
        said => said?,
    };
    // Slack's own bot is listed as a person.
    let is_person = |item: &&Value| item["deleted"] != true && item["is_bot"] != true && item["id"] != "USLACKBOT";
    Ok(Page { targets: targets(&said["members"], is_person, of_person), next: next("u", &said) })
}

/// Slack's page, or a smaller one where that is longer than the host takes.
fn listed(method: &str, filters: &[(&str, &str)], cursor: &str) -> Result<Value, Failure> {
    let page = |limit| {
        let more = [("limit", limit), ("cursor", cursor)];
        api::ask(method, &[filters, &more[..if cursor.is_empty() { 1 } else { 2 }]].concat())
    };
    match page("200") {
        Err(failure) if failure.code == "unexpected_answer" => page("50"),
        said => said,
    }
}

fn next(of: &str, said: &Value) -> Option<String> {
    let cursor = said["response_metadata"]["next_cursor"].as_str()?;
    (!cursor.is_empty()).then(|| format!("{of}:{cursor}"))
}

fn targets(items: &Value, fits: impl Fn(&&Value) -> bool, read: fn(&Value) -> Target) -> Vec<Target> {
    items.as_array().into_iter().flatten().filter(fits).map(read).collect()
}

/// A channel as people see it. The bot joins public ones by itself.
pub(crate) fn of_channel(item: &Value) -> Target {
    let is_private = item["is_private"] == true;
    let kind = if is_private { TargetKind::PrivateChannel } else { TargetKind::PublicChannel };
    let reachable = item["is_archived"] != true && (!is_private || item["is_member"] == true);
    target(item, format!("#{}", name(&[&item["name"]])), kind, reachable)
}

/// A person as people see them: by the name that they chose, else by their own.
pub(crate) fn of_person(item: &Value) -> Target {
    let name = name(&[&item["profile"]["display_name"], &item["real_name"], &item["name"]]);
    target(item, format!("@{name}"), TargetKind::Person, true)
}

fn target(item: &Value, name: String, kind: TargetKind, reachable: bool) -> Target {
    Target::new(item["id"].as_str().unwrap_or_default(), name, kind).reachable(reachable)
}

fn name(names: &[&Value]) -> String {
    let name = names.iter().filter_map(|name| name.as_str()).find(|name| !name.trim().is_empty());
    line_or(name.unwrap_or_default(), 100, UNNAMED)
}
