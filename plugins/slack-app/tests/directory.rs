//! Targets: channels then people, every page by its cursor, and whom and what nobody can post to left out.

mod common;

use common::{Says, form, methods, workspace};
use pqh_channel_sdk::testkit::{self, Gate, Sent};
use pqh_channel_sdk::{Failure, FailureKind, Target, TargetKind, directory::Page};
use serde_json::{Value, json};
use slack_app::SlackApp;

fn list(cursor: Option<&str>) -> Result<Page, Failure> {
    testkit::list_targets::<SlackApp>(&workspace(), cursor)
}

fn page(name: &str, items: &Value, cursor: &str) -> Value {
    json!({ "ok": true, name: items, "response_metadata": { "next_cursor": cursor } })
}

fn target(id: &str, name: &str, kind: TargetKind, reachable: bool) -> Target {
    Target::new(id, name, kind).reachable(reachable)
}

#[test]
fn all_pages_of_channels_come_then_all_of_people() {
    use TargetKind::{Person, PrivateChannel, PublicChannel};
    let channels = json!([
        { "id": "C1", "name": "alerts-general", "is_private": false, "is_member": false, "is_archived": false },
        { "id": "G2", "name": "secret", "is_private": true, "is_member": true, "is_archived": false },
        { "id": "C3", "name": "old", "is_private": false, "is_member": true, "is_archived": true },
    ]);
    let people = json!([
        { "id": "U1", "name": "ada.l", "real_name": "Ada Lovelace", "profile": { "display_name": "ada" } },
        { "id": "U2", "name": "bo", "real_name": "Bo Diddley", "profile": { "display_name": " " } },
        { "id": "W3", "name": "cy", "real_name": null, "is_bot": false, "deleted": false },
        { "id": "U4", "name": "gone", "deleted": true },
        { "id": "U5", "name": "bot", "is_bot": true },
        { "id": "USLACKBOT", "name": "slackbot", "is_bot": false },
    ]);
    let gate = Gate::new()
        .says(page("channels", &channels, "dGVhbTpDMQ=="))
        // Fewer than the limit, even none, is not the end.
        .says(page("channels", &json!([]), "c/2:"))
        .says(page("channels", &json!([{ "id": "C9", "name": "x" }]), ""))
        .says(page("members", &people, "bmV4dA=="))
        .says(json!({ "ok": true, "members": [] }));
    let mut cursor = None;
    let mut pages = Vec::new();
    loop {
        let page = list(cursor.as_deref()).unwrap();
        pages.push(page.targets);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let general = target("C1", "#alerts-general", PublicChannel, true);
    assert_eq!(pages[0], [general, target("G2", "#secret", PrivateChannel, true)]);
    assert_eq!(pages[1], []);
    assert_eq!(pages[2], [target("C9", "#x", PublicChannel, true)]);
    let known = [("U1", "@ada"), ("U2", "@Bo Diddley"), ("W3", "@cy")];
    assert_eq!(pages[3], known.map(|(id, name)| target(id, name, Person, true)));
    assert_eq!(pages[4], []);
    let list = "conversations.list";
    assert_eq!(methods(&gate), [list, list, list, "users.list", "users.list"]);
    let channels = "types=public_channel%2Cprivate_channel&exclude_archived=true&limit=200";
    assert_eq!(form(&gate, 0), channels);
    assert_eq!(form(&gate, 1), format!("{channels}&cursor=dGVhbTpDMQ%3D%3D"));
    assert_eq!(form(&gate, 2), format!("{channels}&cursor=c%2F2%3A"));
    assert_eq!(form(&gate, 3), "limit=200");
    assert_eq!(form(&gate, 4), "limit=200&cursor=bmV4dA%3D%3D");
    assert!(gate.requests().iter().all(Sent::is_repeatable));
    gate.finish();
}

#[test]
fn rest_is_asked_of_the_host() {
    let gate = Gate::new().answer_with(429, r#"{"ok":false,"error":"ratelimited"}"#, &[("Retry-After", "40")]);
    let failure = list(Some("c:x")).unwrap_err();
    assert_eq!((failure.kind, failure.retry_after), (FailureKind::Throttled, Some(40_000)));
    gate.finish();
    let gate = Gate::new().refuses("ratelimited");
    let failure = list(Some("u:x")).unwrap_err();
    assert_eq!((failure.kind, failure.retry_after), (FailureKind::Throttled, Some(30_000)));
    gate.finish();
}

#[test]
fn without_its_scope_there_are_no_people_but_channels_are_missed() {
    let gate = Gate::new().refuses("missing_scope");
    assert_eq!(list(Some("u:")).unwrap(), Page { targets: Vec::new(), next: None });
    assert_eq!(gate.logs().len(), 1);
    gate.finish();
    let gate = Gate::new().says(json!({ "ok": false, "error": "missing_scope", "needed": "channels:read" }));
    let failure = list(None).unwrap_err();
    assert!(failure.code == "missing_scope" && failure.message.contains("channels:read"));
    gate.finish();
}

#[test]
fn a_page_that_is_longer_than_the_host_takes_is_asked_for_in_smaller_ones() {
    let cut = r#"{"ok":true,"members":[{"id":"U1","na"#;
    let gate = Gate::new().answer(200, cut).says(page("members", &json!([{ "id": "U1", "name": "ada" }]), "y"));
    let page = list(Some("u:x")).unwrap();
    assert_eq!((page.targets.len(), page.next.as_deref()), (1, Some("u:y")));
    assert_eq!(form(&gate, 1), "limit=50&cursor=x");
    gate.finish();
    let gate = Gate::new().answer(200, cut).answer(200, cut);
    assert_eq!(list(Some("u:x")).unwrap_err().kind, FailureKind::Unavailable);
    gate.finish();
}

#[test]
fn names_are_of_one_clean_line() {
    let channels =
        json!([{ "id": "C1", "name": "a\n\u{202e}b" }, { "id": "C2" }, { "id": "C3", "name": "x".repeat(500) }]);
    let gate = Gate::new().says(page("channels", &channels, ""));
    let names: Vec<String> = list(None).unwrap().targets.into_iter().map(|target| target.name).collect();
    assert_eq!(names[..2], ["#a b", "#(unnamed)"]);
    assert!(names[2].chars().count() <= 101);
    gate.finish();
}

#[test]
fn a_cursor_that_slack_forgot_is_told() {
    let gate = Gate::new().refuses("invalid_cursor");
    let failure = list(Some("c:old")).unwrap_err();
    assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::Rejected, "invalid_cursor"));
    gate.finish();
}
