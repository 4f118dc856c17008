//! What the tests share: a connected workspace, settings, and Slack's answers.
#![allow(dead_code, reason = "each test uses a part of it")]

use pqh_channel_sdk::Workspace;
use pqh_channel_sdk::testkit::Gate;
use serde_json::{Value, json};

/// A script, made when its turn comes: a thread has one gate at a time.
pub(crate) type Script = fn() -> Gate;

/// The workspace that is connected.
pub(crate) fn workspace() -> Workspace {
    Workspace {
        id: "T1".to_owned(),
        name: "MyCompany Slack".to_owned(),
        memo: json!({ "bot_user_id": "UBOT", "app_id": "A1", "url": "https://my.slack.com/" }).to_string(),
    }
}

/// Settings that post to this channel or person.
pub(crate) fn to(channel: &str) -> Value {
    json!({ "channel": channel, "resolutions": "thread" })
}

/// The next request gets a 200 with these members, which say `ok` themselves.
pub(crate) trait Says {
    /// Adds the answer.
    #[must_use]
    fn says(self, members: Value) -> Self;
    /// `ok: false` with this word.
    #[must_use]
    fn refuses(self, word: &str) -> Self;
    /// A message was posted.
    #[must_use]
    fn posts(self, channel: &str, ts: &str) -> Self;
    /// The link to it.
    #[must_use]
    fn links(self) -> Self;
}

impl Says for Gate {
    fn says(self, members: Value) -> Self {
        self.answer(200, &members.to_string())
    }

    fn refuses(self, word: &str) -> Self {
        self.says(json!({ "ok": false, "error": word }))
    }

    fn posts(self, channel: &str, ts: &str) -> Self {
        self.says(json!({ "ok": true, "channel": channel, "ts": ts, "message": { "text": "…" } }))
    }

    fn links(self) -> Self {
        self.says(json!({ "ok": true, "permalink": "https://my.slack.com/archives/C1/p1" }))
    }
}

/// The methods that were called, in order.
pub(crate) fn methods(gate: &Gate) -> Vec<String> {
    let api = "https://slack.com/api/";
    gate.requests().iter().map(|sent| sent.url().strip_prefix(api).unwrap_or("elsewhere").to_owned()).collect()
}

/// The form of the request with this number.
pub(crate) fn form(gate: &Gate, number: usize) -> String {
    String::from_utf8_lossy(gate.requests()[number].body()).into_owned()
}
