//! What a component is handed of an alert: its alert, its incident, and the message that opened it.

use pqh_tests::slack_webhook::Webhook;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::scenario::{HOUR, MINUTE, Scenario};
use super::world::{delivery, revenue};

mod components {
    include!(concat!(env!("OUT_DIR"), "/echo.rs"));
}

/// A scenario with a channel that echoes.
async fn scenario_with_echo() -> (Scenario, Webhook, TempDir) {
    let (_, bytes) = components::COMPONENTS.iter().find(|(name, _)| *name == "echo").unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("echo.wasm"), bytes).unwrap();
    let plugins = folder.path().to_owned();
    let scenario = Scenario::with(|config| config.plugins = Some(plugins)).await;
    scenario.ask(Method::POST, "/v1/plugins/echo/grant", &scenario.operator, None).await.ok();
    let webhook = scenario.webhook();
    let new = json!({ "alias": "echo", "type": "echo", "settings": { "url": webhook.url() } });
    scenario.post("/v1/channels", &new).await.created();
    (scenario, webhook, folder)
}

/// What was handed over, message by message: what it is, and the members by name.
fn handed(webhook: &Webhook) -> Vec<(String, Value)> {
    let read = |message: &Value| {
        let text = message["text"].as_str().unwrap();
        let (what, members) = text.split_once(' ').unwrap();
        let members = members.split(' ').map(|member| member.split_once('=').unwrap());
        (what.to_owned(), members.map(|(name, value)| (name.to_owned(), Value::from(value))).collect())
    };
    webhook.messages().iter().map(read).collect()
}

#[tokio::test]
async fn repeats_and_the_resolution_are_handed_the_incident_and_the_message_that_opened_it() {
    let (scenario, webhook, _folder) = scenario_with_echo().await;
    let alert = scenario.alert(&revenue("A", &["echo"])).await;
    let opening = delivery(&scenario.check_now("A", "1").await);
    for value in ["2", "20000", "3"] {
        scenario.settle().await;
        scenario.pass(MINUTE);
        scenario.check_now("A", value).await;
    }
    scenario.until_messages(&webhook, 4).await;
    let handed = handed(&webhook);
    let of = |name: &str| handed.iter().map(|(_, members)| members[name].clone()).collect::<Vec<_>>();
    assert_eq!(
        handed.iter().map(|(what, _)| what.as_str()).collect::<Vec<_>>(),
        ["triggered", "triggered", "resolved", "triggered"]
    );
    assert!(of("alert").iter().all(|id| *id == alert["id"]));
    let incidents = of("incident");
    assert!(incidents[0] == incidents[1] && incidents[1] == incidents[2] && incidents[2] != incidents[3]);
    let opened = format!("at-{opening}");
    assert_eq!(of("opened-by"), ["none", opened.as_str(), opened.as_str(), "none"]);
}

#[tokio::test]
async fn a_changed_target_drops_the_message_that_opened_the_incident() {
    let (scenario, webhook, _folder) = scenario_with_echo().await;
    scenario.alert(&revenue("A", &["echo"])).await;
    let opening = delivery(&scenario.check_now("A", "1").await);
    scenario.until(&opening, "delivered").await;
    let other = scenario.webhook();
    scenario.change_webhook("echo", &other).await.ok();
    scenario.pass(MINUTE);
    scenario.check_now("A", "20000").await;
    scenario.until_messages(&other, 1).await;
    assert_eq!(handed(&other)[0].1["opened-by"], "none");
    assert_eq!(webhook.messages().len(), 1);
}

#[tokio::test]
async fn a_type_that_takes_no_digests_gets_everything_singly_and_in_order() {
    let (scenario, webhook, _folder) = scenario_with_echo().await;
    scenario.alert(&revenue("A", &["echo"])).await;
    scenario.pause("echo").await;
    for value in ["1", "2"] {
        scenario.check_now("A", value).await;
        scenario.pass(2 * HOUR);
    }
    scenario.resume("echo").await;
    scenario.until_messages(&webhook, 2).await;
    assert!(handed(&webhook).iter().all(|(what, _)| what == "triggered"));
}

#[tokio::test]
async fn a_message_in_another_channel_opens_nothing_here() {
    let (scenario, webhook, _folder) = scenario_with_echo().await;
    let slack = scenario.channel("ops").await;
    scenario.alert(&revenue("A", &["ops", "echo"])).await;
    scenario.check_now("A", "1").await;
    scenario.until_messages(&slack, 1).await;
    scenario.until_messages(&webhook, 1).await;
    assert_eq!(handed(&webhook)[0].1["opened-by"], "none");
}
