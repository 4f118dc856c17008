//! A workspace is disconnected: at its service, and here in any case.

use std::sync::Arc;

use pqh_tests::slack_api::{Approval, Misbehaviour};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::connect::{audited, rows};
use crate::scenario::{Answer, eventually, text};
use crate::world::{ADA, TEAM, TYPE, World};

fn path(connection: &Value) -> String {
    format!("/v1/connections/{}", text(&connection["id"]))
}

async fn disconnect(world: &World, connection: &Value, query: &str) -> Answer {
    let scenario = &world.scenario;
    scenario.ask(Method::DELETE, &format!("{}{query}", path(connection)), &scenario.admin, None).await
}

async fn gone(world: &World, connection: &Value) {
    let scenario = &world.scenario;
    scenario.ask(Method::GET, &path(connection), &scenario.admin, None).await.problem(404, "not-found");
    let kept = [rows(scenario, "connections").await, rows(scenario, "connection_secrets").await];
    assert_eq!(kept, [0, 0]);
}

#[tokio::test]
async fn a_connection_that_nothing_uses_is_forgotten_and_its_token_revoked() {
    let world = World::new().await;
    let connection = world.connect().await;
    assert_eq!(disconnect(&world, &connection, "").await.status, 204);
    assert_eq!((world.slack.live_tokens().len(), world.slack.revoked_tokens().len()), (0, 1));
    gone(&world, &connection).await;
    disconnect(&world, &connection, "").await.problem(404, "not-found");
    assert_eq!((world.connections().await.len(), rows(&world.scenario, "connection_targets").await), (0, 0));
    let who = audited(&world.scenario, "connection.").await;
    let wanted = ["connection.connected", "connection.disconnected"];
    assert_eq!(who, wanted.map(|action| (action.to_owned(), "first admin".to_owned(), "Acme".to_owned())));
}

#[tokio::test]
async fn only_administrators_disconnect() {
    let world = World::new().await;
    let connection = world.connect().await;
    for role in ["publisher", "member"] {
        let token = world.scenario.token(role).await;
        let refused = world.scenario.ask(Method::DELETE, &path(&connection), &token, None).await;
        refused.problem(403, "forbidden");
    }
    assert_eq!((world.connections().await.len(), world.slack.live_tokens().len()), (1, 1));
}

#[tokio::test]
async fn a_connection_in_use_names_its_channels_and_stays() {
    let world = World::new().await;
    let connection = world.connect().await;
    world.channel("Sales", "C0SALES").await;
    world.channel("Ops", "C0OPS").await;
    // Also where one rests anyway.
    world.scenario.pause("Ops").await;
    let refused = disconnect(&world, &connection, "").await.problem(409, "connection-in-use");
    assert_eq!(refused["channels"], json!(["Sales", "Ops"]));
    assert!(text(&refused["detail"]).contains("`?force=true`"), "{refused:#}");
    let now = world.connections().await;
    assert_eq!((&now[0]["status"], &now[0]["channels"]), (&json!("connected"), &json!(["Sales", "Ops"])));
    assert_eq!(world.slack.live_tokens().len(), 1);
    let id = world.scenario.publish("Sales", "Goes on").await;
    world.scenario.until(&id, "delivered").await;
}

#[tokio::test]
async fn by_force_its_channels_rest_until_it_is_connected_again() {
    let world = World::new().await;
    let scenario = &world.scenario;
    let connection = world.connect().await;
    for (alias, target) in [("Sales", "C0SALES"), ("Ops", "C0OPS")] {
        world.channel(alias, target).await;
    }
    scenario.pause("Ops").await;
    assert_eq!(disconnect(&world, &connection, "?force=true").await.status, 204);
    assert_eq!(disconnect(&world, &connection, "").await.status, 204);
    assert_eq!((world.slack.live_tokens().len(), world.slack.requests("auth.revoke")), (0, 1));
    let ended = scenario.get(&path(&connection)).await;
    assert_eq!((&ended["status"], &ended["problem"]), (&json!("disconnected"), &Value::Null));
    let paused = scenario.channel_state("Sales").await["paused"].clone();
    assert_eq!(text(&paused["message"]), "Slack workspace not connected: first admin disconnected Acme.");
    assert_eq!((&paused["by"], &paused["kind"]), (&json!("service"), &json!("unauthorized")));
    assert!(text(&paused["remedy"]).contains("Reconnect your workspace"), "{paused:#}");
    assert_eq!(scenario.channel_state("Ops").await["paused"]["kind"], "by-hand");
    assert_eq!(rows(scenario, "connection_secrets").await, 0);

    // By hand nothing goes on, and nothing new begins.
    for alias in ["Sales", "Ops"] {
        scenario.act(&format!("/v1/channels/{alias}/resume")).await.problem(409, "not-connected");
    }
    assert!(!scenario.check("Sales").await);
    let targets = format!("{}/targets", path(&connection));
    scenario.ask(Method::GET, &targets, &scenario.admin, None).await.problem(409, "not-connected");
    assert_eq!(world.try_channel("New", "C0SALES").await.status, 422);
    let held = scenario.publish("Sales", "Held").await;
    scenario.until(&held, "held").await;
    assert_eq!(scenario.channel_state("Sales").await["status"], "paused");

    let again = world.connect().await;
    assert_eq!((&again["id"], &again["status"]), (&connection["id"], &json!("connected")));
    scenario.until(&held, "delivered").await;
    assert_eq!(scenario.channel_state("Ops").await["paused"]["kind"], "by-hand");
    scenario.resume("Ops").await;
    let id = scenario.publish("Ops", "Goes on").await;
    scenario.until(&id, "delivered").await;
    let actions: Vec<String> = audited(scenario, "connection.").await.into_iter().map(|(action, ..)| action).collect();
    assert_eq!(actions, ["connection.connected", "connection.disconnected", "connection.renewed"]);
}

#[tokio::test]
async fn it_is_done_here_whatever_the_service_says() {
    for misbehaviour in [
        Misbehaviour::Page(500),
        Misbehaviour::Close,
        Misbehaviour::RateLimited(3_600),
        Misbehaviour::word("fatal_error"),
        Misbehaviour::word("token_revoked"),
        Misbehaviour::Answer(pqh_tests::http_service::Answer::new(200, "<html>")),
    ] {
        let world = World::new().await;
        let connection = world.connect().await;
        world.slack.always("auth.revoke", Some(misbehaviour.clone()));
        assert_eq!(disconnect(&world, &connection, "").await.status, 204, "{misbehaviour:?}");
        gone(&world, &connection).await;
    }
}

#[tokio::test]
async fn nobody_waits_for_a_service_that_hangs() {
    let world = World::new().await;
    let connection = world.connect().await;
    world.channel("Sales", "C0SALES").await;
    let released = Arc::new(Notify::new());
    world.slack.always("auth.revoke", Some(Misbehaviour::AnswerHeld(Arc::clone(&released))));
    let (_, other) = world.scenario.make_organization("Other").await;
    // It answers while Slack says nothing, and what it did is done already.
    assert_eq!(disconnect(&world, &connection, "?force=true").await.status, 204);
    assert_eq!(world.slack.requests("auth.revoke"), 1);
    assert_eq!(world.scenario.get(&path(&connection)).await["status"], "disconnected");
    let theirs = world.connect_as(&other, &World::approval()).await;
    assert_eq!(theirs["status"], "connected");
    released.notify_one();
}

#[tokio::test]
async fn afterwards_another_organization_may_have_the_workspace() {
    let world = World::new().await;
    let scenario = &world.scenario;
    let connection = world.connect().await;
    world.channel("Sales", "C0SALES").await;
    let (_, other) = scenario.make_organization("Other").await;
    disconnect(&world, &connection, "?force=true").await;
    let theirs = world.connect_as(&other, &World::approval()).await;
    assert!(theirs["id"] != connection["id"], "{theirs:#}");
    // The first cannot have it back until they give it up.
    let browser = world.browser();
    let refused = world.asked(&scenario.admin, &browser, &World::approval()).await;
    assert_eq!(refused.title(409), "Connected elsewhere");
    assert_eq!(scenario.get(&path(&connection)).await["status"], "disconnected");
    assert_eq!(scenario.channel_state("Sales").await["status"], "paused");
    assert_eq!(world.slack.live_tokens().len(), 1);
    assert_eq!(scenario.ask(Method::DELETE, &path(&theirs), &other, None).await.status, 204);
    let back = world.connect().await;
    assert_eq!((&back["id"], &back["channels"]), (&connection["id"], &json!(["Sales"])));
    let id = scenario.publish("Sales", "Back").await;
    scenario.until(&id, "delivered").await;
}

#[tokio::test]
async fn the_last_channel_takes_a_disconnected_connection_with_it() {
    let world = World::new().await;
    let connection = world.connect().await;
    for (alias, target) in [("Sales", "C0SALES"), ("Ops", "C0OPS")] {
        world.channel(alias, target).await;
    }
    disconnect(&world, &connection, "?force=true").await;
    world.scenario.delete_channel("Sales").await;
    assert_eq!(world.scenario.get(&path(&connection)).await["channels"], json!(["Ops"]));
    world.scenario.delete_channel("Ops").await;
    gone(&world, &connection).await;
    // Of one that is connected nothing is forgotten.
    let connection = world.connect().await;
    world.channel("Sales", "C0SALES").await;
    world.scenario.delete_channel("Sales").await;
    assert_eq!(world.scenario.get(&path(&connection)).await["status"], "connected");
}

#[tokio::test]
async fn a_lost_connection_is_disconnected_as_any_other() {
    let world = World::new().await;
    let scenario = &world.scenario;
    let connection = world.connect().await;
    world.channel("Sales", "C0SALES").await;
    world.acme().uninstall();
    scenario.publish("Sales", "Lost").await;
    scenario.until_paused("Sales").await;
    scenario.act("/v1/channels/Sales/resume").await.problem(409, "not-connected");
    let lost = scenario.get(&path(&connection)).await;
    assert_eq!(lost["status"], "lost");
    assert!(text(&lost["problem"]["message"]).starts_with("Slack workspace not connected"), "{lost:#}");
    disconnect(&world, &connection, "").await.problem(409, "connection-in-use");
    assert_eq!(disconnect(&world, &connection, "?force=true").await.status, 204);
    assert_eq!(scenario.get(&path(&connection)).await["status"], "disconnected");
    scenario.act("/v1/channels/Sales/resume").await.problem(409, "not-connected");
    let actions: Vec<_> =
        audited(scenario, "connection.").await.into_iter().map(|(what, who, _)| (what, who)).collect();
    let wanted = [("connected", "first admin"), ("lost", "service"), ("disconnected", "first admin")];
    assert_eq!(actions, wanted.map(|(what, who)| (format!("connection.{what}"), who.to_owned())));
    let browser = world.browser();
    let page = world.asked(&scenario.admin, &browser, &Approval::new(TEAM, ADA).to_channel("C0OPS")).await;
    browser.answer(TYPE, &page, "connect").await.title(200);
    eventually("it goes on", || async {
        let channel = scenario.channel_state("Sales").await;
        if channel["status"] == "active" { Ok(()) } else { Err(channel) }
    })
    .await;
}
