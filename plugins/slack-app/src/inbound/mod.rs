//! What Slack sends to us: how it proves itself, and what is answered at once.

mod answers;
mod handle;

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use pqh_channel_sdk::inbound::{Proof, Reception, Request, Response};
use pqh_channel_sdk::signatures::{Encoding, Key, Part, Signature};
use serde_json::Value;

pub(crate) use handle::handle;

/// The events that mean something to us.
pub const EVENTS: [&str; 15] = [
    "app_mention",
    "app_uninstalled",
    "channel_archive",
    "channel_deleted",
    "channel_left",
    "channel_rename",
    "channel_unarchive",
    "group_archive",
    "group_deleted",
    "group_left",
    "group_rename",
    "group_unarchive",
    "member_joined_channel",
    "member_left_channel",
    "tokens_revoked",
];

pub(crate) fn verification() -> Proof {
    const TIMESTAMP: &str = "x-slack-request-timestamp";
    Proof::Signature(Signature {
        algorithm: "hmac-sha256".to_owned(),
        key: Key::Text,
        parts: vec![
            Part::Literal("v0:".to_owned()),
            Part::Header(TIMESTAMP.to_owned()),
            Part::Literal(":".to_owned()),
            Part::Body,
        ],
        header: "x-slack-signature".to_owned(),
        prefix: "v0=".to_owned(),
        encoding: Encoding::Hex,
        timestamp_header: Some(TIMESTAMP.to_owned()),
    })
}

/// 200 to whatever is signed: Slack stops sending events, to all workspaces, where too many are refused. What is no JSON
/// is a click on a button, which opens its page by itself.
pub(crate) fn receive(request: &Request) -> Reception {
    let sent: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let nothing = Reception { response: Response::empty(), workspace: None, message_ids: Vec::new() };
    match (sent["type"].as_str(), sent["event_id"].as_str()) {
        (Some("url_verification"), _) => {
            Reception { response: Response::text(sent["challenge"].as_str().unwrap_or_default()), ..nothing }
        }
        (Some("event_callback"), Some(id)) if matters(&sent["event"]) => {
            let event = &sent["event"];
            let workspace = team_of(&sent).map(str::to_owned);
            let mut message_ids = vec![id.to_owned()];
            if let (Some(team), Some(channel), Some(ts)) = (&workspace, event["channel"].as_str(), event["ts"].as_str())
            {
                message_ids.push(format!("{team}/{channel}/{ts}"));
            }
            Reception { workspace, message_ids, ..nothing }
        }
        _ => nothing,
    }
}

/// Whether an event is one of ours to act on, and not of a bot: the events of our own messages are.
fn matters(event: &Value) -> bool {
    event["type"].as_str().is_some_and(|kind| EVENTS.contains(&kind)) && event["bot_id"].is_null()
}

/// The workspace whose installation an event is for: in a channel shared with another company, it may have happened there.
fn team_of(sent: &Value) -> Option<&str> {
    sent["authorizations"][0]["team_id"].as_str().or_else(|| sent["team_id"].as_str())
}
