//! Channels of a scenario, each with a webhook of its own unless it is told another.

use std::sync::atomic::Ordering;

use pqh_tests::slack_webhook::Webhook;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Answer, Scenario};

impl Scenario {
    /// A webhook that nobody uses yet.
    pub fn webhook(&self) -> Webhook {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        self.simulator.add_webhook(&format!("/services/T00000001/B{number:08}/{number:0>24}"))
    }

    /// Makes a channel, and gives its webhook.
    pub async fn channel(&self, alias: &str) -> Webhook {
        let webhook = self.webhook();
        self.channel_to(alias, &webhook).await;
        webhook
    }

    /// Makes a channel that posts to this webhook.
    pub async fn channel_to(&self, alias: &str, webhook: &Webhook) -> Value {
        self.post("/v1/channels", &new_channel(alias, webhook)).await.created()
    }

    /// The channel as the API tells it.
    pub async fn channel_state(&self, alias: &str) -> Value {
        self.get(&format!("/v1/channels/{alias}")).await
    }

    /// Has a channel post to another webhook.
    pub async fn change_webhook(&self, alias: &str, webhook: &Webhook) -> Answer {
        self.patch(&format!("/v1/channels/{alias}"), &json!({ "settings": { "url": webhook.url() } })).await
    }

    pub async fn pause(&self, alias: &str) {
        self.act(&format!("/v1/channels/{alias}/pause")).await.ok();
    }

    pub async fn resume(&self, alias: &str) {
        self.act(&format!("/v1/channels/{alias}/resume")).await.ok();
    }

    /// Checks a channel, and says whether its service takes its settings.
    pub async fn check(&self, alias: &str) -> bool {
        let found = self.act(&format!("/v1/channels/{alias}/check")).await.ok();
        match found["outcome"].as_str() {
            Some("passed") => true,
            Some("failed") => false,
            _ => panic!("a check found {found}"),
        }
    }

    pub async fn delete_channel(&self, alias: &str) {
        let answer = self.ask(Method::DELETE, &format!("/v1/channels/{alias}"), &self.admin, None).await;
        assert_eq!(answer.status, 204, "{answer:#?}");
    }

    /// Names the channels that notices go to.
    pub async fn notify(&self, aliases: &[&str]) {
        self.patch("/v1/organization", &json!({ "notice_channels": aliases })).await.ok();
    }

    /// Waits until the service has paused a channel, and gives the channel.
    pub async fn until_paused(&self, alias: &str) -> Value {
        super::eventually(&format!("a pause of {alias}"), || async {
            let channel = self.channel_state(alias).await;
            if channel["status"] == "paused" { Ok(channel) } else { Err(channel) }
        })
        .await
    }
}

/// What makes a channel.
pub fn new_channel(alias: &str, webhook: &Webhook) -> Value {
    json!({ "alias": alias, "type": "slack-webhook", "settings": { "url": webhook.url() } })
}
