//! What people change while messages are on their way: settings, deletion, cancelling, replay; and odd Retry-After.

#[path = "support/scenario/mod.rs"]
mod scenario;

use std::time::Duration;

use pqh_tests::slack_webhook::{Hold, Webhook};
use scenario::{DAY, HOUR, MINUTE, SECOND, Scenario, due_in, event, order, saying, text, throttling};
use serde_json::{Value, json};

/// A message that waits for a minute, since its webhook said so.
async fn waiting(scenario: &Scenario, webhook: &Webhook, alias: &str, title: &str) -> String {
    webhook.next(throttling(Some("60")));
    let id = scenario.publish(alias, title).await;
    scenario.until(&id, "waiting").await;
    id
}

/// A message that failed for this word.
async fn failed(scenario: &Scenario, webhook: &Webhook, alias: &str, title: &str, word: &str) -> String {
    webhook.next(saying(word));
    let id = scenario.publish(alias, title).await;
    scenario.until(&id, "failed").await;
    id
}

#[tokio::test]
async fn each_attempt_uses_the_channels_current_settings_and_a_changed_webhook_takes_along_what_waits() {
    let scenario = Scenario::start().await;
    let before = scenario.channel("sales").await;
    let first = waiting(&scenario, &before, "sales", "first").await;
    let second = scenario.publish("sales", "second").await;
    let after = scenario.webhook();
    scenario.change_webhook("sales", &after).await.ok();
    scenario.pass(MINUTE);
    scenario.until(&first, "delivered").await;
    scenario.until(&second, "delivered").await;
    scenario.until_messages(&before, 0).await;
    scenario.until_messages(&after, 2).await;
}

#[tokio::test]
async fn what_moved_to_another_webhook_keeps_its_pace() {
    let scenario = Scenario::start().await;
    let before = scenario.channel("sales").await;
    let after = scenario.channel("costs").await;
    before.hold(Hold::Requests);
    let titles: Vec<String> = (0..8).map(|number| format!("event-{number}")).collect();
    for title in &titles {
        scenario.publish("sales", title).await;
    }
    // All but the one in flight.
    scenario.change_webhook("sales", &after).await.ok();
    scenario.until_messages(&after, 5).await;
    scenario.pass(SECOND);
    scenario.until_messages(&after, 6).await;
    scenario.pass(SECOND);
    scenario.until_messages(&after, 7).await;
    assert_eq!(order(&after, &titles), titles[1..]);
    before.release();
}

#[tokio::test]
async fn a_message_that_fails_at_a_webhook_that_was_replaced_meanwhile_waits_for_its_turn_at_the_new_one() {
    let scenario = Scenario::start().await;
    let before = scenario.channel("sales").await;
    let after = scenario.channel("costs").await;
    before.hold(Hold::Requests);
    let moved = scenario.publish("sales", "moved").await;
    scenario.until(&moved, "sending").await;
    scenario.change_webhook("sales", &after).await.ok();
    before.set_dead(Some("rollup_error"));
    before.release();
    scenario.until_attempts(&moved, 1).await;
    after.hold(Hold::Requests);
    let first = scenario.publish("costs", "first").await;
    scenario.until(&first, "sending").await;
    scenario.simulator.wait_for_held(1).await;
    let asked = after.requests();
    scenario.pass(MINUTE);
    scenario.settle().await;
    assert_eq!(after.requests(), asked, "one at a time");
    after.release();
    scenario.until(&first, "delivered").await;
    scenario.until(&moved, "delivered").await;
    assert_eq!(order(&after, &["first", "moved"]), ["first", "moved"]);
}

#[tokio::test]
async fn a_webhook_that_was_replaced_while_a_message_was_on_its_way_there_does_not_pause_the_channel() {
    let scenario = Scenario::start().await;
    let before = scenario.channel("sales").await;
    before.hold(Hold::Requests);
    let id = scenario.publish("sales", "Revenue").await;
    scenario.until(&id, "sending").await;
    let after = scenario.webhook();
    scenario.change_webhook("sales", &after).await.ok();
    before.set_dead(Some("no_service"));
    before.release();
    scenario.until(&id, "delivered").await;
    assert_eq!(scenario.channel_state("sales").await["status"], "active");
    scenario.until_messages(&after, 1).await;
}

#[tokio::test]
async fn a_channel_that_is_deleted_while_a_message_fails_cancels_it() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    webhook.hold(Hold::Requests);
    let id = scenario.publish("sales", "Revenue").await;
    scenario.until(&id, "sending").await;
    scenario.delete_channel("sales").await;
    webhook.set_dead(Some("rollup_error"));
    webhook.release();
    scenario.until(&id, "cancelled").await;
}

#[tokio::test]
async fn deleting_a_channel_cancels_what_waits_and_leaves_what_was() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    let done = scenario.publish("sales", "done").await;
    scenario.until(&done, "delivered").await;
    let waits = waiting(&scenario, &webhook, "sales", "waits").await;
    let queued = scenario.publish("sales", "queued").await;
    scenario.delete_channel("sales").await;
    for id in [&waits, &queued] {
        let cancelled = scenario.until(id, "cancelled").await;
        assert!(!cancelled["ended_at"].is_null());
        scenario.act(&format!("/v1/deliveries/{id}/replay")).await.problem(409, "not-replayable");
    }
    assert_eq!(scenario.delivery(&done).await["status"], "delivered");
    scenario.pass(DAY);
    scenario.until_messages(&webhook, 1).await;
    // Its name is free again, and what was goes with the old one.
    let other = scenario.channel("sales").await;
    scenario.until_messages(&other, 0).await;
}

#[tokio::test]
async fn what_is_held_is_cancelled_with_its_channel() {
    let scenario = Scenario::start().await;
    scenario.channel("sales").await;
    scenario.pause("sales").await;
    let id = scenario.publish("sales", "held").await;
    scenario.delete_channel("sales").await;
    let cancelled = scenario.until(&id, "cancelled").await;
    assert!(cancelled["held"].is_null());
}

#[tokio::test]
async fn what_waits_or_is_held_can_be_cancelled_and_what_is_being_sent_or_has_ended_cannot() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    let cancel = async |id: &str| scenario.act(&format!("/v1/deliveries/{id}/cancel")).await;
    let waits = waiting(&scenario, &webhook, "sales", "waits").await;
    assert_eq!(cancel(&waits).await.ok()["status"], "cancelled");
    cancel(&waits).await.problem(409, "already-ended");
    scenario.pause("sales").await;
    let held = scenario.publish("sales", "held").await;
    assert_eq!(cancel(&held).await.ok()["status"], "cancelled");
    scenario.resume("sales").await;
    webhook.hold(Hold::Requests);
    scenario.pass(MINUTE);
    let sending = scenario.publish("sales", "sending").await;
    scenario.until(&sending, "sending").await;
    cancel(&sending).await.problem(409, "being-sent");
    webhook.release();
    scenario.until(&sending, "delivered").await;
    cancel(&sending).await.problem(409, "already-ended");
    scenario.until_messages(&webhook, 1).await;
    let missing = "01900000-0000-7000-8000-000000000000";
    cancel(missing).await.problem(404, "not-found");
}

#[tokio::test]
async fn a_failed_or_cancelled_delivery_can_be_replayed_and_no_other() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    let replay = async |id: &str| scenario.act(&format!("/v1/deliveries/{id}/replay")).await;
    let rejected = failed(&scenario, &webhook, "sales", "rejected", "user_not_found").await;
    let replayed = replay(&rejected).await.created();
    assert_eq!((&replayed["cause"], &replayed["ended_at"]), (&Value::Null, &Value::Null));
    let delivered = scenario.until(&rejected, "delivered").await;
    assert_eq!(delivered["attempts"].as_array().map(Vec::len), Some(2), "earlier attempts are kept");
    replay(&rejected).await.problem(409, "not-replayable");
    scenario.pause("sales").await;
    let held = scenario.publish("sales", "held").await;
    replay(&held).await.problem(409, "not-replayable");
    scenario.act(&format!("/v1/deliveries/{held}/cancel")).await.ok();
    scenario.resume("sales").await;
    replay(&held).await.created();
    scenario.until(&held, "delivered").await;
    scenario.until_messages(&webhook, 2).await;
}

#[tokio::test]
async fn failed_deliveries_are_replayed_by_channel_code_and_time_in_their_old_order() {
    let scenario = Scenario::start().await;
    let (sales, costs) = (scenario.channel("sales").await, scenario.channel("costs").await);
    let replay = async |which: Value| {
        let replayed = scenario.post("/v1/deliveries/replay", &which).await.created();
        replayed["replayed"].as_u64().expect("a number")
    };
    let old = failed(&scenario, &sales, "sales", "old", "user_not_found").await;
    scenario.pass(HOUR);
    let since = scenario.now();
    let other = failed(&scenario, &sales, "sales", "other word", "invalid_payload").await;
    let young = failed(&scenario, &sales, "sales", "young", "user_not_found").await;
    let elsewhere = failed(&scenario, &costs, "costs", "elsewhere", "user_not_found").await;
    let at = jiff::Timestamp::from_millisecond(since).expect("a time").to_string();
    assert_eq!(replay(json!({ "channel": "sales", "code": "user_not_found", "since": at })).await, 1);
    scenario.until(&young, "delivered").await;
    assert_eq!(replay(json!({ "code": "user_not_found" })).await, 2);
    scenario.until(&old, "delivered").await;
    scenario.until(&elsewhere, "delivered").await;
    assert_eq!(replay(json!({ "channel": "sales" })).await, 1);
    scenario.until(&other, "delivered").await;
    assert_eq!(replay(json!({ "since": at })).await, 0, "nothing failed is left");
    scenario.post("/v1/deliveries/replay", &json!({})).await.problem(422, "bad-request");
    scenario.pass(HOUR);
    let titles = ["alpha", "beta", "gamma"];
    for title in titles {
        failed(&scenario, &costs, "costs", title, "invalid_payload").await;
    }
    let before = costs.messages().len();
    assert_eq!(replay(json!({ "code": "invalid_payload" })).await, 3);
    scenario.pass(MINUTE);
    scenario.until_messages(&costs, before + 3).await;
    assert_eq!(order(&costs, &titles)[before..], titles);
}

#[tokio::test]
async fn a_replay_reaches_a_paused_channel_when_it_is_resumed() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    let id = failed(&scenario, &webhook, "sales", "rejected", "user_not_found").await;
    scenario.pause("sales").await;
    scenario.act(&format!("/v1/deliveries/{id}/replay")).await.created();
    scenario.until(&id, "held").await;
    scenario.resume("sales").await;
    scenario.until(&id, "delivered").await;
}

#[tokio::test]
async fn people_of_another_organization_can_do_nothing_to_a_delivery() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    let id = waiting(&scenario, &webhook, "sales", "waits").await;
    let (_, other) = scenario.make_organization("Other").await;
    for word in ["cancel", "replay"] {
        scenario.post_as(&other, &format!("/v1/deliveries/{id}/{word}"), &json!({})).await.problem(404, "not-found");
    }
    assert_eq!(scenario.delivery(&id).await["status"], "waiting");
    let mine = scenario.post_event(&["sales"], &event("mine")).await.created();
    let path = format!("/v1/events/{}", text(&mine["id"]));
    scenario.ask(reqwest::Method::GET, &path, &other, None).await.problem(404, "not-found");
}

#[tokio::test]
async fn retry_after_may_be_missing_zero_negative_a_date_nan_or_a_year_and_is_kept_between_1_s_and_1_h() {
    let date = |after: Duration| {
        let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
        printer.timestamp_to_rfc9110_string(&(jiff::Timestamp::now() + after)).expect("a date")
    };
    let ms = Duration::from_millis;
    let rows: [(Option<String>, Duration, Duration); 11] = [
        // Without a time to go by, the first backoff.
        (None, ms(0), SECOND),
        (Some("-5".to_owned()), ms(0), SECOND),
        (Some("NaN".to_owned()), ms(0), SECOND),
        (Some("soon".to_owned()), ms(0), SECOND),
        (Some("0".to_owned()), SECOND, SECOND),
        (Some("1.5".to_owned()), ms(1_500), ms(1_500)),
        (Some("90".to_owned()), 90 * SECOND, 90 * SECOND),
        (Some("31536000".to_owned()), HOUR, HOUR),
        (Some(date(100 * SECOND)), 30 * SECOND, 100 * SECOND),
        (Some(date(365 * DAY)), HOUR, HOUR),
        (Some("Thu, 01 Jan 1970 00:00:00 GMT".to_owned()), SECOND, SECOND),
    ];
    let scenario = Scenario::start().await;
    for (number, (value, least, most)) in rows.into_iter().enumerate() {
        let alias = format!("channel-{number}");
        let webhook = scenario.channel(&alias).await;
        webhook.next(throttling(value.as_deref()));
        let id = scenario.publish(&alias, "Revenue").await;
        let waiting = scenario.until_attempts(&id, 1).await;
        // A backoff may be over at once.
        if waiting["status"] == "waiting" {
            let wait = due_in(&waiting, scenario.now());
            assert!((least..=most).contains(&wait), "{value:?}: {wait:?}");
        }
        assert_eq!(waiting["attempts"][0]["failure"]["kind"], "throttled", "{value:?}");
    }
}
