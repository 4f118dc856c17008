//! What Slack sends: how it is verified, what is answered at once, and what follows.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use common::{Says, form, methods, to, workspace};
use pqh_channel_sdk::inbound::{Action, Alert, Facts, Inbound, Proof};
use pqh_channel_sdk::signatures::{Encoding, Key, Part};
use pqh_channel_sdk::testkit::{self, Gate, events, request};
use pqh_channel_sdk::{Failure, FailureKind};
use serde_json::{Value, json};
use slack_app::SlackApp;

fn envelope(event: &Value) -> Value {
    json!({
        "token": "XXYYZZ", "team_id": "T1", "api_app_id": "A1", "type": "event_callback", "event_id": "Ev1",
        "event_time": 1, "event": event, "authorizations": [{ "team_id": "T1", "user_id": "UBOT", "is_bot": true }],
    })
}

fn handle(event: &Value) -> Result<Vec<Action>, Failure> {
    SlackApp::handle(&workspace(), &request(&envelope(event).to_string()))
}

fn mention(text: &str) -> Value {
    json!({ "type": "app_mention", "user": "U7", "text": text, "ts": "5.000", "channel": "C1", "event_ts": "5000" })
}

#[test]
fn the_signature_is_slacks() {
    let Proof::Signature(signature) = SlackApp::verification() else { panic!("no signature") };
    assert_eq!((signature.algorithm.as_str(), signature.key), ("hmac-sha256", Key::Text));
    let timestamp = || "x-slack-request-timestamp".to_owned();
    assert_eq!(
        signature.parts,
        [Part::Literal("v0:".into()), Part::Header(timestamp()), Part::Literal(":".into()), Part::Body]
    );
    assert_eq!((signature.header.as_str(), signature.prefix.as_str()), ("x-slack-signature", "v0="));
    assert_eq!((signature.encoding, signature.timestamp_header), (Encoding::Hex, Some(timestamp())));
}

#[test]
fn the_handshake_is_answered_with_its_challenge() {
    let body = json!({ "type": "url_verification", "token": "x", "challenge": "3eZbrw1aBm2rZgRNFdxV" });
    let reception = SlackApp::receive(&request(&body.to_string()));
    assert_eq!((reception.response.status, reception.response.body.as_slice()), (200, &b"3eZbrw1aBm2rZgRNFdxV"[..]));
    assert_eq!(reception.response.headers, [("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())]);
    assert_eq!((reception.workspace, reception.message_ids.len()), (None, 0));
}

#[test]
fn an_event_is_known_by_its_id_and_a_message_by_its_place_too() {
    let receive = |body: Value| SlackApp::receive(&request(&body.to_string()));
    let reception = receive(envelope(&mention("<@UBOT> help")));
    assert_eq!((reception.response.status, reception.response.body.len()), (200, 0));
    assert_eq!(reception.workspace.as_deref(), Some("T1"));
    assert_eq!(reception.message_ids, ["Ev1", "T1/C1/5.000"]);
    let reception = receive(envelope(&json!({ "type": "channel_left", "channel": "C1" })));
    assert_eq!((reception.workspace.as_deref(), reception.message_ids), (Some("T1"), vec!["Ev1".to_owned()]));
    // In a channel shared with another company, it is for the workspace that installed the app.
    let mut shared = envelope(&mention("help"));
    shared["team_id"] = "T9".into();
    assert_eq!(receive(shared.clone()).workspace.as_deref(), Some("T1"));
    shared["authorizations"] = json!([]);
    assert_eq!(receive(shared).workspace.as_deref(), Some("T9"));
}

#[test]
fn everything_else_is_taken_and_nothing_follows() {
    let mut own = mention("<@UBOT> help");
    own["bot_id"] = "B1".into();
    let mut nameless = envelope(&mention("help"));
    nameless["event_id"] = Value::Null;
    for body in [
        envelope(&own).to_string(),
        nameless.to_string(),
        envelope(&json!({ "type": "reaction_added", "user": "U7" })).to_string(),
        json!({ "type": "app_rate_limited", "team_id": "T1", "minute_rate_limited": 1 }).to_string(),
        json!({ "type": "of_tomorrow" }).to_string(),
        "payload=%7B%22type%22%3A%22block_actions%22%2C%22team%22%3A%7B%22id%22%3A%22T1%22%7D%7D".to_owned(),
        "\u{0}not JSON".to_owned(),
        String::new(),
        "[]".to_owned(),
    ] {
        let reception = SlackApp::receive(&request(&body));
        assert_eq!((reception.response.status, reception.response.body.len()), (200, 0), "{body}");
        assert_eq!((reception.workspace, reception.message_ids.len()), (None, 0), "{body}");
    }
}

fn alert(name: &str, triggered: bool, since: Option<u64>) -> Alert {
    Alert { name: name.to_owned(), triggered, since, since_local: None }
}

fn facts(alerts: Vec<Alert>) -> Facts {
    Facts {
        channels: vec!["Sales Team Slack".to_owned()],
        alerts,
        omitted: 0,
        last_delivery: Some("Dec 15, 2024 2:14 PM".to_owned()),
        attributes: Vec::new(),
    }
}

fn three() -> Facts {
    facts(vec![
        alert("Daily Sales Alert", true, Some(events::WHEN)),
        alert("R&D <spend>", false, None),
        alert("Sign-ups", false, None),
    ])
}

/// What the bot says to these words in a channel of which that is known.
fn said(words: &str, facts: Option<Facts>) -> String {
    let mut gate = Gate::new().posts("C1", "6.000");
    if let Some(facts) = facts {
        gate = gate.standing("C1", facts);
    }
    assert_eq!(handle(&mention(&format!("<@UBOT> {words}"))).unwrap(), []);
    assert_eq!(methods(&gate), ["chat.postMessage"]);
    let sent = gate.requests()[0].json();
    assert_eq!((sent["channel"].as_str(), sent["thread_ts"].as_str()), (Some("C1"), Some("5.000")));
    assert!(sent["metadata"].is_null() && sent["attachments"].is_null());
    gate.finish();
    sent["text"].as_str().unwrap().to_owned()
}

#[test]
fn who_asks_for_the_status_is_told_what_posts_here() {
    assert_eq!(
        said("status", Some(three())),
        "✅ Connected, 3 alerts post here, 1 triggered, last message Dec 15, 2024 2:14 PM.\n\
         Notification channel: Sales Team Slack"
    );
}

#[test]
fn the_answers_read_well() {
    let many = Facts {
        channels: vec!["A & <B>".to_owned(), "C\nD".to_owned()],
        omitted: 1200,
        last_delivery: None,
        ..facts((1..=50).map(|number| alert(&format!("Alert {number} {}", "&".repeat(200)), true, None)).collect())
    };
    let one = Facts { last_delivery: None, ..facts(vec![alert("Only", false, None)]) };
    let answers = [
        ("help", said("help", None)),
        ("no words", said("", None)),
        ("hello", said("hello there!", None)),
        ("status, nothing", said("Status?", None)),
        ("status, three", said("status", Some(three()))),
        ("status, one", said("what's the status", Some(one.clone()))),
        ("status, none yet", said("status", Some(facts(Vec::new())))),
        ("status, many", said("status", Some(many.clone()))),
        ("alerts, nothing", said("alerts", None)),
        ("alerts, none yet", said("alerts", Some(facts(Vec::new())))),
        ("alerts, one", said("list alerts", Some(one))),
        ("alerts, three", said("ALERTS", Some(three()))),
        ("alerts, many", said("alerts", Some(many))),
    ];
    let told: Vec<String> = answers.into_iter().map(|(asked, answer)| format!("--- {asked}\n{answer}")).collect();
    for answer in &told {
        assert!(answer.chars().count() < 3100);
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn since_when_an_alert_is_triggered_is_told_as_the_reader_or_the_organization_reads_it() {
    let triggered = |since, local: &str| {
        let since_local = Some(local.to_owned());
        said("alerts", Some(facts(vec![Alert { since_local, ..alert("Sales", true, since) }])))
    };
    let (local, markup) = ("Dec 15, 2024 3:14 PM", "<!date^1734272040^{date_short} {time}|Dec 15, 2024 3:14 PM>");
    assert!(triggered(Some(events::WHEN), local).ends_with(&format!("Sales, triggered since {markup}")));
    assert!(triggered(None, local).ends_with("Sales, triggered since Dec 15, 2024 3:14 PM"));
    assert!(triggered(None, " ").ends_with("Sales, triggered"));
}

#[test]
fn what_people_say_is_read_without_whom_they_mention() {
    assert!(said("<@UHELP|status> <#C1|alerts> thanks", None).starts_with("👋 Hello!"));
    assert!(said("<@U1", None).starts_with("👋 Hello!"));
    assert!(said(&"a<".repeat(20_000), None).starts_with("👋 Hello!"));
}

#[test]
fn in_a_thread_the_answer_goes_there() {
    let gate = Gate::new().posts("C1", "6.000");
    let mut event = mention("<@UBOT> help");
    event["thread_ts"] = "2.000".into();
    handle(&event).unwrap();
    assert_eq!(gate.requests()[0].json()["thread_ts"], "2.000");
    gate.finish();
}

#[test]
fn the_bot_does_not_answer_itself() {
    let gate = Gate::new();
    let mut event = mention("<@UBOT> help");
    event["user"] = "UBOT".into();
    assert_eq!(handle(&event).unwrap(), []);
    gate.finish();
}

#[test]
fn who_mentions_another_companys_bot_in_a_shared_channel_is_not_answered() {
    let gate = Gate::new();
    for words in ["<@UTHEIRS> help", "<@UBOTTOM|UBOT> help", "UBOT> help", "help", "<@", ""] {
        assert_eq!(handle(&mention(words)).unwrap(), [], "{words}");
    }
    gate.finish();
    for words in ["<@UTHEIRS> and <@UBOT>, help", "help, <@UBOT|pyqueryhub>"] {
        let gate = Gate::new().posts("C1", "6.000");
        assert_eq!(handle(&mention(words)).unwrap(), [], "{words}");
        assert_eq!(methods(&gate), ["chat.postMessage"], "{words}");
        gate.finish();
    }
}

#[test]
fn an_answer_that_cannot_be_posted_is_told() {
    let gate = Gate::new().refuses("is_archived");
    assert_eq!(handle(&mention("<@UBOT> help")).unwrap_err().code, "is_archived");
    gate.finish();
}

fn joined(user: &str, inviter: Option<&str>) -> Value {
    json!({ "type": "member_joined_channel", "user": user, "channel": "C1", "channel_type": "C", "inviter": inviter })
}

#[test]
fn who_invites_the_bot_is_told_that_it_is_ready() {
    let gate = Gate::new().posts("C1", "6.000");
    assert_eq!(handle(&joined("UBOT", Some("U7"))).unwrap(), [Action::Find("C1".into())]);
    let sent = gate.requests()[0].json();
    assert_eq!((sent["channel"].as_str(), sent["thread_ts"].as_str()), (Some("C1"), None));
    insta::assert_snapshot!(sent["text"].as_str().unwrap());
    gate.finish();
    // Whoever else comes in is nobody's business.
    let gate = Gate::new();
    assert_eq!(handle(&joined("U7", Some("UBOT"))).unwrap(), []);
    gate.finish();
    // A greeting that fails is no reason not to post alerts.
    let gate = Gate::new().refuses("restricted_action");
    assert_eq!(handle(&joined("UBOT", None)).unwrap(), [Action::Find("C1".into())]);
    gate.finish();
}

#[test]
fn where_a_delivery_joined_the_delivery_says_enough() {
    let gate = Gate::new().refuses("not_in_channel").says(json!({ "ok": true })).posts("C1", "1.000").links();
    let gate = gate.posts("C1", "2.000");
    testkit::deliver_in::<SlackApp>(&workspace(), &to("C1"), events::triggered(), None).unwrap();
    assert_eq!(handle(&joined("UBOT", None)).unwrap(), [Action::Find("C1".into())]);
    assert_eq!(gate.requests().len(), 4);
    assert_eq!(handle(&joined("UBOT", Some("U7"))).unwrap(), [Action::Find("C1".into())]);
    gate.finish();
}

/// What Slack says of a channel when it is asked.
fn info(is_archived: bool, is_member: bool) -> Value {
    json!({ "ok": true, "channel": { "id": "C1", "is_archived": is_archived, "is_member": is_member } })
}

/// The events of a channel that is lost, and the word for each.
fn losses() -> [(Value, &'static str); 7] {
    [
        (json!({ "type": "channel_left", "channel": "C1" }), "not_in_channel"),
        (json!({ "type": "group_left", "channel": "C1" }), "not_in_channel"),
        (json!({ "type": "member_left_channel", "channel": "C1", "user": "UBOT" }), "not_in_channel"),
        (json!({ "type": "channel_archive", "channel": "C1", "user": "U7", "is_moved": 0 }), "is_archived"),
        (json!({ "type": "group_archive", "channel": "C1" }), "is_archived"),
        (json!({ "type": "channel_deleted", "channel": "C1" }), "channel_not_found"),
        (json!({ "type": "group_deleted", "channel": "C1" }), "channel_not_found"),
    ]
}

#[test]
fn where_the_joining_failed_whoever_comes_in_later_was_invited() {
    let gate = Gate::new().refuses("not_in_channel").refuses("restricted_action").posts("C1", "2.000");
    testkit::deliver_in::<SlackApp>(&workspace(), &to("C1"), events::triggered(), None).unwrap_err();
    assert_eq!(handle(&joined("UBOT", None)).unwrap(), [Action::Find("C1".into())]);
    assert_eq!(methods(&gate), ["chat.postMessage", "conversations.join", "chat.postMessage"]);
    gate.finish();
}

#[test]
fn channels_that_are_lost_say_why() {
    let is_lost = |event: &Value, code: &str, gate: Gate| {
        let actions = handle(event).unwrap();
        let [Action::Lose(lost)] = actions.as_slice() else { panic!("{event}: {actions:?}") };
        assert_eq!((lost.target.as_str(), lost.failure.kind), ("C1", FailureKind::Unreachable));
        assert!(lost.failure.code == code && !lost.failure.remedy.is_empty(), "{event}");
        assert_eq!(methods(&gate), ["conversations.info"]);
        assert_eq!(form(&gate, 0), "channel=C1");
        gate.finish();
    };
    for (event, code) in losses() {
        is_lost(&event, code, Gate::new().says(info(true, false)));
        is_lost(&event, code, Gate::new().refuses("channel_not_found"));
        if code == "not_in_channel" {
            is_lost(&event, code, Gate::new().says(info(false, false)));
        }
    }
}

#[test]
fn channels_that_are_there_when_slack_is_asked_are_not_lost_by_a_late_event() {
    for (event, code) in losses() {
        let gate = Gate::new().says(info(false, true));
        assert_eq!(handle(&event).unwrap(), [], "{event}");
        gate.finish();
        if code != "not_in_channel" {
            // The bot joins it with the next message.
            let gate = Gate::new().says(info(false, false));
            assert_eq!(handle(&event).unwrap(), [], "{event}");
            gate.finish();
        }
        // Slack cannot say just now: it is asked again later.
        for (word, kind) in [("ratelimited", FailureKind::Throttled), ("token_expired", FailureKind::Unauthorized)] {
            let gate = Gate::new().refuses(word);
            assert_eq!(handle(&event).unwrap_err().kind, kind, "{event}");
            gate.finish();
        }
        let gate = Gate::new().answer(503, "");
        assert_eq!(handle(&event).unwrap_err().kind, FailureKind::Unavailable, "{event}");
        gate.finish();
    }
}

#[test]
fn channels_that_come_back_or_change_their_names_are_told() {
    for kind in ["channel_unarchive", "group_unarchive"] {
        let event = json!({ "type": kind, "channel": "C1" });
        let gate = Gate::new().says(info(false, false)).says(info(true, false)).answer(503, "");
        assert_eq!(handle(&event).unwrap(), [Action::Find("C1".into())]);
        // Late: it was archived again.
        assert_eq!(handle(&event).unwrap(), []);
        assert_eq!(handle(&event).unwrap_err().kind, FailureKind::Unavailable);
        gate.finish();
    }
    let gate = Gate::new();
    for kind in ["channel_rename", "group_rename"] {
        let actions = handle(&json!({ "type": kind, "channel": { "id": "C1", "name": "new-name", "created": 1 } }));
        let [Action::Rename(renamed)] = &actions.unwrap()[..] else { panic!("{kind}") };
        assert_eq!((renamed.target.as_str(), renamed.name.as_str()), ("C1", "#new-name"));
    }
    for event in [
        json!({ "type": "member_left_channel", "channel": "C1", "user": "U7" }),
        json!({ "type": "channel_archive" }),
        json!({ "type": "reaction_added", "channel": "C1" }),
        json!({}),
    ] {
        assert_eq!(handle(&event).unwrap(), [], "{event}");
    }
    gate.finish();
}

#[test]
fn an_app_that_was_removed_is_disconnected_in_the_guides_words() {
    for (event, code) in [
        (json!({ "type": "app_uninstalled" }), "app_uninstalled"),
        (json!({ "type": "tokens_revoked", "tokens": { "oauth": [], "bot": ["UBOT"] } }), "tokens_revoked"),
    ] {
        let gate = Gate::new().refuses("account_inactive");
        let actions = handle(&event).unwrap();
        let [Action::Disconnect(failure)] = actions.as_slice() else { panic!("{actions:?}") };
        assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::Unauthorized, code));
        assert!(failure.message.starts_with("Slack workspace not connected"));
        assert!(failure.remedy.contains("reconnect your workspace"));
        gate.finish();
        // Nobody knows just now: the host asks again later.
        let gate = Gate::new().answer(503, "");
        assert_eq!(handle(&event).unwrap_err().kind, FailureKind::Unavailable);
        gate.finish();
        // Late: the workspace was connected again meanwhile.
        let gate = Gate::new().says(json!({ "ok": true, "team_id": "T1" }));
        assert_eq!(handle(&event).unwrap(), []);
        gate.finish();
    }
    let gate = Gate::new();
    assert_eq!(handle(&json!({ "type": "tokens_revoked", "tokens": { "oauth": ["U7"] } })).unwrap(), []);
    gate.finish();
}
