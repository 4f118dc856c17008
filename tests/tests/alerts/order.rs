//! Events of one alert in one channel: in order, folded where that says it all, and their end told to whoever heard of them.

use std::time::Duration;

use pqh_tests::slack_webhook::{Hold, Misbehaviour};
use serde_json::json;

use super::scenario::{HOUR, MINUTE, SECOND, Scenario, answering, text, throttling};
use super::world::{delivery, revenue, seen, silence, told, with};

#[tokio::test]
async fn the_next_of_an_alert_is_not_sent_before_the_one_before_it_has_ended() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.alert(&revenue("A", &["ops"])).await;
    webhook.next(Misbehaviour::CloseBeforeAnswer);
    let trigger = delivery(&scenario.check_now("A", "1").await);
    scenario.until_attempts(&trigger, 1).await;
    scenario.pass(SECOND);
    let resolution = delivery(&scenario.check_now("A", "20000").await);
    // What has nothing to do with it goes on, while the alert's next waits for the minute after an unknown outcome.
    let other = scenario.publish("ops", "Other").await;
    scenario.pass(30 * SECOND);
    scenario.until(&other, "delivered").await;
    scenario.settle().await;
    assert_eq!(text(&scenario.delivery(&resolution).await["status"]), "queued");
    scenario.pass(30 * SECOND);
    let trigger = scenario.until(&trigger, "delivered").await;
    assert_eq!(trigger["possible_repeat"], true);
    scenario.pass(SECOND);
    scenario.until(&resolution, "delivered").await;
    assert_eq!(told(&webhook)[1..], ["triggered 1", "resolved"], "the first is the other's");
}

#[tokio::test]
async fn a_critical_event_does_not_overtake_its_own_alert_and_takes_it_along() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.alert(&revenue("A", &["ops"])).await;
    webhook.hold(Hold::Requests);
    // One is on its way, others wait; then the alert turns critical.
    let first = scenario.publish("ops", "First").await;
    for title in ["Second", "Third"] {
        scenario.publish("ops", title).await;
    }
    scenario.check_now("A", "1").await;
    scenario.change_alert("A", &json!({ "severity": "critical" })).await;
    scenario.pass(SECOND);
    scenario.check_now("A", "2").await;
    webhook.release();
    scenario.until(&first, "delivered").await;
    for _ in 0..5 {
        scenario.pass(SECOND);
        scenario.settle().await;
    }
    scenario.until_messages(&webhook, 5).await;
    assert_eq!(told(&webhook)[1..3], ["triggered 1", "triggered 2"], "{:?}", seen(&webhook));
}

#[tokio::test]
async fn a_resolution_folds_the_triggers_that_were_never_attempted_and_says_when_it_began() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.alert(&revenue("A", &["ops"])).await;
    scenario.pause("ops").await;
    let mut triggers = Vec::new();
    for value in ["1", "2"] {
        let check = scenario.check_now("A", value).await;
        assert_eq!(silence(&check), "channel-paused");
        triggers.push(delivery(&check));
        scenario.pass(MINUTE);
    }
    let resolution = delivery(&scenario.check_now("A", "20000").await);
    for id in &triggers {
        let folded = scenario.delivery(id).await;
        assert_eq!((text(&folded["status"]), text(&folded["folded_into"])), ("folded".to_owned(), resolution.clone()));
    }
    scenario.resume("ops").await;
    scenario.until(&resolution, "delivered").await;
    scenario.until_messages(&webhook, 1).await;
    let seen = seen(&webhook).remove(0);
    assert!(
        seen.contains("Alert Resolved: A") && seen.contains("Triggered: Jan 15, 2027 8:00 AM") && !seen.contains("UTC"),
        "{seen}"
    );
}

#[tokio::test]
async fn after_a_failed_trigger_the_resolution_is_still_sent() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.alert(&revenue("A", &["ops"])).await;
    webhook.next(answering(400, "invalid_payload"));
    let trigger = delivery(&scenario.check_now("A", "1").await);
    scenario.until(&trigger, "failed").await;
    scenario.pass(MINUTE);
    scenario.check_now("A", "20000").await;
    scenario.until_messages(&webhook, 1).await;
    assert_eq!(told(&webhook), ["resolved"]);
}

#[tokio::test]
async fn a_throttled_trigger_waits_and_its_repeat_behind_it() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.alert(&revenue("A", &["ops"])).await;
    webhook.next(throttling(Some("40")));
    let first = delivery(&scenario.check_now("A", "1").await);
    scenario.until(&first, "waiting").await;
    scenario.pass(SECOND);
    scenario.check_now("A", "2").await;
    scenario.pass(40 * SECOND);
    scenario.until(&first, "delivered").await;
    scenario.pass(2 * SECOND);
    scenario.until_messages(&webhook, 2).await;
    assert_eq!(told(&webhook), ["triggered 1", "triggered 2"]);
}

#[tokio::test]
async fn a_resolution_goes_to_the_channels_that_were_told_whatever_the_alert_names_now() {
    let scenario = Scenario::start().await;
    let (ops, sales) = (scenario.channel("ops").await, scenario.channel("sales").await);
    scenario.alert(&with(revenue("A", &["ops"]), json!({ "cooldown_seconds": 3600 }))).await;
    scenario.check_now("A", "1").await;
    scenario.change_alert("A", &json!({ "channels": ["sales"] })).await;
    scenario.pass(MINUTE);
    assert_eq!(silence(&scenario.check_now("A", "2").await), "cooldown");
    scenario.pass(MINUTE);
    scenario.check_now("A", "20000").await;
    scenario.until_messages(&ops, 2).await;
    assert_eq!(told(&ops), ["triggered 1", "resolved"]);
    assert!(sales.messages().is_empty(), "who was never told hears of no end");
}

#[tokio::test]
async fn a_channel_whose_trigger_was_cancelled_hears_of_no_end() {
    let scenario = Scenario::start().await;
    let (ops, sales) = (scenario.channel("ops").await, scenario.channel("sales").await);
    scenario.alert(&revenue("A", &["ops", "sales"])).await;
    scenario.pause("sales").await;
    let check = scenario.check_now("A", "1").await;
    let deliveries = check["deliveries"].as_array().unwrap();
    let held = deliveries.iter().find(|delivery| delivery["channel"] == "sales").unwrap();
    scenario.act(&format!("/v1/deliveries/{}/cancel", text(&held["id"]))).await.ok();
    scenario.resume("sales").await;
    scenario.pass(MINUTE);
    scenario.check_now("A", "20000").await;
    scenario.until_messages(&ops, 2).await;
    assert!(sales.messages().is_empty());
}

#[tokio::test]
async fn two_channels_with_one_webhook_tell_it_once_and_in_order() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.channel_to("also", &webhook).await;
    scenario.alert(&revenue("A", &["ops", "also"])).await;
    scenario.check_now("A", "1").await;
    scenario.pass(MINUTE);
    scenario.check_now("A", "20000").await;
    scenario.until_messages(&webhook, 2).await;
    assert_eq!(told(&webhook), ["triggered 1", "resolved"]);
}

#[tokio::test]
async fn a_channel_that_leads_elsewhere_meanwhile_keeps_the_order() {
    let scenario = Scenario::start().await;
    let (old, new) = (scenario.channel("ops").await, scenario.webhook());
    scenario.alert(&revenue("A", &["ops"])).await;
    old.hold(Hold::Answers);
    let trigger = delivery(&scenario.check_now("A", "1").await);
    old.wait_for(1).await;
    scenario.change_webhook("ops", &new).await.ok();
    scenario.pass(SECOND);
    let resolution = delivery(&scenario.check_now("A", "20000").await);
    scenario.settle().await;
    assert!(new.messages().is_empty(), "the trigger has not ended");
    old.release();
    scenario.until(&trigger, "delivered").await;
    scenario.until(&resolution, "delivered").await;
    assert_eq!(told(&new), ["resolved"]);
}

#[tokio::test]
async fn a_deleted_alert_cancels_what_waits_and_sends_nothing_more() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.alert(&revenue("A", &["ops"])).await;
    scenario.alert(&revenue("B", &["ops"])).await;
    webhook.next(answering(500, ""));
    let tried = delivery(&scenario.check_now("A", "1").await);
    scenario.until_attempts(&tried, 1).await;
    let waits = delivery(&scenario.check_now("B", "2").await);
    scenario.delete_alert("A").await;
    assert_eq!(scenario.delivery(&tried).await["status"], "cancelled");
    scenario.pass(HOUR);
    scenario.until(&waits, "delivered").await;
    scenario.until_messages(&webhook, 1).await;
    assert_eq!(told(&webhook), ["triggered 2"]);
}

#[tokio::test]
async fn an_alert_deleted_while_its_message_is_in_flight_is_not_tried_again() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.alert(&revenue("A", &["ops"])).await;
    webhook.hold(Hold::Requests);
    webhook.next(answering(500, ""));
    let id = delivery(&scenario.check_now("A", "1").await);
    scenario.until(&id, "sending").await;
    scenario.delete_alert("A").await;
    webhook.release();
    scenario.until_attempts(&id, 1).await;
    scenario.pass(Duration::from_mins(10));
    scenario.until(&id, "cancelled").await;
    assert!(webhook.messages().is_empty());
}

#[tokio::test]
async fn a_trigger_whose_alert_was_resolved_is_replayed_by_force_alone() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.alert(&revenue("A", &["ops"])).await;
    webhook.next(answering(400, "invalid_payload"));
    let trigger = delivery(&scenario.check_now("A", "1").await);
    scenario.until(&trigger, "failed").await;
    scenario.pass(MINUTE);
    scenario.check_now("A", "20000").await;
    scenario.until_messages(&webhook, 1).await;
    scenario.act(&format!("/v1/deliveries/{trigger}/replay")).await.problem(409, "alert-moved-on");
    let many = scenario.post("/v1/deliveries/replay", &json!({ "channel": "ops" })).await.created();
    assert_eq!(many["replayed"], 0);
    scenario.act(&format!("/v1/deliveries/{trigger}/replay?force=true")).await.created();
    scenario.until(&trigger, "delivered").await;
    assert_eq!(told(&webhook), ["resolved", "triggered 1"]);
}

#[tokio::test]
async fn a_failed_trigger_of_an_alert_that_is_still_triggered_is_replayed() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.alert(&revenue("A", &["ops"])).await;
    webhook.next(answering(400, "invalid_payload"));
    let trigger = delivery(&scenario.check_now("A", "1").await);
    scenario.until(&trigger, "failed").await;
    scenario.act(&format!("/v1/deliveries/{trigger}/replay")).await.created();
    scenario.until(&trigger, "delivered").await;
    assert_eq!(told(&webhook), ["triggered 1"]);
}

#[tokio::test]
async fn a_trigger_that_was_cancelled_and_replayed_has_its_resolution() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.alert(&revenue("A", &["ops"])).await;
    scenario.pause("ops").await;
    let trigger = delivery(&scenario.check_now("A", "1").await);
    scenario.act(&format!("/v1/deliveries/{trigger}/cancel")).await.ok();
    scenario.act(&format!("/v1/deliveries/{trigger}/replay")).await.created();
    scenario.resume("ops").await;
    scenario.until(&trigger, "delivered").await;
    scenario.pass(MINUTE);
    scenario.check_now("A", "20000").await;
    scenario.until_messages(&webhook, 2).await;
    assert_eq!(told(&webhook), ["triggered 1", "resolved"]);
}
