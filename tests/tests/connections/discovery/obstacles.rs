//! What stands in the way of a pass, and that it goes on after it.

use std::time::Duration;

use pqh_tests::http_service::Answer;
use pqh_tests::slack_api::Misbehaviour;
use reqwest::Method;
use serde_json::{Value, json};

use super::twice;
use crate::scenario::{HOUR, MINUTE, SECOND, text};
use crate::world::World;

/// Three pages of channels.
const CHANNELS: usize = 500;
/// With those that each workspace has, and Ada.
const ALL: i64 = 503;

async fn with_three_pages() -> World {
    let world = World::new().await;
    world.acme().add_channels(CHANNELS);
    world
}

#[tokio::test]
async fn where_slack_forgot_its_cursors_the_pass_begins_anew_and_nothing_is_dropped_meanwhile() {
    let world = with_three_pages().await;
    world.connect().await;
    world.all_targets().await;
    world.scenario.pass(10 * MINUTE);
    let held = world.hold_second_page();
    world.targets(&[]).await;
    world.slack.wait_for_calls("conversations.list", 5).await;
    world.slack.expire_cursors();
    // The refusal, and then two pages.
    world.slack.next("conversations.list", Misbehaviour::AnswerLater(Duration::ZERO));
    let held_again = world.hold_second_page();
    held.notify_one();
    world.slack.wait_for_calls("conversations.list", 8).await;
    let told = world.targets(&[]).await;
    assert_eq!((&told["loading"], &told["count"]), (&true.into(), &ALL.into()), "{told:#}");
    held_again.notify_one();
    let told = world.all_targets().await;
    assert_eq!((&told["problem"], &told["count"]), (&Value::Null, &ALL.into()), "{told:#}");
    let refused = world.slack.calls("conversations.list");
    assert_eq!(refused.iter().filter(|called| called.answer == "invalid_cursor").count(), 1);
}

#[tokio::test]
async fn a_cursor_that_is_never_known_ends_the_pass_and_what_was_found_stays() {
    let world = with_three_pages().await;
    world.connect().await;
    world.all_targets().await;
    world.scenario.pass(10 * MINUTE);
    let asked = world.slack.requests("conversations.list");
    world.slack.always("conversations.list", Some(Misbehaviour::word("invalid_cursor")));
    let told = world.until_targets("the problem", |told| told["problem"].is_object()).await;
    assert_eq!((&told["loading"], &told["count"]), (&false.into(), &ALL.into()), "{told:#}");
    assert_eq!(world.slack.requests("conversations.list"), asked + 1);
    world.slack.always("conversations.list", None);
    // Not at once: who asks again asks Slack once a minute at most.
    world.targets(&[]).await;
    assert_eq!(world.slack.requests("conversations.list"), asked + 1);
    world.scenario.pass(MINUTE);
    let told = world.until_targets("no problem", |told| told["problem"].is_null() && told["loading"] == false).await;
    assert_eq!(told["count"], ALL);
}

#[tokio::test]
async fn killed_in_the_middle_it_goes_on_at_the_cursor() {
    let mut world = with_three_pages().await;
    let held = world.hold_second_page();
    world.connect().await;
    world.slack.wait_for_calls("conversations.list", 2).await;
    world.until_targets("the first page", |told| told["count"] == 200).await;
    world.scenario.kill().await;
    held.notify_one();
    world.scenario.launch().await;
    let told = world.targets(&[]).await;
    assert_eq!(told["listed_at"], Value::Null, "{told:#}");
    let told = world.all_targets().await;
    assert_eq!(told["count"], ALL, "{told:#}");
    let twice = twice(&world.slack.channel_pages());
    assert!(matches!(&twice[..], [(one, 2), (other, 2)] if one == other && !one.is_empty()), "{twice:?}");
}

#[tokio::test]
async fn stopped_in_the_middle_it_goes_on_after_the_next_start() {
    let mut world = with_three_pages().await;
    let held = world.hold_second_page();
    world.connect().await;
    world.slack.wait_for_calls("conversations.list", 2).await;
    world.scenario.stop().await;
    held.notify_one();
    world.scenario.launch().await;
    assert_eq!(world.all_targets().await["count"], ALL);
}

#[tokio::test]
async fn outages_and_closed_connections_are_told_and_tried_again() {
    let world = with_three_pages().await;
    for (fault, code) in [
        (Misbehaviour::Page(503), "service_unavailable"),
        (Misbehaviour::Close, ""),
        (Misbehaviour::Page(500), ""),
        (Misbehaviour::word("internal_error"), "internal_error"),
        (Misbehaviour::word("ratelimited"), "ratelimited"),
    ] {
        world.slack.next("conversations.list", fault);
        if world.slack.requests("conversations.list") == 0 {
            world.connect().await;
        } else {
            world.scenario.pass(10 * MINUTE);
            world.targets(&[]).await;
        }
        let told = world.until_targets("the problem", |told| told["problem"].is_object()).await;
        assert_eq!(told["loading"], true, "{told:#}");
        if !code.is_empty() && code != "service_unavailable" {
            assert_eq!(told["problem"]["code"], code, "{told:#}");
        }
        assert!(!text(&told["problem"]["message"]).is_empty());
        world.scenario.pass(30 * SECOND);
        let told = world.until_targets("all", |told| told["loading"] == false).await;
        assert_eq!((&told["problem"], &told["count"]), (&Value::Null, &ALL.into()), "{code}: {told:#}");
    }
}

#[tokio::test]
async fn without_the_scope_for_people_channels_are_still_listed() {
    let world = World::new().await;
    world.slack.without_scope("users:read");
    world.connect().await;
    let told = world.all_targets().await;
    assert_eq!((&told["problem"], &told["count"]), (&Value::Null, &2.into()), "{told:#}");
}

#[tokio::test]
async fn without_the_scope_for_channels_it_is_said_and_slack_not_asked_again_at_once() {
    let world = World::new().await;
    world.slack.without_scope("channels:read");
    world.connect().await;
    let told = world.until_targets("the problem", |told| told["problem"].is_object()).await;
    assert_eq!(told["loading"], false);
    assert_eq!(told["problem"]["code"], "missing_scope", "{told:#}");
    assert!(text(&told["problem"]["message"]).contains("channels:read"), "{told:#}");
    let asked = world.slack.requests("conversations.list");
    for _ in 0..5 {
        world.targets(&[]).await;
    }
    assert_eq!(world.slack.requests("conversations.list"), asked);
    // Connected again with it, it is looked for at once.
    world.slack.with_all_scopes();
    world.connect().await;
    let told = world.all_targets().await;
    assert_eq!((&told["problem"], &told["count"]), (&Value::Null, &3.into()), "{told:#}");
}

#[tokio::test]
async fn a_dead_token_ends_the_connection_and_slack_is_not_asked_again() {
    let world = World::new().await;
    world.connect().await;
    world.channel("Sales", "C0SALES").await;
    world.all_targets().await;
    world.acme().uninstall();
    world.scenario.pass(10 * MINUTE);
    world.ask_targets(&world.scenario.admin, &[]).await;
    world.scenario.until_paused("Sales").await;
    let asked = world.slack.calls("").len();
    for _ in 0..3 {
        let problem = world.ask_targets(&world.scenario.admin, &[]).await.problem(409, "not-connected");
        let detail = text(&problem["detail"]);
        assert!(detail.contains("Slack workspace not connected"), "{detail}");
        assert!(detail.contains("Reinstall the PyQueryHub Slack app and reconnect your workspace."), "{detail}");
        assert_eq!(problem["failure"]["code"], "account_inactive");
    }
    world.scenario.pass(HOUR);
    world.ask_targets(&world.scenario.admin, &[]).await.problem(409, "not-connected");
    world.scenario.settle().await;
    assert_eq!(world.slack.calls("").len(), asked);
}

#[tokio::test]
async fn a_workspace_that_was_disconnected_lists_nothing_until_it_is_connected_again() {
    let world = with_three_pages().await;
    let held = world.hold_second_page();
    let connection = world.connect().await;
    world.channel("Sales", "C0SALES").await;
    world.slack.wait_for_calls("conversations.list", 2).await;
    let path = format!("/v1/connections/{}?force=true", text(&connection["id"]));
    let ended = world.scenario.ask(Method::DELETE, &path, &world.scenario.admin, None).await;
    assert_eq!(ended.status, 204, "{ended:?}");
    let problem = world.ask_targets(&world.scenario.admin, &[]).await.problem(409, "not-connected");
    assert!(text(&problem["detail"]).contains("was disconnected. Connect it again"), "{problem:#}");
    world.connect().await;
    held.notify_one();
    let told = world.all_targets().await;
    assert_eq!(told["count"], ALL, "what the pass before had left out is missing: {told:#}");
}

#[tokio::test]
async fn a_list_that_leads_back_to_itself_ends_and_what_was_found_stays() {
    let world = World::new().await;
    world.connect().await;
    world.all_targets().await;
    world.scenario.pass(10 * MINUTE);
    let asked = world.slack.requests("conversations.list");
    let page = json!({ "ok": true, "channels": [{ "id": "C0NEW", "name": "new" }], "response_metadata": { "next_cursor": "round" } });
    let answer = Answer::new(200, page.to_string()).header("Content-Type", "application/json; charset=utf-8");
    world.slack.always("conversations.list", Some(Misbehaviour::Answer(answer)));
    let told = world.until_targets("the problem", |told| told["problem"].is_object()).await;
    assert_eq!((&told["loading"], &told["problem"]["code"]), (&false.into(), &"endless-list".into()), "{told:#}");
    assert_eq!(told["count"], 4, "{told:#}");
    assert_eq!(world.slack.requests("conversations.list"), asked + 2);
    world.slack.always("conversations.list", None);
    world.scenario.pass(MINUTE);
    let told = world.until_targets("no problem", |told| told["problem"].is_null() && told["loading"] == false).await;
    assert_eq!(told["count"], 3);
    assert_eq!(world.slack.calls("conversations.list").last().unwrap().arguments.get("cursor"), None);
}
