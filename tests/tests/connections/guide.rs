//! The guide's steps, its test section and each of its troubleshooting entries.

use pqh_tests::slack_api::{Message, Misbehaviour};
use pqh_tests::slack_webhook::render;
use serde_json::{Value, json};

use crate::scenario::{MINUTE, millis, saying, text};
use crate::world::{ADA, TYPE, World};

/// What people see of a message.
pub fn seen(message: &Message) -> String {
    render::message(&Value::Object(message.content.clone()), false)
}

impl World {
    /// An alert on revenue that is broken below 10,000.
    pub async fn alert(&self, name: &str, channels: &[&str]) -> Value {
        let report = json!({ "name": "Q4 Sales Dashboard", "url": "https://app.example.com/reports/q4" });
        let alert = json!({ "name": name, "rules": ["Revenue < 10000"], "channels": channels, "report": report });
        self.scenario.post("/v1/alerts", &alert).await.created()
    }

    /// A check of it now.
    pub async fn check(&self, name: &str, revenue: &str) -> Value {
        let check = json!({ "values": { "Revenue": revenue } });
        let path = format!("/v1/alerts/{name}/checks");
        self.scenario.post_as(&self.scenario.publisher, &path, &check).await.created()
    }

    /// Waits until a channel has so many messages of the app.
    pub async fn until_posted(&self, channel: &str, count: usize) -> Vec<Message> {
        let ours = |messages: &[Message]| messages.iter().filter(|message| message.app_id.is_some()).count() >= count;
        let messages = self.acme().wait_for(channel, ours).await;
        messages.into_iter().filter(|message| message.app_id.is_some()).collect()
    }
}

#[tokio::test]
async fn steps_1_to_3_lead_from_nothing_to_an_alert_in_slack_and_its_resolution() {
    let world = World::new().await;
    // 1.1 to 1.3 and 2.1 to 2.2: "Add to Slack", "Allow", the default channel, and the confirmation.
    let browser = world.browser();
    let page = world.asked(&world.scenario.admin, &browser, &World::approval()).await;
    assert!(page.title(200).contains("Acme"), "{page:#?}");
    let done = browser.answer(TYPE, &page, "connect").await;
    assert_eq!(done.title(200), "Slack workspace connected");
    assert!(done.html.contains("#sales"), "{done:#?}");
    let connection = world.connections().await.remove(0);
    let id = text(&connection["id"]);
    // 1.4: the bot is invited to a private channel, and says that it is ready.
    let acme = world.acme();
    acme.invite_bot("G0SECRET");
    assert_eq!(world.send(&acme.events().bot_invited("G0SECRET", ADA)).await.0, 200);
    let greeting = world.until_posted("G0SECRET", 1).await;
    assert!(seen(&greeting[0]).contains("ready to send alerts"), "{greeting:#?}");
    // 2.3 and 2.4: alias, type, target, workspace.
    let targets = world.scenario.get(&format!("/v1/connections/{id}/targets?query=%23sal")).await;
    assert_eq!(targets["items"][0]["id"], "C0SALES", "{targets:#}");
    let channel = json!({
        "alias": "DevOps Alerts", "type": TYPE, "connection": id, "settings": { "channel": targets["items"][0]["id"] },
    });
    let channel = world.scenario.post("/v1/channels", &channel).await.created();
    assert_eq!((&channel["target"]["name"], &channel["connection"]["name"]), (&json!("#sales"), &json!("Acme")));
    // 3: several channels, and the alert.
    let webhook = world.scenario.channel("webhook").await;
    world.alert("Daily Sales Alert", &["DevOps Alerts", "webhook"]).await;
    world.check("Daily Sales Alert", "8750").await;
    let posted = world.until_posted("C0SALES", 1).await;
    let text = seen(&posted[0]);
    for line in
        ["🚨 Alert Triggered: Daily Sales Alert", "📊 Report: Q4 Sales Dashboard", "1. Revenue < 10000 (Current: 8750)"]
    {
        assert!(text.contains(line), "{text}");
    }
    world.scenario.until_messages(&webhook, 1).await;
    // It repeats in the thread, and resolves in place and in the thread.
    world.scenario.pass(31 * MINUTE);
    world.check("Daily Sales Alert", "8000").await;
    world.until_posted("C0SALES", 2).await;
    world.scenario.pass(MINUTE);
    world.check("Daily Sales Alert", "12000").await;
    let posted = world.until_posted("C0SALES", 3).await;
    let opening = &posted[0];
    assert_eq!(acme.replies("C0SALES", &opening.ts).len(), 2, "{posted:#?}");
    assert!(seen(opening).contains("✅ Alert Resolved: Daily Sales Alert") && opening.edits.len() == 1, "{opening:#?}");
    assert!(seen(&posted[2]).contains("returned to an 'ok' state"), "{posted:#?}");
}

#[tokio::test]
async fn the_test_section_a_low_threshold_the_channel_a_mention_and_the_resolution() {
    let world = World::new().await;
    world.connect().await;
    world.channel("Sales", "C0SALES").await;
    let tested = world.scenario.act("/v1/channels/Sales/test").await.created();
    world.scenario.until(&text(&tested["deliveries"][0]["id"]), "delivered").await;
    world.alert("Test Alert", &["Sales"]).await;
    world.check("Test Alert", "1").await;
    world.until_posted("C0SALES", 2).await;
    let mention = world.acme().events().app_mention("C0SALES", ADA, "status");
    assert_eq!(world.send(&mention).await.0, 200);
    let answer = seen(&world.until_posted("C0SALES", 3).await[2]);
    assert!(answer.contains("Connected, 1 alert posts here, 1 triggered, last message "), "{answer}");
    world.check("Test Alert", "20000").await;
    let posted = world.until_posted("C0SALES", 4).await;
    assert!(seen(&posted[1]).contains("Alert Resolved"), "{posted:#?}");
}

#[tokio::test]
async fn slack_workspace_not_connected_reinstall_and_reconnect() {
    let world = World::new().await;
    world.connect().await;
    world.channel("Sales", "C0SALES").await;
    let notices = world.scenario.channel("admins").await;
    world.scenario.notify(&["admins"]).await;
    world.acme().uninstall();
    let id = world.scenario.publish("Sales", "while it is gone").await;
    let paused = world.scenario.until_paused("Sales").await;
    assert!(text(&paused["paused"]["message"]).starts_with("Slack workspace not connected"), "{paused:#}");
    assert!(
        text(&paused["paused"]["remedy"]).contains("Reinstall the PyQueryHub Slack app and reconnect your workspace")
    );
    let connection = world.connections().await.remove(0);
    assert_eq!((&connection["status"], &connection["channels"]), (&json!("lost"), &json!(["Sales"])), "{connection:#}");
    let told = world.scenario.until_notices(&notices, 1).await;
    assert!(told[0].contains("Slack workspace not connected"), "{told:#?}");
    world.connect().await;
    world.scenario.until(&id, "delivered").await;
    assert_eq!(world.scenario.channel_state("Sales").await["status"], "active");
}

#[tokio::test]
async fn channel_access_restricted_upgrade_and_invite_the_bot() {
    let world = World::new().await;
    world.connect().await;
    world.scenario.set_plan("free").await;
    let refused = world.try_channel("Sales", "C0SALES").await.problem(403, "channel-access-restricted");
    assert!(text(&refused["detail"]).contains("Channel Access Restricted"), "{refused:#}");
    world.scenario.set_plan("paid").await;
    let refused = world.try_channel("Secret", "G0SECRET").await.problem(422, "check-failed");
    assert!(text(&refused["failure"]["remedy"]).contains("/invite @PyQueryHub"), "{refused:#}");
    world.acme().invite_bot("G0SECRET");
    world.channel("Secret", "G0SECRET").await;
    world.scenario.publish("Secret", "hello").await;
    world.until_posted("G0SECRET", 1).await;
}

#[tokio::test]
async fn messages_not_appearing_the_delivery_says_why_and_a_mended_channel_goes_on() {
    let world = World::new().await;
    world.connect().await;
    world.channel("Sales", "C0SALES").await;
    world.acme().restrict("C0SALES", Some("restricted_action"));
    let id = world.scenario.publish("Sales", "unseen").await;
    let held = world.scenario.until(&id, "waiting").await;
    assert_eq!(held["cause"]["code"], "restricted_action", "{held:#}");
    world.acme().restrict("C0SALES", None);
    world.scenario.pass_until_due(&id).await;
    world.scenario.until(&id, "delivered").await;
}

#[tokio::test]
async fn http_400_invalid_payload_fails_the_message_and_not_the_channel() {
    let world = World::new().await;
    world.connect().await;
    world.channel("Sales", "C0SALES").await;
    world.slack.always("chat.postMessage", Some(Misbehaviour::word("invalid_arguments")));
    let id = world.scenario.publish("Sales", "malformed").await;
    let failed = world.scenario.until(&id, "failed").await;
    assert_eq!((&failed["cause"]["kind"], &failed["cause"]["code"]), (&json!("rejected"), &json!("invalid_arguments")));
    let webhook = world.scenario.channel("webhook").await;
    webhook.next(saying("invalid_payload"));
    let id = world.scenario.publish("webhook", "malformed").await;
    let failed = world.scenario.until(&id, "failed").await;
    assert_eq!(failed["cause"]["code"], "invalid_payload", "{failed:#}");
    for alias in ["Sales", "webhook"] {
        assert_eq!(world.scenario.channel_state(alias).await["status"], "active", "{alias}");
    }
}

#[tokio::test]
async fn http_403_channel_is_archived_unarchive_it() {
    let world = World::new().await;
    world.connect().await;
    world.channel("Sales", "C0SALES").await;
    world.acme().archive("C0SALES");
    let id = world.scenario.publish("Sales", "archived").await;
    let paused = world.scenario.until_paused("Sales").await;
    assert_eq!(paused["paused"]["code"], "is_archived", "{paused:#}");
    assert!(text(&paused["paused"]["remedy"]).starts_with("Unarchive the channel"), "{paused:#}");
    world.scenario.until(&id, "held").await;
    world.acme().unarchive("C0SALES");
    assert_eq!(world.send(&world.acme().events().channel_unarchive("C0SALES", ADA)).await.0, 200);
    world.scenario.until(&id, "delivered").await;
}

#[tokio::test]
async fn http_404_channel_not_found_update_the_channel() {
    let world = World::new().await;
    world.connect().await;
    world.channel("Sales", "C0SALES").await;
    world.acme().delete("C0SALES");
    let id = world.scenario.publish("Sales", "deleted").await;
    let paused = world.scenario.until_paused("Sales").await;
    assert_eq!(paused["paused"]["code"], "channel_not_found", "{paused:#}");
    world.scenario.patch("/v1/channels/Sales", &json!({ "settings": { "channel": "C0OPS" } })).await.ok();
    world.scenario.until(&id, "delivered").await;
    assert_eq!(world.until_posted("C0OPS", 1).await.len(), 1);
}

#[tokio::test]
async fn http_429_needs_no_action() {
    let world = World::new().await;
    world.connect().await;
    world.channel("Sales", "C0SALES").await;
    world.slack.next("chat.postMessage", Misbehaviour::RateLimited(30));
    let id = world.scenario.publish("Sales", "later").await;
    let waiting = world.scenario.until(&id, "waiting").await;
    assert_eq!(millis(&waiting["due_at"]) - world.scenario.now(), 30_000, "{waiting:#}");
    world.scenario.pass_until_due(&id).await;
    world.scenario.until(&id, "delivered").await;
    assert_eq!(world.acme().posted().len(), 1);
}

#[tokio::test]
async fn alert_not_triggering_the_alert_says_why_and_the_connection_its_status() {
    let world = World::new().await;
    world.connect().await;
    world.channel("Sales", "C0SALES").await;
    world.alert("Quiet Alert", &["Sales"]).await;
    let check = world.check("Quiet Alert", "10000").await;
    assert_eq!(check["silence"]["code"], "rules-not-met", "{check:#}");
    let alert = world.scenario.get("/v1/alerts/Quiet Alert").await;
    assert!(!alert["why"].is_null(), "{alert:#}");
    world.acme().uninstall();
    world.check("Quiet Alert", "1").await;
    world.scenario.until_paused("Sales").await;
    assert_eq!(world.connections().await[0]["status"], "lost");
    let alert = world.scenario.get("/v1/alerts/Quiet Alert").await;
    assert!(alert["why"].to_string().contains("paused"), "{alert:#}");
}

#[tokio::test]
async fn webhook_url_revoked_by_slack_a_new_url_goes_on_and_administrators_are_told() {
    let world = World::new().await;
    world.connect().await;
    world.channel("admins", "C0OPS").await;
    world.scenario.notify(&["admins"]).await;
    let webhook = world.scenario.channel("custom").await;
    webhook.set_dead(Some("no_service"));
    let id = world.scenario.publish("custom", "revoked").await;
    world.scenario.until_paused("custom").await;
    let notice = world.until_posted("C0OPS", 1).await;
    assert!(seen(&notice[0]).contains("custom"), "{notice:#?}");
    let other = world.scenario.webhook();
    world.scenario.change_webhook("custom", &other).await.ok();
    world.scenario.until(&id, "delivered").await;
    world.scenario.until_messages(&other, 1).await;
}
