//! When a channel is paused, when not, how it resumes, and who is told.

#[path = "support/scenario/mod.rs"]
mod scenario;

use std::time::Duration;

use scenario::{DAY, SECOND, Scenario, answering, attempts, due_in, eventually, saying};
use serde_json::{Value, json};

/// Of the first backoff.
const FIRST: Duration = SECOND;

/// A channel whose webhook says `word` to everything, paused for it. One message is held.
async fn paused(scenario: &Scenario, alias: &str, word: &'static str) -> (pqh_tests::slack_webhook::Webhook, String) {
    let webhook = scenario.channel(alias).await;
    webhook.set_dead(Some(word));
    let id = scenario.publish(alias, "held").await;
    scenario.until(&id, "held").await;
    scenario.until_paused(alias).await;
    (webhook, id)
}

#[tokio::test]
async fn a_bare_status_pauses_nothing() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    for status in [403, 404, 410] {
        for body in ["", "<html>gone</html>", "no_such_word"] {
            webhook.next(answering(status, body));
            let id = scenario.publish("sales", "Revenue").await;
            let failed = scenario.until(&id, "failed").await;
            assert_eq!(failed["cause"]["kind"], "rejected", "{status} {body:?}");
            assert_eq!(scenario.channel_state("sales").await["status"], "active", "{status} {body:?}");
            scenario.pass(SECOND);
        }
    }
}

#[tokio::test]
async fn the_exact_word_pauses_whatever_status_it_comes_with() {
    for status in [200, 400, 403, 404, 410] {
        let scenario = Scenario::start().await;
        let webhook = scenario.channel("sales").await;
        webhook.next(answering(status, "channel_is_archived"));
        // The check.
        webhook.next(answering(status, "channel_is_archived"));
        let id = scenario.publish("sales", "Revenue").await;
        scenario.until(&id, "held").await;
        assert_eq!(scenario.channel_state("sales").await["paused"]["code"], "channel_is_archived", "{status}");
    }
}

#[tokio::test]
async fn one_check_confirms_the_word() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    let asked = webhook.requests();
    webhook.set_dead(Some("no_service"));
    let id = scenario.publish("sales", "Revenue").await;
    let held = scenario.until(&id, "held").await;
    assert_eq!((attempts(&held).len(), webhook.requests() - asked), (1, 2), "a message and a check");
}

#[tokio::test]
async fn where_the_check_succeeds_the_message_is_tried_again_as_unavailable() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    webhook.next(saying("no_service"));
    let id = scenario.publish("sales", "Revenue").await;
    let waiting = scenario.until_attempts(&id, 1).await;
    assert_eq!((&waiting["status"], &waiting["attempt_count"]), (&"waiting".into(), &1.into()), "{waiting:#}");
    assert!(due_in(&waiting, scenario.now()) <= FIRST);
    assert_eq!(scenario.channel_state("sales").await["status"], "active");
    scenario.pass(FIRST);
    scenario.until(&id, "delivered").await;
}

/// The webhook says one word to each attempt in turn, and lives when it is checked.
async fn said_in_turn(words: &[&str]) -> (Scenario, Value) {
    // No attempt before the next word is laid down.
    let scenario = Scenario::with(|config| config.retry.first = config.retry.longest).await;
    let webhook = scenario.channel("sales").await;
    let mut id = String::new();
    let mut delivery = Value::Null;
    for (attempt, word) in words.iter().enumerate() {
        webhook.next(saying(word));
        if attempt == 0 {
            id = scenario.publish("sales", "Revenue").await;
        } else {
            scenario.pass_until_due(&id).await;
        }
        delivery = scenario.until_attempts(&id, attempt + 1).await;
    }
    (scenario, delivery)
}

#[tokio::test]
async fn the_same_word_three_times_in_a_row_pauses_whatever_checks_say() {
    let (scenario, twice) = said_in_turn(&["no_service", "no_service"]).await;
    assert_eq!(twice["status"], "waiting", "{twice:#}");
    assert_eq!(scenario.channel_state("sales").await["status"], "active");
    let (scenario, thrice) = said_in_turn(&["no_service", "no_service", "no_service"]).await;
    assert_eq!(thrice["status"], "held", "{thrice:#}");
    assert_eq!(scenario.channel_state("sales").await["paused"]["code"], "no_service");
}

#[tokio::test]
async fn another_word_or_another_failure_between_breaks_the_row() {
    for between in ["channel_is_archived", "rollup_error"] {
        let (scenario, delivery) =
            said_in_turn(&["no_service", "no_service", between, "no_service", "no_service"]).await;
        assert_eq!(delivery["status"], "waiting", "{delivery:#}");
        assert_eq!(scenario.channel_state("sales").await["status"], "active", "{between}");
    }
}

#[tokio::test]
async fn a_word_is_counted_across_a_restart() {
    let (mut scenario, delivery) = said_in_turn(&["no_service", "no_service"]).await;
    let webhook = scenario.simulator.webhooks().pop().expect("the channel's");
    let id = scenario::text(&delivery["id"]);
    scenario.restart().await;
    webhook.next(saying("no_service"));
    scenario.pass_until_due(&id).await;
    scenario.until(&id, "held").await;
}

#[tokio::test]
async fn a_paused_channel_resumes_by_a_check_that_succeeds_and_what_was_held_goes_out() {
    let scenario = Scenario::start().await;
    let (webhook, id) = paused(&scenario, "sales", "channel_is_archived").await;
    assert!(!scenario.check("sales").await, "it is still archived");
    assert_eq!(scenario.channel_state("sales").await["status"], "paused");
    assert_eq!(scenario.delivery(&id).await["status"], "held");
    webhook.set_dead(None);
    assert!(scenario.check("sales").await);
    assert_eq!(scenario.channel_state("sales").await["status"], "active");
    scenario.until(&id, "delivered").await;
}

#[tokio::test]
async fn a_paused_channel_resumes_by_a_new_secret_that_was_checked_and_by_no_other() {
    let scenario = Scenario::start().await;
    let (_, id) = paused(&scenario, "sales", "no_service").await;
    let dead = scenario.webhook();
    dead.set_dead(Some("no_service"));
    scenario.change_webhook("sales", &dead).await.problem(422, "check-failed");
    assert_eq!(scenario.channel_state("sales").await["status"], "paused");
    let living = scenario.webhook();
    scenario.change_webhook("sales", &living).await.ok();
    assert_eq!(scenario.channel_state("sales").await["status"], "active");
    scenario.until(&id, "delivered").await;
    assert_eq!(living.messages().len(), 1);
}

#[tokio::test]
async fn a_paused_channel_resumes_by_hand() {
    let scenario = Scenario::start().await;
    let (webhook, id) = paused(&scenario, "sales", "no_service").await;
    webhook.set_dead(None);
    scenario.resume("sales").await;
    scenario.until(&id, "delivered").await;
}

#[tokio::test]
async fn a_channel_that_a_person_paused_is_not_resumed_by_a_check() {
    let scenario = Scenario::start().await;
    scenario.channel("sales").await;
    scenario.pause("sales").await;
    let id = scenario.publish("sales", "Revenue").await;
    assert!(scenario.check("sales").await);
    scenario.settle().await;
    assert_eq!(scenario.delivery(&id).await["status"], "held");
    scenario.resume("sales").await;
    scenario.until(&id, "delivered").await;
}

#[tokio::test]
async fn administrators_are_told_of_a_revoked_webhook_through_another_channel_once_per_pause() {
    let scenario = Scenario::start().await;
    let ops = scenario.channel("ops").await;
    let webhook = scenario.channel("sales").await;
    scenario.notify(&["ops", "sales"]).await;
    webhook.set_dead(Some("no_service"));
    // In flight one after the other, and both find the webhook dead.
    let first = scenario.publish("sales", "first").await;
    let second = scenario.publish("sales", "second").await;
    scenario.until(&first, "held").await;
    scenario.until(&second, "held").await;
    let notices = scenario.until_notices(&ops, 1).await;
    assert!(notices[0].contains("sales") && notices[0].contains("new webhook URL"), "{notices:?}");
    assert!(webhook.messages().is_empty());
    let told = scenario.deliveries("channel=ops").await;
    assert_eq!((told.len(), &told[0]["title"]), (1, &"Channel paused: sales".into()));
    // Never through the broken one, though it is named.
    assert!(
        scenario.deliveries("channel=sales").await.iter().all(|delivery| delivery["title"] != "Channel paused: sales")
    );
    let event = scenario.get(&format!("/v1/events/{}", scenario::text(&told[0]["event"]))).await;
    assert_eq!(event["origin"], "notice");
    // The next pause is told again.
    webhook.set_dead(None);
    scenario.resume("sales").await;
    scenario.until(&first, "delivered").await;
    scenario.until(&second, "delivered").await;
    webhook.set_dead(Some("no_service"));
    let third = scenario.publish("sales", "third").await;
    scenario.until(&third, "held").await;
    scenario.until_notices(&ops, 2).await;
}

#[tokio::test]
async fn a_notice_never_goes_through_another_channel_that_leads_to_the_broken_target() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    scenario.channel_to("same-webhook", &webhook).await;
    scenario.notify(&["same-webhook"]).await;
    webhook.set_dead(Some("no_service"));
    let id = scenario.publish("sales", "Revenue").await;
    scenario.until(&id, "held").await;
    until_untold(&scenario, 1.0).await;
    assert!(scenario.deliveries("channel=same-webhook").await.is_empty());
}

/// Waits until so many notices could not be told to anybody.
async fn until_untold(scenario: &Scenario, count: f64) {
    eventually("a notice that nobody is told", || async {
        let seen = scenario.metric("pqh_notices_untold_total").await;
        if (seen - count).abs() < 0.1 { Ok(()) } else { Err(json!(seen)) }
    })
    .await;
}

#[tokio::test]
async fn a_failed_notice_never_makes_another() {
    for word in ["no_service", "user_not_found"] {
        let scenario = Scenario::start().await;
        let (ops, other) = (scenario.channel("ops").await, scenario.channel("other-ops").await);
        scenario.notify(&["ops", "other-ops"]).await;
        let webhook = scenario.channel("sales").await;
        ops.set_dead(Some(word));
        webhook.set_dead(Some("channel_is_archived"));
        let id = scenario.publish("sales", "Revenue").await;
        scenario.until(&id, "held").await;
        let notices = scenario.until_notices(&other, 1).await;
        assert!(notices[0].contains("sales"), "{notices:?}");
        let notice = scenario.deliveries("channel=ops").await.pop().expect("a notice");
        let ended = if word == "no_service" { "held" } else { "failed" };
        scenario.until(&scenario::text(&notice["id"]), ended).await;
        scenario.settle().await;
        // Of the channel for notices itself, nobody is told by a notice.
        scenario.until_notices(&other, 1).await;
        assert_eq!(scenario.deliveries("channel=ops").await.len(), 1, "{word}");
    }
}

#[tokio::test]
async fn where_no_channel_is_named_for_notices_readiness_warns_and_a_metric_counts() {
    let scenario = Scenario::start().await;
    assert!(scenario.warnings().await.is_empty());
    let (webhook, id) = paused(&scenario, "sales", "no_service").await;
    until_untold(&scenario, 1.0).await;
    assert_eq!(scenario.warnings().await, ["notice-untold"]);
    webhook.set_dead(None);
    assert!(scenario.check("sales").await);
    scenario.until(&id, "delivered").await;
    assert!(scenario.warnings().await.is_empty(), "the channel is mended");
}

#[tokio::test]
async fn a_paused_channel_is_paused_for_good() {
    let mut scenario = Scenario::start().await;
    let (webhook, id) = paused(&scenario, "sales", "no_service").await;
    webhook.set_dead(None);
    scenario.pass(DAY);
    scenario.restart().await;
    scenario.settle().await;
    assert_eq!(scenario.channel_state("sales").await["paused"]["code"], "no_service");
    assert_eq!(scenario.delivery(&id).await["status"], "held");
    assert!(webhook.messages().is_empty());
}
