//! "Alert not triggering": one call says why.

use serde_json::{Value, json};

use super::scenario::{MINUTE, Scenario, saying};
use super::world::{delivery, revenue, with};

fn codes(alert: &Value) -> Vec<&str> {
    alert["why"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}

#[track_caller]
fn assert_says(alert: &Value, code: &str, words: &str) {
    let finding = alert["why"].as_array().unwrap().iter().find(|finding| finding["code"] == code);
    let finding = finding.unwrap_or_else(|| panic!("no {code}: {:#}", alert["why"]));
    let text = format!("{} {}", finding["message"], finding["remedy"]);
    assert!(text.contains(words), "expected {words:?}: {finding:#}");
}

#[tokio::test]
async fn each_reason_why_nobody_is_told_is_named_with_what_to_do() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.alert(&with(revenue("A", &["ops"]), json!({ "cooldown_seconds": 3600 }))).await;
    assert_eq!(codes(&scenario.alert_state("A").await), ["no-checks"]);
    scenario.check_now("A", "12000").await;
    let alert = scenario.alert_state("A").await;
    assert_eq!(codes(&alert), ["rules-not-met", "rule-holds"]);
    assert_says(&alert, "rule-holds", "Revenue < 10000 is not broken: the value was 12000");
    scenario.pass(MINUTE);
    let told = delivery(&scenario.check_now("A", "1").await);
    scenario.until(&told, "delivered").await;
    assert_eq!(codes(&scenario.alert_state("A").await), ["told", "rule-broken", "delivered"]);
    scenario.pass(MINUTE);
    scenario.check_now("A", "2").await;
    assert_says(&scenario.alert_state("A").await, "cooldown", "2027-01-15T09:01:00.000Z");
    scenario.act("/v1/alerts/A/mute").await.ok();
    assert_says(&scenario.alert_state("A").await, "muted-now", "unmute");
    scenario.post("/v1/alerts/A/mute", &json!({ "muted": false })).await.ok();
    webhook.set_dead(Some("no_service"));
    webhook.next(saying("no_service"));
    scenario.pass(60 * MINUTE);
    let third = delivery(&scenario.check_now("A", "3").await);
    scenario.until_paused("ops").await;
    scenario.until(&third, "held").await;
    let alert = scenario.alert_state("A").await;
    assert_says(&alert, "channel-paused-now", "webhook");
    assert_says(&alert, "delivery-held", "channel-paused");
    scenario.pass(120 * MINUTE);
    scenario.check_now("A", "4").await;
    assert_says(&scenario.alert_state("A").await, "channel-paused", "paused");
    scenario.set_plan("free").await;
    assert!(codes(&scenario.alert_state("A").await).contains(&"channel-paused-now"));
}

#[tokio::test]
async fn without_a_paid_plan_checks_are_judged_and_what_they_tell_waits_for_the_plan() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.alert(&revenue("A", &["ops"])).await;
    scenario.set_plan("free").await;
    let check = scenario.check_now("A", "1").await;
    assert_eq!(check["silence"]["code"], "plan");
    assert_says(&scenario.alert_state("A").await, "plan-now", "paid plan");
    scenario.settle().await;
    assert!(webhook.messages().is_empty());
    scenario.set_plan("paid").await;
    scenario.until(&delivery(&check), "delivered").await;
}
