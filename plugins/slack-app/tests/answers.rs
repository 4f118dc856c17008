//! Every word and status that Slack answers to a post lands in its failure kind, with code, meaning and remedy.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use common::{Says, to, workspace};
use pqh_channel_sdk::http::ErrorKind;
use pqh_channel_sdk::testkit::{self, Gate, events};
use pqh_channel_sdk::{Failure, FailureKind};
use serde_json::json;
use slack_app::SlackApp;

fn deliver(gate: Gate) -> Failure {
    let failure = testkit::deliver_in::<SlackApp>(&workspace(), &to("C1"), events::triggered(), None).unwrap_err();
    gate.finish();
    assert!(!failure.message.is_empty() && !failure.remedy.is_empty(), "{failure:?}");
    failure
}

const UNAUTHORIZED: [&str; 9] = [
    "invalid_auth",
    "not_authed",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "org_login_required",
    "team_not_found",
    "not_allowed_token_type",
    "app_access_restricted",
];
const UNREACHABLE: [&str; 17] = [
    "channel_not_found",
    "is_archived",
    "restricted_action",
    "restricted_action_read_only_channel",
    "restricted_action_thread_only_channel",
    "restricted_action_non_threadable_channel",
    "restricted_action_thread_locked",
    "restricted_action_of_tomorrow",
    "user_not_found",
    "user_disabled",
    "user_not_visible",
    "messages_tab_disabled",
    "ekm_access_denied",
    "cannot_reply_to_message",
    "access_denied",
    "no_permission",
    "missing_scope",
];
const REJECTED: [&str; 18] = [
    "no_text",
    "msg_too_long",
    "invalid_arguments",
    "invalid_json",
    "json_not_object",
    "markdown_text_conflict",
    "invalid_metadata_format",
    "invalid_metadata_schema",
    "metadata_must_be_sent_from_app",
    "metadata_too_large",
    "invalid_form_data",
    "invalid_post_type",
    "missing_post_type",
    "invalid_charset",
    "invalid_arg_name",
    "invalid_array_arg",
    "as_user_not_supported",
    "a_word_of_tomorrow",
];
const THROTTLED: [&str; 3] = ["ratelimited", "rate_limited", "message_limit_exceeded"];
const UNAVAILABLE: [&str; 3] = ["service_unavailable", "request_timeout", "team_added_to_org"];
const UNKNOWN_OUTCOME: [&str; 2] = ["internal_error", "fatal_error"];

#[test]
fn each_word_has_its_kind() {
    use FailureKind::{Rejected, Throttled, Unauthorized, Unavailable, UnknownOutcome, Unreachable};
    let table: [(&[&str], FailureKind); 6] = [
        (&UNAUTHORIZED, Unauthorized),
        (&UNREACHABLE, Unreachable),
        (&REJECTED, Rejected),
        (&THROTTLED, Throttled),
        (&UNAVAILABLE, Unavailable),
        (&UNKNOWN_OUTCOME, UnknownOutcome),
    ];
    for (words, kind) in table {
        for word in words {
            for status in [200, 400, 403, 404] {
                let body = json!({ "ok": false, "error": word }).to_string();
                let failure = deliver(Gate::new().answer(status, &body));
                assert_eq!((failure.kind, failure.code.as_str()), (kind, *word), "{status}");
                assert_eq!(failure.retry_after.is_some(), kind == Throttled, "{word}");
            }
        }
    }
}

#[test]
fn a_known_word_decides_whatever_the_status_and_an_unknown_one_less_than_a_5xx() {
    let of =
        |status, word| deliver(Gate::new().answer(status, &json!({ "ok": false, "error": word }).to_string())).kind;
    assert_eq!(of(500, "internal_error"), FailureKind::UnknownOutcome);
    assert_eq!(of(503, "service_unavailable"), FailureKind::Unavailable);
    assert_eq!(of(500, "token_revoked"), FailureKind::Unauthorized);
    assert_eq!(of(502, "a_word_of_tomorrow"), FailureKind::Unavailable);
    assert_eq!(of(429, "token_revoked"), FailureKind::Throttled);
}

#[test]
fn a_refused_layout_that_is_refused_as_plain_text_too_is_rejected() {
    for word in [
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_attachments",
        "too_many_attachments",
        "msg_blocks_too_long",
        "attachment_payload_limit_exceeded",
    ] {
        let failure = deliver(Gate::new().refuses(word).refuses(word));
        assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::Rejected, word));
    }
}

#[test]
fn pages_and_bare_statuses_mean_what_the_status_says() {
    use FailureKind::{Rejected, Throttled, Unavailable, UnknownOutcome};
    for (status, kind, code) in [
        (200, UnknownOutcome, "unexpected_answer"),
        (302, Rejected, "redirected"),
        (400, Rejected, "http_400"),
        (401, Rejected, "http_401"),
        (403, Rejected, "http_403"),
        (404, Rejected, "http_404"),
        (408, Unavailable, "http_408"),
        (429, Throttled, "ratelimited"),
        (500, Unavailable, "http_500"),
        (502, Unavailable, "http_502"),
        (503, Unavailable, "http_503"),
    ] {
        let failure = deliver(Gate::new().answer(status, "<html>Something went wrong</html>"));
        assert_eq!((failure.kind, failure.code.as_str()), (kind, code), "{status}");
    }
    // Neither `ok` nor a word.
    assert_eq!(deliver(Gate::new().answer(200, "{}")).kind, UnknownOutcome);
    assert_eq!(deliver(Gate::new().answer(200, r#"{"ok":tr"#)).kind, UnknownOutcome);
}

#[test]
fn rest_is_handed_on_and_is_long_enough_where_none_is_asked_for() {
    let rest = |status, word: &str, headers: &[(&str, &str)]| {
        let body = json!({ "ok": false, "error": word }).to_string();
        deliver(Gate::new().answer_with(status, &body, headers)).retry_after
    };
    assert_eq!(rest(429, "ratelimited", &[("Retry-After", "7")]), Some(7_000));
    assert_eq!(rest(429, "ratelimited", &[]), Some(30_000));
    assert_eq!(rest(200, "rate_limited", &[]), Some(30_000));
    assert_eq!(rest(200, "ratelimited", &[("Retry-After", "90")]), Some(90_000));
    assert_eq!(rest(200, "message_limit_exceeded", &[]), Some(600_000));
    assert_eq!(rest(503, "", &[("Retry-After", "9")]), Some(9_000));
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
fn what_slack_says_besides_is_told() {
    let scope = json!({ "ok": false, "error": "missing_scope", "needed": "chat:write", "provided": "users:read" });
    let failure = deliver(Gate::new().says(scope));
    assert!(failure.message.ends_with("It needs chat:write."), "{}", failure.message);
    let place = "must be less than 3001 characters [json-pointer:/blocks/0/text/text]";
    for said in [json!({ "errors": [place] }), json!({ "response_metadata": { "messages": [place] } })] {
        let mut said = said;
        (said["ok"], said["error"]) = (false.into(), "msg_too_long".into());
        let failure = deliver(Gate::new().says(said));
        assert!(failure.message.contains(place), "{}", failure.message);
    }
    let long = json!({ "ok": false, "error": "x".repeat(5000), "errors": ["y".repeat(5000)] });
    let failure = deliver(Gate::new().says(long));
    assert!(failure.code.chars().count() <= 80 && failure.message.chars().count() < 400);
}

#[test]
fn a_dead_token_is_told_in_the_guides_words() {
    let failure = deliver(Gate::new().refuses("token_revoked"));
    assert!(failure.message.starts_with("Slack workspace not connected"), "{}", failure.message);
    assert_eq!(failure.remedy, "Reinstall the PyQueryHub Slack app and reconnect your workspace.");
}
