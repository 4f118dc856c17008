//! Alerts of a scenario, their checks, and what people saw of them.

use jiff::Timestamp;
use pqh::clock::Clock;
use pqh_tests::slack_webhook::{Webhook, render};
use reqwest::Method;
use serde_json::{Value, json};

use crate::scenario::{Answer, Scenario, text};

/// A time of the API.
pub(crate) fn at(time: &str) -> i64 {
    time.parse::<Timestamp>().unwrap().as_millisecond()
}

/// A scenario whose clock stands at this time.
pub(crate) async fn scenario_at(time: &str) -> Scenario {
    Scenario::with_clock(Clock::set_to(at(time)), |_| {}).await
}

/// An alert on revenue, which is broken below 10,000.
pub(crate) fn revenue(name: &str, channels: &[&str]) -> Value {
    json!({ "name": name, "rules": ["Revenue < 10000"], "channels": channels })
}

/// The same with further members.
pub(crate) fn with(mut alert: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("no object: {more}") };
    alert.as_object_mut().unwrap().extend(more);
    alert
}

impl Scenario {
    pub(crate) async fn alert(&self, alert: &Value) -> Value {
        self.post("/v1/alerts", alert).await.created()
    }

    pub(crate) async fn alert_state(&self, name: &str) -> Value {
        self.get(&format!("/v1/alerts/{name}")).await
    }

    /// A check now, by a publisher.
    pub(crate) async fn check_now(&self, name: &str, revenue: &str) -> Value {
        self.try_check(name, &json!({ "values": { "Revenue": revenue } })).await.created()
    }

    /// A check of another time, by a publisher.
    pub(crate) async fn check_at(&self, name: &str, time: &str, revenue: &str) -> Answer {
        self.try_check(name, &json!({ "at": time, "values": { "Revenue": revenue } })).await
    }

    pub(crate) async fn try_check(&self, name: &str, check: &Value) -> Answer {
        self.post_as(&self.publisher, &format!("/v1/alerts/{name}/checks"), check).await
    }

    pub(crate) async fn change_alert(&self, name: &str, change: &Value) -> Value {
        self.patch(&format!("/v1/alerts/{name}"), change).await.ok()
    }

    pub(crate) async fn delete_alert(&self, name: &str) {
        let answer = self.ask(Method::DELETE, &format!("/v1/alerts/{name}"), &self.admin, None).await;
        assert_eq!(answer.status, 204, "{answer:#?}");
    }

    /// How many deliveries of all have not ended.
    pub(crate) async fn deliveries_open(&self) -> usize {
        let depth = self.metric("pqh_queue_depth").await;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
        let depth = depth as usize;
        depth
    }

    pub(crate) async fn quiet(&self, alias: &str, hours: &Value) {
        self.patch(&format!("/v1/channels/{alias}"), &json!({ "quiet_hours": hours })).await.ok();
    }
}

/// What people see, message by message.
pub(crate) fn seen(webhook: &Webhook) -> Vec<String> {
    webhook.messages().iter().map(|message| render::message(message, false)).collect()
}

/// Each message in a word: what it tells and, of a trigger, the value.
pub(crate) fn told(webhook: &Webhook) -> Vec<String> {
    let word = |message: &String| {
        if message.contains("Digest:") {
            return "digest".to_owned();
        }
        match message.split("(Current: ").nth(1).and_then(|rest| rest.split(')').next()) {
            Some(current) => format!("triggered {current}"),
            None if message.contains("Alert Resolved") => "resolved".to_owned(),
            None => message.clone(),
        }
    };
    seen(webhook).iter().map(word).collect()
}

/// Why a check told nobody.
#[track_caller]
pub(crate) fn silence(check: &Value) -> String {
    text(&check["silence"]["code"])
}

/// The only delivery of a check.
#[track_caller]
pub(crate) fn delivery(check: &Value) -> String {
    assert_eq!(check["deliveries"].as_array().map(Vec::len), Some(1), "{check:#}");
    text(&check["deliveries"][0]["id"])
}
