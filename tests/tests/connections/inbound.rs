//! What Slack sends to us: proved, answered at once, and acted on afterwards, each once.

mod changes;
mod door;
mod life;
mod mentions;
mod queue;

use pqh_tests::slack_api::{Delivery, Message};
use serde_json::json;

use crate::scenario::{PATIENCE, eventually, text};
use crate::world::{ADA, World};

impl World {
    /// Slack sends something, and is answered with 200 and nothing.
    pub async fn taken(&self, delivery: &Delivery) {
        assert!(delivery.is_sent(), "Slack would not send it: {delivery:?}");
        assert_eq!(self.send(delivery).await, (200, String::new()), "{}", delivery.json());
    }

    /// Ada mentions the bot. What she wrote.
    async fn mention(&self, channel: &str, words: &str) -> Delivery {
        let mention = self.acme().events().app_mention(channel, ADA, words);
        self.taken(&mention).await;
        mention
    }

    /// The replies to a message, once there is one.
    async fn replies(&self, to: &Delivery) -> Vec<Message> {
        let event = &to.json()["event"];
        let (channel, ts) = (text(&event["channel"]), text(&event["ts"]));
        let is_reply = |message: &Message| message.thread_ts.as_deref() == Some(&ts) && message.app_id.is_some();
        let acme = self.acme();
        let waiting = acme.wait_for(&channel, |messages| messages.iter().any(is_reply));
        let messages = tokio::time::timeout(PATIENCE, waiting).await.expect("there is no reply");
        messages.into_iter().filter(is_reply).collect()
    }

    /// The words of the one reply to a message.
    pub async fn reply(&self, to: &Delivery) -> String {
        let replies = self.replies(to).await;
        assert_eq!(replies.len(), 1, "{replies:#?}");
        text(&replies[0].content["text"])
    }

    /// All that was sent of the workspace before was acted on when this returns: one after the other.
    pub async fn acted_on(&self) {
        let last = self.mention("C0OPS", "help").await;
        self.reply(&last).await;
    }

    /// How many messages came to this, as the service counts them.
    async fn counted(&self, outcome: &str) -> u64 {
        let name = format!("pqh_inbound_messages_total{{outcome=\"{outcome}\"}} ");
        let told = self.scenario.open("/metrics").await.body;
        told.lines().find_map(|line| line.strip_prefix(&name)).map_or(0, |count| count.parse().unwrap())
    }

    /// Waits until so many messages came to this: how many did.
    async fn until_counted(&self, outcome: &str, count: u64) -> u64 {
        eventually(&format!("{count} messages that are {outcome}"), || async {
            let counted = self.counted(outcome).await;
            if counted >= count { Ok(counted) } else { Err(json!(counted)) }
        })
        .await
    }

    /// The messages of ours in a channel that reply to nothing.
    fn said(&self, channel: &str) -> Vec<String> {
        let ours = |message: &Message| message.app_id.is_some() && message.thread_ts.is_none();
        let messages = self.acme().messages(channel).into_iter().filter(ours);
        messages.map(|message| message.content["text"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Waits until a channel posts again.
    async fn until_active(&self, alias: &str) {
        eventually(&format!("{alias} goes on"), || async {
            let channel = self.scenario.channel_state(alias).await;
            if channel["status"] == "paused" { Err(channel) } else { Ok(()) }
        })
        .await;
    }

    /// Waits until the connection has this status.
    async fn until_connection(&self, status: &str) -> serde_json::Value {
        eventually(&format!("a connection that is {status}"), || async {
            let all = self.connections().await;
            if all[0]["status"] == status { Ok(all[0].clone()) } else { Err(json!(all)) }
        })
        .await
    }
}
