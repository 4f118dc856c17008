//! The app is removed, or its tokens are revoked.

use std::sync::Arc;

use pqh_tests::slack_api::Misbehaviour;
use serde_json::Value;
use tokio::sync::Notify;

use crate::scenario::{HOUR, SECOND, event, text};
use crate::world::{ADA, World};

/// Both events, in the order in which they come.
async fn removed(world: &World, uninstalled_first: bool) {
    let acme = world.acme();
    let bot = acme.bot_user_id().unwrap();
    acme.uninstall();
    let mut both = [acme.events().app_uninstalled(), acme.events().tokens_revoked(&[], &[&bot])];
    if !uninstalled_first {
        both.reverse();
    }
    for delivery in both {
        world.taken(&delivery).await;
    }
}

#[tokio::test]
async fn a_removed_app_ends_the_connection_once_in_either_order_and_reconnecting_resumes_it() {
    for uninstalled_first in [true, false] {
        let world = World::new().await;
        world.connect().await;
        let notices = world.scenario.channel("notices").await;
        world.channel("Sales", "C0SALES").await;
        world.channel("Ops", "C0OPS").await;
        world.scenario.notify(&["Sales", "notices"]).await;

        removed(&world, uninstalled_first).await;
        let connection = world.until_connection("lost").await;
        assert!(
            text(&connection["problem"]["message"]).starts_with("Slack workspace not connected:"),
            "{connection:#}"
        );
        for alias in ["Sales", "Ops"] {
            let paused = world.scenario.until_paused(alias).await;
            assert_eq!(paused["paused"]["kind"], "unauthorized", "{paused:#}");
        }
        let told = world.scenario.until_notices(&notices, 1).await;
        assert!(told[0].contains("Workspace not connected: Acme"), "{told:?}");
        let held = world.scenario.publish_event("Sales", &event("Held")).await;
        world.scenario.until(&held, "held").await;

        let calls = world.slack.calls("").len();
        let mention: Value = world.acme().events().app_mention("C0OPS", ADA, "help").json();
        world.send(&world.acme().events().event(&mention["event"])).await;
        world.connect().await;
        world.until_connection("connected").await;
        world.scenario.until(&held, "delivered").await;
        let later = world.slack.calls("");
        let asked = later[calls..].iter().filter(|called| called.method == "chat.postMessage");
        assert!(asked.clone().all(|called| called.answer != "account_inactive"), "asked with a dead token");

        // Late ones, of the installation before.
        let bot = world.acme().bot_user_id().unwrap();
        world.taken(&world.acme().events().app_uninstalled()).await;
        world.taken(&world.acme().events().tokens_revoked(&[], &[&bot])).await;
        world.acted_on().await;
        assert_eq!(world.connections().await[0]["status"], "connected");
        world.scenario.until_notices(&notices, 1).await;
    }
}

#[tokio::test]
async fn tokens_of_people_are_none_of_ours() {
    let world = World::new().await;
    world.connect().await;
    world.taken(&world.acme().events().tokens_revoked(&[ADA], &[])).await;
    world.acted_on().await;
    assert_eq!(world.connections().await[0]["status"], "connected");
    assert_eq!(world.slack.requests("auth.test"), 1, "as it was connected");
}

#[tokio::test]
async fn a_late_event_during_an_outage_ends_nothing() {
    let world = World::new().await;
    world.connect().await;
    world.slack.next("auth.test", Misbehaviour::Page(503));
    world.taken(&world.acme().events().app_uninstalled()).await;
    world.slack.wait_for_calls("auth.test", 2).await;
    world.scenario.pass(5 * SECOND);
    world.slack.wait_for_calls("auth.test", 3).await;
    world.acted_on().await;
    assert_eq!(world.connections().await[0]["status"], "connected");
}

#[tokio::test]
async fn a_reply_that_a_dead_token_cannot_post_ends_the_connection_too() {
    let world = World::new().await;
    world.connect().await;
    world.acme().uninstall();
    world.mention("C0OPS", "help").await;
    let connection = world.until_connection("lost").await;
    assert_eq!(connection["problem"]["code"], "account_inactive", "{connection:#}");
}

#[tokio::test]
async fn one_token_that_is_revoked_is_replaced_by_another_and_nothing_is_lost() {
    let world = World::new().await;
    world.connect().await;
    world.channel("Sales", "C0SALES").await;
    // Else who looks for targets finds out first.
    world.all_targets().await;
    let bot = world.acme().bot_user_id().unwrap();
    world.slack.revoke(&world.slack.live_tokens().last().unwrap().value);
    world.taken(&world.acme().events().tokens_revoked(&[], &[&bot])).await;
    world.acted_on().await;
    assert_eq!(world.connections().await[0]["status"], "connected");
    assert_eq!(world.slack.renewals(), 1);
    let id = world.scenario.publish_event("Sales", &event("With the new one")).await;
    world.scenario.until(&id, "delivered").await;
    assert_eq!(world.scenario.channel_state("Sales").await["status"], "active");
}

#[tokio::test]
async fn where_slack_cannot_renew_just_now_it_is_asked_again_before_the_connection_is_lost() {
    let world = World::new().await;
    world.connect().await;
    // Else who looks for targets finds out first.
    world.all_targets().await;
    let bot = world.acme().bot_user_id().unwrap();
    world.slack.revoke(&world.slack.live_tokens().last().unwrap().value);
    world.slack.next("oauth.v2.access", Misbehaviour::Page(503));
    world.taken(&world.acme().events().tokens_revoked(&[], &[&bot])).await;
    world.until_counted("again", 1).await;
    assert_eq!(world.connections().await[0]["status"], "connected");
    world.slack.end_refresh_tokens("T0ACME");
    world.scenario.pass(5 * SECOND);
    let connection = world.until_connection("lost").await;
    assert_eq!(connection["problem"]["code"], "tokens_revoked", "{connection:#}");
}

#[tokio::test]
async fn a_token_that_is_revoked_while_it_is_renewed_loses_nothing_before_and_after_a_restart() {
    let mut world = World::new().await;
    world.connect().await;
    world.channel("Sales", "C0SALES").await;
    let bot = world.acme().bot_user_id().unwrap();
    let first = world.slack.live_tokens().last().unwrap().value.clone();
    let (tested, asked) = (world.slack.requests("auth.test"), world.slack.requests("oauth.v2.access"));
    let held = Arc::new(Notify::new());
    world.slack.next("oauth.v2.access", Misbehaviour::AnswerHeld(Arc::clone(&held)));
    world.scenario.pass(11 * HOUR);
    world.slack.wait_for_calls("oauth.v2.access", asked + 1).await;
    world.slack.revoke(&first);
    world.taken(&world.acme().events().tokens_revoked(&[], &[&bot])).await;
    world.slack.wait_for_calls("auth.test", tested + 1).await;
    world.scenario.settle().await;
    held.notify_one();
    world.acted_on().await;
    for _ in 0..2 {
        let channel = world.scenario.channel_state("Sales").await;
        assert_eq!(channel["status"], "active", "{channel:#}");
        assert_eq!((text(&world.connections().await[0]["status"]).as_str(), world.slack.renewals()), ("connected", 1));
        let id = world.scenario.publish_event("Sales", &event("With the new one")).await;
        world.scenario.until(&id, "delivered").await;
        world.scenario.restart().await;
        world.scenario.pass(2 * SECOND);
    }
}
