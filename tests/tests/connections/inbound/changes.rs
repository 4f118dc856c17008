//! What happens to channels in Slack, and to ours.

use std::sync::Arc;

use pqh_tests::slack_api::Misbehaviour;
use serde_json::Value;
use tokio::sync::Notify;

use crate::scenario::{SECOND, event, eventually, text};
use crate::world::{ADA, World};

/// What a channel says of its pause.
fn pause(channel: &Value) -> (String, String) {
    (text(&channel["paused"]["code"]), text(&channel["paused"]["message"]))
}

impl World {
    /// Connected, with a webhook for notices, and a channel each.
    async fn with_channels(channels: &[(&str, &str)]) -> (Self, pqh_tests::slack_webhook::Webhook) {
        let world = Self::new().await;
        world.connect().await;
        let notices = world.scenario.channel("notices").await;
        world.scenario.notify(&["notices"]).await;
        for (alias, target) in channels {
            world.channel(alias, target).await;
        }
        (world, notices)
    }
}

#[tokio::test]
async fn who_invites_the_bot_is_told_that_it_is_ready_and_what_was_held_arrives() {
    let world = World::new().await;
    world.connect().await;
    let acme = world.acme();
    acme.invite_bot("G0SECRET");
    world.channel("Secret", "G0SECRET").await;
    world.channel("Ops", "C0OPS").await;
    acme.remove_bot("G0SECRET");
    world.taken(&acme.events().group_left("G0SECRET")).await;
    let paused = world.scenario.until_paused("Secret").await;
    assert_eq!(pause(&paused).0, "not_in_channel", "{paused:#}");
    assert_eq!(world.scenario.channel_state("Ops").await["status"], "active");
    let held = world.scenario.publish_event("Secret", &event("Held")).await;
    world.scenario.until(&held, "held").await;

    acme.invite_bot("G0SECRET");
    world.taken(&acme.events().bot_invited("G0SECRET", ADA)).await;
    world.scenario.until(&held, "delivered").await;
    world.acted_on().await;
    let said = world.said("G0SECRET");
    assert_eq!(said.len(), 2, "{said:?}");
    let ready = "👋 PyQueryHub is here and ready to send alerts to this channel.";
    assert_eq!(said.iter().filter(|said| said.starts_with(ready)).count(), 1, "{said:?}");
}

#[tokio::test]
async fn where_a_delivery_brought_the_bot_in_it_says_nothing_of_itself() {
    let (world, _) = World::with_channels(&[("Sales", "C0SALES")]).await;
    let id = world.scenario.publish_event("Sales", &event("A message")).await;
    world.scenario.until(&id, "delivered").await;
    let bot = world.acme().bot_user_id().unwrap();
    world.taken(&world.acme().events().member_joined_channel("C0SALES", &bot, None)).await;
    // Other people who come are none of its business.
    world.taken(&world.acme().events().member_joined_channel("C0SALES", ADA, None)).await;
    world.acted_on().await;
    assert_eq!(world.said("C0SALES").len(), 1, "{:?}", world.said("C0SALES"));
}

#[tokio::test]
async fn a_channel_that_is_archived_or_gone_is_paused_in_the_guides_words_and_no_other() {
    let targets = [("Sales", "C0SALES"), ("Ops", "C0OPS"), ("Secret", "G0SECRET")];
    let world = World::new().await;
    world.connect().await;
    world.acme().invite_bot("G0SECRET");
    let notices = world.scenario.channel("notices").await;
    world.scenario.notify(&["notices"]).await;
    for (alias, target) in targets {
        world.channel(alias, target).await;
    }
    let (acme, events) = (world.acme(), world.acme().events());

    acme.archive("C0SALES");
    world.taken(&events.channel_archive("C0SALES", ADA)).await;
    let paused = world.scenario.until_paused("Sales").await;
    let (code, message) = pause(&paused);
    assert_eq!((code.as_str(), message.as_str()), ("is_archived", "The target channel has been archived in Slack."));
    assert!(text(&paused["paused"]["remedy"]).starts_with("Unarchive the channel"), "{paused:#}");
    let told = world.scenario.until_notices(&notices, 1).await;
    assert!(told[0].contains("Channel paused: Sales") && told[0].contains("is_archived"), "{told:?}");
    for alias in ["Ops", "Secret"] {
        assert_eq!(world.scenario.channel_state(alias).await["status"], "active", "{alias}");
    }
    let held = world.scenario.publish_event("Sales", &event("Held")).await;
    world.scenario.until(&held, "held").await;

    // The same once more, as another event: nobody is told again.
    world.taken(&events.channel_archive("C0SALES", ADA)).await;
    world.taken(&events.channel_left("C0SALES")).await;
    world.acted_on().await;
    assert_eq!(world.scenario.until_notices(&notices, 1).await.len(), 1);
    let sales = world.target("C0SALES").await;
    assert_eq!(sales["reachable"], false);

    acme.unarchive("C0SALES");
    world.taken(&events.channel_unarchive("C0SALES", ADA)).await;
    world.scenario.until(&held, "delivered").await;
    assert_eq!(world.target("C0SALES").await["reachable"], true);

    acme.archive("G0SECRET");
    world.taken(&events.group_archive("G0SECRET")).await;
    assert_eq!(pause(&world.scenario.until_paused("Secret").await).0, "is_archived");
    acme.unarchive("G0SECRET");
    world.taken(&events.group_unarchive("G0SECRET")).await;
    world.until_active("Secret").await;

    acme.delete("C0SALES");
    world.taken(&events.channel_deleted("C0SALES")).await;
    let (code, message) = pause(&world.scenario.until_paused("Sales").await);
    assert_eq!(code, "channel_not_found");
    assert!(message.starts_with("The channel was deleted"), "{message}");
    world.scenario.until_notices(&notices, 3).await;
}

#[tokio::test]
async fn a_channel_that_people_paused_stays_so_whatever_happens_in_slack() {
    let (world, _) = World::with_channels(&[("Sales", "C0SALES")]).await;
    world.scenario.pause("Sales").await;
    let events = world.acme().events();
    world.taken(&events.channel_unarchive("C0SALES", ADA)).await;
    world.taken(&events.bot_invited("C0SALES", ADA)).await;
    world.acted_on().await;
    let channel = world.scenario.channel_state("Sales").await;
    assert_eq!((channel["status"].as_str(), &channel["paused"]["code"]), (Some("paused"), &"paused-by-hand".into()));
}

#[tokio::test]
async fn a_renamed_channel_keeps_its_id_and_shows_its_new_name() {
    let (world, _) = World::with_channels(&[("Sales", "C0SALES")]).await;
    world.all_targets().await;
    assert_eq!(world.scenario.channel_state("Sales").await["target"]["name"], "#sales");
    world.acme().rename("C0SALES", "revenue");
    world.taken(&world.acme().events().channel_rename("C0SALES", "revenue")).await;
    eventually("the new name", || async {
        let channel = world.scenario.channel_state("Sales").await;
        if channel["target"]["name"] == "#revenue" { Ok(()) } else { Err(channel) }
    })
    .await;
    assert_eq!(world.find("revenue").await, ["#revenue"]);
    assert!(world.find("sales").await.is_empty());
    let id = world.scenario.publish_event("Sales", &event("Still there")).await;
    world.scenario.until(&id, "delivered").await;
    assert_eq!(world.said("C0SALES").len(), 1);
}

#[tokio::test]
async fn a_private_channel_that_the_bot_was_just_invited_to_is_found() {
    let world = World::new().await;
    world.connect().await;
    world.all_targets().await;
    assert!(world.find("secret").await.is_empty());
    world.acme().invite_bot("G0SECRET");
    world.taken(&world.acme().events().bot_invited("G0SECRET", ADA)).await;
    eventually("the private channel", || async {
        let found = world.find("secret").await;
        if found == ["#secret"] { Ok(()) } else { Err(found.into()) }
    })
    .await;
    world.channel("Secret", "G0SECRET").await;
    world.acme().remove_bot("G0SECRET");
    world.taken(&world.acme().events().member_left_channel("G0SECRET", &world.acme().bot_user_id().unwrap())).await;
    world.scenario.until_paused("Secret").await;
    assert_eq!(world.target("G0SECRET").await["reachable"], false);
}

#[tokio::test]
async fn events_that_come_late_or_in_reverse_change_nothing_that_slack_has_otherwise() {
    let (world, notices) = World::with_channels(&[("Sales", "C0SALES")]).await;
    let (acme, events) = (world.acme(), world.acme().events());
    let bot = acme.bot_user_id().unwrap();
    let is_active = async || {
        world.acted_on().await;
        assert_eq!(world.scenario.channel_state("Sales").await["status"], "active");
        assert_eq!(world.target("C0SALES").await["reachable"], true);
    };
    world.all_targets().await;
    acme.invite_bot("C0SALES");
    for late in [
        events.channel_left("C0SALES"),
        events.member_left_channel("C0SALES", &bot),
        events.channel_archive("C0SALES", ADA),
        events.channel_deleted("C0SALES"),
    ] {
        world.taken(&late).await;
        is_active().await;
    }
    // The second before the first, and the first twice.
    acme.archive("C0SALES");
    world.taken(&events.channel_archive("C0SALES", ADA)).await;
    world.scenario.until_paused("Sales").await;
    acme.unarchive("C0SALES");
    world.taken(&events.channel_unarchive("C0SALES", ADA)).await;
    world.taken(&events.channel_archive("C0SALES", ADA)).await;
    is_active().await;
    world.scenario.until_notices(&notices, 1).await;

    // Slack cannot say just now: it is asked again.
    acme.archive("C0SALES");
    world.slack.next("conversations.info", Misbehaviour::Page(503));
    world.taken(&events.channel_archive("C0SALES", ADA)).await;
    world.until_counted("again", 1).await;
    assert_eq!(world.scenario.channel_state("Sales").await["status"], "active");
    world.scenario.pass(5 * SECOND);
    world.scenario.until_paused("Sales").await;
    // It was used again in between, and is not any more.
    world.taken(&events.channel_unarchive("C0SALES", ADA)).await;
    world.acted_on().await;
    assert_eq!(pause(&world.scenario.channel_state("Sales").await).0, "is_archived");
    world.scenario.until_notices(&notices, 2).await;
}

#[tokio::test]
async fn where_slack_tells_of_a_join_before_it_answers_nothing_is_said_either() {
    let (world, _) = World::with_channels(&[("Sales", "C0SALES")]).await;
    let held = Arc::new(Notify::new());
    world.slack.next("conversations.join", Misbehaviour::AnswerHeld(Arc::clone(&held)));
    let id = world.scenario.publish_event("Sales", &event("A message")).await;
    world.slack.wait_for_calls("conversations.join", 1).await;
    let bot = world.acme().bot_user_id().unwrap();
    world.taken(&world.acme().events().member_joined_channel("C0SALES", &bot, None)).await;
    world.acted_on().await;
    held.notify_one();
    world.scenario.until(&id, "delivered").await;
    assert_eq!(world.said("C0SALES").len(), 1, "{:?}", world.said("C0SALES"));
}
