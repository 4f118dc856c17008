//! The events that Slack sends to an app: their bodies.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Shared;
use super::delivery::Delivery;
use super::workspace::{Channel, Message};

/// The events of an app in a workspace. Each makes the request that Slack would send now; a test sends it.
///
/// What an event tells of (an archived channel, a removed app) is done by [`Workspace`](super::Workspace): the two are
/// told apart, since they reach an app apart.
#[derive(Debug, Clone)]
pub struct Events {
    shared: Arc<Shared>,
    team: String,
    app: String,
}

impl Events {
    pub(crate) fn new(shared: &Arc<Shared>, team: &str, app: &str) -> Self {
        Self { shared: Arc::clone(shared), team: team.to_owned(), app: app.to_owned() }
    }

    /// The signature of `body` at `timestamp` (seconds since 1970), by the app's signing secret.
    pub fn sign(&self, body: &[u8], timestamp: i64) -> String {
        super::delivery::sign(&self.secret(), timestamp, body)
    }

    fn secret(&self) -> String {
        let state = self.shared.state();
        state.apps.iter().find(|app| app.id == self.app).map_or_else(String::new, |app| app.signing_secret.clone())
    }

    fn now(&self) -> i64 {
        self.shared.state().now()
    }

    fn bot(&self) -> String {
        let state = self.shared.state();
        state.installation(&self.app, &self.team).map_or_else(String::new, |held| held.bot_user_id.clone())
    }

    /// Any JSON, signed and sent now.
    pub fn json(&self, body: &Value) -> Delivery {
        Delivery::new(&self.secret(), self.now() / 1_000, "application/json", body.to_string().into_bytes())
    }

    /// Any form, signed and sent now.
    pub fn form(&self, body: &str) -> Delivery {
        let form = "application/x-www-form-urlencoded";
        Delivery::new(&self.secret(), self.now() / 1_000, form, body.as_bytes().to_vec())
    }

    /// Any event in its envelope, under an id of its own. With the `event` of another's body Slack tells the same once more.
    pub fn event(&self, event: &Value) -> Delivery {
        let bot = self.bot();
        let (now, serial, enterprise) = {
            let mut state = self.shared.state();
            let team = state.team(&self.team);
            let enterprise = team.and_then(|team| team.enterprise.as_ref()).map(|(id, _)| id.clone());
            (state.now(), state.serial(), enterprise)
        };
        let mut event = event.clone();
        if event["event_ts"].is_null() {
            event["event_ts"] = format!("{}.{:06}", now / 1_000, serial % 1_000_000).into();
        }
        self.json(&json!({
            "token": "XXYYZZ",
            "team_id": self.team,
            "api_app_id": self.app,
            "event": event,
            "type": "event_callback",
            // Other ones after a restart, too.
            "event_id": format!("Ev{now:011X}{serial:05}"),
            "event_time": now / 1_000,
            "event_context": format!("4-{serial}"),
            "authorizations": [{
                "enterprise_id": enterprise,
                "team_id": self.team,
                "user_id": bot,
                "is_bot": true,
                "is_enterprise_install": false,
            }],
            "is_ext_shared_channel": false,
        }))
        .judged(self.missing(&event), self.is_subscribed(&event))
    }

    /// The scope that `event` needs and the installation has not.
    fn missing(&self, event: &Value) -> Option<&'static str> {
        let kind = event["channel_type"].as_str().unwrap_or_default();
        let scope = scope_of(event["type"].as_str()?, kind)?;
        let state = self.shared.state();
        let installed = state.installation(&self.app, &self.team)?;
        (!installed.scopes.iter().any(|held| held == scope)).then_some(scope)
    }

    fn is_subscribed(&self, event: &Value) -> bool {
        let state = self.shared.state();
        let events = state.apps.iter().find(|app| app.id == self.app).and_then(|app| app.events.as_ref());
        events.is_none_or(|events| events.iter().any(|held| event["type"] == **held))
    }

    /// The handshake for a Request URL.
    pub fn url_verification(&self, challenge: &str) -> Delivery {
        self.json(&json!({ "token": "XXYYZZ", "challenge": challenge, "type": "url_verification" }))
    }

    /// More than 30,000 events an hour: none come for the minute that began then (seconds since 1970).
    pub fn app_rate_limited(&self, minute: i64) -> Delivery {
        self.json(&json!({
            "token": "XXYYZZ",
            "type": "app_rate_limited",
            "team_id": self.team,
            "minute_rate_limited": minute,
            "api_app_id": self.app,
        }))
    }

    /// `user` writes `@bot words` into a channel.
    pub fn app_mention(&self, channel: &str, user: &str, words: &str) -> Delivery {
        self.mention(channel, user, words, None)
    }

    /// `user` writes `@bot words` as a reply to a message.
    pub fn app_mention_in_thread(&self, channel: &str, user: &str, words: &str, thread_ts: &str) -> Delivery {
        self.mention(channel, user, words, Some(thread_ts))
    }

    /// The message stands in its channel, so that it can be replied to.
    fn mention(&self, channel: &str, user: &str, words: &str, thread_ts: Option<&str>) -> Delivery {
        let text = format!("<@{}> {words}", self.bot());
        let ts = say(&self.shared, &self.team, channel, user, &text, thread_ts);
        let mut event = json!({
            "type": "app_mention", "user": user, "text": text, "ts": ts, "channel": channel, "team": self.team,
            // As in Slack's example, without a dot.
            "event_ts": ts.replace('.', ""),
        });
        if let Some(thread) = thread_ts {
            event["thread_ts"] = thread.into();
        }
        self.event(&event)
    }

    /// Somebody came into a channel.
    pub fn member_joined_channel(&self, channel: &str, user: &str, inviter: Option<&str>) -> Delivery {
        let mut event = json!({
            "type": "member_joined_channel", "user": user, "channel": channel, "channel_type": self.kind(channel),
            "team": self.team,
        });
        if let Some(inviter) = inviter {
            event["inviter"] = inviter.into();
        }
        self.event(&event)
    }

    /// The app's bot was invited to a channel.
    pub fn bot_invited(&self, channel: &str, inviter: &str) -> Delivery {
        self.member_joined_channel(channel, &self.bot(), Some(inviter))
    }

    /// Somebody went out of a channel.
    pub fn member_left_channel(&self, channel: &str, user: &str) -> Delivery {
        let kind = self.kind(channel);
        self.event(&json!({
            "type": "member_left_channel", "user": user, "channel": channel, "channel_type": kind, "team": self.team,
        }))
    }

    fn kind(&self, channel: &str) -> &'static str {
        let state = self.shared.state();
        let held = state.team(&self.team).and_then(|team| team.channel(channel));
        if held.is_some_and(Channel::is_private) { "G" } else { "C" }
    }

    fn of_channel(&self, kind: &str, channel: &str) -> Delivery {
        self.event(&json!({ "type": kind, "channel": channel }))
    }

    /// The bot is in a public channel no longer.
    pub fn channel_left(&self, channel: &str) -> Delivery {
        self.of_channel("channel_left", channel)
    }

    /// The bot is in a private channel no longer.
    pub fn group_left(&self, channel: &str) -> Delivery {
        self.of_channel("group_left", channel)
    }

    /// A public channel was archived.
    pub fn channel_archive(&self, channel: &str, user: &str) -> Delivery {
        self.event(&json!({ "type": "channel_archive", "channel": channel, "user": user, "is_moved": 0 }))
    }

    /// A public channel is used again.
    pub fn channel_unarchive(&self, channel: &str, user: &str) -> Delivery {
        self.event(&json!({ "type": "channel_unarchive", "channel": channel, "user": user }))
    }

    /// A public channel was deleted.
    pub fn channel_deleted(&self, channel: &str) -> Delivery {
        self.of_channel("channel_deleted", channel)
    }

    /// A public channel has another name.
    pub fn channel_rename(&self, channel: &str, name: &str) -> Delivery {
        let channel = json!({ "id": channel, "name": name, "created": 1_449_252_889 });
        self.event(&json!({ "type": "channel_rename", "channel": channel }))
    }

    /// A private channel was archived.
    pub fn group_archive(&self, channel: &str) -> Delivery {
        self.of_channel("group_archive", channel)
    }

    /// A private channel is used again.
    pub fn group_unarchive(&self, channel: &str) -> Delivery {
        self.of_channel("group_unarchive", channel)
    }

    /// A private channel has another name.
    pub fn group_rename(&self, channel: &str, name: &str) -> Delivery {
        let channel = json!({ "id": channel, "name": name, "created": 1_449_252_889 });
        self.event(&json!({ "type": "group_rename", "channel": channel }))
    }

    /// The app was removed.
    pub fn app_uninstalled(&self) -> Delivery {
        self.event(&json!({ "type": "app_uninstalled" }))
    }

    /// Tokens were revoked: of people, and of bots, by their user ids.
    pub fn tokens_revoked(&self, people: &[&str], bots: &[&str]) -> Delivery {
        self.event(&json!({ "type": "tokens_revoked", "tokens": { "oauth": people, "bot": bots } }))
    }

    /// `user` clicks a button of the message `ts`: `action` has its `action_id`, `block_id`, `text`, and `value` or `url`.
    pub fn block_actions(&self, channel: &str, ts: &str, user: &str, action: &Value) -> Delivery {
        let (now, serial, name, message, domain) = {
            let mut state = self.shared.state();
            let (now, serial) = (state.now(), state.serial());
            let team = state.team_mut(&self.team);
            let found = team.map(|team| {
                let name = team.channel(channel).map_or_else(String::new, |held| held.name.clone());
                let message = team.message_mut(channel, ts).map(|message| message.content.clone());
                (name, message.unwrap_or_default(), team.domain.clone())
            });
            let (name, message, domain) = found.unwrap_or_default();
            (now, serial, name, message, domain)
        };
        let mut message = Value::Object(message);
        message["type"] = "message".into();
        message["user"] = self.bot().into();
        message["ts"] = ts.into();
        let mut action = action.clone();
        action["type"] = "button".into();
        action["action_ts"] = format!("{}.{:06}", now / 1_000, serial % 1_000_000).into();
        let payload = json!({
            "type": "block_actions",
            "user": { "id": user, "username": user, "name": user, "team_id": self.team },
            "api_app_id": self.app,
            "token": "XXYYZZ",
            "container": { "type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": false },
            "trigger_id": format!("{serial}.{now}.0123456789abcdef"),
            "team": { "id": self.team, "domain": domain },
            "enterprise": null,
            "is_enterprise_install": false,
            "channel": { "id": channel, "name": name },
            "message": message,
            "state": { "values": {} },
            "response_url": format!("https://hooks.slack.com/actions/{}/{serial}/0123456789abcdef", self.team),
            "actions": [action],
        });
        self.form(&format!("payload={}", super::form::encoded(&payload.to_string())))
    }
}

/// The scope that an event needs; of those that come from both kinds of channels, by the kind (`C` or `G`).
pub(crate) fn scope_of(event: &str, channel_type: &str) -> Option<&'static str> {
    match event {
        "app_mention" => Some("app_mentions:read"),
        "member_joined_channel" | "member_left_channel" if channel_type == "G" => Some("groups:read"),
        "member_joined_channel" | "member_left_channel" => Some("channels:read"),
        kind if kind.starts_with("channel_") => Some("channels:read"),
        kind if kind.starts_with("group_") => Some("groups:read"),
        _ => None,
    }
}

/// `user` writes into a channel: the message's `ts`.
pub(crate) fn say(
    shared: &Shared,
    team: &str,
    channel: &str,
    user: &str,
    text: &str,
    thread_ts: Option<&str>,
) -> String {
    let mut state = shared.state();
    let now = state.now();
    let Some(team) = state.team_mut(team) else { return String::new() };
    let ts = team.next_ts(now);
    team.keep(Message {
        channel: channel.to_owned(),
        ts: ts.clone(),
        thread_ts: thread_ts.map(str::to_owned),
        user: user.to_owned(),
        app_id: None,
        content: json!({ "text": text }).as_object().cloned().unwrap_or_default(),
        edits: Vec::new(),
        is_deleted: false,
        at: now,
    });
    drop(state);
    shared.changed.send_replace(());
    ts
}
