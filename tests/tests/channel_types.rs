//! One alert tells all channel types at once: what each of them gets is a snapshot.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

#[path = "support/python.rs"]
mod python;
#[path = "support/relay.rs"]
mod relay;
#[path = "support/scenario/mod.rs"]
mod scenario;

mod plugins {
    include!(concat!(env!("OUT_DIR"), "/plugins.rs"));
}

use std::collections::HashMap;
use std::sync::Arc;

use pqh_runtime::MailTls;
use pqh_tests::http_service::{HttpService, Request};
use pqh_tests::webhook_receiver::{self, Receiver};
use pqh_tests::{pagerduty, teams};
use relay::{Relay, decoded, header};
use scenario::{MINUTE, Scenario, text};
use serde_json::{Value, json};

const ROUTING_KEY: &str = "e93facc04764012d7bfb002500d5d1a6";

/// All types, each with a service of its own on loopback.
struct World {
    scenario: Scenario,
    teams: HttpService,
    pagerduty: pagerduty::Simulator,
    receiver: HttpService,
    /// None where Python is not there.
    relay: Option<Relay>,
}

impl World {
    async fn new() -> Self {
        let teams = teams::start().await.unwrap();
        let pagerduty = pagerduty::Simulator::start(&[ROUTING_KEY]).await.unwrap();
        let receiver = Arc::new(Receiver::new(webhook_receiver::SECRET).unwrap()).start().await.unwrap();
        let relay = Relay::start(MailTls::StartTls);
        let scenario = Scenario::with(|config| {
            let upstreams = &mut config.egress.upstreams;
            upstreams.insert(teams::HOST.to_owned(), teams.base_url());
            upstreams.insert("events.pagerduty.com".to_owned(), pagerduty.service().base_url());
            upstreams.insert("receiver.example".to_owned(), receiver.base_url());
            config.mail = relay.as_ref().map(Relay::config);
        })
        .await;
        let world = Self { scenario, teams, pagerduty, receiver, relay };
        world.channel("teams", json!({ "url": teams::url(teams::ALIVE) })).await;
        world.channel("pagerduty", json!({ "routing-key": ROUTING_KEY })).await;
        let hook = json!({ "url": "https://receiver.example/hook", "secret": webhook_receiver::SECRET });
        world.channel("webhook", hook).await;
        if world.relay.is_some() {
            world.channel("email", json!({ "to": ["ada@example.com"] })).await;
        }
        world
    }

    /// Its alias is its type.
    async fn channel(&self, channel_type: &str, settings: Value) {
        let new = json!({ "alias": channel_type, "type": channel_type, "settings": settings });
        self.scenario.post("/v1/channels", &new).await.created();
    }

    /// Posts a check's value, and waits until everybody was told. How many were told.
    async fn check(&self, revenue: &str) -> usize {
        let check = json!({ "values": { "Revenue": revenue } });
        let path = "/v1/alerts/Daily%20Sales%20Alert/checks";
        let judged = self.scenario.post_as(&self.scenario.publisher, path, &check).await.created();
        let deliveries = judged["deliveries"].as_array().unwrap();
        for delivery in deliveries {
            self.scenario.until(&text(&delivery["id"]), "delivered").await;
        }
        deliveries.len()
    }
}

/// What has another value in each run, as what it is.
fn told(value: &Value, names: &mut HashMap<String, String>) -> Value {
    match value {
        Value::String(text) if uuid(text) => {
            let number = names.len() + 1;
            names.entry(text.clone()).or_insert_with(|| format!("[id {number}]")).clone().into()
        }
        Value::Array(items) => items.iter().map(|item| told(item, names)).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), told(value, names))).collect(),
        other => other.clone(),
    }
}

fn uuid(text: &str) -> bool {
    text.len() == 36 && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

fn bodies(requests: &[Request]) -> Vec<Value> {
    let mut names = HashMap::new();
    requests.iter().map(|request| told(&request.json(), &mut names)).collect()
}

#[tokio::test]
async fn one_alert_tells_all_types_at_once_and_all_that_it_is_over() {
    let world = World::new().await;
    let slack = world.scenario.channel("slack").await;
    let mut channels = vec!["slack", "teams", "pagerduty", "webhook"];
    channels.extend(world.relay.as_ref().map(|_| "email"));
    let alert = json!({
        "name": "Daily Sales Alert",
        "channels": channels,
        "rules": ["Revenue < 10000"],
        "severity": "critical",
        "report": { "name": "Q4 Sales Dashboard", "url": "https://app.pyqueryhub.com/reports/42" },
    });
    world.scenario.post("/v1/alerts", &alert).await.created();
    // Checks and pings of the channels come before.
    let before =
        [world.teams.accepted().len(), world.pagerduty.service().accepted().len(), world.receiver.accepted().len()];
    assert_eq!(world.check("8750").await, channels.len());
    assert_eq!(world.pagerduty.open_alerts().len(), 1);
    world.scenario.pass(MINUTE);
    assert_eq!(world.check("12000").await, channels.len());
    assert_eq!(world.pagerduty.open_alerts().len(), 0);

    insta::assert_json_snapshot!("slack-webhook", slack.messages());
    insta::assert_json_snapshot!("teams", bodies(&world.teams.accepted()[before[0]..]));
    insta::assert_json_snapshot!("pagerduty", bodies(&world.pagerduty.service().accepted()[before[1]..]));
    insta::assert_json_snapshot!("webhook", bodies(&world.receiver.accepted()[before[2]..]));
    let Some(relay) = &world.relay else { return };
    let mails: Vec<String> = relay.mails(2).await.iter().map(mail).collect();
    insta::assert_snapshot!("email", mails.join("\n\n==========\n\n"));
}

/// A mail's head, and its first part, which is plain text.
fn mail(mail: &Value) -> String {
    let data = mail["data"].as_str().unwrap().replace("\r\n", "\n");
    let part = data.split("\n\n").skip(2).collect::<Vec<_>>().join("\n\n");
    let (plain, _) = part.split_once("\n--").unwrap();
    let kept = ["From", "To", "Auto-Submitted"].map(|name| format!("{name}: {}", header(mail, name)));
    format!("{}\nSubject: {}\n\n{plain}", kept.join("\n"), decoded(&header(mail, "Subject")))
}

#[test]
fn all_components_together_have_at_most_a_mebibyte() {
    let sizes: Vec<(&str, usize)> = plugins::COMPONENTS.iter().map(|(name, bytes)| (*name, bytes.len())).collect();
    assert!(sizes.len() >= 5 && sizes.iter().all(|(_, size)| *size <= 150 << 10), "{sizes:?}");
    assert!(sizes.iter().map(|(_, size)| size).sum::<usize>() <= 1 << 20, "{sizes:?}");
}

#[tokio::test]
async fn each_type_is_found_with_what_a_form_needs() {
    let scenario = Scenario::start().await;
    let types = scenario.get("/v1/channel-types").await;
    let types = types["items"].as_array().unwrap_or_else(|| types.as_array().unwrap());
    let ids: Vec<&str> = types.iter().map(|found| found["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["email", "pagerduty", "slack-webhook", "teams", "webhook"]);
    for found in types {
        assert!(!found["summary"].as_str().unwrap().is_empty() && !found["fields"].as_array().unwrap().is_empty());
    }
}
