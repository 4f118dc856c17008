//! Every answer of PagerDuty lands in its failure kind, with code, meaning and remedy; and what a check makes of it.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use pagerduty::PagerDuty;
use pqh_channel_sdk::events::{Event, RunStatus};
use pqh_channel_sdk::http::ErrorKind;
use pqh_channel_sdk::testkit::{self, Gate, events};
use pqh_channel_sdk::{Failure, FailureKind};
use serde_json::{Value, json};

fn deliver_event(gate: Gate, event: Event) -> Failure {
    let failure = testkit::deliver::<PagerDuty>(&json!({}), event).unwrap_err();
    gate.finish();
    assert!(!failure.message.is_empty() && !failure.remedy.is_empty(), "{failure:?}");
    failure
}

fn deliver(gate: Gate) -> Failure {
    deliver_event(gate, events::triggered())
}

fn invalid(errors: &[&str]) -> String {
    json!({ "status": "invalid event", "message": "Event object is invalid", "errors": errors }).to_string()
}

#[test]
fn a_400_that_names_the_key_pauses_the_channel_whatever_its_form() {
    let texts = [
        "Invalid routing key".to_owned(),
        "InvalidRoutingKey".to_owned(),
        invalid(&["Length of 'routing_key' is incorrect (should be 32 characters)"]),
        invalid(&["'routing_key' cannot contain non-alphanumeric characters."]),
        invalid(&["'routing_key' cannot be blank"]),
        invalid(&["'routing_key' must be provided in the body, or provided in the headers using 'x-routing-key'"]),
        invalid(&["Invalid routing key"]),
        invalid(&["'summary' is too long (maiximum is 1024 characters)", "Invalid routing key"]),
    ];
    for text in texts {
        let failure = deliver(Gate::new().answer(400, &text));
        assert_eq!(
            (failure.kind, failure.code.as_str(), failure.field.as_deref()),
            (FailureKind::Unauthorized, "invalid_routing_key", Some("routing-key")),
            "{text}"
        );
    }
}

#[test]
fn any_other_400_is_about_this_event_alone() {
    let unrecognized =
        json!({ "status": "Unrecognized object", "message": "x", "errors": ["JSON parse error"] }).to_string();
    let long = invalid(&[&"e".repeat(9000)]);
    for (text, code, said) in [
        (invalid(&["'event_action' is missing or blank"]), "invalid_event", "'event_action' is missing or blank"),
        (invalid(&["'payload.source' is missing or blank", "b"]), "invalid_event", "missing or blank; b."),
        (invalid(&["'payload.severity' is invalid (must be one of the following: …)"]), "invalid_event", "severity"),
        (invalid(&["'summary' is too long (maiximum is 1024 characters)"]), "invalid_event", "maiximum is 1024"),
        (invalid(&["'event_type' is missing or blank"]), "invalid_event", "event_type"),
        (invalid(&[]), "invalid_event", "Event object is invalid"),
        (unrecognized, "unrecognized_object", "JSON parse error"),
        (long, "invalid_event", "eee…"),
        ("<html>Bad Request</html>".to_owned(), "http_400", "Bad Request"),
        (r#"{"status":7,"errors":"x"}"#.to_owned(), "http_400", "errors"),
        (r#"{"status":" ","errors":[7]}"#.to_owned(), "http_400", "errors"),
        (String::new(), "http_400", "refused the event."),
    ] {
        let failure = deliver(Gate::new().answer(400, &text));
        assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::Rejected, code), "{text}");
        assert!(failure.message.contains(said) && failure.message.chars().count() < 500, "{}", failure.message);
        assert_eq!(failure.field, None);
    }
}

#[test]
fn a_status_decides_all_else() {
    use FailureKind::{Rejected, Throttled, Unavailable};
    for (status, kind, code) in [
        (302, Rejected, "redirected"),
        (401, Rejected, "http_401"),
        (403, Rejected, "http_403"),
        (404, Rejected, "http_404"),
        (405, Rejected, "http_405"),
        (413, Rejected, "http_413"),
        (408, Unavailable, "http_408"),
        (429, Throttled, "rate_limited"),
        (500, Unavailable, "http_500"),
        (502, Unavailable, "http_502"),
        (503, Unavailable, "http_503"),
        (504, Unavailable, "http_504"),
    ] {
        // Only a 400 speaks of the key.
        let failure = deliver(Gate::new().answer(status, "Invalid routing key"));
        assert_eq!((failure.kind, failure.code.as_str()), (kind, code), "{status}");
    }
}

#[test]
fn rest_is_handed_on_and_thirty_seconds_where_none_is_asked_for() {
    let answer = |status, asked: &[(&str, &str)]| deliver(Gate::new().answer_with(status, "", asked)).retry_after;
    assert_eq!(answer(429, &[("Retry-After", "90")]), Some(90_000));
    assert_eq!(answer(429, &[]), Some(30_000));
    assert_eq!(answer(503, &[("Retry-After", "7")]), Some(7_000));
    assert_eq!(answer(503, &[]), None);
}

#[test]
fn no_whole_answer_is_tried_again_since_the_key_makes_it_harmless() {
    let failed = |kind, sent| deliver(Gate::new().error(kind, "broken", sent)).kind;
    assert_eq!(failed(ErrorKind::Timeout, true), FailureKind::Unavailable);
    assert_eq!(failed(ErrorKind::Failed, true), FailureKind::Unavailable);
    assert_eq!(failed(ErrorKind::Failed, false), FailureKind::Unavailable);
    assert_eq!(failed(ErrorKind::Denied, false), FailureKind::Rejected);
    assert_eq!(failed(ErrorKind::Unauthorized, false), FailureKind::Unauthorized);
}

#[test]
fn a_change_event_has_no_key_so_its_outcome_may_be_unknown() {
    let success = || events::notebook(RunStatus::Success);
    let failure = deliver_event(Gate::new().error(ErrorKind::Timeout, "broken", true), success());
    assert_eq!(failure.kind, FailureKind::UnknownOutcome);
}

#[test]
fn a_key_that_takes_no_change_event_may_still_take_alerts() {
    let success = || events::notebook(RunStatus::Success);
    let failure = deliver_event(Gate::new().answer(400, "Invalid routing key"), success());
    assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::Rejected, "change_event_refused"));
    assert!(failure.remedy.contains("Integration Key of a service"), "{}", failure.remedy);
    let failure = deliver_event(Gate::new().answer(429, ""), success());
    assert_eq!((failure.kind, failure.retry_after), (FailureKind::Throttled, Some(30_000)));
}

#[test]
fn what_was_taken_is_known_by_the_key_that_came_back() {
    for (status, body, reference) in [
        (202, r#"{"status":"success","message":"Event processed","dedup_key":"theirs"}"#, "theirs"),
        (202, r#"{"status":"success","message":"Event processed"}"#, "alert-1"),
        (200, "", "alert-1"),
        (202, r#"{"status":"queue is full","dedup_key":null}"#, "alert-1"),
    ] {
        let gate = Gate::new().answer(status, body);
        let receipt = testkit::deliver::<PagerDuty>(&json!({}), events::triggered()).unwrap();
        assert_eq!((receipt.reference.as_deref(), receipt.warnings.len()), (Some(reference), 0), "{body}");
        let sent = &gate.requests()[0];
        assert!(sent.is_repeatable());
        assert_eq!(sent.credentials(), ["routing-key"]);
        assert_eq!(sent.header("Content-Type"), Some("application/json; charset=utf-8"));
        gate.finish();
    }
}

#[test]
fn a_test_that_cannot_be_resolved_says_that_its_alert_is_open() {
    let gate = || Gate::new().answer(202, "");
    let failure = deliver_event(gate().answer(429, ""), events::test());
    assert_eq!((failure.kind, failure.retry_after), (FailureKind::Throttled, Some(30_000)));
    assert!(failure.message.starts_with("The test's alert was opened, but not resolved: "), "{}", failure.message);
    let failure = deliver_event(gate().error(ErrorKind::Timeout, "broken", true), events::test());
    assert_eq!(failure.kind, FailureKind::Unavailable);
    let failure = deliver_event(Gate::new().answer(400, "Invalid routing key"), events::test());
    assert_eq!(failure.kind, FailureKind::Unauthorized);
}

fn check(gate: Gate, settings: &Value) -> Result<(), Failure> {
    let checked = testkit::check::<PagerDuty>(settings);
    gate.finish();
    checked
}

#[test]
fn a_check_resolves_what_never_was_and_opens_nothing() {
    let gate = Gate::new().answer(202, r#"{"status":"success","message":"Event processed","dedup_key":"x"}"#);
    testkit::check::<PagerDuty>(&json!({ "region": "eu" })).unwrap();
    let sent = &gate.requests()[0];
    assert_eq!(sent.url(), "https://events.eu.pagerduty.com/v2/enqueue");
    assert_eq!(sent.json(), json!({ "routing_key": "", "event_action": "resolve", "dedup_key": "pyqueryhub-check" }));
    assert!(sent.is_repeatable() && sent.credentials() == ["routing-key"]);
    gate.finish();
}

#[test]
fn a_check_knows_a_dead_key_from_passing_trouble() {
    let failure = check(Gate::new().answer(400, "Invalid routing key"), &json!({})).unwrap_err();
    assert_eq!((failure.kind, failure.field.as_deref()), (FailureKind::Unauthorized, Some("routing-key")));
    assert!(failure.remedy.contains("region"), "{}", failure.remedy);
    let failure = check(Gate::new().answer(503, ""), &json!({})).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unavailable);
    let failure = check(Gate::new().answer(400, &invalid(&["x"])), &json!({})).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Rejected);
}
