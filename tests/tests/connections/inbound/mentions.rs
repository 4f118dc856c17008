//! People who mention the bot.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pqh_tests::slack_api::Misbehaviour;
use reqwest::Method;
use serde_json::json;
use tokio::sync::Notify;

use crate::scenario::{event, eventually, text};
use crate::world::{ADA, TEAM, World};

const HELP: &str = "I post PyQueryHub's alerts, and follow up on them. Mention me with:\n\
                    • `status`: whether this channel is connected, and what posts here\n\
                    • `alerts`: the alerts that post here, triggered ones first\n\
                    • `help`: this message";

impl World {
    /// Makes alerts that post through these channels.
    async fn alerts(&self, names: &[&str], channels: &[&str]) {
        for name in names {
            let alert = json!({ "name": name, "rules": ["Revenue < 10000"], "channels": channels });
            self.scenario.post("/v1/alerts", &alert).await.created();
        }
    }

    /// An alert triggers, and its message arrives.
    async fn trigger(&self, name: &str) {
        let path = format!("/v1/alerts/{name}/checks");
        let check = json!({ "values": { "Revenue": "8750" } });
        self.scenario.post_as(&self.scenario.publisher, &path, &check).await.created();
        eventually("the message of the alert", || async {
            let all = self.scenario.deliveries("status=delivered").await;
            if all.is_empty() { Err(json!(all)) } else { Ok(()) }
        })
        .await;
    }
}

#[tokio::test]
async fn who_asks_is_told_in_the_thread_what_posts_here() {
    let world = World::new().await;
    world.connect().await;
    world.channel("Sales Team", "C0SALES").await;
    world.channel("Elsewhere", "C0OPS").await;
    world.alerts(&["Daily Sales Alert", "Weekly Sales Alert", "<Refunds & Returns>"], &["Sales Team"]).await;
    world.alerts(&["Database"], &["Elsewhere"]).await;

    let status = world.mention("C0SALES", "status").await;
    let said = world.reply(&status).await;
    assert_eq!(
        said,
        "✅ Connected, 3 alerts post here, 0 triggered, no message yet.\nNotification channel: Sales Team"
    );
    world.trigger("Daily Sales Alert").await;
    let status = world.mention("C0SALES", "Status, please?").await;
    let said = world.reply(&status).await;
    let (start, rest) = said.split_once(", last message ").unwrap_or_else(|| panic!("{said}"));
    assert_eq!(start, "✅ Connected, 3 alerts post here, 1 triggered");
    assert_eq!(rest, "Jan 15, 2027 8:00 AM.\nNotification channel: Sales Team");

    let alerts = world.mention("C0SALES", "which alerts are there").await;
    let said = world.reply(&alerts).await;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "*3 alerts post here:*");
    assert!(lines[1].contains("🚨 Daily Sales Alert, triggered since <!date^1800000000^"), "{said}");
    assert!(lines[2..].iter().any(|line| line.contains("✅ &lt;Refunds &amp; Returns&gt;")), "{said}");
    assert_eq!(lines.len(), 4, "{said}");

    let help = world.mention("C0SALES", "help").await;
    assert_eq!(world.reply(&help).await, HELP);
    let alone = world.mention("C0SALES", "").await;
    assert_eq!(world.reply(&alone).await, HELP);
    let hello = world.mention("C0SALES", "good morning!").await;
    let said = world.reply(&hello).await;
    assert_eq!(said.strip_suffix(HELP).map(|hello| hello.starts_with("👋 Hello!")), Some(true), "{said}");
}

#[tokio::test]
async fn where_nothing_posts_it_is_said_how_to_change_that() {
    let world = World::new().await;
    world.connect().await;
    let status = world.mention("C0SALES", "status").await;
    let said = world.reply(&status).await;
    assert!(said.starts_with("✅ Connected, but no notification channel of PyQueryHub posts here yet."), "{said}");
}

#[tokio::test]
async fn of_a_channel_that_is_paused_people_are_told_so() {
    let world = World::new().await;
    world.connect().await;
    world.channel("Sales Team", "C0SALES").await;
    world.channel("Others", "C0SALES").await;
    world.alerts(&["Daily Sales Alert"], &["Sales Team"]).await;
    world.scenario.pause("Sales Team").await;
    let status = world.mention("C0SALES", "status").await;
    let said = world.reply(&status).await;
    assert!(said.contains("Notification channels: ") && said.contains("Sales Team (paused)"), "{said}");
    assert!(said.contains("Others") && !said.contains("Others (paused)"), "{said}");
}

#[tokio::test]
async fn a_mention_of_another_companys_bot_that_slack_sends_as_ours_is_not_answered() {
    let world = World::new().await;
    world.connect().await;
    let acme = world.acme();
    let ts = acme.say("C0SALES", ADA, "<@U0THEIRS> help");
    let event =
        json!({ "type": "app_mention", "user": ADA, "text": "<@U0THEIRS> help", "ts": ts, "channel": "C0SALES" });
    world.taken(&acme.events().event(&event)).await;
    world.acted_on().await;
    assert!(acme.posted().iter().all(|message| message.channel == "C0OPS"), "{:#?}", acme.posted());
}

#[tokio::test]
async fn a_mention_in_a_thread_is_answered_in_that_thread() {
    let world = World::new().await;
    world.connect().await;
    let root = world.acme().say("C0SALES", ADA, "What is this?");
    let mention = world.acme().events().app_mention_in_thread("C0SALES", ADA, "help", &root);
    world.taken(&mention).await;
    let replies = eventually("a reply in the thread", || async {
        let replies = world.acme().replies("C0SALES", &root);
        if replies.len() == 2 { Ok(replies) } else { Err(json!(replies.len())) }
    })
    .await;
    assert_eq!(text(&replies[1].content["text"]), HELP);
}

#[tokio::test]
async fn while_all_sandboxes_hang_a_mention_is_answered_at_once_and_acted_on_afterwards() {
    let world = World::with(|_| {}, |config| config.limits.concurrency = 2).await;
    world.connect().await;
    for (alias, channel) in [("Sales", "C0SALES"), ("Ops", "C0OPS")] {
        world.channel(alias, channel).await;
    }
    let held = Arc::new(Notify::new());
    world.slack.always("chat.postMessage", Some(Misbehaviour::AnswerHeld(Arc::clone(&held))));
    for alias in ["Sales", "Ops"] {
        world.scenario.publish_event(alias, &event("An event")).await;
    }
    eventually("both hang", || async {
        let posts = world.slack.requests("chat.postMessage");
        if posts >= 2 { Ok(()) } else { Err(json!(posts)) }
    })
    .await;
    let begun = Instant::now();
    let mention = world.mention("C0SALES", "help").await;
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(3), "{took:?}");
    world.slack.always("chat.postMessage", None);
    eventually("the reply", || async {
        held.notify_one();
        let event = &mention.json()["event"];
        let replies = world.acme().replies("C0SALES", &text(&event["ts"]));
        if replies.is_empty() { Err(json!(replies.len())) } else { Ok(()) }
    })
    .await;
    world.reply(&mention).await;
}

#[tokio::test]
async fn the_bot_answers_neither_itself_nor_bots_nor_workspaces_that_are_not_connected() {
    let world = World::new().await;
    let other = world.slack.add_workspace("T0OTHER", "Other");
    other.add_channel(pqh_tests::slack_api::Channel::public("C0OTHER", "general"));
    let early = world.acme().events().app_mention("C0SALES", ADA, "help");
    world.taken(&early).await;
    let connection = world.connect().await;
    let acme = world.acme();
    let bot = acme.bot_user_id().unwrap();
    world.taken(&acme.events().app_mention("C0SALES", &bot, "help")).await;
    let mut of_a_bot = acme.events().app_mention("C0SALES", "U0BOT", "help").json()["event"].clone();
    of_a_bot["bot_id"] = "B0BOT".into();
    world.taken(&acme.events().event(&of_a_bot)).await;
    assert_eq!(world.send(&other.events().app_mention("C0OTHER", ADA, "help")).await, (200, String::new()));
    world.acted_on().await;
    assert!(acme.posted().iter().all(|message| message.channel == "C0OPS"), "{:#?}", acme.posted());
    assert!(other.posted().is_empty());

    let path = format!("/v1/connections/{}", text(&connection["id"]));
    let ended = world.scenario.ask(Method::DELETE, &path, &world.scenario.admin, None).await;
    assert_eq!(ended.status, 204, "{ended:?}");
    let posts = world.slack.requests("chat.postMessage");
    world.send(&acme.events().app_mention("C0SALES", ADA, "help")).await;
    world.connect().await;
    world.acted_on().await;
    assert_eq!(world.slack.requests("chat.postMessage"), posts + 1, "only what was said after it");
    assert_eq!(world.connections().await[0]["workspace"]["id"], TEAM);
}
