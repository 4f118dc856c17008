//! Each row of the table of failure kinds.

use super::*;

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;
const NOW: Millis = 1_000 * HOUR;

fn rules() -> Rules {
    Rules {
        first: Duration::from_secs(1),
        longest: Duration::from_mins(10),
        give_up: Duration::from_hours(24),
        unknown_outcome: [60, 600, 3_600].map(Duration::from_secs).to_vec(),
    }
}

fn fresh() -> History {
    History { attempts: 0, unknown_outcomes: 0, possible_repeat: false, retry_since: NOW }
}

fn failure(kind: FailureKind, retry_after: Option<u64>) -> Failure {
    Failure { retry_after, ..Failure::new(kind, "", "", "") }
}

fn judged(kind: FailureKind, history: History, failures: i64) -> Verdict {
    let breaker = Breaker { failures, ..Breaker::default() };
    failed(&rules(), history, &breaker, &failure(kind, None), NOW)
}

#[test]
fn unavailable_backs_off_exponentially_with_full_jitter_at_most_ten_minutes_apart() {
    for failures in 0..40 {
        let longest = (1_000_i64 << failures.min(20)).min(10 * MINUTE);
        for _ in 0..50 {
            let verdict = judged(FailureKind::Unavailable, fresh(), failures);
            assert_eq!(verdict.status, Status::Waiting);
            assert!((0..=longest).contains(&(verdict.due_at - NOW)), "{failures}: {}", verdict.due_at - NOW);
            assert_eq!(verdict.breaker.not_before, verdict.due_at);
            assert_eq!(verdict.breaker.failures, failures + 1);
        }
    }
    let waits: Vec<Millis> = (0..50).map(|_| judged(FailureKind::Unavailable, fresh(), 30).due_at - NOW).collect();
    assert!(waits.iter().any(|wait| *wait < 5 * MINUTE) && waits.iter().any(|wait| *wait > 5 * MINUTE));
}

#[test]
fn unavailable_is_given_up_24_hours_after_the_first_attempt() {
    let since = |retry_since| History { retry_since, ..fresh() };
    assert_eq!(judged(FailureKind::Unavailable, since(NOW - 23 * HOUR), 0).status, Status::Waiting);
    let given_up = judged(FailureKind::Unavailable, since(NOW - 24 * HOUR - 1), 0);
    assert_eq!((given_up.status, given_up.attempts), (Status::Failed, 1));
}

#[test]
fn throttled_waits_as_long_as_asked_and_is_not_counted() {
    let verdict = failed(&rules(), fresh(), &Breaker::default(), &failure(FailureKind::Throttled, Some(30_000)), NOW);
    assert_eq!((verdict.status, verdict.attempts), (Status::Waiting, 0));
    assert_eq!((verdict.due_at, verdict.breaker.not_before), (NOW + 30_000, NOW + 30_000));
}

#[test]
fn retry_after_is_clamped_between_a_second_and_an_hour() {
    for (asked, waits) in [(0, 1_000), (999, 1_000), (HOUR.unsigned_abs(), HOUR), (u64::MAX, HOUR)] {
        let failure = failure(FailureKind::Throttled, Some(asked));
        assert_eq!(failed(&rules(), fresh(), &Breaker::default(), &failure, NOW).due_at - NOW, waits);
    }
}

#[test]
fn throttled_time_counts_into_the_24_hours() {
    let history = History { retry_since: NOW - 24 * HOUR, ..fresh() };
    let failure = failure(FailureKind::Throttled, Some(1_000));
    assert_eq!(failed(&rules(), history, &Breaker::default(), &failure, NOW).status, Status::Failed);
}

#[test]
fn an_unknown_outcome_is_tried_again_after_a_minute_ten_and_an_hour_marked_and_then_failed() {
    let mut history = fresh();
    for wait in [MINUTE, 10 * MINUTE, HOUR] {
        let verdict = judged(FailureKind::UnknownOutcome, history, 0);
        assert_eq!((verdict.status, verdict.due_at - NOW), (Status::Waiting, wait));
        assert!(verdict.possible_repeat);
        history = History {
            attempts: verdict.attempts,
            unknown_outcomes: verdict.unknown_outcomes,
            possible_repeat: true,
            ..history
        };
    }
    let last = judged(FailureKind::UnknownOutcome, history, 0);
    assert_eq!((last.status, last.attempts), (Status::Failed, 4));
}

#[test]
fn after_an_unknown_outcome_the_whole_target_backs_off_but_not_for_the_hour_of_the_one() {
    let history = History { unknown_outcomes: 2, ..fresh() };
    let verdict = judged(FailureKind::UnknownOutcome, history, 3);
    assert_eq!(verdict.due_at - NOW, HOUR);
    assert_eq!(verdict.breaker.failures, 4);
    assert!(verdict.breaker.not_before - NOW <= 8_000);
}

#[test]
fn rejected_fails_at_once_and_leaves_the_target_alone() {
    let verdict = judged(FailureKind::Rejected, fresh(), 5);
    assert_eq!((verdict.status, verdict.attempts), (Status::Failed, 1));
    assert_eq!(verdict.breaker, Breaker::default());
}

#[test]
fn a_channel_that_was_not_to_blame_after_all_is_tried_again_as_unavailable() {
    for kind in [FailureKind::Unreachable, FailureKind::Unauthorized] {
        assert_eq!(judged(kind, fresh(), 0).status, Status::Waiting);
    }
}

#[test]
fn a_delivery_closes_the_circuit_breaker() {
    let history = History { attempts: 3, possible_repeat: true, ..fresh() };
    let verdict = delivered(history, NOW);
    assert_eq!((verdict.status, verdict.attempts, verdict.possible_repeat), (Status::Delivered, 4, true));
    assert_eq!(verdict.breaker, Breaker::default());
}
