//! What becomes of a delivery by the kind of its failure: each row of the table of failure kinds.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

#[path = "support/scenario/mod.rs"]
mod scenario;

use std::time::Duration;

use pqh_tests::slack_webhook::{Hold, Misbehaviour};
use scenario::{
    DAY, HOUR, MINUTE, MOMENT, SECOND, Scenario, almost, attempts, due_in, millis, order, saying, text, throttling,
};

/// The longest wait of a backoff.
const LONGEST: Duration = Duration::from_mins(10);

/// Backoffs that are too long to be over at once, whatever the jitter.
async fn with_long_backoff() -> Scenario {
    Scenario::with(|config| config.retry.first = LONGEST).await
}

#[tokio::test]
async fn a_throttled_message_waits_as_long_as_the_service_asked_and_the_attempt_is_not_counted() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    webhook.next(throttling(Some("30")));
    let id = scenario.publish("sales", "Revenue").await;
    let waiting = scenario.until(&id, "waiting").await;
    assert_eq!(due_in(&waiting, scenario.now()), 30 * SECOND);
    assert_eq!((&waiting["attempt_count"], &waiting["cause"]["kind"]), (&0.into(), &"throttled".into()));
    scenario.pass(almost(30 * SECOND));
    scenario.settle().await;
    assert_eq!(scenario.delivery(&id).await["status"], "waiting");
    scenario.pass(MOMENT);
    let delivered = scenario.until(&id, "delivered").await;
    assert_eq!((&delivered["attempt_count"], attempts(&delivered).len()), (&1.into(), 2));
    assert_eq!(webhook.messages().len(), 1);
}

#[tokio::test]
async fn the_whole_target_waits_with_a_throttled_message() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    // Another channel that leads to the same.
    scenario.channel_to("sales-too", &webhook).await;
    webhook.next(throttling(Some("30")));
    let first = scenario.publish("sales", "first").await;
    scenario.until(&first, "waiting").await;
    let asked = webhook.requests();
    let second = scenario.publish("sales", "second").await;
    let third = scenario.publish("sales-too", "third").await;
    scenario.pass(almost(30 * SECOND));
    scenario.settle().await;
    assert_eq!(webhook.requests(), asked);
    scenario.pass(MOMENT);
    for id in [&first, &second, &third] {
        scenario.until(id, "delivered").await;
    }
    assert_eq!(order(&webhook, &["first", "second", "third"]), ["first", "second", "third"]);
}

#[tokio::test]
async fn a_throttled_message_waits_for_the_backoff_where_the_service_names_no_time() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    for _ in 0..20 {
        webhook.next(throttling(None));
    }
    let id = scenario.publish("sales", "Revenue").await;
    for attempt in 1..=20 {
        let delivery = scenario.until_attempts(&id, attempt).await;
        assert_eq!(delivery["attempt_count"], 0);
        scenario.pass_until_due(&id).await;
    }
    let delivered = scenario.until(&id, "delivered").await;
    assert_backoff(attempts(&delivered));
}

#[tokio::test]
async fn throttled_time_counts_into_the_24_hours() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    webhook.limit(0, 3_600);
    let id = scenario.publish("sales", "Revenue").await;
    for attempt in 1..=24 {
        let delivery = scenario.until_attempts(&id, attempt).await;
        assert_eq!(delivery["status"], "waiting", "{delivery:#}");
        scenario.pass(HOUR);
    }
    let failed = scenario.until(&id, "failed").await;
    assert_eq!(failed["cause"]["kind"], "throttled");
}

/// Each wait is at most the backoff's.
#[track_caller]
fn assert_backoff(attempts: &[serde_json::Value]) {
    let times: Vec<i64> = attempts.iter().map(|attempt| millis(&attempt["started_at"])).collect();
    for (past, pair) in times.windows(2).enumerate() {
        let wait = Duration::from_millis(u64::try_from(pair[1] - pair[0]).unwrap());
        let longest = (SECOND * (1 << past.min(20))).min(LONGEST);
        assert!(wait <= longest, "{wait:?} after attempt {}", past + 1);
    }
}

#[tokio::test]
async fn an_unavailable_service_is_tried_again_by_a_backoff_of_at_most_10_min_for_24_hours_and_then_the_message_fails()
{
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    webhook.set_dead(Some("rollup_error"));
    let id = scenario.publish("sales", "Revenue").await;
    let failed = loop {
        let delivery = scenario.until_attempts(&id, 1).await;
        if delivery["status"] == "failed" {
            break delivery;
        }
        scenario.pass_until(millis(&delivery["due_at"]));
    };
    let tried = attempts(&failed);
    assert_backoff(tried);
    assert_eq!(failed["attempt_count"], tried.len());
    assert_eq!(failed["cause"]["kind"], "unavailable");
    let lasted = millis(&failed["ended_at"]) - scenario::START;
    let lasted = Duration::from_millis(u64::try_from(lasted).unwrap());
    assert!(lasted <= DAY && lasted >= DAY.saturating_sub(LONGEST), "{lasted:?}");
    // It is kept whole, and can be replayed.
    webhook.set_dead(None);
    scenario.act(&format!("/v1/deliveries/{id}/replay")).await.created();
    scenario.pass(LONGEST);
    scenario.until(&id, "delivered").await;
}

#[tokio::test]
async fn after_a_failure_the_whole_target_backs_off_and_only_its_next_message_tries() {
    let scenario = with_long_backoff().await;
    let webhook = scenario.channel("sales").await;
    webhook.set_dead(Some("rollup_error"));
    let first = scenario.publish("sales", "first").await;
    let waiting = scenario.until(&first, "waiting").await;
    for title in ["second", "third"] {
        scenario.publish("sales", title).await;
    }
    let asked = webhook.requests();
    scenario.settle().await;
    assert_eq!(webhook.requests(), asked, "nothing is sent before the backoff is over");
    scenario.pass_until(millis(&waiting["due_at"]));
    scenario.until_attempts(&first, 2).await;
    scenario.settle().await;
    assert_eq!(webhook.requests(), asked + 1, "one alone tries");
    webhook.set_dead(None);
    scenario.pass_until_due(&first).await;
    scenario.until(&first, "delivered").await;
    // What waited behind it goes out by itself within a minute, together after that.
    scenario.settle().await;
    let messages: Vec<String> = webhook.messages().iter().map(ToString::to_string).collect();
    assert!(messages[0].contains("first"), "{messages:#?}");
    let behind = messages[1..].concat();
    assert!(behind.contains("second") && behind.find("second") < behind.find("third"), "{messages:#?}");
}

#[tokio::test]
async fn an_unknown_outcome_is_tried_again_after_1_min_10_min_and_1_h_each_marked_and_then_failed() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    let id = {
        webhook.next(Misbehaviour::CloseBeforeAnswer);
        scenario.publish("sales", "Revenue").await
    };
    for (attempt, wait) in [(1, MINUTE), (2, 10 * MINUTE), (3, HOUR)] {
        let waiting = scenario.until_attempts(&id, attempt).await;
        assert_eq!((&waiting["status"], &waiting["possible_repeat"]), (&"waiting".into(), &true.into()), "{waiting:#}");
        assert_eq!(due_in(&waiting, scenario.now()), wait);
        webhook.next(Misbehaviour::CloseInBody);
        scenario.pass(almost(wait));
        scenario.settle().await;
        assert_eq!(attempts(&scenario.delivery(&id).await).len(), attempt);
        scenario.pass(MOMENT);
    }
    let failed = scenario.until(&id, "failed").await;
    assert_eq!((&failed["attempt_count"], &failed["cause"]["kind"]), (&4.into(), &"unknown-outcome".into()));
    assert_eq!(failed["possible_repeat"], true);
    scenario.pass(DAY);
    scenario.settle().await;
    assert_eq!(scenario.delivery(&id).await["status"], "failed");
}

#[tokio::test]
async fn what_is_delivered_after_an_unknown_outcome_stays_marked() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    let id = {
        webhook.next(Misbehaviour::CloseBeforeAnswer);
        scenario.publish("sales", "Revenue").await
    };
    scenario.until(&id, "waiting").await;
    scenario.pass(MINUTE);
    assert_eq!(scenario.until(&id, "delivered").await["possible_repeat"], true);
    let certain = scenario.publish("sales", "Costs").await;
    assert_eq!(scenario.until(&certain, "delivered").await["possible_repeat"], false);
}

#[tokio::test]
async fn after_an_unknown_outcome_the_target_backs_off_and_what_waits_behind_does_not_wait_as_long() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    webhook.next(Misbehaviour::CloseBeforeAnswer);
    let first = scenario.publish("sales", "first").await;
    scenario.until(&first, "waiting").await;
    let second = scenario.publish("sales", "second").await;
    // The first backoff.
    scenario.pass(SECOND);
    scenario.until(&second, "delivered").await;
    assert_eq!(scenario.delivery(&first).await["status"], "waiting");
}

#[tokio::test]
async fn a_lease_that_ended_without_an_outcome_counts_apart_at_most_10_times() {
    let mut scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    webhook.hold(Hold::Requests);
    let id = scenario.publish("sales", "Revenue").await;
    for lost in 0..=10 {
        let sending = scenario.until(&id, "sending").await;
        assert_eq!((attempts(&sending).len(), &sending["attempt_count"]), (lost, &0.into()));
        assert!(attempts(&sending).iter().all(|attempt| attempt["outcome"] == "lost"), "{sending:#}");
        assert_eq!(sending["possible_repeat"], lost > 0);
        scenario.kill().await;
        // Lost ones take their turn at the target's pace, too.
        scenario.pass(SECOND);
        scenario.launch().await;
    }
    let failed = scenario.until(&id, "failed").await;
    assert_eq!((attempts(&failed).len(), &failed["attempt_count"]), (11, &0.into()));
    assert_eq!((&failed["cause"]["kind"], &failed["possible_repeat"]), (&"unknown-outcome".into(), &true.into()));
}

#[tokio::test]
async fn what_was_in_flight_when_the_service_ended_is_sent_again_marked() {
    let mut scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    // People see the message, and the service does not learn of it.
    webhook.hold(Hold::Answers);
    let id = scenario.publish("sales", "Revenue").await;
    webhook.wait_for(1).await;
    scenario.kill().await;
    webhook.release();
    scenario.launch().await;
    let delivered = scenario.until(&id, "delivered").await;
    assert_eq!((&delivered["possible_repeat"], webhook.messages().len()), (&true.into(), 2));
}

#[tokio::test]
async fn a_rejected_message_fails_at_once_and_the_next_one_goes_on() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    webhook.next(saying("user_not_found"));
    let id = scenario.publish("sales", "Revenue").await;
    let failed = scenario.until(&id, "failed").await;
    assert_eq!((&failed["cause"]["kind"], &failed["cause"]["code"]), (&"rejected".into(), &"user_not_found".into()));
    assert_eq!((&failed["attempt_count"], millis(&failed["ended_at"])), (&1.into(), scenario.now()));
    let next = scenario.publish("sales", "Costs").await;
    scenario.until(&next, "delivered").await;
    assert_eq!(scenario.channel_state("sales").await["status"], "active");
}

#[tokio::test]
async fn administrators_are_told_of_rejected_messages_at_most_once_per_channel_and_hour() {
    let scenario = Scenario::start().await;
    let (sales, costs) = (scenario.channel("sales").await, scenario.channel("costs").await);
    let ops = scenario.channel("ops").await;
    scenario.notify(&["ops"]).await;
    let reject = async |alias: &str, title: &str| {
        (if alias == "sales" { &sales } else { &costs }).next(saying("user_not_found"));
        let id = scenario.publish(alias, title).await;
        scenario.until(&id, "failed").await;
    };
    reject("sales", "first").await;
    let notices = scenario.until_notices(&ops, 1).await;
    assert!(notices[0].contains("sales") && notices[0].contains("user_not_found"), "{notices:?}");
    reject("sales", "second").await;
    scenario.until_notices(&ops, 1).await;
    // Each channel by itself.
    reject("costs", "third").await;
    scenario.until_notices(&ops, 2).await;
    scenario.pass(almost(HOUR));
    reject("sales", "fourth").await;
    scenario.until_notices(&ops, 2).await;
    scenario.pass(MOMENT);
    reject("sales", "fifth").await;
    scenario.until_notices(&ops, 3).await;
}

/// The service says this word of its channel, to a message and to a check.
async fn is_paused_by(word: &'static str, kind: &str) {
    let scenario = Scenario::start().await;
    let (webhook, ops) = (scenario.channel("sales").await, scenario.channel("ops").await);
    scenario.notify(&["ops"]).await;
    webhook.set_dead(Some(word));
    let this = scenario.publish("sales", "this").await;
    let held = scenario.until(&this, "held").await;
    assert_eq!(held["held"]["reason"], "channel-paused");
    let channel = scenario.channel_state("sales").await;
    let paused = &channel["paused"];
    assert_eq!((&channel["status"], &channel["held_reason"]), (&"paused".into(), &"channel-paused".into()));
    assert_eq!((&paused["by"], &paused["kind"], &paused["code"]), (&"service".into(), &kind.into(), &word.into()));
    assert!(!text(&paused["message"]).is_empty() && !text(&paused["remedy"]).is_empty(), "{paused:#}");
    // Later ones are held without being tried.
    let asked = webhook.requests();
    let later = scenario.publish("sales", "later").await;
    scenario.until(&later, "held").await;
    let notices = scenario.until_notices(&ops, 1).await;
    assert!(notices[0].contains("sales") && notices[0].contains(word), "{notices:?}");
    assert_eq!(webhook.requests(), asked);
    assert!(attempts(&scenario.delivery(&later).await).is_empty());
}

#[tokio::test]
async fn an_unreachable_channel_is_paused_with_the_reason_this_and_later_messages_are_held_and_administrators_told() {
    is_paused_by("channel_is_archived", "unreachable").await;
}

#[tokio::test]
async fn an_unauthorized_channel_is_paused_with_the_reason_this_and_later_messages_are_held_and_administrators_told() {
    is_paused_by("no_service", "unauthorized").await;
}
