//! Signed webhooks, from an event to a receiver: one on the published Standard Webhooks library, and a strict one of ours.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

#[path = "support/python.rs"]
mod python;
#[path = "support/scenario/mod.rs"]
mod scenario;

use std::sync::Arc;

use pqh_tests::http_service::{Answer, HttpService, Misbehaviour};
use pqh_tests::webhook_receiver::{Receiver, SECRET};
use python::{Server, has_python};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use scenario::{MINUTE, Scenario, attempts, due_in, event, text};
use serde_json::{Value, json};

const URL: &str = "https://receiver.example/hooks/canary-of-the-address";

/// A service whose requests to the receiver's host go to `base`.
async fn scenario(base: String) -> Scenario {
    Scenario::with(|config| drop(config.egress.upstreams.insert("receiver.example".to_owned(), base))).await
}

/// A channel with headers, in clear and secret.
fn channel() -> Value {
    json!({ "alias": "hook", "type": "webhook", "settings": {
        "url": URL,
        "secret": SECRET,
        "headers": "X-Environment: production",
        "secret-headers": { "X-Api-Key": "canary-of-the-header" },
    } })
}

#[tokio::test]
async fn a_receiver_on_the_published_library_takes_our_signature_and_refuses_a_changed_one() {
    if !has_python(&["standardwebhooks"]) {
        return;
    }
    let receiver = Server::start("standard_webhooks.py", &[SECRET]);
    let base = format!("http://127.0.0.1:{}", receiver.port());
    let scenario = scenario(base.clone()).await;
    scenario.post("/v1/channels", &channel()).await.created();
    let id = scenario.publish("hook", "ETL").await;
    scenario.until(&id, "delivered").await;
    let told = receiver.wait_for(2).await;
    assert_eq!((&told[0]["verified"], &told[0]["type"]), (&json!(true), &json!("ping")), "{told:#?}");
    assert_eq!((&told[1]["verified"], &told[1]["type"]), (&json!(true), &json!("notebook.message")), "{told:#?}");
    assert_eq!(told[1]["id"], id.as_str());
    assert_eq!(told[1]["headers"]["x-environment"], "production");
    assert_eq!(told[1]["headers"]["x-api-key"], "canary-of-the-header");

    // The same request as it came, and each form of it that somebody changed on the way.
    let body = text(&told[1]["body"]);
    let headers = told[1]["headers"].as_object().unwrap();
    let post = |change: Option<(&'static str, String)>, body: String| {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            if name.starts_with("webhook-") || name == "content-type" {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                map.insert(name, HeaderValue::from_str(value.as_str().unwrap()).unwrap());
            }
        }
        if let Some((name, value)) = change {
            map.insert(name, HeaderValue::from_str(&value).unwrap());
        }
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.post(&base).headers(map).body(body);
        async move { request.send().await.unwrap().status().as_u16() }
    };
    assert_eq!(post(None, body.clone()).await, 204);
    assert_eq!(post(None, body.replace("ETL", "ELT")).await, 401);
    assert_eq!(post(Some(("webhook-id", "another".into())), body.clone()).await, 401);
    let later = headers["webhook-timestamp"].as_str().unwrap().parse::<u64>().unwrap() + 1;
    assert_eq!(post(Some(("webhook-timestamp", later.to_string())), body.clone()).await, 401);
    assert_eq!(post(Some(("webhook-signature", "v1,AAAA".into())), body).await, 401);
}

/// A strict receiver of ours, and a service with a channel to it.
async fn strict() -> (Arc<Receiver>, HttpService, Scenario) {
    let receiver = Arc::new(Receiver::new(SECRET).unwrap());
    let service = receiver.start().await.unwrap();
    let scenario = scenario(service.base_url()).await;
    scenario.post("/v1/channels", &channel()).await.created();
    (receiver, service, scenario)
}

#[tokio::test]
async fn the_id_stays_the_same_over_attempts_and_each_is_signed_anew() {
    let (receiver, service, scenario) = strict().await;
    service.next(Misbehaviour::CloseBeforeAnswer);
    let id = scenario.publish("hook", "ETL").await;
    let waiting = scenario.until(&id, "waiting").await;
    assert_eq!(waiting["cause"]["kind"], "unknown-outcome");
    scenario.pass(MINUTE);
    let delivered = scenario.until(&id, "delivered").await;
    assert_eq!(attempts(&delivered).len(), 2);
    let requests = service.requests();
    let ids: Vec<_> = requests[1..].iter().map(|request| request.header("webhook-id").unwrap()).collect();
    assert_eq!(ids, [id.as_str(), id.as_str()]);
    assert_eq!(requests[2].json()["delivery"]["attempt"], 2);
    assert_eq!(receiver.received().len(), 2);
}

#[tokio::test]
async fn gone_pauses_the_channel_and_rest_is_kept_as_it_was_asked_for() {
    let (_, service, scenario) = strict().await;
    service.next(Misbehaviour::Answer(Answer::new(503, "").header("Retry-After", "120")));
    let id = scenario.publish("hook", "first").await;
    let waiting = scenario.until(&id, "waiting").await;
    assert_eq!(waiting["cause"]["kind"], "unavailable");
    assert_eq!(waiting["cause"]["retry_after_ms"], 120_000);
    scenario.pass_until_due(&id).await;
    scenario.until(&id, "delivered").await;

    service.next(Misbehaviour::Answer(Answer::new(429, "").header("Retry-After", "30")));
    let id = scenario.publish("hook", "second").await;
    let waiting = scenario.until(&id, "waiting").await;
    assert_eq!((&waiting["cause"]["kind"], &waiting["attempt_count"]), (&json!("throttled"), &json!(0)));
    assert_eq!(due_in(&waiting, scenario.now()).as_secs(), 30);
    scenario.pass_until_due(&id).await;
    scenario.until(&id, "delivered").await;

    // The event, and the check that confirms it.
    service.next(Misbehaviour::Answer(Answer::new(410, "")));
    service.next(Misbehaviour::Answer(Answer::new(410, "")));
    let id = scenario.publish("hook", "third").await;
    let held = scenario.until(&id, "held").await;
    assert_eq!((&held["cause"]["kind"], &held["cause"]["code"]), (&json!("unreachable"), &json!("gone")));
    scenario.until_paused("hook").await;
    scenario.resume("hook").await;
    scenario.until(&id, "delivered").await;
}

#[tokio::test]
async fn no_secret_of_a_webhook_is_told_by_the_service() {
    let (_, service, scenario) = strict().await;
    let echo = format!("bad key {SECRET} canary-of-the-header {URL}");
    service.next(Misbehaviour::Answer(Answer::new(400, echo)));
    let id = scenario.publish("hook", "ETL").await;
    let failed = scenario.until(&id, "failed").await.to_string();
    let channel = scenario.channel_state("hook").await.to_string();
    let preview = json!({ "channel": "hook", "event": event("ETL") });
    let preview = scenario.post("/v1/channels/preview", &preview).await.ok().to_string();
    for told in [failed, channel, preview] {
        for secret in ["canary", &SECRET["whsec_".len()..]] {
            assert!(!told.contains(secret), "{told}");
        }
    }
}

#[tokio::test]
async fn a_secret_that_is_none_is_refused_with_how_to_make_one() {
    let (_, _service, scenario) = strict().await;
    let mut new = channel();
    (new["alias"], new["settings"]["secret"]) = ("other".into(), "whsec_short".into());
    let refused = scenario.post("/v1/channels", &new).await.problem(422, "bad-settings").to_string();
    assert!(refused.contains("openssl rand"), "{refused}");
}
