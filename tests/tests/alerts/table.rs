//! The guide's own example: exactly those messages.

use serde_json::json;

use super::scenario::{MINUTE, Scenario};
use super::world::{at, delivery, revenue, scenario_at, seen, silence, told, with};

#[tokio::test]
async fn the_table_of_the_guide_tells_exactly_its_four_messages() {
    let scenario = scenario_at("2024-12-15T15:00:00Z").await;
    scenario.patch("/v1/organization", &json!({ "time_zone": "America/New_York" })).await.ok();
    let webhook = scenario.channel("sales").await;
    let report = json!({ "name": "Q4 Sales Dashboard", "url": "https://app.example.com/reports/q4" });
    let alert = revenue("Daily Sales Alert", &["sales"]);
    scenario.alert(&with(alert, json!({ "cooldown_seconds": 1800, "report": report }))).await;
    let table = [
        ("10:00", "12000", "pending", Some("rules-not-met")),
        ("10:15", "8750", "triggered", None),
        ("10:30", "8751", "triggered", Some("cooldown")),
        ("10:45", "8752", "triggered", None),
        ("11:00", "8753", "triggered", Some("cooldown")),
        ("11:15", "8754", "triggered", None),
        ("11:30", "8755", "triggered", Some("cooldown")),
        ("11:45", "12001", "pending", None),
    ];
    for (time, value, state, why) in table {
        let check = scenario.check_now("Daily Sales Alert", value).await;
        assert_eq!((&check["state"], check["silence"]["code"].as_str()), (&json!(state), why), "{time}: {check:#}");
        scenario.settle().await;
        scenario.pass(15 * MINUTE);
    }
    scenario.settle().await;
    assert_eq!(told(&webhook), ["triggered 8750", "triggered 8752", "triggered 8754", "resolved"]);
    assert_eq!(
        seen(&webhook)[0],
        "🚨 Alert Triggered: Daily Sales Alert\n\n\
         📊 Report: Q4 Sales Dashboard\n⚠️  Alert: Daily Sales Alert\n📅 When: Dec 15, 2024 10:15 AM\n\n\
         🔎 Broken Rules:\n1. Revenue < 10000 (Current: 8750)\n\n[View Report]"
    );
    let alert = scenario.alert_state("Daily Sales Alert").await;
    assert_eq!(alert["state"], "pending");
    assert_eq!(alert["last_run"], "2024-12-15T16:45:00.000Z");
    assert_eq!(alert["last_trigger"], "2024-12-15T16:15:00.000Z");
    let checks = scenario.list("/v1/alerts/Daily Sales Alert/checks").await;
    let kept: Vec<_> = checks.iter().rev().map(|check| check["silence"]["code"].as_str()).collect();
    assert_eq!(kept, table.map(|(_, _, _, why)| why));
}

#[tokio::test]
async fn times_are_told_as_the_organization_reads_them_daylight_saving_included() {
    let scenario = scenario_at("2024-03-31T00:30:00Z").await;
    scenario.patch("/v1/organization", &json!({ "time_zone": "Europe/Berlin" })).await.ok();
    let webhook = scenario.channel("sales").await;
    scenario.alert(&revenue("Night", &["sales"])).await;
    scenario.check_now("Night", "1").await;
    scenario.settle().await;
    scenario.pass(60 * MINUTE);
    scenario.check_now("Night", "2").await;
    scenario.until_messages(&webhook, 2).await;
    let seen = seen(&webhook);
    assert!(seen[0].contains("When: Mar 31, 2024 1:30 AM"), "{}", seen[0]);
    assert!(seen[1].contains("When: Mar 31, 2024 3:30 AM"), "{}", seen[1]);
}

#[tokio::test]
async fn a_cooldown_runs_on_the_times_of_the_checks_and_a_trigger_after_a_resolution_always_tells() {
    let scenario = scenario_at("2024-12-15T15:00:00Z").await;
    let webhook = scenario.channel("sales").await;
    scenario.alert(&with(revenue("A", &["sales"]), json!({ "cooldown_seconds": 1800 }))).await;
    // All posted at once, as after an outage of whoever checks.
    let at = |minute: u32| format!("2024-12-15T14:{minute:02}:00Z");
    let mut why = Vec::new();
    for (minute, value) in [(0, "1"), (29, "2"), (30, "3"), (31, "20000"), (32, "4")] {
        let check = scenario.check_at("A", &at(minute), value).await.created();
        why.push(check["silence"]["code"].as_str().map(str::to_owned));
        // What was not attempted yet would fold into the resolution.
        scenario.settle().await;
    }
    assert_eq!(why, [None, Some("cooldown".to_owned()), None, None, None]);
    scenario.settle().await;
    assert_eq!(told(&webhook), ["triggered 1", "triggered 3", "resolved", "triggered 4"]);
}

#[tokio::test]
async fn without_a_cooldown_every_check_that_holds_tells() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    scenario.alert(&revenue("A", &["sales"])).await;
    for value in ["1", "2", "3"] {
        let check = scenario.check_now("A", value).await;
        scenario.until(&delivery(&check), "delivered").await;
        scenario.pass(MINUTE);
    }
    scenario.check_now("A", "10000").await;
    assert_eq!(silence(&scenario.check_now("A", "10001").await), "rules-not-met");
    scenario.until_messages(&webhook, 4).await;
    assert_eq!(told(&webhook), ["triggered 1", "triggered 2", "triggered 3", "resolved"]);
    assert_eq!(at("2027-01-15T08:00:00Z"), super::scenario::START);
}
