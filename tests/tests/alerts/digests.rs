//! Digests: what waited for a target goes out together, and every event is named.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::scenario::{HOUR, MINUTE, SECOND, Scenario, answering, text, throttling};
use super::world::{delivery, revenue, seen, told, with};

/// An event whose title nothing else is part of.
fn event(number: usize, severity: &str) -> Value {
    json!({ "title": format!("Event {number:04}."), "severity": severity,
        "triggered": { "broken_rules": [
            { "metric": "Revenue", "comparison": "<", "threshold": "10000", "current": "8750" }] } })
}

/// Lets the clock run second by second, each with everything that is due.
async fn run(scenario: &Scenario, seconds: usize) {
    for _ in 0..seconds {
        scenario.pass(SECOND);
        scenario.settle().await;
    }
}

#[tokio::test]
async fn of_600_events_within_a_second_the_burst_goes_singly_then_digests_and_all_are_named_within_three_minutes() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    for chunk in (0..600).collect::<Vec<usize>>().chunks(50) {
        let posts = chunk.iter().map(|number| {
            let event = event(*number, "warning");
            let scenario = &scenario;
            async move { scenario.post_event(&["ops"], &event).await.created() }
        });
        futures_util::future::join_all(posts).await;
    }
    let mut seconds = 0;
    while scenario.deliveries_open().await > 0 {
        assert!(seconds < 180, "not all are told within three minutes");
        run(&scenario, 1).await;
        seconds += 1;
    }
    let seen = seen(&webhook);
    let (digests, single): (Vec<_>, Vec<_>) = seen.iter().partition(|message| message.contains("Digest:"));
    assert!(single.len() >= 60 && digests.len() >= 20, "{} single, {} digests", single.len(), digests.len());
    let first = seen.iter().position(|message| message.contains("Digest:")).unwrap();
    assert!(seen[first..].iter().rev().skip(1).all(|message| message.contains("Digest:")), "digests once they began");
    let mut told = BTreeSet::new();
    for number in 0..600 {
        let title = format!("Event {number:04}.");
        let times = seen.iter().filter(|message| message.contains(&title)).count();
        assert_eq!(times, 1, "{title}");
        told.insert(title);
    }
    assert_eq!(told.len(), 600);
    assert!(webhook.per_minute().values().all(|count| *count <= 65), "{:?}", webhook.per_minute());
}

#[tokio::test]
async fn critical_events_go_singly_whatever_waits() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    webhook.next(throttling(Some("90")));
    let first = scenario.publish("ops", "First").await;
    scenario.until(&first, "waiting").await;
    for number in 0..3 {
        scenario.publish_event("ops", &event(number, "warning")).await;
    }
    for number in 3..5 {
        scenario.publish_event("ops", &event(number, "critical")).await;
    }
    run(&scenario, 100).await;
    let seen = seen(&webhook);
    assert!(seen[0].contains("Event 0003.") && seen[1].contains("Event 0004."), "{seen:#?}");
    let digest = seen.iter().find(|message| message.contains("Digest:")).expect("a digest");
    assert!(["Event 0000.", "Event 0001.", "Event 0002."].iter().all(|title| digest.contains(title)), "{digest}");
    assert_eq!(seen.len(), 4, "{seen:#?}");
}

#[tokio::test]
async fn what_waited_over_an_hour_for_a_paused_channel_goes_out_as_digests_critical_included() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.pause("ops").await;
    let mut ids = Vec::new();
    for number in 0..30 {
        let severity = if number % 2 == 0 { "critical" } else { "warning" };
        ids.push(scenario.publish_event("ops", &event(number, severity)).await);
    }
    scenario.pass(HOUR + SECOND);
    let fresh = scenario.publish_event("ops", &event(99, "critical")).await;
    scenario.resume("ops").await;
    run(&scenario, 5).await;
    let seen = seen(&webhook);
    assert_eq!(seen.iter().filter(|message| message.contains("Digest:")).count(), 2, "{seen:#?}");
    assert_eq!(seen.len(), 3, "{seen:#?}");
    for number in 0..30 {
        let title = format!("Event {number:04}.");
        assert_eq!(seen.iter().filter(|message| message.contains(&title)).count(), 1, "{title}");
    }
    let told = scenario.delivery(&ids[0]).await;
    assert_eq!(told["status"], "folded");
    let digest = scenario.delivery(&text(&told["folded_into"])).await;
    assert_eq!((&digest["status"], &digest["title"]), (&json!("delivered"), &json!("25 messages that waited")));
    assert_eq!(scenario.delivery(&fresh).await["status"], "delivered");
}

#[tokio::test]
async fn of_an_alert_only_the_last_state_is_told_and_alone_where_nothing_else_waits() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.alert(&revenue("A", &["ops"])).await;
    scenario.pause("ops").await;
    let mut ids = Vec::new();
    for value in ["1", "2", "3"] {
        ids.push(delivery(&scenario.check_now("A", value).await));
        scenario.pass(HOUR);
    }
    scenario.resume("ops").await;
    scenario.until(&ids[2], "delivered").await;
    scenario.until_messages(&webhook, 1).await;
    assert_eq!(told(&webhook), ["triggered 3"]);
    for id in &ids[..2] {
        assert_eq!(text(&scenario.delivery(id).await["folded_into"]), ids[2]);
    }
}

#[tokio::test]
async fn a_digest_holds_the_last_state_of_each_alert_and_what_follows_waits_for_it() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    for name in ["A", "B"] {
        scenario.alert(&revenue(name, &["ops"])).await;
    }
    scenario.pause("ops").await;
    for name in ["A", "B"] {
        scenario.check_now(name, "1").await;
    }
    scenario.pass(2 * HOUR);
    scenario.check_now("A", "2").await;
    webhook.next(answering(503, ""));
    let before = webhook.requests();
    scenario.resume("ops").await;
    scenario.until_requests(&webhook, before + 1).await;
    let resolution = delivery(&scenario.check_now("A", "20000").await);
    scenario.pass(10 * MINUTE);
    scenario.until(&resolution, "delivered").await;
    let seen = seen(&webhook);
    assert!(seen[0].contains("Digest: 2") && seen[0].contains("(Current: 2)"), "{seen:#?}");
    assert!(seen[1].contains("Alert Resolved: A") && seen.len() == 2, "{seen:#?}");
}

#[tokio::test]
async fn a_digest_that_is_refused_for_good_is_taken_apart_and_each_goes_out_by_itself() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.pause("ops").await;
    let mut ids = Vec::new();
    for number in 0..3 {
        ids.push(scenario.publish_event("ops", &event(number, "warning")).await);
    }
    scenario.pass(2 * HOUR);
    webhook.next(answering(400, "invalid_payload"));
    scenario.resume("ops").await;
    run(&scenario, 5).await;
    for id in &ids {
        scenario.until(id, "delivered").await;
    }
    let seen = seen(&webhook);
    assert!(seen.len() == 3 && !seen.iter().any(|message| message.contains("Digest:")), "{seen:#?}");
}

#[tokio::test]
async fn a_digest_outlives_a_kill_in_flight_and_says_that_it_may_be_a_repeat() {
    let mut scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.pause("ops").await;
    let mut ids = Vec::new();
    for number in 0..3 {
        ids.push(scenario.publish_event("ops", &event(number, "warning")).await);
    }
    scenario.pass(2 * HOUR);
    webhook.hold(pqh_tests::slack_webhook::Hold::Answers);
    scenario.resume("ops").await;
    webhook.wait_for(1).await;
    scenario.kill().await;
    webhook.release();
    scenario.launch().await;
    let digest = text(&scenario.delivery(&ids[0]).await["folded_into"]);
    let digest = scenario.until(&digest, "delivered").await;
    assert_eq!(digest["possible_repeat"], true);
    assert_eq!(told(&webhook), ["digest", "digest"]);
    assert_eq!(seen(&webhook)[0], seen(&webhook)[1], "the same digest at every attempt");
}

#[tokio::test]
async fn a_cancelled_digest_cancels_what_it_tells() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.pause("ops").await;
    let mut ids = Vec::new();
    for number in 0..2 {
        ids.push(scenario.publish_event("ops", &event(number, "warning")).await);
    }
    scenario.pass(2 * HOUR);
    webhook.next(throttling(Some("600")));
    let before = webhook.requests();
    scenario.resume("ops").await;
    scenario.until_requests(&webhook, before + 1).await;
    let digest = text(&scenario.until(&ids[0], "folded").await["folded_into"]);
    scenario.until(&digest, "waiting").await;
    scenario.act(&format!("/v1/deliveries/{digest}/cancel")).await.ok();
    for id in &ids {
        assert_eq!(scenario.delivery(id).await["status"], "cancelled");
    }
    scenario.pass(HOUR);
    scenario.settle().await;
    assert!(webhook.messages().is_empty());
}

#[tokio::test]
async fn a_test_message_is_never_part_of_a_digest() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.alert(&with(revenue("A", &["ops"]), json!({}))).await;
    scenario.pause("ops").await;
    scenario.act("/v1/channels/ops/test").await.created();
    scenario.check_now("A", "1").await;
    scenario.publish("ops", "Other").await;
    scenario.pass(2 * HOUR);
    scenario.resume("ops").await;
    run(&scenario, 3).await;
    let seen = seen(&webhook);
    assert_eq!(seen.len(), 2, "{seen:#?}");
    assert!(seen.iter().any(|message| message.contains("Test Message")), "{seen:#?}");
}

/// A digest of two alerts that waits, since the webhook asked for rest.
async fn waiting_digest(scenario: &Scenario, webhook: &pqh_tests::slack_webhook::Webhook, alias: &str) -> String {
    scenario.pause(alias).await;
    let mut first = String::new();
    for name in ["A", "B"] {
        scenario.alert(&revenue(name, &[alias])).await;
        first = delivery(&scenario.check_now(name, "1").await);
    }
    scenario.pass(2 * HOUR);
    webhook.next(throttling(Some("600")));
    scenario.resume(alias).await;
    let digest = text(&scenario.until(&first, "folded").await["folded_into"]);
    scenario.until(&digest, "waiting").await;
    digest
}

#[tokio::test]
async fn a_digest_that_is_refused_after_its_channel_led_elsewhere_is_taken_apart_there() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    waiting_digest(&scenario, &webhook, "ops").await;
    let other = scenario.webhook();
    scenario.change_webhook("ops", &other).await.ok();
    other.next(answering(400, "invalid_payload"));
    run(&scenario, 5).await;
    scenario.pass(HOUR);
    run(&scenario, 5).await;
    assert_eq!(told(&other), ["triggered 1", "triggered 1"]);
}

#[tokio::test]
async fn who_was_told_by_another_channels_digest_is_told_by_itself_once_that_one_leads_elsewhere() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.channel_to("also", &webhook).await;
    let night = json!([{ "from": "08:00", "to": "10:00" }]);
    for alias in ["ops", "also"] {
        scenario.quiet(alias, &night).await;
    }
    for name in ["A", "B"] {
        scenario.alert(&revenue(name, &["ops", "also"])).await;
        scenario.check_now(name, "1").await;
    }
    webhook.next(throttling(Some("600")));
    let before = webhook.requests();
    scenario.pass(2 * HOUR);
    scenario.until_requests(&webhook, before + 1).await;
    scenario.settle().await;
    let other = scenario.webhook();
    scenario.change_webhook("ops", &other).await.ok();
    scenario.pass(HOUR);
    run(&scenario, 5).await;
    assert_eq!(told(&other), ["digest"]);
    assert!(!webhook.messages().is_empty(), "the second channel is still told");
}

#[tokio::test]
async fn a_cancelled_digest_takes_back_that_its_alerts_were_told_and_a_replayed_one_says_it_again() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    let digest = waiting_digest(&scenario, &webhook, "ops").await;
    scenario.act(&format!("/v1/deliveries/{digest}/cancel")).await.ok();
    assert_eq!(super::world::silence(&scenario.check_now("A", "20000").await), "never-told");
    scenario.act(&format!("/v1/deliveries/{digest}/replay")).await.problem(409, "alert-moved-on");
    scenario.act(&format!("/v1/deliveries/{digest}/replay?force=true")).await.created();
    scenario.pass(HOUR);
    scenario.until(&digest, "delivered").await;
    scenario.check_now("B", "20000").await;
    scenario.until_messages(&webhook, 2).await;
    assert_eq!(told(&webhook), ["digest", "resolved"]);
}

#[tokio::test]
async fn a_deleted_alert_is_no_more_part_of_a_digest_that_waits() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    waiting_digest(&scenario, &webhook, "ops").await;
    scenario.publish("ops", "Notebook").await;
    scenario.delete_alert("A").await;
    scenario.pass(HOUR);
    run(&scenario, 3).await;
    let seen = seen(&webhook).concat();
    assert!(seen.contains("Notebook") && seen.contains("🚨 B"), "{seen}");
    assert!(!seen.contains("🚨 A"), "{seen}");
    super::scenario::eventually("an end of all that is open", || async {
        let open = scenario.deliveries_open().await;
        if open == 0 { Ok(()) } else { Err(json!(open)) }
    })
    .await;
}
