//! What Slack sends to us: how it proves itself, and what is answered at once.

mod answers;
mod handle;

use alloc::{borrow::ToOwned, format, vec, vec::Vec};

use pqh_channel_sdk::inbound::{Action, Inbound, Proof, Reception, Request, Response};
use pqh_channel_sdk::prelude::Failure;
use pqh_channel_sdk::signatures::{Encoding, Key, Part, Signature};
use pqh_channel_sdk::{Workspace, json};
use serde_json::Value;

use crate::SlackApp;

/// The events that mean something to us.
#[rustfmt::skip]
pub const EVENTS: [&str; 15] = [
    "app_mention", "app_uninstalled", "channel_archive", "channel_deleted", "channel_left", "channel_rename",
    "channel_unarchive", "group_archive", "group_deleted", "group_left", "group_rename", "group_unarchive",
    "member_joined_channel", "member_left_channel", "tokens_revoked",
];

impl Inbound for SlackApp {
    fn verification() -> Proof {
        let timestamp = "x-slack-request-timestamp".to_owned();
        let literal = |text: &str| Part::Literal(text.to_owned());
        Proof::Signature(Signature {
            algorithm: "hmac-sha256".to_owned(),
            key: Key::Text,
            parts: vec![literal("v0:"), Part::Header(timestamp.clone()), literal(":"), Part::Body],
            header: "x-slack-signature".to_owned(),
            prefix: "v0=".to_owned(),
            encoding: Encoding::Hex,
            timestamp_header: Some(timestamp),
        })
    }

    /// 200 to whatever is signed: Slack stops sending events, for all workspaces, where too many are refused. What is no
    /// JSON is a click on a button, which opens its page by itself.
    fn receive(request: &Request) -> Reception {
        let sent = json::read(&request.body);
        let nothing = Reception::new(Response::empty());
        match (sent["type"].as_str(), sent["event_id"].as_str()) {
            (Some("url_verification"), _) => {
                Reception::new(Response::text(sent["challenge"].as_str().unwrap_or_default()))
            }
            (Some("event_callback"), Some(id)) if matters(&sent["event"]) => {
                let team = team_of(&sent);
                let (channel, ts) = (sent["event"]["channel"].as_str(), sent["event"]["ts"].as_str());
                let message =
                    channel.zip(ts).map(|(channel, ts)| format!("{}/{channel}/{ts}", team.unwrap_or_default()));
                let message_ids = [Some(id.to_owned()), message].into_iter().flatten().collect();
                Reception { workspace: team.map(str::to_owned), message_ids, ..nothing }
            }
            _ => nothing,
        }
    }

    fn handle(workspace: &Workspace, request: &Request) -> Result<Vec<Action>, Failure> {
        handle::handle(workspace, request)
    }
}

/// Whether an event is one of ours to act on, and not of a bot: those of our own messages are.
fn matters(event: &Value) -> bool {
    event["type"].as_str().is_some_and(|kind| EVENTS.contains(&kind)) && event["bot_id"].is_null()
}

/// The workspace whose installation an event is for: in a channel shared with another company, it may have happened there.
fn team_of(sent: &Value) -> Option<&str> {
    sent["authorizations"][0]["team_id"].as_str().or_else(|| sent["team_id"].as_str())
}
