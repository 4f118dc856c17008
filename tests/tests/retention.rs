//! What is kept for how long.

#[path = "support/scenario/mod.rs"]
mod scenario;

use std::time::Duration;

use scenario::{DAY, HOUR, Scenario, event, saying, text};
use serde_json::json;

/// Between two rounds in which the service looks for what is old.
const ROUND: Duration = Duration::from_mins(10);

/// Whether a delivery is kept.
async fn is_kept(scenario: &Scenario, id: &str) -> bool {
    let answer = scenario.ask(reqwest::Method::GET, &format!("/v1/deliveries/{id}"), &scenario.admin, None).await;
    assert!(matches!(answer.status, 200 | 404), "{answer:#?}");
    answer.status == 200
}

async fn until_gone(scenario: &Scenario, id: &str) {
    scenario::eventually("the end of what is old", || async {
        if is_kept(scenario, id).await { Err(json!(id)) } else { Ok(()) }
    })
    .await;
}

/// The event of a delivery.
async fn event_of(scenario: &Scenario, id: &str) -> String {
    text(&scenario.delivery(id).await["event"])
}

async fn event_is_kept(scenario: &Scenario, id: &str) -> bool {
    scenario.ask(reqwest::Method::GET, &format!("/v1/events/{id}"), &scenario.admin, None).await.status == 200
}

#[tokio::test]
async fn what_was_delivered_is_kept_30_days_what_failed_90_and_audit_for_ever() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    scenario.channel_to("sales-too", &webhook).await;
    let told = scenario.post_event(&["sales", "sales-too"], &event("told")).await.created();
    let (delivered, folded) = (text(&told["deliveries"][0]["id"]), text(&told["deliveries"][1]["id"]));
    scenario.until(&delivered, "delivered").await;
    webhook.next(saying("user_not_found"));
    let failed = scenario.publish("sales", "failed").await;
    scenario.until(&failed, "failed").await;
    scenario.pause("sales").await;
    let cancelled = scenario.publish("sales", "cancelled").await;
    scenario.act(&format!("/v1/deliveries/{cancelled}/cancel")).await.ok();
    scenario.resume("sales").await;
    let (of_delivered, of_failed) = (event_of(&scenario, &delivered).await, event_of(&scenario, &failed).await);
    let audit = scenario.list("/v1/audit").await.len();
    assert!(audit > 0);
    // One day short, and a day more for rounds.
    scenario.pass(29 * DAY);
    let young = scenario.publish("sales", "young").await;
    scenario.until(&young, "delivered").await;
    for id in [&delivered, &folded, &failed, &cancelled] {
        assert!(is_kept(&scenario, id).await);
    }
    scenario.pass(DAY + ROUND);
    for id in [&delivered, &folded, &cancelled] {
        until_gone(&scenario, id).await;
    }
    assert!(is_kept(&scenario, &young).await && is_kept(&scenario, &failed).await);
    assert!(!event_is_kept(&scenario, &of_delivered).await, "the event goes with its last delivery");
    scenario.pass(59 * DAY);
    until_gone(&scenario, &young).await;
    assert!(is_kept(&scenario, &failed).await);
    assert_eq!(scenario.delivery(&failed).await["attempts"].as_array().map(Vec::len), Some(1));
    scenario.pass(DAY + ROUND);
    until_gone(&scenario, &failed).await;
    assert!(!event_is_kept(&scenario, &of_failed).await);
    assert!(scenario.deliveries("").await.is_empty());
    assert_eq!(scenario.list("/v1/audit").await.len(), audit);
}

#[tokio::test]
async fn what_is_held_or_waits_is_never_too_old_to_be_kept() {
    let scenario = Scenario::with(|config| config.retry.held = 365 * DAY).await;
    let webhook = scenario.channel("sales").await;
    scenario.pause("sales").await;
    let id = scenario.publish("sales", "held").await;
    scenario.pass(200 * DAY);
    scenario.settle().await;
    scenario.resume("sales").await;
    scenario.until(&id, "delivered").await;
    scenario.until_messages(&webhook, 1).await;
}

#[tokio::test]
async fn an_event_of_several_deliveries_is_kept_as_long_as_its_last() {
    let scenario = Scenario::start().await;
    let (sales, _) = (scenario.channel("sales").await, scenario.channel("costs").await);
    sales.next(saying("user_not_found"));
    let accepted = scenario.post_event(&["sales", "costs"], &event("told")).await.created();
    let (failed, delivered) = (text(&accepted["deliveries"][0]["id"]), text(&accepted["deliveries"][1]["id"]));
    scenario.until(&failed, "failed").await;
    scenario.until(&delivered, "delivered").await;
    scenario.pass(31 * DAY);
    until_gone(&scenario, &delivered).await;
    let id = event_of(&scenario, &failed).await;
    assert!(event_is_kept(&scenario, &id).await);
    // It can still be replayed.
    scenario.act(&format!("/v1/deliveries/{failed}/replay")).await.created();
    scenario.until(&failed, "delivered").await;
}

#[tokio::test]
async fn an_id_is_known_24_hours_at_least_however_short_deliveries_are_kept() {
    let scenario = Scenario::with(|config| config.retention.delivered = HOUR).await;
    let webhook = scenario.channel("sales").await;
    let named = json!({ "id": "evt-1", "title": "Revenue", "test": {} });
    let first = scenario.publish_event("sales", &named).await;
    scenario.until(&first, "delivered").await;
    scenario.pass(DAY.saturating_sub(ROUND));
    scenario.settle().await;
    assert_eq!(scenario.publish_event("sales", &named).await, first);
    scenario.pass(2 * ROUND);
    until_gone(&scenario, &first).await;
    assert_ne!(scenario.publish_event("sales", &named).await, first);
    scenario.until_messages(&webhook, 2).await;
}

#[tokio::test]
async fn more_than_a_batch_goes_in_one_round() {
    let scenario = Scenario::start().await;
    scenario.channel("sales").await;
    scenario.pause("sales").await;
    let mut ids = Vec::new();
    for number in 0..600 {
        ids.push(scenario.publish("sales", &format!("event {number}")).await);
    }
    scenario.delete_channel("sales").await;
    let last = ids.last().expect("one at least");
    scenario.until(last, "cancelled").await;
    scenario.pass(30 * DAY + ROUND);
    scenario::eventually("an empty list", || async {
        let left = scenario.get("/v1/deliveries?limit=1").await;
        if left["items"].as_array().is_some_and(Vec::is_empty) { Ok(()) } else { Err(left) }
    })
    .await;
}
