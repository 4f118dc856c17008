//! Checks: numbers as people write them, and values that are late, early, repeated, missing or unreadable.

use serde_json::json;

use super::scenario::{MINUTE, Scenario};
use super::world::{delivery, revenue, silence, told, with};

#[tokio::test]
async fn values_are_read_as_people_write_them_and_shown_as_they_came() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    let rules = json!(["Revenue < 50000", "Rate < 2.5%", "Time > 2000ms", "Users > 1.5k", "Status != ok"]);
    scenario.alert(&json!({ "name": "A", "rules": rules, "channels": ["ops"] })).await;
    let fine =
        json!({ "Revenue": "50,000", "Rate": "2.50%", "Time": "2s", "Users": 1500, "Status": "ok", "More": "x" });
    assert_eq!(silence(&scenario.try_check("A", &json!({ "values": fine })).await.created()), "rules-not-met");
    scenario.pass(MINUTE);
    let broken =
        json!({ "Revenue": "42,750", "Rate": "2.49", "Time": "2.001 s", "Users": "0.0016M", "Status": "degraded" });
    let check = scenario.try_check("A", &json!({ "values": broken })).await.created();
    assert!(check["verdicts"].as_array().unwrap().iter().all(|verdict| verdict["broken"] == true), "{check:#}");
    scenario.until(&delivery(&check), "delivered").await;
    let seen = super::world::seen(&webhook).remove(0);
    for line in ["1. Revenue < 50000 (Current: 42,750)", "2. Rate < 2.5% (Current: 2.49)", "(Current: degraded)"] {
        assert!(seen.contains(line), "{seen}");
    }
}

#[tokio::test]
async fn a_missing_or_unreadable_value_refuses_the_whole_check_and_never_resolves() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    let rules = json!(["Revenue < 10000", "Customers < 50"]);
    scenario.alert(&json!({ "name": "A", "rules": rules, "channels": ["ops"] })).await;
    let check = scenario.try_check("A", &json!({ "values": { "Revenue": "1", "Customers": "1" } })).await.created();
    scenario.until(&delivery(&check), "delivered").await;
    scenario.pass(MINUTE);
    for values in [
        json!({ "Revenue": "20000" }),
        json!({ "Revenue": "20000", "Customers": "n/a" }),
        json!({ "Revenue": "20000", "Customers": "" }),
        json!({ "Revenue": "20000", "Customers": null }),
        json!({ "Revenue": "20000", "Customers": "5m" }),
        json!({ "Revenue": "20000", "Customers": { "value": 99 } }),
        json!({}),
    ] {
        let answer = scenario.try_check("A", &json!({ "values": values })).await;
        let problem = answer.problem(422, "bad-values");
        assert!(problem["problems"][0]["message"].as_str().unwrap().len() > 20, "{problem}");
        let alert = scenario.alert_state("A").await;
        assert_eq!(alert["state"], "triggered");
        assert_eq!(alert["last_check"]["number"], 1, "what is refused is not kept");
    }
    scenario.until_messages(&webhook, 1).await;
}

#[tokio::test]
async fn what_is_older_than_the_last_check_is_recorded_and_ignored() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.alert(&revenue("A", &["ops"])).await;
    scenario.check_at("A", "2027-01-15T08:00:00Z", "1").await.created();
    let late = scenario.check_at("A", "2027-01-15T07:59:59.999Z", "20000").await.created();
    assert_eq!((silence(&late).as_str(), &late["state"]), ("late", &json!("triggered")));
    scenario.settle().await;
    assert_eq!(told(&webhook), ["triggered 1"]);
    let alert = scenario.alert_state("A").await;
    assert_eq!((&alert["state"], &alert["last_run"]), (&json!("triggered"), &json!("2027-01-15T08:00:00.000Z")));
    assert_eq!(scenario.list("/v1/alerts/A/checks").await.len(), 2);
}

#[tokio::test]
async fn what_is_more_than_five_minutes_ahead_is_refused() {
    let scenario = Scenario::start().await;
    scenario.channel("ops").await;
    scenario.alert(&revenue("A", &["ops"])).await;
    scenario.check_at("A", "2027-01-15T08:05:00.001Z", "1").await.problem(422, "check-too-early");
    scenario.check_at("A", "2027-01-15T08:05:00Z", "1").await.created();
    // One that does not say when comes after the last all the same.
    let next = scenario.check_now("A", "2").await;
    assert_eq!(next["at"], "2027-01-15T08:05:00.001Z");
}

#[tokio::test]
async fn the_same_check_again_is_answered_as_the_first_time_and_tells_nobody_twice() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.alert(&revenue("A", &["ops"])).await;
    let time = "2027-01-15T08:00:00Z";
    let first = scenario.check_at("A", time, "1").await.created();
    let again = scenario.check_at("A", time, "1").await.created();
    assert_eq!((&again["number"], &again["event"]), (&first["number"], &first["event"]));
    scenario.check_at("A", time, "2").await.problem(409, "check-conflict");
    scenario.check_at("A", "2027-01-15T08:01:00Z", "3").await.created();
    let again = scenario.check_at("A", time, "1").await.created();
    assert_eq!((&again["number"], &again["silence"]), (&first["number"], &first["silence"]));
    scenario.settle().await;
    assert_eq!(told(&webhook), ["triggered 1", "triggered 3"]);
}

#[tokio::test]
async fn twenty_checks_at_once_are_judged_one_after_another() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.alert(&with(revenue("A", &["ops"]), json!({ "cooldown_seconds": 3600 }))).await;
    let checks = (0..20).map(|_| scenario.check_now("A", "1"));
    let checks = futures_util::future::join_all(checks).await;
    let told: Vec<_> = checks.iter().filter(|check| check["silence"].is_null()).collect();
    assert_eq!(told.len(), 1);
    let mut numbers: Vec<_> = checks.iter().map(|check| check["number"].as_i64().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
    scenario.until_messages(&webhook, 1).await;
}

#[tokio::test]
async fn where_the_queue_is_full_a_check_is_refused_and_the_alert_left_as_it_is() {
    let scenario = Scenario::with(|config| config.limits.queue = 1).await;
    scenario.channel("ops").await;
    scenario.alert(&revenue("A", &["ops"])).await;
    scenario.pause("ops").await;
    scenario.publish("ops", "waits").await;
    scenario.try_check("A", &json!({ "values": { "Revenue": "1" } })).await.problem(429, "queue-full");
    assert_eq!(scenario.alert_state("A").await["state"], "pending");
    assert_eq!(silence(&scenario.check_now("A", "20000").await), "rules-not-met");
}

#[tokio::test]
async fn checks_outlive_a_kill_with_the_alerts_state() {
    let mut scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.alert(&with(revenue("A", &["ops"]), json!({ "cooldown_seconds": 3600 }))).await;
    let check = scenario.check_now("A", "1").await;
    scenario.until(&delivery(&check), "delivered").await;
    scenario.kill().await;
    scenario.launch().await;
    scenario.pass(MINUTE);
    assert_eq!(silence(&scenario.check_now("A", "2").await), "cooldown");
    scenario.pass(MINUTE);
    scenario.check_now("A", "20000").await;
    scenario.until_messages(&webhook, 2).await;
    assert_eq!(told(&webhook), ["triggered 1", "resolved"]);
}

#[tokio::test]
async fn checks_are_kept_for_30_days_and_the_last_of_each_alert_always() {
    let scenario = Scenario::start().await;
    scenario.channel("ops").await;
    scenario.alert(&revenue("A", &["ops"])).await;
    for value in ["20001", "20002"] {
        scenario.check_now("A", value).await;
        scenario.pass(MINUTE);
    }
    scenario.pass(31 * super::scenario::DAY);
    super::scenario::eventually("an end of the first check", || async {
        let checks = scenario.list("/v1/alerts/A/checks").await;
        if checks.len() == 1 { Ok(()) } else { Err(json!(checks)) }
    })
    .await;
    assert_eq!(scenario.alert_state("A").await["last_check"]["verdicts"][0]["current"], "20002");
    assert_eq!(silence(&scenario.check_now("A", "20003").await), "rules-not-met");
}

#[tokio::test]
async fn the_history_is_told_page_by_page_the_latest_first() {
    let scenario = Scenario::start().await;
    scenario.channel("ops").await;
    scenario.alert(&revenue("A", &["ops"])).await;
    for value in 20_001..=20_005 {
        scenario.check_now("A", &value.to_string()).await;
        scenario.pass(MINUTE);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = scenario.get(&format!("/v1/alerts/A/checks?limit=2{cursor}")).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(|check| check["number"].as_i64().unwrap()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
}
