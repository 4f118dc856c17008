//! Held deliveries: for how long, why, and how they go on.

#[path = "support/scenario/mod.rs"]
mod scenario;

use std::time::Duration;

use reqwest::Method;
use scenario::{DAY, HOUR, MINUTE, MOMENT, OTHER_TYPE, Scenario, almost, attempts, event, millis, throttling};
use serde_json::json;

/// Between two rounds in which the service looks for what was held too long.
const ROUND: Duration = Duration::from_mins(10);

#[tokio::test]
async fn what_is_held_over_7_days_is_failed_and_can_be_replayed() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    scenario.pause("sales").await;
    let old = scenario.publish("sales", "old").await;
    scenario.pass(DAY);
    let young = scenario.publish("sales", "young").await;
    scenario.pass(almost(6 * DAY));
    scenario.settle().await;
    assert_eq!(scenario.delivery(&old).await["status"], "held");
    scenario.pass(MOMENT + ROUND);
    let failed = scenario.until(&old, "failed").await;
    assert_eq!((&failed["cause"]["code"], &failed["held"]), (&"held-too-long".into(), &json!(null)));
    assert_eq!(scenario.delivery(&young).await["status"], "held");
    scenario.resume("sales").await;
    scenario.until(&young, "delivered").await;
    assert_eq!(scenario.delivery(&old).await["status"], "failed", "what failed does not go on by itself");
    scenario.act(&format!("/v1/deliveries/{old}/replay")).await.created();
    scenario.until(&old, "delivered").await;
    assert_eq!(webhook.messages().len(), 2);
}

#[tokio::test]
async fn without_a_paid_plan_new_events_are_refused_and_what_waits_is_held_until_the_plan_changes() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    webhook.next(throttling(Some("60")));
    let id = scenario.publish("sales", "Revenue").await;
    scenario.until(&id, "waiting").await;
    scenario.set_plan("free").await;
    let held = scenario.until(&id, "held").await;
    assert_eq!(held["held"]["reason"], "plan");
    let refused = scenario.post_event(&["sales"], &event("Costs")).await;
    refused.problem(403, "channel-access-restricted");
    scenario.act("/v1/channels/sales/test").await.problem(403, "channel-access-restricted");
    scenario.pass(HOUR);
    scenario.settle().await;
    assert_eq!(scenario.delivery(&id).await["status"], "held");
    assert!(webhook.messages().is_empty());
    scenario.set_plan("paid").await;
    scenario.until(&id, "delivered").await;
    scenario.publish("sales", "Costs").await;
    scenario.until_messages(&webhook, 2).await;
}

#[tokio::test]
async fn a_paused_channel_stays_paused_when_the_plan_lapses_and_comes_back() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    scenario.pause("sales").await;
    let id = scenario.publish("sales", "Revenue").await;
    scenario.set_plan("free").await;
    scenario.set_plan("paid").await;
    scenario.settle().await;
    let held = scenario.delivery(&id).await;
    assert_eq!((&held["status"], &held["held"]["reason"]), (&"held".into(), &"channel-paused".into()));
    assert!(webhook.messages().is_empty());
    scenario.resume("sales").await;
    scenario.until(&id, "delivered").await;
}

#[tokio::test]
async fn where_a_grant_is_revoked_what_waits_and_what_comes_is_held_until_it_is_granted_again() {
    let folder = scenario::folder_with_another_type();
    let scenario = Scenario::with(|config| config.plugins = Some(folder.path().to_owned())).await;
    let webhook = scenario.webhook();
    let grant = async |word: &str| {
        let path = format!("/v1/plugins/{OTHER_TYPE}/{word}");
        scenario.ask(Method::POST, &path, &scenario.operator, None).await.ok();
    };
    let new = json!({ "alias": "sales", "type": OTHER_TYPE, "settings": { "url": webhook.url() } });
    scenario.post("/v1/channels", &new).await.problem(409, "not-granted");
    grant("grant").await;
    scenario.post("/v1/channels", &new).await.created();
    webhook.next(throttling(Some("60")));
    let waits = scenario.publish("sales", "waits").await;
    scenario.until(&waits, "waiting").await;
    grant("revoke").await;
    let comes = scenario.publish("sales", "comes").await;
    for id in [&waits, &comes] {
        assert_eq!(scenario.until(id, "held").await["held"]["reason"], "grant");
    }
    assert_eq!(scenario.channel_state("sales").await["held_reason"], "grant");
    scenario.pass(HOUR);
    scenario.settle().await;
    assert!(webhook.messages().is_empty());
    grant("grant").await;
    scenario.until(&waits, "delivered").await;
    scenario.until(&comes, "delivered").await;
}

#[tokio::test]
async fn the_time_held_does_not_count_into_the_24_hours() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    webhook.limit(0, 3_600);
    let id = scenario.publish("sales", "Revenue").await;
    for attempt in 1..=12 {
        scenario.until_attempts(&id, attempt).await;
        scenario.pass(HOUR);
    }
    // Half of the time is over.
    scenario.until_attempts(&id, 13).await;
    scenario.pause("sales").await;
    scenario.pass(3 * DAY);
    scenario.resume("sales").await;
    let mut tried = 13;
    let resumed = scenario.now();
    let failed = loop {
        tried += 1;
        let delivery = scenario.until_attempts(&id, tried).await;
        if delivery["status"] == "failed" {
            break delivery;
        }
        scenario.pass(HOUR);
    };
    let went_on = millis(&failed["ended_at"]) - resumed;
    let half_a_day = 12 * HOUR.as_millis();
    assert_eq!(u128::try_from(went_on), Ok(half_a_day), "{} attempts", attempts(&failed).len());
}

#[tokio::test]
async fn what_is_held_outlives_a_restart_and_a_restart_finds_what_was_mended_meanwhile() {
    let mut scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    scenario.pause("sales").await;
    let id = scenario.publish("sales", "Revenue").await;
    scenario.restart().await;
    scenario.pass(MINUTE);
    scenario.settle().await;
    assert_eq!(scenario.delivery(&id).await["status"], "held");
    assert!(webhook.messages().is_empty());
    scenario.resume("sales").await;
    scenario.until(&id, "delivered").await;
}
