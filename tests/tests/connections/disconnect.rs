//! A workspace is disconnected: at its service, and here in any case.

use std::sync::Arc;

use pqh_tests::slack_api::{Approval, Channel, Misbehaviour, User};
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
    scenario.act("/v1/channels/Sales/check").await.problem(409, "not-connected");
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

#[tokio::test]
async fn while_one_workspace_waits_for_its_service_others_are_connected_and_disconnected() {
    let world = World::new().await;
    let connection = world.connect().await;
    let beta = world.slack.add_workspace("T0BETA", "Beta");
    beta.add_user(User::new(ADA, "ada", "Ada", "ada@example.com"));
    beta.add_channel(Channel::public("C0BETA", "beta"));
    let released = world.held_renewal().await;
    let mut waits = std::pin::pin!(disconnect(&world, &connection, ""));
    let others = async {
        let theirs = world.connect_as(&world.scenario.admin, &Approval::new("T0BETA", ADA).to_channel("C0BETA")).await;
        assert_eq!(disconnect(&world, &theirs, "").await.status, 204);
    };
    tokio::select! {
        biased;
        early = &mut waits => unreachable!("it waits for the renewal: {early:#?}"),
        () = others => {}
    }
    released.notify_one();
    assert_eq!(waits.await.status, 204);
    assert_eq!((world.connections().await.len(), world.slack.live_tokens().len()), (0, 1));
}

#[tokio::test]
async fn a_workspace_that_is_disconnected_twice_at_once_is_disconnected_once() {
    let world = World::new().await;
    let connection = world.connect().await;
    world.channel("Sales", "C0SALES").await;
    let released = world.held_renewal().await;
    let release = async {
        // Until both have seen that it is connected.
        for _ in 0..20 {
            assert_eq!(world.connections().await[0]["status"], "connected");
        }
        released.notify_one();
    };
    let twice = futures_util::future::join_all([
        disconnect(&world, &connection, "?force=true"),
        disconnect(&world, &connection, "?force=true"),
    ]);
    let (both, ()) = tokio::join!(twice, release);
    assert_eq!(both.iter().map(|answer| answer.status).collect::<Vec<_>>(), [204, 204]);
    let actions: Vec<String> =
        audited(&world.scenario, "connection.").await.into_iter().map(|(action, ..)| action).collect();
    assert_eq!(actions, ["connection.connected", "connection.disconnected"]);
}

#[tokio::test]
async fn who_disconnects_while_it_is_connected_again_ends_nothing_new() {
    let world = World::new().await;
    let scenario = &world.scenario;
    let connection = world.connect().await;
    world.channel("Sales", "C0SALES").await;
    let released = world.held_renewal().await;
    let browser = world.browser();
    let page = world.asked(&scenario.admin, &browser, &World::approval()).await;
    // All of them wait for the renewal; which of them comes first nobody knows.
    let release = async {
        for _ in 0..20 {
            assert_eq!(world.connections().await[0]["status"], "connected");
        }
        released.notify_one();
    };
    let twice = futures_util::future::join_all([
        disconnect(&world, &connection, "?force=true"),
        disconnect(&world, &connection, "?force=true"),
    ]);
    let (both, done, ()) = tokio::join!(twice, browser.answer(TYPE, &page, "connect"), release);
    assert_eq!(done.title(200), "Slack workspace connected");
    for refused in both.into_iter().filter(|answer| answer.status != 204) {
        let refused = refused.problem(409, "connected-again");
        assert!(text(&refused["detail"]).contains("connected again meanwhile"), "{refused:#}");
    }
    assert_eq!(world.connections().await[0]["status"], "connected");
    let id = scenario.publish("Sales", "Goes on").await;
    scenario.until(&id, "delivered").await;
}

#[tokio::test]
async fn a_channel_that_is_made_while_its_workspace_is_disconnected_is_refused() {
    let world = World::new().await;
    let connection = world.connect().await;
    let (asked, released) = (world.slack.requests("conversations.info"), Arc::new(Notify::new()));
    world.slack.next("conversations.info", Misbehaviour::AnswerHeld(Arc::clone(&released)));
    let ending = async {
        world.slack.wait_for_calls("conversations.info", asked + 1).await;
        assert_eq!(disconnect(&world, &connection, "").await.status, 204);
        released.notify_one();
    };
    let (made, ()) = tokio::join!(world.try_channel("Sales", "C0SALES"), ending);
    let refused = made.problem(409, "not-connected");
    assert!(text(&refused["detail"]).contains("\"Acme\" was disconnected"), "{refused:#}");
    assert_eq!(rows(&world.scenario, "channels").await, 0);
    gone(&world, &connection).await;
}

#[tokio::test]
async fn a_channel_that_is_changed_or_checked_while_its_workspace_is_disconnected_stays_as_it_was() {
    let world = World::new().await;
    let scenario = &world.scenario;
    let connection = world.connect().await;
    world.channel("Sales", "C0SALES").await;
    let (asked, released) = (world.slack.requests("conversations.info"), Arc::new(Notify::new()));
    world.slack.next("conversations.info", Misbehaviour::AnswerHeld(Arc::clone(&released)));
    let ending = async {
        world.slack.wait_for_calls("conversations.info", asked + 1).await;
        assert_eq!(disconnect(&world, &connection, "?force=true").await.status, 204);
        released.notify_one();
    };
    let change = json!({ "settings": { "channel": "C0OPS" } });
    let (changed, ()) = tokio::join!(scenario.patch("/v1/channels/Sales", &change), ending);
    changed.problem(409, "not-connected");
    let kept = scenario.channel_state("Sales").await;
    assert_eq!((&kept["status"], &kept["settings"]["channel"]), (&json!("paused"), &json!("C0SALES")));
    // What needs no workspace can be changed all the same.
    scenario.patch("/v1/channels/Sales", &json!({ "alias": "Deals" })).await.ok();

    // A check that is under way ends no pause either.
    let again = world.connect().await;
    eventually("it goes on", || async {
        let channel = scenario.channel_state("Deals").await;
        if channel["status"] == "active" { Ok(()) } else { Err(channel) }
    })
    .await;
    world.acme().archive("C0SALES");
    scenario.publish("Deals", "Archived").await;
    assert_eq!(scenario.until_paused("Deals").await["paused"]["kind"], "unreachable");
    world.acme().unarchive("C0SALES");
    let (asked, released) = (world.slack.requests("conversations.info"), Arc::new(Notify::new()));
    world.slack.next("conversations.info", Misbehaviour::AnswerHeld(Arc::clone(&released)));
    let ending = async {
        world.slack.wait_for_calls("conversations.info", asked + 1).await;
        assert_eq!(disconnect(&world, &again, "?force=true").await.status, 204);
        released.notify_one();
    };
    let (checked, ()) = tokio::join!(scenario.act("/v1/channels/Deals/check"), ending);
    checked.problem(409, "not-connected");
    assert_eq!(scenario.channel_state("Deals").await["status"], "paused");
}

/// What readiness says of losses that nobody was told of.
async fn untold(world: &World) -> Vec<String> {
    let ready = world.scenario.open("/readyz").await.ok();
    let notes = ready["warnings"].as_array().unwrap().iter().filter(|note| note["code"] == "notice-untold");
    notes.map(|note| text(&note["message"])).collect()
}

#[tokio::test]
async fn a_loss_that_nobody_was_told_of_is_a_warning_until_it_is_disconnected() {
    let mut world = World::new().await;
    let connection = world.connect().await;
    for (alias, target) in [("Sales", "C0SALES"), ("Ops", "C0OPS")] {
        world.channel(alias, target).await;
    }
    world.acme().uninstall();
    world.scenario.publish("Sales", "Lost").await;
    world.scenario.until_paused("Sales").await;
    world.scenario.until_paused("Ops").await;
    let told = untold(&world).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(&format!("The connection {}", text(&connection["id"]))), "{told:?}");
    // The same after a restart.
    world.scenario.restart().await;
    world.scenario.settle().await;
    assert_eq!(untold(&world).await, told);
    assert_eq!(disconnect(&world, &connection, "?force=true").await.status, 204);
    assert_eq!(untold(&world).await, Vec::<String>::new());
    // Nobody has to be told of what a person did.
    world.scenario.restart().await;
    world.scenario.settle().await;
    assert_eq!(untold(&world).await, Vec::<String>::new());
}

#[tokio::test]
async fn of_a_disconnected_workspace_everything_says_that_it_is_and_how_to_connect_it() {
    let world = World::new().await;
    let scenario = &world.scenario;
    let connection = world.connect().await;
    world.channel("Sales", "C0SALES").await;
    assert_eq!(disconnect(&world, &connection, "?force=true").await.status, 204);
    let elsewhere = json!({ "settings": { "channel": "C0OPS" } });
    let new = json!({ "alias": "Ops", "type": TYPE, "connection": "Acme", "settings": { "channel": "C0OPS" } });
    for answer in [
        scenario.act("/v1/channels/Sales/check").await,
        scenario.patch("/v1/channels/Sales", &elsewhere).await,
        scenario.post("/v1/channels", &new).await,
        scenario.ask(Method::GET, &format!("{}/targets", path(&connection)), &scenario.admin, None).await,
    ] {
        let refused = answer.problem(409, "not-connected");
        let expected = "The workspace \"Acme\" was disconnected. Connect it again: pqh connection connect slack-app.";
        assert_eq!(refused["detail"], expected, "{refused:#}");
    }
}

#[tokio::test]
async fn a_check_renews_a_dead_token_and_finds_a_loss_as_a_delivery_does() {
    let world = World::new().await;
    let scenario = &world.scenario;
    world.connect().await;
    world.channel("Sales", "C0SALES").await;
    world.all_targets().await;
    world.slack.revoke(&world.slack.live_tokens().last().unwrap().value);
    assert!(scenario.check("Sales").await);
    assert_eq!(world.slack.renewals(), 1);
    world.acme().uninstall();
    assert!(!scenario.check("Sales").await);
    assert_eq!(world.connections().await[0]["status"], "lost");
    assert!(
        text(&scenario.channel_state("Sales").await["paused"]["message"]).starts_with("Slack workspace not connected")
    );
}
