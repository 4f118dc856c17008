//! The guide's three examples of alerts: two work as it shows them, and the third has a rule without a threshold.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

#[path = "support/scenario/mod.rs"]
mod scenario;

use pqh::clock::Clock;
use pqh_tests::slack_webhook::{Webhook, render};
use scenario::Scenario;
use serde_json::{Value, json};

/// When the guide's revenue alert is checked: Dec 15, 2024, 6:00 PM in New York.
const SIX_PM: &str = "2024-12-15T18:00:00-05:00";

/// One of the guide's alerts, as `POST /v1/alerts` takes it.
fn example(name: &str) -> Value {
    let path = format!("{}/alerts/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The guide's evening, in an organization that reads times in New York.
async fn evening() -> Scenario {
    let now = SIX_PM.parse::<jiff::Timestamp>().unwrap().as_millisecond();
    let scenario = Scenario::with_clock(Clock::set_to(now), |_| {}).await;
    scenario.patch("/v1/organization", &json!({ "time_zone": "America/New_York" })).await.ok();
    scenario
}

/// The messages as people see them.
fn seen(webhook: &Webhook) -> Vec<String> {
    webhook.messages().iter().map(|message| render::message(message, false)).collect()
}

#[tokio::test]
async fn revenue_below_its_target_tells_the_sales_team_what_the_guide_shows() {
    let scenario = evening().await;
    let webhook = scenario.channel("Sales Team Slack").await;
    let alert = scenario.post("/v1/alerts", &example("daily-revenue")).await.created();
    assert_eq!((&alert["state"], &alert["frequency"]), (&"pending".into(), &"Daily at 6 PM".into()));
    let check = json!({ "at": SIX_PM, "values": { "Revenue": "42,750" } });
    let checked = scenario.post_as(&scenario.publisher, "/v1/alerts/Daily%20Revenue%20Alert/checks", &check).await;
    assert_eq!(checked.created()["state"], "triggered");
    scenario.until_messages(&webhook, 1).await;
    let expected = "\
🚨 Alert Triggered: Daily Revenue Alert

📊 Report: Daily Sales Dashboard
⚠️  Alert: Daily Revenue Alert
📅 When: Dec 15, 2024 6:00 PM

🔎 Broken Rules:
1. Revenue < 50000 (Current: 42,750)

[View Report]";
    assert_eq!(seen(&webhook), [expected]);
}

#[tokio::test]
async fn a_slow_database_tells_devops_the_rules_that_are_broken_and_no_others() {
    let scenario = evening().await;
    let webhook = scenario.channel("DevOps Slack").await;
    scenario.post("/v1/alerts", &example("db-performance")).await.created();
    let checks = "/v1/alerts/DB%20Performance%20Alert/checks";
    // Values in another unit, and a bare number for one without.
    for (at, time, connections) in [("18:00", "2.5s", 80), ("18:15", "2,500ms", 140)] {
        let at = format!("2024-12-15T{at}:00-05:00");
        scenario.pass_until(at.parse::<jiff::Timestamp>().unwrap().as_millisecond());
        let values = json!({ "Query Response Time": time, "Active Connections": connections });
        scenario.post_as(&scenario.publisher, checks, &json!({ "at": at, "values": values })).await.created();
    }
    scenario.until_messages(&webhook, 2).await;
    let expected = [
        "\
🚨 Alert Triggered: DB Performance Alert

⚠️  Alert: DB Performance Alert
📅 When: Dec 15, 2024 6:00 PM

🔎 Broken Rules:
1. Query Response Time > 2000ms (Current: 2.5s)",
        "\
🚨 Alert Triggered: DB Performance Alert

⚠️  Alert: DB Performance Alert
📅 When: Dec 15, 2024 6:15 PM

🔎 Broken Rules:
1. Query Response Time > 2000ms (Current: 2,500ms)
2. Active Connections > 100 (Current: 140)",
    ];
    assert_eq!(seen(&webhook), expected);
}

#[tokio::test]
async fn a_rule_without_a_threshold_is_refused_and_named() {
    let scenario = evening().await;
    scenario.channel("Marketing Team Slack").await;
    let refused = scenario.post("/v1/alerts", &example("low-conversion")).await.problem(422, "bad-alert");
    let detail = scenario::text(&refused["detail"]);
    assert_eq!(refused["path"], "rules[1]");
    assert!(detail.contains("Cost per Acquisition >") && detail.contains("has no threshold"), "{detail}");
    assert!(scenario.list("/v1/alerts").await.is_empty(), "a part of it was made");
}
