//! Every answer lands in its failure kind, with code, meaning and remedy: for a delivery and for a check.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use pqh_channel_sdk::http::ErrorKind;
use pqh_channel_sdk::testkit::{self, Gate, events};
use pqh_channel_sdk::{Failure, FailureKind};
use serde_json::json;
use webhook::Webhook;

fn deliver(gate: Gate) -> Failure {
    let failure = testkit::deliver::<Webhook>(&json!({}), events::triggered()).unwrap_err();
    gate.finish();
    told(failure)
}

fn check(gate: Gate) -> Failure {
    let failure = testkit::check::<Webhook>(&json!({})).unwrap_err();
    gate.finish();
    told(failure)
}

fn told(failure: Failure) -> Failure {
    assert!(!failure.message.is_empty() && !failure.remedy.is_empty(), "{failure:?}");
    failure
}

#[test]
fn any_2xx_is_success_whatever_the_body_says() {
    for status in [200, 201, 202, 204, 299] {
        let gate = Gate::new().answer(status, "{\"error\":\"no\"}").answer(status, "");
        let receipt = testkit::deliver::<Webhook>(&json!({}), events::triggered()).unwrap();
        assert_eq!((receipt.reference, receipt.permalink, receipt.warnings.len()), (None, None, 0));
        testkit::check::<Webhook>(&json!({})).unwrap();
        gate.finish();
    }
}

#[test]
fn each_status_has_its_kind_for_deliveries_and_checks() {
    use FailureKind::{Rejected, Throttled, Unavailable, Unreachable};
    let url = Some("url");
    let statuses = [
        (301, Rejected, "redirected", url),
        (302, Rejected, "redirected", url),
        (307, Rejected, "redirected", url),
        (308, Rejected, "redirected", url),
        (400, Rejected, "http_400", None),
        (401, Rejected, "http_401", None),
        (403, Rejected, "http_403", None),
        (404, Rejected, "http_404", url),
        (405, Rejected, "http_405", url),
        (408, Unavailable, "http_408", None),
        (409, Rejected, "http_409", None),
        (410, Unreachable, "gone", url),
        (413, Rejected, "http_413", None),
        (415, Rejected, "http_415", None),
        (418, Rejected, "http_418", None),
        (422, Rejected, "http_422", None),
        (429, Throttled, "rate_limited", None),
        (500, Unavailable, "http_500", None),
        (501, Unavailable, "http_501", None),
        (502, Unavailable, "http_502", None),
        (503, Unavailable, "http_503", None),
        (504, Unavailable, "http_504", None),
    ];
    for (status, kind, code, field) in statuses {
        for failure in [deliver(Gate::new().answer(status, "<html>No</html>")), check(Gate::new().answer(status, ""))] {
            let found = (failure.kind, failure.code.as_str(), failure.field.as_deref());
            assert_eq!(found, (kind, code, field), "{status}");
        }
    }
}

#[test]
fn the_receivers_words_are_told_and_what_to_look_at() {
    let failure = deliver(Gate::new().answer(401, "No matching signature found"));
    assert!(failure.message.contains("HTTP 401: No matching signature found"), "{}", failure.message);
    assert!(failure.remedy.contains("signing secret") && failure.remedy.contains("headers"), "{}", failure.remedy);
    let failure = deliver(Gate::new().answer(422, "unknown type"));
    assert!(failure.message.contains("unknown type") && failure.remedy.contains("replayed"), "{failure:?}");
}

#[test]
fn rest_that_is_asked_for_is_handed_on() {
    let answer = |status| deliver(Gate::new().answer_with(status, "", &[("Retry-After", "30")])).retry_after;
    for status in [429, 502, 503, 504] {
        assert_eq!(answer(status), Some(30_000), "{status}");
    }
}

#[test]
fn no_whole_answer_is_an_unknown_outcome_only_where_an_event_went_out() {
    use FailureKind::{Rejected, Unauthorized, Unavailable, UnknownOutcome};
    let gate = |kind, sent| Gate::new().error(kind, "broken", sent);
    for (kind, sent, delivery, ping) in [
        (ErrorKind::Timeout, true, UnknownOutcome, Unavailable),
        (ErrorKind::Failed, true, UnknownOutcome, Unavailable),
        (ErrorKind::Failed, false, Unavailable, Unavailable),
        (ErrorKind::Timeout, false, Unavailable, Unavailable),
        (ErrorKind::Denied, false, Rejected, Rejected),
        (ErrorKind::Unauthorized, false, Unauthorized, Unauthorized),
    ] {
        assert_eq!(deliver(gate(kind, sent)).kind, delivery, "{kind:?} {sent}");
        assert_eq!(check(gate(kind, sent)).kind, ping, "{kind:?} {sent}");
    }
}
