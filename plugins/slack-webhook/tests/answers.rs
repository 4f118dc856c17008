//! Every word and status that Slack answers lands in its failure kind, with code, meaning and remedy.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use pqh_channel_sdk::http::ErrorKind;
use pqh_channel_sdk::testkit::{self, Gate, events};
use pqh_channel_sdk::{Failure, FailureKind};
use serde_json::json;
use slack_webhook::SlackWebhook;

fn deliver(gate: Gate) -> Failure {
    let failure = testkit::deliver::<SlackWebhook>(&json!({}), events::triggered()).unwrap_err();
    gate.finish();
    assert!(!failure.message.is_empty() && !failure.remedy.is_empty(), "{failure:?}");
    failure
}

#[test]
fn each_word_has_its_kind_whatever_the_status() {
    use FailureKind::{Rejected, Unauthorized, Unavailable, Unreachable};
    let words = [
        ("invalid_token", Unauthorized),
        ("no_service", Unauthorized),
        ("no_service_id", Unauthorized),
        ("no_active_hooks", Unauthorized),
        ("no_team", Unauthorized),
        ("team_disabled", Unauthorized),
        ("channel_not_found", Unreachable),
        ("channel_is_archived", Unreachable),
        ("action_prohibited", Unreachable),
        ("posting_to_general_channel_denied", Unreachable),
        ("invalid_payload", Rejected),
        ("no_text", Rejected),
        ("missing_text_or_fallback_or_attachments", Rejected),
        ("user_not_found", Rejected),
        ("rollup_error", Unavailable),
    ];
    for (word, kind) in words {
        for status in [200, 400, 403, 404, 410, 500] {
            let failure = deliver(Gate::new().answer(status, &format!("{word}\n")));
            assert_eq!((failure.kind, failure.code.as_str()), (kind, word), "{status}");
        }
    }
}

#[test]
fn a_status_decides_where_the_body_says_nothing() {
    use FailureKind::{Rejected, Throttled, Unavailable};
    let statuses = [
        (200, Rejected, "unexpected_answer"),
        (204, Rejected, "unexpected_answer"),
        (302, Rejected, "redirected"),
        (400, Rejected, "http_400"),
        (401, Rejected, "http_401"),
        (403, Rejected, "http_403"),
        (404, Rejected, "http_404"),
        (410, Rejected, "http_410"),
        (418, Rejected, "http_418"),
        (408, Unavailable, "http_408"),
        (429, Throttled, "rate_limited"),
        (500, Unavailable, "http_500"),
        (502, Unavailable, "http_502"),
        (503, Unavailable, "http_503"),
    ];
    for (status, kind, code) in statuses {
        let failure = deliver(Gate::new().answer(status, "<html>Something went wrong</html>"));
        assert_eq!((failure.kind, failure.code.as_str()), (kind, code), "{status}");
    }
}

#[test]
fn too_many_requests_come_before_any_word_and_rest_is_handed_on() {
    let answer = |status| deliver(Gate::new().answer_with(status, "no_service", &[("Retry-After", "30")]));
    let failure = answer(429);
    assert_eq!((failure.kind, failure.retry_after), (FailureKind::Throttled, Some(30_000)));
    assert_eq!(answer(503).kind, FailureKind::Unauthorized);
    let busy = deliver(Gate::new().answer_with(503, "", &[("Retry-After", "7")]));
    assert_eq!((busy.kind, busy.retry_after), (FailureKind::Unavailable, Some(7_000)));
}

#[test]
fn no_whole_answer_is_an_unknown_outcome_only_where_bytes_went_out() {
    let failed = |kind, sent| deliver(Gate::new().error(kind, "broken", sent)).kind;
    assert_eq!(failed(ErrorKind::Timeout, true), FailureKind::UnknownOutcome);
    assert_eq!(failed(ErrorKind::Failed, true), FailureKind::UnknownOutcome);
    assert_eq!(failed(ErrorKind::Failed, false), FailureKind::Unavailable);
    assert_eq!(failed(ErrorKind::Denied, false), FailureKind::Rejected);
    assert_eq!(failed(ErrorKind::Unauthorized, false), FailureKind::Unauthorized);
}

#[test]
fn a_refused_layout_goes_out_once_as_plain_text_with_a_warning() {
    for word in ["invalid_blocks", "invalid_blocks_format", "invalid_attachments", "too_many_attachments"] {
        let gate = Gate::new().answer(400, word).answer(200, "ok");
        let receipt = testkit::deliver::<SlackWebhook>(&json!({}), events::triggered()).unwrap();
        let sent = gate.requests();
        assert_eq!(sent.len(), 2);
        assert!(sent[0].json()["attachments"].is_array() && sent[1].json()["attachments"].is_null());
        assert!(sent[1].json()["text"].as_str().unwrap().contains("Revenue &lt; 10000"));
        assert!(receipt.warnings[0].contains(word) && gate.logs().len() == 1);
        gate.finish();

        let failure = deliver(Gate::new().answer(400, word).answer(400, word));
        assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::Rejected, word));
    }
}

#[test]
fn a_delivery_posts_once_to_the_secret_address() {
    let gate = Gate::new().answer(200, "ok");
    let receipt = testkit::deliver::<SlackWebhook>(&json!({}), events::triggered()).unwrap();
    assert!(receipt.warnings.is_empty());
    let sent = &gate.requests()[0];
    assert_eq!(sent.url(), "{url}");
    assert!(!sent.is_repeatable() && sent.credentials().is_empty());
    assert_eq!(sent.header("Content-Type"), Some("application/json; charset=utf-8"));
    assert_eq!(sent.json()["text"], "🚨 Alert Triggered: Daily Sales Alert");
    gate.finish();
}

#[test]
fn a_check_posts_nothing_and_knows_a_living_webhook_from_a_dead_one() {
    for word in ["no_text", "missing_text_or_fallback_or_attachments"] {
        let gate = Gate::new().answer(400, word);
        testkit::check::<SlackWebhook>(&json!({})).unwrap();
        assert_eq!(gate.requests()[0].json(), json!({ "text": "" }));
        assert!(gate.requests()[0].is_repeatable());
        gate.finish();
    }
    let _gate = Gate::new().answer(404, "no_service");
    let failure = testkit::check::<SlackWebhook>(&json!({})).unwrap_err();
    assert_eq!((failure.kind, failure.field.as_deref()), (FailureKind::Unauthorized, Some("url")));
}

/// The first rule that the URL breaks, as the host finds it.
fn broken_rule(url: &str) -> Option<String> {
    let field = testkit::describe::<SlackWebhook>().fields.remove(0);
    let broken = field
        .rules
        .into_iter()
        .find(|rule| regex::Regex::new(&format!("^(?:{})$", rule.pattern)).unwrap().is_match(url) != rule.matches);
    broken.map(|rule| rule.message)
}

#[test]
fn only_whole_webhook_urls_are_taken_and_others_are_told_why() {
    assert!(testkit::faults(&testkit::describe::<SlackWebhook>()).is_empty());
    for host in ["hooks.slack.com", "hooks.slack-gov.com"] {
        assert_eq!(broken_rule(&format!("https://{host}/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX")), None);
    }
    for (url, told) in [
        ("https://hooks.slack.com/workflows/T0/A0/1/x", "workflow"),
        ("https://hooks.slack.com/triggers/T0/1/x", "trigger"),
        ("https://hooks.slack.com.evil.example/services/T0/B0/x", "no address of Slack"),
        ("http://hooks.slack.com/services/T0/B0/x", "no address of Slack"),
        ("https://hooks.slack.com/services/T0/B0", "three parts"),
        ("https://hooks.slack.com/services/T0/B0/x/y", "three parts"),
        ("https://hooks.slack.com/services/T0/B0/x?y", "three parts"),
    ] {
        assert!(broken_rule(url).is_some_and(|message| message.contains(told)), "{url}");
    }
}
