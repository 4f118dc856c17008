//! Publishes events, and follows what becomes of them.

use std::time::Duration;

use pqh_tests::slack_webhook::{Hold, Webhook};
use serde_json::{Value, json};

use super::{Answer, PATIENCE, Scenario, eventually, new_channel};

/// Where nothing happens any more until something else does.
const ENDS: [&str; 4] = ["delivered", "failed", "folded", "cancelled"];

/// An event with this title.
pub fn event(title: &str) -> Value {
    json!({ "title": title, "notebook": { "status": "success", "message": "Done." } })
}

/// A text of the API.
#[track_caller]
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// A time of the API.
#[track_caller]
pub fn millis(value: &Value) -> i64 {
    text(value).parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

/// A delivery's attempts.
#[track_caller]
pub fn attempts(delivery: &Value) -> &[Value] {
    delivery["attempts"].as_array().expect("attempts")
}

/// How long until a delivery is due, seen from `now`.
#[track_caller]
pub fn due_in(delivery: &Value, now: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis(&delivery["due_at"]) - now).unwrap_or(0))
}

/// The titles of what a webhook took, in the order in which it came.
pub fn order(webhook: &Webhook, titles: &[impl AsRef<str>]) -> Vec<String> {
    let title_of = |message: &Value| {
        let message = message.to_string();
        titles.iter().map(AsRef::as_ref).find(|title| message.contains(title)).map_or(message.clone(), str::to_owned)
    };
    webhook.messages().iter().map(title_of).collect()
}

impl Scenario {
    /// Posts an event as a publisher.
    pub async fn post_event(&self, channels: &[&str], event: &Value) -> Answer {
        self.post_as(&self.publisher, "/v1/events", &json!({ "channels": channels, "event": event })).await
    }

    /// Posts an event to one channel. The delivery's id.
    pub async fn publish(&self, channel: &str, title: &str) -> String {
        self.publish_event(channel, &event(title)).await
    }

    /// The same with an event of one's own.
    pub async fn publish_event(&self, channel: &str, event: &Value) -> String {
        let accepted = self.post_event(&[channel], event).await.created();
        text(&accepted["deliveries"][0]["id"])
    }

    /// A delivery as it is now.
    pub async fn delivery(&self, id: &str) -> Value {
        self.get(&format!("/v1/deliveries/{id}")).await
    }

    /// Waits until a delivery has this status.
    pub async fn until(&self, id: &str, status: &str) -> Value {
        eventually(&format!("{status} of {id}"), || async {
            let delivery = self.delivery(id).await;
            let found = text(&delivery["status"]);
            assert!(found == status || !ENDS.contains(&found.as_str()), "expected {status}: {delivery:#}");
            if found == status { Ok(delivery) } else { Err(delivery) }
        })
        .await
    }

    /// Waits until so many attempts of a delivery were made, and nothing is in flight.
    pub async fn until_attempts(&self, id: &str, count: usize) -> Value {
        eventually(&format!("attempt {count} of {id}"), || async {
            let delivery = self.delivery(id).await;
            let rests = delivery["status"] != "queued" && delivery["status"] != "sending";
            if rests && attempts(&delivery).len() >= count { Ok(delivery) } else { Err(delivery) }
        })
        .await
    }

    /// Moves the clock to when a delivery is due.
    pub async fn pass_until_due(&self, id: &str) {
        let delivery = self.delivery(id).await;
        self.pass_until(millis(&delivery["due_at"]));
    }

    /// Waits until a webhook was asked so often, refused requests included.
    pub async fn until_requests(&self, webhook: &Webhook, count: usize) {
        eventually(&format!("request {count}"), || async {
            let seen = webhook.requests();
            if seen >= count { Ok(()) } else { Err(json!(seen)) }
        })
        .await;
    }

    /// Waits until a webhook took so many messages, and has that be all of them.
    pub async fn until_messages(&self, webhook: &Webhook, count: usize) {
        eventually(&format!("message {count}"), || async {
            let seen = webhook.messages().len();
            if seen >= count { Ok(()) } else { Err(json!(seen)) }
        })
        .await;
        self.settle().await;
        assert_eq!(webhook.messages().len(), count);
    }

    /// Everything that is due has its turn before this returns: two messages of another organization go to a target of
    /// their own, and the second of them can only be sent by whoever gives turns, after all that was due before.
    pub async fn settle(&self) {
        let webhook = self.webhook();
        let alias = webhook.path().replace('/', "-");
        self.post_as(&self.sentinel, "/v1/channels", &new_channel(&alias, &webhook)).await.created();
        webhook.hold(Hold::Requests);
        for title in ["first", "second"] {
            let body = json!({ "channels": [alias], "event": event(title) });
            self.post_as(&self.sentinel, "/v1/events", &body).await.created();
        }
        webhook.release();
        let arrived = tokio::time::timeout(PATIENCE, webhook.wait_for(2)).await;
        assert!(arrived.is_ok(), "what is due does not get its turn");
    }

    /// Deliveries that `query` names, newest first.
    pub async fn deliveries(&self, query: &str) -> Vec<Value> {
        self.list(&format!("/v1/deliveries?{query}")).await
    }

    /// Statuses of deliveries, in the order of `ids`.
    pub async fn statuses(&self, ids: &[String]) -> Vec<String> {
        let mut statuses = Vec::new();
        for id in ids {
            statuses.push(text(&self.delivery(id).await["status"]));
        }
        statuses
    }

    /// Waits until notices came to a webhook, as many as expected and no more.
    pub async fn until_notices(&self, webhook: &Webhook, count: usize) -> Vec<String> {
        self.until_messages(webhook, count).await;
        webhook.messages().iter().map(ToString::to_string).collect()
    }
}
