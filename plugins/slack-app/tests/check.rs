//! A check posts nothing, and says what keeps a channel or a person from being posted to.

mod common;

use common::{Says, Script, form, methods, to, workspace};
use pqh_channel_sdk::testkit::{self, Gate};
use pqh_channel_sdk::{Failure, FailureKind};
use serde_json::{Value, json};
use slack_app::SlackApp;

fn check(target: &str, gate: &Gate) -> Result<(), Failure> {
    let checked = testkit::check_in::<SlackApp>(&workspace(), &to(target));
    for sent in gate.requests() {
        assert!(sent.is_repeatable() && !sent.url().contains("chat."), "{}", sent.url());
    }
    checked
}

fn alive() -> Gate {
    Gate::new().says(json!({ "ok": true, "team_id": "T1" }))
}

fn channel(members: &Value) -> Gate {
    alive().says(json!({ "ok": true, "channel": members }))
}

#[test]
fn channels_that_the_bot_is_in_or_can_join_are_fine() {
    for members in [
        json!({ "id": "C1", "is_private": false, "is_member": true, "is_archived": false }),
        json!({ "id": "C1", "is_private": false, "is_member": false, "is_archived": false }),
        json!({ "id": "G1", "is_private": true, "is_member": true, "is_archived": false }),
    ] {
        let gate = channel(&members);
        check("C1", &gate).unwrap();
        assert_eq!(
            (methods(&gate), form(&gate, 1)),
            (vec!["auth.test".into(), "conversations.info".into()], "channel=C1".into())
        );
        gate.finish();
    }
}

#[test]
fn what_keeps_a_target_from_being_posted_to_is_told_at_its_field() {
    let table: [(Script, &str, &str); 5] = [
        (|| channel(&json!({ "id": "C1", "is_archived": true })), "C1", "is_archived"),
        (|| channel(&json!({ "id": "C1", "is_private": true, "is_member": false })), "C1", "not_in_channel"),
        (|| alive().refuses("channel_not_found"), "C1", "channel_not_found"),
        (|| alive().refuses("user_not_found"), "U7", "user_not_found"),
        (|| alive().says(json!({ "ok": true, "user": { "id": "U7", "deleted": true } })), "W7", "user_disabled"),
    ];
    for (script, target, code) in table {
        let gate = script();
        let failure = check(target, &gate).unwrap_err();
        assert_eq!(
            (failure.kind, failure.code.as_str(), failure.field.as_deref()),
            (FailureKind::Unreachable, code, Some("channel"))
        );
        assert!(!failure.remedy.is_empty());
        gate.finish();
    }
}

#[test]
fn a_person_is_fine() {
    let gate = alive().says(json!({ "ok": true, "user": { "id": "U7", "deleted": false } }));
    check("U7", &gate).unwrap();
    assert_eq!((methods(&gate)[1].as_str(), form(&gate, 1).as_str()), ("users.info", "user=U7"));
    gate.finish();
}

#[test]
fn a_scope_that_only_looking_needs_keeps_nobody_from_posting() {
    let gate = alive().refuses("missing_scope");
    check("C1", &gate).unwrap();
    assert_eq!(gate.logs().len(), 1);
    gate.finish();
}

#[test]
fn a_dead_token_and_passing_trouble_are_no_faults_of_the_target() {
    let table: [(Script, FailureKind); 4] = [
        (|| Gate::new().refuses("token_revoked"), FailureKind::Unauthorized),
        (|| Gate::new().refuses("internal_error"), FailureKind::Unavailable),
        (|| alive().answer(429, ""), FailureKind::Throttled),
        (|| alive().answer(502, "<html>"), FailureKind::Unavailable),
    ];
    for (script, kind) in table {
        let gate = script();
        let failure = check("C1", &gate).unwrap_err();
        assert_eq!((failure.kind, failure.field), (kind, None));
        gate.finish();
    }
}
