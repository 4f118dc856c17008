//! Quiet hours: what is not critical waits until they end.

use serde_json::json;

use super::scenario::{HOUR, MINUTE, MOMENT, almost, text};
use super::world::{delivery, revenue, scenario_at, seen, silence, told, with};

/// 23:00 in Berlin on a Thursday.
const NIGHT: &str = "2027-01-14T22:00:00Z";

#[tokio::test]
async fn what_is_not_critical_waits_until_the_quiet_ends_and_goes_out_as_a_digest() {
    let scenario = scenario_at(NIGHT).await;
    let webhook = scenario.channel("ops").await;
    scenario.quiet("ops", &json!([{ "from": "22:00", "to": "07:00", "time_zone": "Europe/Berlin" }])).await;
    for name in ["A", "B"] {
        scenario.alert(&revenue(name, &["ops"])).await;
    }
    let check = scenario.check_now("A", "1").await;
    assert_eq!(silence(&check), "quiet-hours");
    let waits = scenario.delivery(&delivery(&check)).await;
    assert_eq!((&waits["status"], &waits["quiet_until"]), (&json!("waiting"), &json!("2027-01-15T06:00:00.000Z")));
    scenario.check_now("B", "2").await;
    let other = scenario.publish("ops", "Notebook").await;
    scenario.pass(almost(8 * HOUR));
    scenario.settle().await;
    assert!(webhook.messages().is_empty());
    scenario.pass(MOMENT);
    scenario.until(&other, "folded").await;
    scenario.until_messages(&webhook, 1).await;
    let seen = seen(&webhook).remove(0);
    assert!(["Digest: 3", "A", "B", "Notebook"].iter().all(|part| seen.contains(part)), "{seen}");
}

#[tokio::test]
async fn a_critical_alert_and_its_resolution_do_not_wait() {
    let scenario = scenario_at(NIGHT).await;
    let webhook = scenario.channel("ops").await;
    scenario.quiet("ops", &json!([{ "from": "22:00", "to": "07:00", "time_zone": "Europe/Berlin" }])).await;
    scenario.alert(&with(revenue("A", &["ops"]), json!({ "severity": "critical" }))).await;
    scenario.check_now("A", "1").await;
    scenario.pass(MINUTE);
    scenario.check_now("A", "20000").await;
    scenario.until_messages(&webhook, 2).await;
    assert_eq!(told(&webhook), ["triggered 1", "resolved"]);
}

#[tokio::test]
async fn what_began_and_ended_in_the_quiet_is_one_message_after_it() {
    let scenario = scenario_at(NIGHT).await;
    let webhook = scenario.channel("ops").await;
    scenario.quiet("ops", &json!([{ "from": "22:00", "to": "07:00", "time_zone": "Europe/Berlin" }])).await;
    scenario.alert(&revenue("A", &["ops"])).await;
    let trigger = delivery(&scenario.check_now("A", "1").await);
    scenario.pass(HOUR);
    let resolution = delivery(&scenario.check_now("A", "20000").await);
    assert_eq!(text(&scenario.delivery(&trigger).await["folded_into"]), resolution);
    scenario.pass(7 * HOUR);
    scenario.until(&resolution, "delivered").await;
    scenario.until_messages(&webhook, 1).await;
    assert_eq!(told(&webhook), ["resolved"]);
}

#[tokio::test]
async fn an_alert_that_turns_critical_in_the_quiet_takes_along_what_waits_of_it() {
    let scenario = scenario_at(NIGHT).await;
    let webhook = scenario.channel("ops").await;
    scenario.quiet("ops", &json!([{ "from": "22:00", "to": "07:00", "time_zone": "Europe/Berlin" }])).await;
    scenario.alert(&revenue("A", &["ops"])).await;
    scenario.check_now("A", "1").await;
    scenario.change_alert("A", &json!({ "severity": "critical" })).await;
    scenario.pass(MINUTE);
    scenario.check_now("A", "2").await;
    scenario.until_messages(&webhook, 2).await;
    assert_eq!(told(&webhook), ["triggered 1", "triggered 2"]);
}

#[tokio::test]
async fn what_is_tried_again_in_the_quiet_waits_too_and_a_test_does_not() {
    let scenario = scenario_at("2027-01-14T20:59:59Z").await;
    let webhook = scenario.channel("ops").await;
    scenario.quiet("ops", &json!([{ "from": "22:00", "to": "07:00", "time_zone": "Europe/Berlin" }])).await;
    webhook.next(super::scenario::throttling(Some("60")));
    let id = scenario.publish("ops", "Late").await;
    scenario.until_attempts(&id, 1).await;
    scenario.pass(2 * MINUTE);
    super::scenario::eventually("a wait for the end of the quiet", || async {
        let delivery = scenario.delivery(&id).await;
        if delivery["quiet_until"] == "2027-01-15T06:00:00.000Z" { Ok(()) } else { Err(delivery) }
    })
    .await;
    scenario.act("/v1/channels/ops/test").await.created();
    scenario.until_messages(&webhook, 1).await;
    assert!(seen(&webhook)[0].contains("Test Message"));
    scenario.pass(10 * HOUR);
    scenario.until(&id, "delivered").await;
}

#[tokio::test]
async fn quiet_hours_that_are_taken_away_let_go_what_waits() {
    let scenario = scenario_at(NIGHT).await;
    let webhook = scenario.channel("ops").await;
    scenario.quiet("ops", &json!([{ "from": "22:00", "to": "07:00", "time_zone": "Europe/Berlin" }])).await;
    let id = scenario.publish("ops", "Waits").await;
    scenario.settle().await;
    assert!(webhook.messages().is_empty());
    scenario.quiet("ops", &json!([])).await;
    scenario.until(&id, "delivered").await;
}

#[tokio::test]
async fn quiet_hours_outlive_a_restart_and_days_are_those_on_which_they_start() {
    let mut scenario = scenario_at("2027-01-16T02:00:00Z").await;
    let webhook = scenario.channel("ops").await;
    // Saturday, 2 in the morning: the quiet that Friday began, and none of Saturday's.
    scenario.quiet("ops", &json!([{ "days": ["fri"], "from": "22:00", "to": "07:00" }])).await;
    let id = scenario.publish("ops", "Waits").await;
    scenario.restart().await;
    scenario.settle().await;
    assert!(webhook.messages().is_empty());
    scenario.pass(5 * HOUR);
    scenario.until(&id, "delivered").await;
    scenario.pass(18 * HOUR);
    let next = scenario.publish("ops", "Saturday night").await;
    scenario.until(&next, "delivered").await;
}

#[tokio::test]
async fn a_channel_that_resumes_in_the_quiet_waits_on() {
    let scenario = scenario_at(NIGHT).await;
    let webhook = scenario.channel("ops").await;
    scenario.quiet("ops", &json!([{ "from": "22:00", "to": "07:00", "time_zone": "Europe/Berlin" }])).await;
    scenario.pause("ops").await;
    let id = scenario.publish("ops", "Waits").await;
    scenario.pass(HOUR);
    scenario.resume("ops").await;
    scenario.settle().await;
    assert!(webhook.messages().is_empty());
    scenario.pass(7 * HOUR);
    scenario.until(&id, "delivered").await;
}

#[tokio::test]
async fn quiet_hours_that_make_no_sense_are_refused_and_say_where() {
    let scenario = scenario_at(NIGHT).await;
    scenario.channel("ops").await;
    for (hours, place) in [
        (json!([{ "from": "25:00", "to": "07:00" }]), "quiet_hours[0].from"),
        (json!([{ "from": "22:00", "to": "07:00", "time_zone": "Mars/Olympus" }]), "quiet_hours[0].time_zone"),
        (json!([{ "from": "00:00", "to": "24:00" }]), "quiet_hours"),
    ] {
        let answer = scenario.patch("/v1/channels/ops", &json!({ "quiet_hours": hours })).await;
        assert_eq!(answer.problem(422, "bad-value")["field"], place);
    }
}
