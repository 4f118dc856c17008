//! PagerDuty's own samples are taken, and each rule that an event breaks is told.

use serde_json::{Value, json};

use super::validate::*;

const KEY: &str = "e93facc04764012d7bfb002500d5d1a6";

fn sample() -> Value {
    json!({
        "payload": {
            "summary": "DISK at 99%", "timestamp": "2015-07-17T08:42:58.315+0000", "severity": "critical",
            "source": "prod", "component": "mysql", "group": "prod", "class": "disk",
            "custom_details": { "load avg": 0.75 }
        },
        "routing_key": KEY, "dedup_key": "srv01/mysql", "event_action": "trigger", "client": "Sample",
        "client_url": "https://monitoring.service.com",
        "links": [{ "href": "http://pagerduty.example.com", "text": "An example link." }],
        "images": [{ "src": "https://chart.googleapis.com/chart", "href": "https://google.com", "alt": "x" }]
    })
}

/// The sample with one member, by its JSON Pointer, replaced; null takes it away.
fn with(pointer: &str, value: Value) -> Value {
    let mut body = sample();
    let (above, name) = pointer.rsplit_once('/').unwrap();
    let members = body.pointer_mut(above).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
    body
}

fn told(body: &Value) -> String {
    match alert(body.to_string().as_bytes()) {
        Ok(_) => "taken".to_owned(),
        Err(refusal) => format!("{refusal:?}"),
    }
}

#[test]
fn the_documented_samples_are_taken() {
    assert_eq!(told(&sample()), "taken");
    assert_eq!(told(&json!({ "routing_key": KEY, "event_action": "resolve", "dedup_key": "srv01/mysql" })), "taken");
    let body = json!({
        "routing_key": KEY,
        "payload": { "summary": "Build Success", "timestamp": "2020-07-17T08:42:58.315+0000", "source": "acme",
                     "custom_details": { "build_state": "passed" } },
        "links": [{ "href": "https://acme.pagerduty.dev/build/2", "text": "View more details in Acme!" }]
    });
    assert!(change(body.to_string().as_bytes()).is_ok());
}

#[test]
fn each_rule_that_is_broken_is_told() {
    for (pointer, value, words) in [
        ("/routing_key", Value::Null, "must be provided in the body"),
        ("/routing_key", json!(""), "'routing_key' cannot be blank"),
        ("/routing_key", json!("abc"), "Length of 'routing_key' is incorrect"),
        ("/routing_key", json!("e93facc04764012d7bfb002500d5d1a-"), "non-alphanumeric"),
        ("/event_action", Value::Null, "'event_action' is missing or blank"),
        ("/event_action", json!("Trigger"), "'event_action' is invalid"),
        ("/dedup_key", json!("k".repeat(256)), "'dedup_key' is too long"),
        ("/dedup_key", json!(" "), "'dedup_key' is blank"),
        ("/dedup_key", json!(7), "'dedup_key' is no text"),
        ("/payload", Value::Null, "'payload' is missing"),
        ("/payload", json!("x"), "'payload' is no object"),
        ("/payload/summary", Value::Null, "'payload.summary' is missing"),
        ("/payload/summary", json!("s".repeat(1025)), "maiximum is 1024"),
        ("/payload/source", json!(" "), "'payload.source' is missing or blank"),
        ("/payload/severity", Value::Null, "'payload.severity' is missing or blank"),
        ("/payload/severity", json!("Critical"), "'payload.severity' is invalid"),
        ("/payload/timestamp", json!("2021-10-22 5:01:32"), "no ISO 8601"),
        ("/payload/timestamp", json!("2021-10-22T05:01:32"), "no ISO 8601"),
        ("/payload/group", json!(""), "'payload.group' is blank"),
        ("/payload/custom_details", json!([]), "no object"),
        ("/payload/links", json!([]), "'payload.links' is not known"),
        ("/custom_details", json!({}), "'custom_details' is not known"),
        ("/links", json!({}), "no list"),
        ("/links", json!([{ "text": "x" }]), "'links.href' is missing"),
        ("/links", json!([{ "href": "ftp://x" }]), "'links.href' is no URL"),
        ("/images", json!([{ "src": "http://x" }]), "no https"),
        ("/client_url", json!("example"), "'client_url' is no URL"),
    ] {
        let told = told(&with(pointer, value));
        assert!(told.contains(words), "{pointer}: {told}");
    }
    assert!(told(&with("/client", json!("c".repeat(512_000)))).contains("larger than 512 KB"));
    assert_eq!(alert(b"nonsense").unwrap_err(), Refusal::Unrecognized);
}

#[test]
fn a_resolution_needs_its_key_and_a_change_event_knows_neither() {
    let body = json!({ "routing_key": KEY, "event_action": "resolve" });
    assert!(told(&body).contains("'dedup_key' is missing"));
    let refusal = change(sample().to_string().as_bytes()).unwrap_err();
    for name in ["event_action", "dedup_key", "payload.severity"] {
        assert!(format!("{refusal:?}").contains(&format!("'{name}' is not known")), "{name}: {refusal:?}");
    }
}

#[test]
fn times_are_iso_8601() {
    for good in
        ["2011-05-06T17:00Z", "2015-07-17T08:42:58.315+0000", "2024-12-15T14:14:00.000Z", "2024-12-15T14:14:00+05:30"]
    {
        assert_eq!(told(&with("/payload/timestamp", json!(good))), "taken", "{good}");
    }
    for bad in [
        "",
        "2024-12-15",
        "2024-12-15T14:14:00.Z",
        "2024-12-15T14:14:0Z",
        "2024-12-15T4:14:00Z",
        "Dec 15, 2024 2:14 PM",
    ] {
        assert_ne!(told(&with("/payload/timestamp", json!(bad))), "taken", "{bad}");
    }
}
