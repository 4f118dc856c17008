//! The rules of turns, without database and network.

use super::*;
use crate::directory::Pace;

const PACE: Terms = Terms { pace: Some(Pace { messages: 60, seconds: 60, burst: 2 }), digests: false };
const ANY: Terms = Terms { pace: None, digests: false };

fn target(name: &str) -> Target {
    Target::from(name)
}

fn sent() -> Finish {
    Finish::Sent(Breaker::default(), None)
}

fn failed(not_before: Millis) -> Finish {
    Finish::Sent(Breaker { not_before, failures: 1, word: None }, None)
}

fn names(turns: &[Turn]) -> Vec<&str> {
    turns.iter().map(|turn| turn.target.as_ref()).collect()
}

#[test]
fn one_attempt_per_target_is_in_flight_at_a_time() {
    let scheduler = Scheduler::new(10);
    let turn = scheduler.claim(&target("a"), ANY, 0).unwrap();
    assert!(scheduler.claim(&target("a"), ANY, 0).is_none());
    assert!(scheduler.claim(&target("b"), ANY, 0).is_some());
    scheduler.finish(turn, sent(), 0);
    assert!(scheduler.claim(&target("a"), ANY, 0).is_some());
}

#[test]
fn what_came_while_a_target_was_busy_gets_the_next_turn() {
    let scheduler = Scheduler::new(10);
    let turn = scheduler.claim(&target("a"), ANY, 0).unwrap();
    scheduler.more(&target("a"), ANY, 0);
    assert!(scheduler.take(0, 10).is_empty());
    scheduler.finish(turn, sent(), 5);
    assert_eq!(names(&scheduler.take(5, 10)), ["a"]);
}

#[test]
fn nothing_overtakes_what_waits() {
    let scheduler = Scheduler::new(10);
    scheduler.more(&target("a"), ANY, 0);
    assert!(scheduler.claim(&target("a"), ANY, 0).is_none());
}

#[test]
fn what_is_kept_while_the_queue_is_looked_at_is_not_lost() {
    let scheduler = Scheduler::new(10);
    scheduler.more(&target("a"), ANY, 0);
    let turn = scheduler.take(0, 10).pop().unwrap();
    scheduler.more(&target("a"), ANY, 0);
    scheduler.finish(turn, Finish::Unused(None), 0);
    assert_eq!(names(&scheduler.take(0, 10)), ["a"]);
}

#[test]
fn what_was_sent_in_vain_is_due_again_though_nothing_else_waits() {
    let scheduler = Scheduler::new(10);
    let turn = scheduler.claim(&target("a"), ANY, 0).unwrap();
    scheduler.finish(turn, Finish::Sent(Breaker { not_before: 10, failures: 1, word: None }, Some(60)), 0);
    assert_eq!(scheduler.next_due(), Some(60));
    assert_eq!(names(&scheduler.take(60, 10)), ["a"]);
}

#[test]
fn what_was_kept_while_the_queue_was_looked_at_does_not_wait_for_what_is_due_later() {
    let scheduler = Scheduler::new(10);
    scheduler.more(&target("a"), ANY, 0);
    let turn = scheduler.take(0, 10).pop().unwrap();
    scheduler.more(&target("a"), ANY, 0);
    scheduler.finish(turn, Finish::Unused(Some(3_600_000)), 0);
    assert_eq!(names(&scheduler.take(0, 10)), ["a"]);
}

#[test]
fn a_target_that_failed_waits_and_delays_nobody_else() {
    let scheduler = Scheduler::new(10);
    let turn = scheduler.claim(&target("a"), ANY, 0).unwrap();
    scheduler.more(&target("a"), ANY, 0);
    scheduler.finish(turn, failed(1_000), 0);
    scheduler.more(&target("b"), ANY, 0);
    assert_eq!(names(&scheduler.take(999, 10)), ["b"]);
    assert_eq!(scheduler.next_due(), Some(1_000));
    assert_eq!(names(&scheduler.take(1_000, 10)), ["a"]);
}

#[test]
fn targets_that_failed_never_take_more_than_half_of_the_slots() {
    let scheduler = Scheduler::new(4);
    let names_of_bad = ["a", "b", "c", "d"].map(target);
    let turns: Vec<Turn> = names_of_bad.iter().map(|name| scheduler.claim(name, ANY, 0).unwrap()).collect();
    for turn in turns {
        scheduler.more(&turn.target.clone(), ANY, 0);
        scheduler.finish(turn, failed(10), 0);
    }
    scheduler.more(&target("good"), ANY, 0);
    let turns = scheduler.take(10, 10);
    assert_eq!(turns.len(), 3);
    assert!(names(&turns).contains(&"good"));
    // Nothing is due that could go: nobody has to look again before a turn ends.
    assert_eq!(scheduler.next_due(), None);
    let bad = turns.into_iter().find(|turn| turn.target.as_ref() != "good").unwrap();
    scheduler.finish(bad, failed(20), 10);
    assert_eq!(scheduler.take(10, 10).len(), 1);
}

#[test]
fn pace_holds_across_a_restart() {
    let scheduler = Scheduler::new(10);
    let mut row = None;
    for _ in 0..2 {
        let turn = scheduler.claim(&target("a"), PACE, 0).unwrap();
        row.clone_from(&turn.row);
        scheduler.finish(turn, sent(), 0);
    }
    assert!(scheduler.claim(&target("a"), PACE, 999).is_none());
    let restarted = Scheduler::new(10);
    restarted.remember(row.unwrap());
    assert!(restarted.claim(&target("a"), PACE, 999).is_none());
    assert!(restarted.claim(&target("a"), PACE, 1_000).is_some());
}

#[test]
fn a_turn_in_which_nothing_was_sent_is_not_used_up() {
    let scheduler = Scheduler::new(10);
    for _ in 0..5 {
        scheduler.more(&target("a"), PACE, 0);
        let turn = scheduler.take(0, 10).pop().unwrap();
        scheduler.finish(turn, Finish::Unused(None), 0);
    }
    assert!(scheduler.claim(&target("a"), PACE, 0).is_some());
}

#[test]
fn an_outcome_that_cannot_be_written_stops_new_turns() {
    let scheduler = Scheduler::new(10);
    scheduler.more(&target("a"), ANY, 0);
    scheduler.stick();
    assert!(scheduler.take(0, 10).is_empty());
    assert!(scheduler.claim(&target("b"), ANY, 0).is_none());
    scheduler.unstick();
    assert_eq!(scheduler.take(0, 10).len(), 1);
}

#[test]
fn a_closed_scheduler_gives_no_turns() {
    let scheduler = Scheduler::new(10);
    scheduler.more(&target("a"), ANY, 0);
    scheduler.close();
    assert!(scheduler.take(0, 10).is_empty());
    assert!(scheduler.claim(&target("b"), ANY, 0).is_none());
}

#[test]
fn targets_at_rest_are_forgotten() {
    let scheduler = Scheduler::new(10);
    let turn = scheduler.claim(&target("a"), PACE, 0).unwrap();
    scheduler.finish(turn, sent(), 0);
    assert_eq!(scheduler.lock().targets.len(), 1);
    scheduler.sweep(1_000);
    assert!(scheduler.lock().targets.is_empty());
}

#[test]
fn nothing_overtakes_what_waits_from_before_a_restart() {
    let scheduler = Scheduler::new(10);
    scheduler.expect(target("a"));
    assert!(scheduler.claim(&target("a"), ANY, 0).is_none());
    scheduler.more(&target("a"), ANY, 5);
    assert_eq!(names(&scheduler.take(5, 10)), ["a"]);
}
