//! Each body as it goes out, kept as a snapshot, and what goes with it.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod support;

use pqh_channel_sdk::testkit::{Gate, events};
use pqh_channel_sdk::{Channel, Configuration, Delivery, FailureKind};
use serde_json::{from_value, json};
use support::{pinged, posted, samples};
use webhook::Webhook;

#[test]
fn every_kind_of_event_has_its_body() {
    for (name, event) in samples() {
        insta::assert_json_snapshot!(name, posted(event).json());
    }
    insta::assert_json_snapshot!("ping", pinged().json());
}

#[test]
fn a_body_is_minified_and_begins_with_what_it_is() {
    let sent = posted(events::test());
    let text = String::from_utf8(sent.body().to_vec()).unwrap();
    assert!(text.starts_with(r#"{"type":"test","timestamp":"2024-12-15T14:14:00.000Z","schema":"1","#), "{text}");
    assert!(!text.contains("\": ") && !text.contains('\n'));
}

#[test]
fn a_delivery_posts_once_to_the_secret_address_signed_and_not_repeatable() {
    let sent = posted(events::triggered());
    assert_eq!(sent.url(), "{url}");
    assert_eq!(sent.credentials(), ["secret", "secret-headers"]);
    assert_eq!(sent.header("webhook-id"), Some("delivery-of-evt-1"));
    assert_eq!(sent.json()["delivery"]["id"], "delivery-of-evt-1");
    assert_eq!(sent.header("Content-Type"), Some("application/json; charset=utf-8"));
    assert_eq!((sent.header("webhook-timestamp"), sent.header("webhook-signature")), (None, None));
    assert!(!sent.is_repeatable());
}

#[test]
fn a_ping_does_no_harm_when_done_twice() {
    let sent = pinged();
    assert!(sent.is_repeatable());
    assert_eq!((sent.url().as_str(), sent.header("webhook-id")), ("{url}", Some("ping")));
    assert_eq!(sent.credentials(), ["secret", "secret-headers"]);
}

/// A delivery by a channel that has these credentials filled in.
fn delivery(id: &str, attempt: u32, credentials: &[&str]) -> Delivery<<Webhook as Channel>::Settings> {
    Delivery {
        id: id.to_owned(),
        attempt,
        configuration: Configuration {
            settings: from_value(json!({})).unwrap(),
            credentials: credentials.iter().map(|&name| name.to_owned()).collect(),
            workspace: None,
        },
        event: events::triggered(),
        opened_by: None,
    }
}

#[test]
fn secret_headers_are_attached_only_where_there_are_some() {
    let gate = Gate::new().answer(200, "");
    Webhook::deliver(&delivery("d-1", 1, &["url", "secret"])).unwrap();
    assert_eq!(gate.requests()[0].credentials(), ["secret"]);
}

#[test]
fn each_attempt_says_its_number_under_the_same_id() {
    let gate = Gate::new().answer(204, "").answer(204, "");
    for attempt in [1, 7] {
        Webhook::deliver(&delivery("0193e7a5-6c1b-7d2e-9f3a-4b5c6d7e8f90", attempt, &[])).unwrap();
    }
    let [first, last] = [0, 1].map(|at| gate.requests().remove(at));
    assert_eq!(first.header("webhook-id"), Some("0193e7a5-6c1b-7d2e-9f3a-4b5c6d7e8f90"));
    assert_eq!(first.header("webhook-id"), last.header("webhook-id"));
    assert_eq!((&first.json()["delivery"]["attempt"], &last.json()["delivery"]["attempt"]), (&json!(1), &json!(7)));
}

#[test]
fn an_id_with_a_full_stop_or_line_breaks_goes_out_as_another() {
    for id in ["a.1614265330.{}", "a\r\nwebhook-signature: v1,x", "", "é"] {
        let gate = Gate::new().answer(204, "");
        Webhook::deliver(&delivery(id, 1, &[])).unwrap();
        let sent = gate.requests().remove(0);
        let told = sent.header("webhook-id").unwrap();
        assert!(told.starts_with("hash-") && told.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
        assert_eq!(sent.json()["delivery"]["id"], told);
    }
}

#[test]
fn a_digest_is_refused_before_anything_is_sent() {
    let gate = Gate::new();
    let mut delivery = delivery("d", 1, &[]);
    delivery.event = events::digest(2);
    let failure = Webhook::deliver(&delivery).unwrap_err();
    assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::Rejected, "digest"));
    gate.finish();
}
