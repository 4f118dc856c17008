//! A delivery's requests, in order: the post, joining, what follows a message, mentions, and what the receipt keeps.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use common::{Says, form, methods, to, workspace};
use pqh_channel_sdk::events::Event;
use pqh_channel_sdk::http::ErrorKind;
use pqh_channel_sdk::testkit::{self, Gate, events};
use pqh_channel_sdk::{Failure, FailureKind, Receipt};
use serde_json::{Value, json};
use slack_app::SlackApp;

const OPENED: &str = r#"{"channel":"C1","ts":"1.000"}"#;

fn deliver(settings: &Value, event: Event, opened_by: Option<&str>) -> Result<Receipt, Failure> {
    testkit::deliver_in::<SlackApp>(&workspace(), settings, event, opened_by)
}

#[test]
fn a_message_goes_out_as_the_webhook_sends_it_with_metadata_and_a_receipt_that_finds_it() {
    let gate = Gate::new().posts("C1", "1.000").links();
    let receipt = deliver(&to("C1"), events::triggered(), None).unwrap();
    assert_eq!(receipt.reference.as_deref(), Some(OPENED));
    assert_eq!(receipt.permalink.as_deref(), Some("https://my.slack.com/archives/C1/p1"));
    assert!(receipt.warnings.is_empty());
    let post = &gate.requests()[0];
    assert_eq!(methods(&gate), ["chat.postMessage", "chat.getPermalink"]);
    assert_eq!((post.is_repeatable(), post.credentials()), (false, &["token".to_owned()][..]));
    assert_eq!(post.header("content-type"), Some("application/json; charset=utf-8"));
    let mut body = post.json();
    let event = json!({ "event_id": "evt-1", "delivery_id": "delivery-of-evt-1" });
    assert_eq!(body["metadata"].take(), json!({ "event_type": "pyqueryhub_event", "event_payload": event }));
    let mut expected = serde_json::to_value(slack_format::render(&events::triggered())).unwrap();
    (expected["channel"], expected["metadata"]) = ("C1".into(), Value::Null);
    assert_eq!(body, expected);
    assert_eq!(form(&gate, 1), "channel=C1&message_ts=1.000");
    assert!(gate.requests()[1].is_repeatable());
    gate.finish();
}

#[test]
fn a_delivery_is_delivered_without_a_link_too() {
    let answers: [fn(Gate) -> Gate; 4] = [
        |gate| gate.refuses("message_not_found"),
        |gate| gate.answer(503, "<html>"),
        |gate| gate.error(ErrorKind::Timeout, "slow", true),
        |gate| gate.refuses("token_revoked"),
    ];
    for answer in answers {
        let gate = answer(Gate::new().posts("C1", "1.000"));
        let receipt = deliver(&to("C1"), events::triggered(), None).unwrap();
        assert_eq!((receipt.reference.as_deref(), receipt.permalink), (Some(OPENED), None));
        assert!(receipt.warnings.is_empty() && gate.logs().len() == 1);
        gate.finish();
    }
}

#[test]
fn a_public_channel_is_joined_and_posted_to_once_more() {
    let joined = json!({ "ok": true, "warning": "already_in_channel", "channel": { "id": "C1" } });
    let gate = Gate::new().refuses("not_in_channel").says(joined).posts("C1", "1.000").links();
    deliver(&to("C1"), events::triggered(), None).unwrap();
    assert_eq!(methods(&gate), ["chat.postMessage", "conversations.join", "chat.postMessage", "chat.getPermalink"]);
    assert_eq!(gate.requests()[1].json(), json!({ "channel": "C1" }));
    assert!(gate.requests()[1].is_repeatable());
    assert_eq!(gate.requests()[0].json(), gate.requests()[2].json());
    gate.finish();
}

#[test]
fn a_channel_that_cannot_be_joined_asks_for_an_invitation() {
    for word in ["method_not_supported_for_channel_type", "missing_scope", "channel_not_found", "too_many_members"] {
        let gate = Gate::new().refuses("not_in_channel").refuses(word);
        let failure = deliver(&to("C1"), events::triggered(), None).unwrap_err();
        assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::Unreachable, "not_in_channel"));
        assert!(failure.remedy.contains("/invite @PyQueryHub"));
        gate.finish();
    }
    for (word, kind) in [
        ("is_archived", FailureKind::Unreachable),
        ("ratelimited", FailureKind::Throttled),
        ("internal_error", FailureKind::Unavailable),
        ("token_revoked", FailureKind::Unauthorized),
    ] {
        let gate = Gate::new().refuses("not_in_channel").refuses(word);
        let failure = deliver(&to("C1"), events::triggered(), None).unwrap_err();
        assert_eq!((failure.kind, failure.code.as_str()), (kind, word));
        gate.finish();
    }
    let gate = Gate::new().refuses("not_in_channel").says(json!({ "ok": true })).refuses("not_in_channel");
    let failure = deliver(&to("C1"), events::triggered(), None).unwrap_err();
    assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::Unreachable, "not_in_channel"));
    gate.finish();
}

#[test]
fn a_repeat_goes_into_the_thread() {
    let gate = Gate::new().posts("C1", "2.000").links();
    let receipt = deliver(&to("C1"), events::triggered(), Some(OPENED)).unwrap();
    assert_eq!(gate.requests()[0].json()["thread_ts"], "1.000");
    assert_eq!(receipt.reference.as_deref(), Some(r#"{"channel":"C1","ts":"2.000"}"#));
    gate.finish();
}

#[test]
fn where_there_can_be_no_thread_a_new_message_is_posted() {
    for word in [
        "thread_not_found",
        "message_not_found",
        "cannot_reply_to_message",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
    ] {
        let gate = Gate::new().refuses(word).posts("C1", "2.000").links();
        deliver(&to("C1"), events::triggered(), Some(OPENED)).unwrap();
        assert_eq!(gate.requests()[1].json()["thread_ts"], Value::Null, "{word}");
        gate.finish();
    }
}

#[test]
fn a_resolution_updates_the_message_and_is_told_in_its_thread() {
    let updated = json!({ "ok": true, "channel": "C1", "ts": "1.000", "text": "…" });
    let gate = Gate::new().says(updated).posts("C1", "2.000").links();
    deliver(&to("C1"), events::resolved(), Some(OPENED)).unwrap();
    assert_eq!(methods(&gate), ["chat.update", "chat.postMessage", "chat.getPermalink"]);
    let (update, post) = (&gate.requests()[0], &gate.requests()[1]);
    assert!(update.is_repeatable() && !post.is_repeatable());
    let look = serde_json::to_value(slack_format::render(&events::resolved())).unwrap();
    let expected = json!({ "channel": "C1", "ts": "1.000", "text": look["text"], "attachments": look["attachments"] });
    assert_eq!(update.json(), expected);
    assert_eq!(post.json()["thread_ts"], "1.000");
    assert_eq!(post.json()["text"], "✅ Alert Resolved: Daily Sales Alert");
    gate.finish();
}

#[test]
fn by_the_setting_a_resolution_is_a_new_message_and_the_first_one_is_updated_all_the_same() {
    let gate = Gate::new().says(json!({ "ok": true })).posts("C1", "2.000").links();
    let settings = json!({ "channel": "C1", "resolutions": "message" });
    deliver(&settings, events::resolved(), Some(OPENED)).unwrap();
    assert_eq!(methods(&gate)[..2], ["chat.update", "chat.postMessage"]);
    assert_eq!(gate.requests()[1].json()["thread_ts"], Value::Null);
    gate.finish();
}

#[test]
fn where_the_message_is_gone_a_new_one_is_posted() {
    for word in ["message_not_found", "channel_not_found", "is_inactive"] {
        let gate = Gate::new().refuses(word).posts("C1", "2.000").links();
        deliver(&to("C1"), events::resolved(), Some(OPENED)).unwrap();
        assert_eq!(gate.requests()[1].json()["thread_ts"], Value::Null, "{word}");
        assert_eq!(gate.logs().len(), 1);
        gate.finish();
    }
}

#[test]
fn where_the_message_is_there_and_not_to_be_changed_the_resolution_stands_in_its_thread_all_the_same() {
    for word in [
        "cant_update_message",
        "edit_window_closed",
        "block_mismatch",
        "msg_too_long",
        "invalid_blocks",
        "is_archived",
        "missing_scope",
        "a_word_of_tomorrow",
    ] {
        let gate = Gate::new().refuses(word).posts("C1", "2.000").links();
        deliver(&to("C1"), events::resolved(), Some(OPENED)).unwrap();
        assert_eq!(methods(&gate)[..2], ["chat.update", "chat.postMessage"]);
        assert_eq!(gate.requests()[1].json()["thread_ts"], "1.000", "{word}");
        assert_eq!(gate.logs().len(), 1);
        gate.finish();
        // By the setting it is a new message in any case.
        let gate = Gate::new().refuses(word).posts("C1", "2.000").links();
        let settings = json!({ "channel": "C1", "resolutions": "message" });
        deliver(&settings, events::resolved(), Some(OPENED)).unwrap();
        assert_eq!(gate.requests()[1].json()["thread_ts"], Value::Null, "{word}");
        gate.finish();
    }
}

#[test]
fn an_update_that_fails_in_passing_is_tried_again_before_anything_is_posted() {
    for (word, kind) in [
        ("ratelimited", FailureKind::Throttled),
        ("internal_error", FailureKind::Unavailable),
        ("token_expired", FailureKind::Unauthorized),
    ] {
        let gate = Gate::new().refuses(word);
        let failure = deliver(&to("C1"), events::resolved(), Some(OPENED)).unwrap_err();
        assert_eq!((failure.kind, failure.code.as_str()), (kind, word));
        gate.finish();
    }
    let gate = Gate::new().error(ErrorKind::Timeout, "slow", true);
    assert_eq!(deliver(&to("C1"), events::resolved(), Some(OPENED)).unwrap_err().kind, FailureKind::Unavailable);
    gate.finish();
}

#[test]
fn after_a_post_that_failed_the_update_is_done_again_harmlessly() {
    for _ in 1..=2 {
        let gate = Gate::new().says(json!({ "ok": true })).answer(503, "");
        let failure = deliver(&to("C1"), events::resolved(), Some(OPENED)).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unavailable);
        assert!(gate.requests()[0].is_repeatable());
        gate.finish();
    }
}

#[test]
fn a_direct_message_is_followed_up_in_its_own_channel() {
    let gate = Gate::new().posts("D9", "1.000").links();
    let receipt = deliver(&to("U7"), events::triggered(), None).unwrap();
    assert_eq!(gate.requests()[0].json()["channel"], "U7");
    assert_eq!(form(&gate, 1), "channel=D9&message_ts=1.000");
    gate.finish();
    let gate = Gate::new().says(json!({ "ok": true })).posts("D9", "2.000").links();
    deliver(&to("U7"), events::resolved(), receipt.reference.as_deref()).unwrap();
    assert_eq!(gate.requests()[0].json()["channel"], "D9");
    assert_eq!(gate.requests()[1].json()["channel"], "D9");
    gate.finish();
    // Where its channel is gone, the person says more.
    let gate = Gate::new().refuses("channel_not_found").refuses("user_not_found");
    let failure = deliver(&to("U7"), events::triggered(), receipt.reference.as_deref()).unwrap_err();
    assert_eq!((failure.code.as_str(), gate.requests()[1].json()["channel"].as_str()), ("user_not_found", Some("U7")));
    gate.finish();
}

#[test]
fn a_refused_layout_goes_out_once_as_plain_text_with_a_warning() {
    for opened_by in [None, Some(OPENED)] {
        let gate = Gate::new().refuses("invalid_blocks").posts("C1", "1.000").links();
        let receipt = deliver(&to("C1"), events::triggered(), opened_by).unwrap();
        let sent = gate.requests();
        assert!(sent[0].json()["attachments"].is_array() && sent[1].json()["attachments"].is_null());
        assert_eq!(sent[0].json()["thread_ts"], sent[1].json()["thread_ts"]);
        assert_eq!(sent[0].json()["metadata"], sent[1].json()["metadata"]);
        assert!(receipt.warnings[0].contains("invalid_blocks"));
        gate.finish();
    }
}

#[test]
fn a_reference_that_is_none_of_ours_is_not_followed() {
    for opened_by in ["", "{}", "C1/1.000", r#"{"channel":"C1"}"#] {
        let gate = Gate::new().posts("C1", "1.000").links();
        deliver(&to("C1"), events::resolved(), Some(opened_by)).unwrap();
        assert_eq!(methods(&gate)[0], "chat.postMessage");
        gate.finish();
    }
}

#[test]
fn every_kind_of_event_is_posted() {
    use pqh_channel_sdk::events::RunStatus;
    for event in [events::notebook(RunStatus::Warning), events::notice(), events::test(), events::digest(3)] {
        let gate = Gate::new().posts("C1", "1.000").links();
        let text = serde_json::to_value(slack_format::render(&event)).unwrap()["text"].clone();
        deliver(&to("C1"), event, None).unwrap();
        assert_eq!(gate.requests()[0].json()["text"], text);
        gate.finish();
    }
}

#[test]
fn ids_without_end_are_cut_in_the_metadata() {
    let gate = Gate::new().posts("C1", "1.000").links();
    deliver(&to("C1"), Event { id: "ü\u{0}".repeat(9000), ..events::triggered() }, None).unwrap();
    let payload = gate.requests()[0].json()["metadata"]["event_payload"].clone();
    for id in ["event_id", "delivery_id"] {
        assert!((1..=255).contains(&payload[id].as_str().unwrap().chars().count()), "{id}");
    }
    gate.finish();
}

#[test]
fn a_channel_without_a_target_is_told_which_field_to_fill_in() {
    let failure = deliver(&json!({}), events::triggered(), None).unwrap_err();
    assert_eq!((failure.kind, failure.field.as_deref()), (FailureKind::Unreachable, Some("channel")));
}

fn calling(mentions: &[&str]) -> Event {
    Event { mentions: mentions.iter().map(|&mention| mention.to_owned()).collect(), ..events::triggered() }
}

/// What the post says of who should respond.
fn responders(gate: &Gate) -> String {
    let post = gate.requests().into_iter().find(|sent| sent.url().ends_with("chat.postMessage")).unwrap();
    let body = post.json();
    let blocks = body["attachments"][0]["blocks"].as_array().unwrap().clone();
    let texts = blocks.iter().filter_map(|block| block["text"]["text"].as_str());
    texts.filter(|text| text.starts_with("👥")).collect()
}

fn user(id: &str) -> Value {
    json!({ "ok": true, "user": { "id": id, "deleted": false } })
}

#[test]
fn people_are_mentioned_by_id_or_address_and_groups_by_id() {
    let gate = Gate::new().says(user("U0000ADA1")).posts("C1", "1.000").links().posts("C1", "2.000").links();
    // By address and by id she is one.
    let mentions = ["U012AB3CD", "S0614TZR7", " Ada+on.call@Example.com ", "U0000ADA1"];
    deliver(&to("C1"), calling(&mentions), None).unwrap();
    assert_eq!(responders(&gate), "👥 *Who should respond:* <@U012AB3CD>, <!subteam^S0614TZR7>, <@U0000ADA1>");
    assert_eq!(methods(&gate)[0], "users.lookupByEmail");
    assert_eq!(form(&gate, 0), "email=ada%2Bon.call%40example.com");
    assert!(gate.requests()[0].is_repeatable());
    // The second time she is known.
    deliver(&to("C1"), calling(&["ADA+on.call@example.com"]), None).unwrap();
    assert_eq!(methods(&gate)[3..], ["chat.postMessage", "chat.getPermalink"]);
    gate.finish();
}

#[test]
fn whom_slack_does_not_know_stays_text_and_is_asked_for_once() {
    let deactivated = json!({ "ok": true, "user": { "id": "U0000BOB1", "deleted": true } });
    let gate = Gate::new().refuses("users_not_found").says(deactivated).posts("C1", "1.000").links();
    let gate = gate.posts("C1", "2.000").links();
    for _ in 1..=2 {
        deliver(&to("C1"), calling(&["ops@example.com", "bob@example.com"]), None).unwrap();
        assert_eq!(responders(&gate), "👥 *Who should respond:* ops@example.com, bob@example.com");
    }
    gate.finish();
}

#[test]
fn trouble_with_a_look_up_costs_nothing_but_the_mention() {
    let answers: [fn(Gate) -> Gate; 5] = [
        |gate| gate.refuses("missing_scope"),
        |gate| gate.answer(429, ""),
        |gate| gate.answer(503, "<html>"),
        |gate| gate.error(ErrorKind::Timeout, "slow", true),
        |gate| gate.says(json!({ "ok": true })),
    ];
    for (at, answer) in answers.into_iter().enumerate() {
        let gate = answer(Gate::new());
        // Whoever else is there is not asked for, but after an answer.
        let gate = if at == 4 { gate.refuses("users_not_found") } else { gate };
        let gate = gate.posts("C1", "1.000").links();
        let receipt = deliver(&to("C1"), calling(&["ops@example.com", "bo@example.com"]), None).unwrap();
        assert!(receipt.warnings.is_empty());
        assert_eq!(responders(&gate), "👥 *Who should respond:* ops@example.com, bo@example.com");
        gate.finish();
    }
}

#[test]
fn only_so_many_are_looked_up_and_only_addresses() {
    let many: Vec<String> = (1..=20).map(|number| format!("u{number}@example.com")).collect();
    let mut mentions: Vec<&str> = many.iter().map(String::as_str).collect();
    let long = format!("{}@example.com", "a".repeat(300));
    mentions.extend(["@channel", "a b@example.com", "ops@", "URGENT", "", &long]);
    let mut gate = Gate::new();
    for number in 1..=6 {
        gate = gate.says(user(&format!("U00000{number:03}")));
    }
    let gate = gate.posts("C1", "1.000").links();
    deliver(&to("C1"), calling(&mentions), None).unwrap();
    assert_eq!(gate.requests().len(), 8);
    gate.finish();
}
