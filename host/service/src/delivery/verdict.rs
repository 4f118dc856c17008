//! What a failure means for its delivery and its target: a pure function of what is known, so that every rule can be
//! tested by itself.

use std::time::{Duration, SystemTime};

use pqh_runtime::contract::types::{Failure, FailureKind};
use retry_policies::policies::ExponentialBackoff;
use retry_policies::{Jitter, RetryDecision, RetryPolicy as _};

use super::scheduler::Breaker;
use crate::clock::{Millis, millis};
use crate::store::rows::Status;

/// The rules of retrying.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// The backoff's first and longest wait, before jitter.
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
    /// From the first attempt.
    pub(crate) give_up: Duration,
    /// After each unknown outcome in turn.
    pub(crate) unknown_outcome: Vec<Duration>,
}

/// Retry-After is believed between these.
const SHORTEST_REST: Millis = 1_000;
const LONGEST_REST: Millis = 3_600_000;

/// What is known of the delivery before its attempt's outcome.
#[derive(Clone, Copy, Debug)]
pub(crate) struct History {
    pub(crate) attempts: i64,
    pub(crate) unknown_outcomes: i64,
    pub(crate) possible_repeat: bool,
    /// When the time of retries began.
    pub(crate) retry_since: Millis,
}

/// What becomes of the delivery, and of its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) status: Status,
    pub(crate) due_at: Millis,
    pub(crate) attempts: i64,
    pub(crate) unknown_outcomes: i64,
    pub(crate) possible_repeat: bool,
    pub(crate) breaker: Breaker,
}

/// The message arrived.
pub(crate) fn delivered(history: History, now: Millis) -> Verdict {
    Verdict {
        status: Status::Delivered,
        due_at: now,
        attempts: history.attempts + 1,
        unknown_outcomes: history.unknown_outcomes,
        possible_repeat: history.possible_repeat,
        breaker: Breaker::default(),
    }
}

/// It did not, or nobody knows. `unreachable` and `unauthorized` are only judged here once the channel was not to blame
/// after all: then they are passing trouble.
pub(crate) fn failed(rules: &Rules, history: History, breaker: &Breaker, failure: &Failure, now: Millis) -> Verdict {
    match failure.kind {
        FailureKind::Throttled => throttled(rules, history, breaker, failure, now),
        FailureKind::Rejected => Verdict {
            status: Status::Failed,
            due_at: now,
            attempts: history.attempts + 1,
            unknown_outcomes: history.unknown_outcomes,
            possible_repeat: history.possible_repeat,
            breaker: Breaker::default(),
        },
        FailureKind::UnknownOutcome => unknown(rules, history, breaker, now),
        FailureKind::Unavailable | FailureKind::Unreachable | FailureKind::Unauthorized => {
            let breaker = worse(rules, breaker, now);
            later(rules, history, history.attempts + 1, breaker.not_before, breaker, now)
        }
    }
}

/// The service asked for rest: the whole target waits, and the attempt does not count.
fn throttled(rules: &Rules, history: History, breaker: &Breaker, failure: &Failure, now: Millis) -> Verdict {
    let worse = worse(rules, breaker, now);
    let asked = failure.retry_after.map(|asked| {
        let asked = Millis::try_from(asked).unwrap_or(Millis::MAX);
        now.saturating_add(asked.clamp(SHORTEST_REST, LONGEST_REST))
    });
    let not_before = asked.unwrap_or(worse.not_before);
    let breaker = Breaker { not_before, ..worse };
    later(rules, history, history.attempts, not_before, breaker, now)
}

/// It may have arrived: again after a minute, ten and an hour, each marked. The target backs off by its own count, so that
/// what waits behind does not wait an hour.
fn unknown(rules: &Rules, history: History, breaker: &Breaker, now: Millis) -> Verdict {
    let breaker = worse(rules, breaker, now);
    let past = usize::try_from(history.unknown_outcomes).unwrap_or(usize::MAX);
    let history = History { unknown_outcomes: history.unknown_outcomes + 1, possible_repeat: true, ..history };
    match rules.unknown_outcome.get(past) {
        Some(wait) => {
            let due_at = now.saturating_add(millis(*wait)).max(breaker.not_before);
            later(rules, history, history.attempts + 1, due_at, breaker, now)
        }
        None => ended(history, breaker, now),
    }
}

/// Again at `due_at`, unless the time of retries is over by then.
fn later(rules: &Rules, history: History, attempts: i64, due_at: Millis, breaker: Breaker, now: Millis) -> Verdict {
    if due_at > history.retry_since.saturating_add(millis(rules.give_up)) {
        return Verdict { attempts, ..ended(history, breaker, now) };
    }
    let History { unknown_outcomes, possible_repeat, .. } = history;
    Verdict { status: Status::Waiting, due_at, attempts, unknown_outcomes, possible_repeat, breaker }
}

fn ended(history: History, breaker: Breaker, now: Millis) -> Verdict {
    Verdict {
        status: Status::Failed,
        due_at: now,
        attempts: history.attempts + 1,
        unknown_outcomes: history.unknown_outcomes,
        possible_repeat: history.possible_repeat,
        breaker,
    }
}

/// One failure more: exponential backoff with full jitter.
fn worse(rules: &Rules, breaker: &Breaker, now: Millis) -> Breaker {
    let past = u32::try_from(breaker.failures).unwrap_or(u32::MAX);
    let policy = ExponentialBackoff::builder()
        .retry_bounds(rules.first, rules.longest)
        .jitter(Jitter::Full)
        .base(2)
        .build_with_max_retries(u32::MAX);
    // The library counts from its own clock: only the length of the wait is taken.
    let asked = SystemTime::now();
    let wait = match policy.should_retry(asked, past.min(u32::MAX - 1)) {
        RetryDecision::Retry { execute_after } => execute_after.duration_since(asked).unwrap_or_default(),
        RetryDecision::DoNotRetry => rules.longest,
    };
    Breaker { not_before: now.saturating_add(millis(wait)), failures: breaker.failures.saturating_add(1), word: None }
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
