//! What is accepted, what is refused, and what is the same.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking, as tests do")]

#[path = "support/scenario/mod.rs"]
mod scenario;

use pqh_tests::slack_webhook::Hold;
use reqwest::Method;
use scenario::{Answer, DAY, Scenario, event, text};
use serde_json::{Value, json};

fn named(id: &str, title: &str) -> Value {
    json!({ "id": id, "title": title, "notebook": { "status": "success", "message": "Done." } })
}

/// Posts a body as it is written.
async fn post_raw(scenario: &Scenario, body: &'static str) -> Answer {
    let request = reqwest::Client::builder().no_proxy().build().expect("a client");
    let answer = request
        .post(format!("{}/v1/events", scenario.base()))
        .bearer_auth(&scenario.publisher)
        .header("Content-Type", "application/json")
        .body(body)
        .send()
        .await
        .expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = answer.text().await.expect("a body");
    let json = serde_json::from_str(&body).unwrap_or_default();
    Answer { status, headers, body, json }
}

/// Ids of the deliveries that an answer tells.
fn ids(accepted: &Value) -> Vec<String> {
    accepted["deliveries"].as_array().expect("deliveries").iter().map(|delivery| text(&delivery["id"])).collect()
}

#[tokio::test]
async fn the_same_event_again_is_answered_as_the_first_time_and_sent_once() {
    let mut scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    let event = named("evt-1", "Revenue");
    let first = scenario.post_event(&["sales"], &event).await.created();
    assert_eq!(first["id"], "evt-1");
    let second = scenario.post_event(&["sales"], &event).await.created();
    assert_eq!(ids(&second), ids(&first));
    scenario.until(&ids(&first)[0], "delivered").await;
    // Also when it has been delivered, and after a restart.
    scenario.restart().await;
    let third = scenario.post_event(&["sales"], &event).await.created();
    assert_eq!((&third["id"], ids(&third)), (&"evt-1".into(), ids(&first)));
    scenario.until_messages(&webhook, 1).await;
}

#[tokio::test]
async fn white_space_and_the_order_of_members_make_no_other_event() {
    let scenario = Scenario::start().await;
    scenario.channel("sales").await;
    let first =
        post_raw(&scenario, r#"{"channels":["sales"],"event":{"id":"e","title":"T","test":{}}}"#).await.created();
    let again = r#"{ "event" : { "test" : { }, "title" : "T", "id" : "e" }, "channels" : [ "sales" ] }"#;
    assert_eq!(ids(&post_raw(&scenario, again).await.created()), ids(&first));
}

#[tokio::test]
async fn an_idempotency_key_is_the_id_of_an_event_that_has_none() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    let body = json!({ "channels": ["sales"], "event": event("Revenue") });
    let post = async |key: &str, body: &Value| {
        let headers = [("Idempotency-Key", key)];
        let asked = scenario.try_ask(Method::POST, "/v1/events", &scenario.publisher, Some(body), &headers).await;
        asked.expect("an answer")
    };
    let first = post("key-1", &body).await.created();
    assert_eq!(first["id"], "key-1");
    assert_eq!(ids(&post("key-1", &body).await.created()), ids(&first));
    assert_ne!(ids(&post("key-2", &body).await.created()), ids(&first));
    let other = json!({ "channels": ["sales"], "event": event("Costs") });
    post("key-1", &other).await.problem(409, "id-conflict");
    scenario.until_messages(&webhook, 2).await;
    assert_eq!(scenario.get("/v1/events/key-1").await["deliveries"][0]["id"], ids(&first)[0]);
}

#[tokio::test]
async fn the_same_id_with_another_content_is_a_conflict_and_nothing_is_accepted() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    scenario.channel("costs").await;
    scenario.post_event(&["sales"], &named("evt-1", "Revenue")).await.created();
    scenario.post_event(&["sales"], &named("evt-1", "Costs")).await.problem(409, "id-conflict");
    scenario.post_event(&["costs"], &named("evt-1", "Revenue")).await.problem(409, "id-conflict");
    scenario.until_messages(&webhook, 1).await;
    assert_eq!(scenario.deliveries("").await.len(), 1);
}

#[tokio::test]
async fn an_id_belongs_to_one_organization() {
    let scenario = Scenario::start().await;
    scenario.channel("sales").await;
    let first = scenario.post_event(&["sales"], &named("evt-1", "Revenue")).await.created();
    let (_, other) = scenario.make_organization("Other").await;
    let webhook = scenario.webhook();
    scenario.post_as(&other, "/v1/channels", &scenario::new_channel("sales", &webhook)).await.created();
    let body = json!({ "channels": ["sales"], "event": named("evt-1", "Something else") });
    let second = scenario.post_as(&other, "/v1/events", &body).await.created();
    assert_ne!(ids(&second), ids(&first));
    scenario.until_messages(&webhook, 1).await;
}

#[tokio::test]
async fn ten_concurrent_same_ones_are_one_event() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    for round in 0..5 {
        let event = named(&format!("evt-{round}"), "Revenue");
        let asked = (0..10).map(|_| scenario.post_event(&["sales"], &event));
        let answers: Vec<_> = futures_util::future::join_all(asked).await;
        let mut all: Vec<_> = answers.into_iter().map(|answer| ids(&answer.created())).collect();
        all.dedup();
        assert_eq!(all.len(), 1, "{all:?}");
    }
    scenario.until_messages(&webhook, 5).await;
}

#[tokio::test]
async fn over_so_many_undelivered_events_of_one_organization_the_queue_is_full() {
    let mut scenario = Scenario::with(|config| config.limits.queue = 3).await;
    let webhook = scenario.channel("sales").await;
    scenario.pause("sales").await;
    for title in ["first", "second", "third"] {
        scenario.publish("sales", title).await;
    }
    let refused = scenario.post_event(&["sales"], &named("evt-4", "fourth")).await;
    let wait: u32 = refused.headers["Retry-After"].to_str().expect("text").parse().expect("seconds");
    assert!(wait > 0);
    refused.problem(429, "queue-full");
    // Counted anew after a restart.
    scenario.restart().await;
    scenario.post_event(&["sales"], &named("evt-4", "fourth")).await.problem(429, "queue-full");
    // Others are not concerned.
    scenario.settle().await;
    scenario.resume("sales").await;
    scenario.until_messages(&webhook, 3).await;
    let accepted = scenario.post_event(&["sales"], &named("evt-4", "fourth")).await.created();
    scenario.until(&ids(&accepted)[0], "delivered").await;
}

#[tokio::test]
async fn what_is_cancelled_or_failed_is_undelivered_no_longer() {
    let scenario = Scenario::with(|config| config.limits.queue = 2).await;
    let webhook = scenario.channel("sales").await;
    scenario.pause("sales").await;
    let held = [scenario.publish("sales", "held").await, scenario.publish("sales", "held too").await];
    scenario.post_event(&["sales"], &event("more")).await.problem(429, "queue-full");
    for id in held {
        scenario.act(&format!("/v1/deliveries/{id}/cancel")).await.ok();
    }
    scenario.resume("sales").await;
    for _ in 0..3 {
        webhook.next(scenario::saying("user_not_found"));
        let failed = scenario.publish("sales", "failed").await;
        scenario.until(&failed, "failed").await;
    }
    for title in ["next", "and next"] {
        let id = scenario.publish("sales", title).await;
        scenario.until(&id, "delivered").await;
    }
    scenario.until_messages(&webhook, 2).await;
}

#[tokio::test]
async fn an_event_goes_to_100_channels_at_most() {
    let scenario = Scenario::start().await;
    let aliases: Vec<String> = (0..=100).map(|number| format!("channel-{number}")).collect();
    let names: Vec<&str> = aliases.iter().map(String::as_str).collect();
    for alias in &names[..100] {
        scenario.channel(alias).await;
    }
    scenario.post_event(&names, &event("Revenue")).await.problem(422, "too-many-channels");
    scenario.post_event(&[], &event("Revenue")).await.problem(422, "too-many-channels");
    assert!(scenario.deliveries("").await.is_empty());
    let accepted = scenario.post_event(&names[..100], &event("Revenue")).await.created();
    assert_eq!(ids(&accepted).len(), 100);
    assert_eq!(scenario.simulator.wait_for(100).await.len(), 100);
}

#[tokio::test]
async fn an_unknown_channel_is_named_and_nothing_is_accepted() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    let problem = scenario.post_event(&["sales", "nobody"], &event("Revenue")).await.problem(422, "unknown-channel");
    assert!(text(&problem["detail"]).contains("nobody"), "{problem}");
    // Another organization's channel is as unknown.
    let (_, other) = scenario.make_organization("Other").await;
    let foreign = scenario.webhook();
    let made = scenario.post_as(&other, "/v1/channels", &scenario::new_channel("theirs", &foreign)).await.created();
    let id = text(&made["id"]);
    for name in ["theirs", &id] {
        scenario.post_event(&[name], &event("Revenue")).await.problem(422, "unknown-channel");
    }
    scenario.until_messages(&webhook, 0).await;
    assert!(scenario.deliveries("").await.is_empty());
}

#[tokio::test]
async fn a_channel_goes_by_alias_and_id_and_is_told_once() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    let id = text(&scenario.channel_state("sales").await["id"]);
    let accepted = scenario.post_event(&["sales", &id, "sales"], &event("Revenue")).await.created();
    assert_eq!(ids(&accepted).len(), 1);
    scenario.until_messages(&webhook, 1).await;
}

#[tokio::test]
async fn a_bad_event_is_refused_with_its_place() {
    let scenario = Scenario::start().await;
    scenario.channel("sales").await;
    let problem = post_raw(
        &scenario,
        "{\"channels\": [\"sales\"], \"event\": {\n  \"title\": \"T\",\n  \"notebook\": { \"status\": \"odd\", \"message\": \"m\" }\n}}",
    )
    .await
    .problem(422, "bad-event");
    assert_eq!((&problem["path"], &problem["line"]), (&"notebook.status".into(), &3.into()), "{problem:#}");
    assert!(problem["column"].is_u64(), "{problem:#}");
    for (event, path) in [
        (json!({ "title": "T" }), ""),
        (json!({ "title": "T", "test": {}, "more": 1 }), "more"),
        (json!({ "title": "T", "resolved": { "triggered_at": "yesterday" } }), "resolved.triggered_at"),
    ] {
        let problem = scenario.post_event(&["sales"], &event).await.problem(422, "bad-event");
        assert_eq!(problem["path"], path, "{problem:#}");
    }
    assert!(scenario.deliveries("").await.is_empty());
}

#[tokio::test]
async fn a_service_that_stops_accepts_nothing_and_ends_what_is_in_flight() {
    let mut scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    webhook.hold(Hold::Requests);
    let id = scenario.publish("sales", "in flight").await;
    let waits = scenario.publish("sales", "waits").await;
    scenario.simulator.wait_for_held(1).await;
    let stopping = scenario.begin_to_stop();
    let ask = reqwest::Client::builder().no_proxy().build().expect("a client");
    let body = json!({ "channels": ["sales"], "event": named("late", "late") });
    let url = format!("{}/v1/events", stopping.address);
    // Told so, or not even heard.
    scenario::eventually("the end of acceptance", || async {
        let asked = ask.post(&url).bearer_auth(&scenario.publisher).json(&body).send().await;
        match asked.map(|answer| answer.status().as_u16()) {
            Ok(503) | Err(_) => Ok(()),
            Ok(status) => Err(json!(status)),
        }
    })
    .await;
    webhook.release();
    stopping.end().await;
    assert_eq!(webhook.messages().len(), 1, "nothing new is sent");
    scenario.launch().await;
    let delivered = scenario.until(&id, "delivered").await;
    assert_eq!(delivered["possible_repeat"], false);
    scenario.until(&waits, "delivered").await;
}

#[tokio::test]
async fn accepted_means_stored() {
    let mut scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    scenario.pause("sales").await;
    let id = scenario.publish("sales", "Revenue").await;
    scenario.kill().await;
    scenario.launch().await;
    scenario.pass(DAY);
    scenario.resume("sales").await;
    scenario.until(&id, "delivered").await;
    assert_eq!(webhook.messages().len(), 1);
}
