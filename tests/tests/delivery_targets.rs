//! Pace, order and turns of a target.

#[path = "support/scenario/mod.rs"]
mod scenario;

use futures_util::StreamExt as _;
use pqh_tests::slack_webhook::{Hold, Webhook};
use scenario::{MINUTE, MOMENT, PATIENCE, SECOND, Scenario, almost, event, order, text};
use serde_json::{Value, json};

/// Messages that a webhook takes at once after a rest, and in a minute.
const BURST: usize = 5;
const PER_MINUTE: usize = 60;

fn titles(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("event-{number:04}")).collect()
}

fn critical(title: &str) -> Value {
    json!({ "title": title, "severity": "critical", "notebook": { "status": "failure", "message": "Failed." } })
}

/// Waits until a webhook took so many messages.
async fn taken(webhook: &Webhook, count: usize) {
    let took = tokio::time::timeout(PATIENCE, webhook.wait_for(count)).await;
    assert!(took.is_ok(), "{} messages in place of {count}", webhook.messages().len());
}

/// Lets the clock go second by second until a webhook has taken all; the last message of the burst has gone.
async fn let_go(scenario: &Scenario, webhook: &Webhook, count: usize) {
    taken(webhook, BURST.min(count)).await;
    for sent in BURST + 1..=count {
        scenario.pass(SECOND);
        taken(webhook, sent).await;
    }
}

#[tokio::test]
async fn of_1000_critical_events_to_one_webhook_at_most_60_a_minute_arrive_after_the_burst() {
    const EVENTS: usize = 1_000;
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    // More than that is answered by 429.
    scenario.simulator.enforce_rate(u32::try_from(BURST).unwrap_or_default());
    let asked = webhook.requests();
    let (scenario_ref, titles) = (&scenario, titles(EVENTS));
    futures_util::stream::iter(&titles)
        .for_each_concurrent(32, |title| async move {
            scenario_ref.post_event(&["sales"], &critical(title)).await.created();
        })
        .await;
    scenario.settle().await;
    assert_eq!(webhook.messages().len(), BURST);
    scenario.pass(almost(SECOND));
    scenario.settle().await;
    assert_eq!(webhook.messages().len(), BURST);
    scenario.pass(MOMENT);
    taken(&webhook, BURST + 1).await;
    scenario.settle().await;
    assert_eq!(webhook.messages().len(), BURST + 1);
    for sent in BURST + 2..=EVENTS {
        scenario.pass(SECOND);
        taken(&webhook, sent).await;
    }
    assert_eq!(webhook.requests() - asked, EVENTS, "none was answered by 429");
    let times: Vec<i64> = webhook.received().iter().map(|received| received.at).collect();
    for (index, start) in times.iter().enumerate().skip(BURST) {
        let minute = times.iter().skip(index).filter(|at| **at < start + 60_000).count();
        assert!(minute <= PER_MINUTE, "{minute} in the minute from {start}");
    }
}

#[tokio::test]
async fn two_channels_with_the_same_webhook_share_its_pace() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    scenario.channel_to("sales-too", &webhook).await;
    let titles = titles(8);
    for (index, title) in titles.iter().enumerate() {
        scenario.publish(if index % 2 == 0 { "sales" } else { "sales-too" }, title).await;
    }
    scenario.until_messages(&webhook, BURST).await;
    let_go(&scenario, &webhook, titles.len()).await;
    assert_eq!(order(&webhook, &titles), titles);
}

#[tokio::test]
async fn what_reaches_one_target_through_two_channels_is_sent_once_and_the_other_is_folded_into_it() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    scenario.channel_to("sales-too", &webhook).await;
    let accepted = scenario.post_event(&["sales", "sales-too"], &event("Revenue")).await.created();
    let (sent, told) = (&accepted["deliveries"][0], &accepted["deliveries"][1]);
    assert_eq!(told["status"], "folded");
    scenario.until(&text(&sent["id"]), "delivered").await;
    let folded = scenario.until(&text(&told["id"]), "folded").await;
    assert_eq!(folded["folded_into"], sent["id"]);
    assert!(!folded["ended_at"].is_null());
    scenario.until_messages(&webhook, 1).await;
}

#[tokio::test]
async fn what_was_folded_goes_out_by_itself_where_the_channel_that_would_have_told_it_is_deleted() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    scenario.channel_to("sales-too", &webhook).await;
    webhook.hold(Hold::Requests);
    scenario.publish("sales-too", "First").await;
    let accepted = scenario.post_event(&["sales", "sales-too"], &event("Revenue")).await.created();
    let (waits, told) = (&accepted["deliveries"][0], &accepted["deliveries"][1]);
    assert_eq!((&waits["channel"]["alias"], &told["status"]), (&json!("sales"), &json!("folded")));
    scenario.delete_channel("sales").await;
    webhook.release();
    scenario.until(&text(&waits["id"]), "cancelled").await;
    scenario.until(&text(&told["id"]), "delivered").await;
}

#[tokio::test]
async fn nothing_is_folded_into_what_is_held() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("paused").await;
    scenario.channel_to("sales", &webhook).await;
    scenario.pause("paused").await;
    let accepted = scenario.post_event(&["paused", "sales"], &event("Revenue")).await.created();
    let of = |alias: &str| {
        let all = accepted["deliveries"].as_array().expect("deliveries");
        all.iter().find(|delivery| delivery["channel"]["alias"] == alias).expect("one of each channel")
    };
    scenario.until(&text(&of("sales")["id"]), "delivered").await;
    let folded = scenario.until(&text(&of("paused")["id"]), "folded").await;
    assert_eq!(folded["folded_into"], of("sales")["id"]);
}

#[tokio::test]
async fn one_attempt_per_target_is_in_flight_at_a_time() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    scenario.channel_to("sales-too", &webhook).await;
    let asked = webhook.requests();
    webhook.hold(Hold::Requests);
    let titles = titles(BURST);
    let mut ids = Vec::new();
    for (index, title) in titles.iter().enumerate() {
        ids.push(scenario.publish(if index % 2 == 0 { "sales" } else { "sales-too" }, title).await);
    }
    scenario.settle().await;
    assert_eq!((webhook.requests() - asked, scenario.simulator.held()), (1, 1));
    assert_eq!(scenario.statuses(&ids).await, ["sending", "queued", "queued", "queued", "queued"]);
    webhook.release();
    taken(&webhook, BURST).await;
    assert_eq!(order(&webhook, &titles), titles);
}

#[tokio::test]
async fn messages_reach_a_target_in_the_order_in_which_they_were_accepted() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    let titles = titles(20);
    for title in &titles {
        scenario.publish("sales", title).await;
    }
    let_go(&scenario, &webhook, titles.len()).await;
    assert_eq!(order(&webhook, &titles), titles);
}

#[tokio::test]
async fn of_what_waits_for_a_target_critical_goes_first() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    webhook.hold(Hold::Requests);
    for title in ["in flight", "info one", "info two"] {
        scenario.publish("sales", title).await;
    }
    for title in ["critical one", "critical two"] {
        scenario.publish_event("sales", &critical(title)).await;
    }
    webhook.release();
    taken(&webhook, 5).await;
    let expected = ["in flight", "critical one", "critical two", "info one", "info two"];
    assert_eq!(order(&webhook, &expected), expected);
}

#[tokio::test]
async fn pace_and_order_hold_across_a_restart() {
    let mut scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    let titles = titles(12);
    for title in &titles[..10] {
        scenario.publish("sales", title).await;
    }
    scenario.until_messages(&webhook, BURST).await;
    scenario.restart().await;
    // What comes now does not overtake what waits.
    for title in &titles[10..] {
        scenario.publish("sales", title).await;
    }
    scenario.until_messages(&webhook, BURST).await;
    scenario.pass(SECOND);
    scenario.until_messages(&webhook, BURST + 1).await;
    // Killed, it is the same.
    scenario.kill().await;
    scenario.launch().await;
    scenario.until_messages(&webhook, BURST + 1).await;
    for sent in BURST + 2..=titles.len() {
        scenario.pass(SECOND);
        taken(&webhook, sent).await;
    }
    assert_eq!(order(&webhook, &titles), titles);
}

#[tokio::test]
async fn a_slow_target_delays_nobody() {
    let scenario = Scenario::start().await;
    let slow = scenario.channel("slow").await;
    slow.hold(Hold::Requests);
    let held = scenario.publish("slow", "held").await;
    for number in 0..20 {
        let alias = format!("other-{number}");
        scenario.channel(&alias).await;
        let id = scenario.publish(&alias, "Revenue").await;
        scenario.until(&id, "delivered").await;
        assert_eq!(scenario.delivery(&held).await["status"], "sending");
    }
    slow.release();
    scenario.until(&held, "delivered").await;
}

#[tokio::test]
async fn a_broken_target_delays_nobody() {
    let scenario = Scenario::start().await;
    let broken = scenario.channel("broken").await;
    let healthy = scenario.channel("healthy").await;
    broken.set_dead(Some("rollup_error"));
    let titles = titles(BURST);
    for title in &titles {
        let accepted = scenario.post_event(&["broken", "healthy"], &event(title)).await.created();
        scenario.until(&text(&accepted["deliveries"][1]["id"]), "delivered").await;
    }
    assert_eq!(order(&healthy, &titles), titles);
    assert!(broken.messages().is_empty());
    broken.set_dead(None);
    scenario.pass(10 * MINUTE);
    taken(&broken, 1).await;
    scenario.settle().await;
    // What waited for over a minute goes out together, in the order in which it came.
    let messages: String = broken.messages().iter().map(ToString::to_string).collect();
    let places: Vec<_> = titles.iter().map(|title| messages.find(title.as_str())).collect();
    assert!(places.is_sorted() && places.iter().all(Option::is_some), "{messages}");
}
