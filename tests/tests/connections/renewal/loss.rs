//! A connection is lost: its channels rest, what waits is held, and administrators are told once, elsewhere.

use serde_json::json;

use super::{TOKENS, connected};
use crate::looks;
use crate::scenario::{HOUR, attempts, event, text};
use crate::world::World;

#[tokio::test]
async fn a_connection_that_slack_renews_no_more_works_to_its_end_and_is_lost_then() {
    let mut world = connected().await;
    world.channel("Ops", "C0OPS").await;
    let webhook = world.scenario.channel("Webhook").await;
    world.scenario.notify(&["Ops", "Webhook"]).await;
    world.slack.end_refresh_tokens("T0ACME");
    world.scenario.pass(11 * HOUR);
    world.until_renewals("unauthorized", 1).await;
    assert_eq!(world.scenario.warnings().await, ["token-not-renewed"]);
    world.arrives("Sales", "While the token works").await;
    let asked = world.slack.requests(TOKENS);

    world.scenario.pass(HOUR);
    for alias in ["Sales", "Ops"] {
        let paused = world.scenario.until_paused(alias).await;
        let why = paused["paused"].to_string();
        assert!(why.contains("Slack workspace not connected") && why.contains("invalid_refresh_token"), "{paused:#}");
    }
    let told = world.scenario.until_notices(&webhook, 1).await;
    assert!(told[0].contains("Workspace not connected: Acme"), "{told:?}");
    assert!(told[0].contains("Slack workspace not connected"), "{told:?}");
    assert_eq!(world.slack.requests(TOKENS), asked, "Slack is not asked again");
    assert_eq!(world.status().await, "lost");
    assert!(world.scenario.warnings().await.is_empty());
    let mut held = Vec::new();
    for title in ["First", "Second", "Third"] {
        let id = world.scenario.publish("Sales", title).await;
        world.scenario.until(&id, "held").await;
        held.push(id);
    }
    world.scenario.restart().await;
    world.scenario.settle().await;
    assert_eq!(world.scenario.until_notices(&webhook, 1).await.len(), 1, "once");
    let posted = world.acme().posted().len();
    assert_eq!(posted, 1, "nothing went through the connection that is lost");

    assert_eq!(world.connect().await["status"], "connected");
    for id in &held {
        world.scenario.pass(std::time::Duration::from_secs(2));
        world.scenario.until(id, "delivered").await;
    }
    let titles: Vec<String> = world.acme().messages("C0SALES").iter().map(|message| format!("{message:?}")).collect();
    let place = |title: &str| titles.iter().position(|message| message.contains(title));
    assert!(place("First") < place("Second") && place("Second") < place("Third"), "{titles:#?}");
    assert_eq!(world.scenario.channel_state("Ops").await["status"], "active");
    world.arrives("Ops", "Goes on").await;
    world.scenario.pass(11 * HOUR);
    world.until_renewals("renewed", 1).await;
}

#[tokio::test]
async fn a_loss_that_no_other_channel_can_tell_is_a_warning_until_it_is_connected_again() {
    let mut world = connected().await;
    world.scenario.notify(&["Sales"]).await;
    world.slack.end_refresh_tokens("T0ACME");
    world.scenario.pass(12 * HOUR);
    world.scenario.until_paused("Sales").await;
    assert_eq!(world.scenario.warnings().await, ["notice-untold"]);
    assert!(world.acme().posted().is_empty());
    world.scenario.restart().await;
    world.scenario.settle().await;
    assert_eq!(world.scenario.warnings().await, ["notice-untold"]);
    world.connect().await;
    assert!(world.scenario.warnings().await.is_empty());
    world.arrives("Sales", "Again").await;
}

#[tokio::test]
async fn a_token_that_does_not_rotate_and_was_revoked_loses_the_connection_after_a_check() {
    let world = World::with(|app| app.rotates = false, |_| {}).await;
    world.connect().await;
    world.channel("Sales", "C0SALES").await;
    world.channel("Ops", "C0OPS").await;
    let webhook = world.scenario.channel("Webhook").await;
    world.scenario.notify(&["Webhook"]).await;
    world.scenario.pass(1_000 * HOUR);
    world.arrives("Sales", "Years later").await;
    assert_eq!(world.slack.renewals(), 0);
    // A word that the check does not confirm is passing trouble.
    world.slack.next(super::POST, pqh_tests::slack_api::Misbehaviour::word("token_revoked"));
    let id = world.scenario.publish("Sales", "Not yet").await;
    world.scenario.until(&id, "waiting").await;
    world.scenario.pass_until_due(&id).await;
    world.scenario.until(&id, "delivered").await;

    world.acme().uninstall();
    let id = world.scenario.publish("Sales", "Held").await;
    let held = world.scenario.until(&id, "held").await;
    assert_eq!(attempts(&held)[0]["failure"]["code"], "account_inactive", "{held:#}");
    for alias in ["Sales", "Ops"] {
        world.scenario.until_paused(alias).await;
    }
    assert_eq!(world.scenario.until_notices(&webhook, 1).await.len(), 1);
    assert_eq!(world.status().await, "lost");
    let audit = world.scenario.list("/v1/audit").await;
    let lost = audit.iter().filter(|entry| entry["action"] == "connection.lost").count();
    assert_eq!(lost, 1, "{audit:#?}");
    world.connect().await;
    world.scenario.until(&id, "delivered").await;
}

#[tokio::test]
async fn an_app_that_was_removed_is_found_out_by_the_next_message_and_told_once_for_many() {
    let world = connected().await;
    world.channel("Ops", "C0OPS").await;
    let webhook = world.scenario.channel("Webhook").await;
    world.scenario.notify(&["Webhook"]).await;
    world.acme().uninstall();
    let accepted = world.scenario.post_event(&["Sales", "Ops"], &event("Nobody there")).await.created();
    for delivery in accepted["deliveries"].as_array().unwrap() {
        world.scenario.until(&text(&delivery["id"]), "held").await;
    }
    let told = world.scenario.until_notices(&webhook, 1).await;
    assert!(told[0].contains("Slack workspace not connected"), "{told:?}");
    assert_eq!(world.connections().await[0]["status"], json!("lost"));
}

#[tokio::test]
async fn many_messages_that_find_the_same_loss_pause_each_channel_once_and_look_at_all_of_them_once() {
    looks::count();
    let world = connected().await;
    let channels = world.acme().add_channels(30);
    for id in &channels {
        world.acme().invite_bot(id);
        world.channel(id, id).await;
    }
    let connection = text(&world.connections().await[0]["id"]);
    let before = looks::at(&connection);
    world.acme().uninstall();
    let aliases: Vec<&str> = channels.iter().map(String::as_str).collect();
    let accepted = world.scenario.post_event(&aliases, &event("Nobody there")).await.created();
    for delivery in accepted["deliveries"].as_array().unwrap() {
        world.scenario.until(&text(&delivery["id"]), "held").await;
    }
    world.scenario.until_paused("Sales").await;
    world.scenario.settle().await;
    assert_eq!(looks::at(&connection) - before, 1);
    let audit = world.scenario.list("/v1/audit").await;
    let paused = audit.iter().filter(|entry| entry["action"] == "channel.paused").count();
    assert_eq!(paused, 31, "each once");
}
