//! The receiver takes what is signed and whole, and refuses all else.

use serde_json::json;

use super::*;

const NOW: u64 = 1_734_272_040;

fn receiver() -> Receiver {
    let receiver = Receiver::new(SECRET).unwrap();
    receiver.at(NOW);
    receiver
}

fn ping() -> Value {
    json!({ "type": "ping", "schema": "1", "data": {} })
}

fn test_event() -> Value {
    json!({
        "type": "test", "timestamp": "2024-12-15T14:14:00.000Z", "schema": "1",
        "delivery": { "id": "d-1", "attempt": 1 }, "truncated": false,
        "data": {
            "id": "evt-1", "alert_id": null, "incident_id": null, "title": "DevOps Alerts", "severity": "info",
            "occurred_at": "2024-12-15T14:14:00.000Z", "occurred_at_local": "", "locale": "en-US", "report": null,
            "mentions": [], "labels": [{ "name": "team", "value": "sales" }], "attributes": [],
        },
    })
}

fn signature(id: &str, timestamp: &str, body: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&receiver().key).unwrap();
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

fn signed(id: &str, timestamp: &str, body: &str) -> Request {
    let headers = [
        ("content-type", "application/json; charset=utf-8"),
        ("webhook-id", id),
        ("webhook-timestamp", timestamp),
        ("webhook-signature", &signature(id, timestamp, body)),
    ];
    Request {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        query: String::new(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        body: body.into(),
    }
}

fn answer(body: &Value) -> Answer {
    receiver().judge(&signed("d-1", &NOW.to_string(), &body.to_string()))
}

#[test]
fn what_is_signed_is_taken_and_a_repeat_is_counted() {
    let receiver = receiver();
    for (time, body) in [(NOW, test_event()), (NOW + 300, test_event()), (NOW - 300, test_event())] {
        let answer = receiver.judge(&signed("d-1", &time.to_string(), &body.to_string()));
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    }
    assert_eq!(receiver.received(), [Received { id: "d-1".to_owned(), kind: "test".to_owned(), times: 3 }]);
    assert_eq!(answer(&ping()).status, 204);
}

#[test]
fn another_body_id_time_or_secret_is_refused() {
    let (now, body) = (NOW.to_string(), test_event().to_string());
    let good = signed("d-1", &now, &body);
    let with = |name: &str, value: &str| {
        let mut request = good.clone();
        request.headers.iter_mut().find(|(held, _)| held == name).unwrap().1 = value.to_owned();
        request
    };
    let mut changed = good.clone();
    changed.body.push(b' ');
    let without = |name: &str| {
        let mut request = good.clone();
        request.headers.retain(|(held, _)| held != name);
        request
    };
    let mut twice = good.clone();
    twice.headers.push(("webhook-id".to_owned(), "d-2".to_owned()));
    let other = signature("d-1", &now, &body).replace("v1,", "v1a,");
    for (request, told) in [
        (changed, "no matching"),
        (twice, "stands twice"),
        (with("webhook-id", "d-2"), "no matching"),
        (with("webhook-timestamp", &(NOW - 1).to_string()), "no matching"),
        (with("webhook-signature", "v1,AAAA"), "no matching"),
        (with("webhook-signature", &other), "no matching"),
        (signed("d.1", &now, &body), "full stop"),
        (signed("d-1", &(NOW - 301).to_string(), &body), "too old"),
        (signed("d-1", &(NOW + 301).to_string(), &body), "too new"),
        (signed("d-1", "1734272040.0", &body), "no integer"),
        (signed("d-1", "+1734272040", &body), "no integer"),
        (without("webhook-id"), "missing"),
        (without("webhook-timestamp"), "missing"),
        (without("webhook-signature"), "missing"),
    ] {
        let answer = receiver().judge(&request);
        assert!(answer.status == 401 && answer.body.contains(told), "{told}: {answer:?}");
    }
    let elsewhere = Receiver::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    elsewhere.at(NOW);
    assert_eq!(elsewhere.judge(&good).status, 401);
    // One of two that fits is enough.
    let both = format!("v1,AAAA {}", signature("d-1", &now, &body));
    assert_eq!(receiver().judge(&with("webhook-signature", &both)).status, 204);
}

#[test]
fn other_methods_types_and_sizes_are_refused() {
    let good = signed("d-1", &NOW.to_string(), &test_event().to_string());
    let get = Request { method: "GET".to_owned(), ..good.clone() };
    let mut form = good.clone();
    form.headers[0].1 = "text/plain".to_owned();
    let large = signed("d-1", &NOW.to_string(), &" ".repeat(MOST_BYTES + 1));
    let text = signed("d-1", &NOW.to_string(), "hello");
    for (request, status) in [(get, 405), (form, 415), (large, 413), (text, 400)] {
        assert_eq!(receiver().judge(&request).status, status);
    }
}

#[test]
fn a_body_of_another_outline_is_refused() {
    for (pointer, value) in [
        ("/type", json!("alert.triggered")),
        ("/type", json!("alert.acknowledged")),
        ("/schema", json!("2")),
        ("/timestamp", json!("2024-12-15T14:14:00Z")),
        ("/timestamp", json!("2024-12-15T14:15:00.000Z")),
        ("/delivery/id", json!("d-2")),
        ("/delivery/attempt", json!(0)),
        ("/delivery/attempt", json!("1")),
        ("/truncated", json!(null)),
        ("/left_out", json!({ "labels": 1 })),
        ("/new", json!(1)),
        ("/data/title", json!(null)),
        ("/data/title", json!("a".repeat(2001))),
        ("/data/severity", json!("error")),
        ("/data/report", json!({ "name": "x" })),
        ("/data/labels", json!({ "team": "sales" })),
        ("/data/mentions", json!([1])),
        ("/data/status", json!("success")),
    ] {
        let mut body = test_event();
        let (place, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(place).unwrap()[name] = value.clone();
        let answer = answer(&body);
        assert!(answer.status == 400 && !answer.body.is_empty(), "{pointer} = {value}: {answer:?}");
    }
    for member in ["type", "timestamp", "schema", "delivery", "data", "truncated"] {
        let mut body = test_event();
        body.as_object_mut().unwrap().remove(member);
        assert_eq!(answer(&body).status, 400, "without {member}");
    }
    for body in [json!([]), json!("test"), json!({ "type": "ping", "schema": "1", "data": {}, "timestamp": "now" })] {
        assert_eq!(answer(&body).status, 400, "{body}");
    }
}

#[test]
fn an_id_belongs_to_one_event() {
    let receiver = receiver();
    for (body, status) in [(test_event(), 204), (ping(), 400)] {
        let answer = receiver.judge(&signed("d-1", &NOW.to_string(), &body.to_string()));
        assert_eq!(answer.status, status);
    }
}

#[test]
fn only_secrets_of_the_specification_are_taken() {
    assert!(Receiver::new(SECRET).is_ok());
    for secret in ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_not base64"] {
        assert!(Receiver::new(secret).is_err(), "{secret}");
    }
}

#[tokio::test]
async fn it_listens() {
    let receiver = Arc::new(receiver());
    let service = receiver.start().await.unwrap();
    assert!(service.base_url().starts_with("http://127.0.0.1:"));
}
