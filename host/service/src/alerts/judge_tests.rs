//! The rules of telling, sentence by sentence.

use super::judge::{Decision, Facts, PENDING, Silence, TRIGGERED, judge, late};
use crate::clock::Millis;
use crate::store::alerts::AlertRow;

const MINUTE: Millis = 60_000;

fn alert(cooldown: Millis) -> AlertRow {
    AlertRow {
        id: "a".to_owned(),
        organization_id: "o".to_owned(),
        name: "A".to_owned(),
        definition: "{}".to_owned(),
        cooldown_ms: cooldown,
        muted_until: None,
        state: PENDING.to_owned(),
        incident_id: None,
        triggered_at: None,
        notified_at: None,
        told: "[]".to_owned(),
        last_run: None,
        last_trigger: None,
        checks: 0,
        version: 1,
        created_at: 0,
        updated_at: 0,
    }
}

fn channels() -> Vec<String> {
    vec!["c".to_owned()]
}

/// One check, and in a word what follows.
fn step(alert: &mut AlertRow, at: Millis, broken: bool) -> &'static str {
    let (next, decision) = judge(alert, &Facts { at, now: at, broken, channels: &channels() });
    *alert = next;
    match decision {
        Decision::Trigger { .. } => "triggered",
        Decision::Resolve { .. } => "resolved",
        Decision::Silent(silence) => silence.code(),
    }
}

#[test]
fn without_cooldown_every_check_that_holds_tells_and_the_end_once() {
    let mut alert = alert(0);
    let told: Vec<_> =
        [true, true, false, false].into_iter().zip(1..).map(|(broken, at)| step(&mut alert, at, broken)).collect();
    assert_eq!(told, ["triggered", "triggered", "resolved", "rules-not-met"]);
}

#[test]
fn a_cooldown_is_over_once_its_time_has_passed_since_the_last_notification() {
    let mut alert = alert(30 * MINUTE);
    assert_eq!(step(&mut alert, 0, true), "triggered");
    assert_eq!(step(&mut alert, 30 * MINUTE - 1, true), "cooldown");
    assert_eq!(step(&mut alert, 30 * MINUTE, true), "triggered");
    assert_eq!(alert.last_trigger, Some(30 * MINUTE));
    assert_eq!(step(&mut alert, 45 * MINUTE, true), "cooldown");
}

#[test]
fn a_trigger_after_a_resolution_tells_whatever_the_cooldown_and_is_another_incident() {
    let mut alert = alert(60 * MINUTE);
    step(&mut alert, 0, true);
    let first = alert.incident_id.clone();
    assert_eq!(step(&mut alert, 1, false), "resolved");
    assert_eq!((alert.state.as_str(), alert.incident_id.as_ref()), (PENDING, None));
    assert_eq!(step(&mut alert, 2, true), "triggered");
    assert_ne!(alert.incident_id, first);
}

#[test]
fn repeats_and_the_resolution_belong_to_the_incident_that_the_first_trigger_opened() {
    let mut alert = alert(0);
    step(&mut alert, 7, true);
    let incident = alert.incident_id.clone().unwrap();
    let (next, repeat) = judge(&alert, &Facts { at: 8, now: 8, broken: true, channels: &channels() });
    assert_eq!(repeat, Decision::Trigger { incident: incident.clone() });
    let (_, end) = judge(&next, &Facts { at: 9, now: 9, broken: false, channels: &channels() });
    assert_eq!(end, Decision::Resolve { incident, triggered_at: Some(7), told: channels() });
}

#[test]
fn while_muted_the_state_goes_on_and_nobody_is_told_but_of_the_end_of_what_they_were_told_of() {
    let mut muted = alert(0);
    muted.muted_until = Some(100);
    assert_eq!(step(&mut muted, 10, true), "muted");
    assert_eq!((muted.state.as_str(), muted.last_trigger), (TRIGGERED, None));
    assert_eq!(step(&mut muted, 20, false), "never-told");
    assert_eq!(step(&mut muted, 30, true), "muted");
    assert_eq!(step(&mut muted, 100, true), "triggered");
    muted.muted_until = Some(Millis::MAX);
    assert_eq!(step(&mut muted, 110, true), "muted");
    assert_eq!(step(&mut muted, 120, false), "resolved");
}

#[test]
fn who_was_told_by_any_message_of_an_incident_hears_of_its_end() {
    let mut alert = alert(0);
    step(&mut alert, 1, true);
    let other = ["d".to_owned()];
    let (next, _) = judge(&alert, &Facts { at: 2, now: 2, broken: true, channels: &other });
    let (_, end) = judge(&next, &Facts { at: 3, now: 3, broken: false, channels: &[] });
    assert!(matches!(end, Decision::Resolve { told, .. } if told == ["c", "d"]));
}

#[test]
fn an_alert_without_channels_tells_nobody_and_once_it_has_one_it_tells() {
    let facts = |at, channels| Facts { at, now: at, broken: true, channels };
    let (next, decision) = judge(&alert(MINUTE), &facts(1, &[]));
    assert_eq!(decision, Decision::Silent(Silence::NoChannels));
    assert!(matches!(judge(&next, &facts(2, &channels())).1, Decision::Trigger { .. }));
}

#[test]
fn a_late_check_is_counted_and_changes_nothing_else() {
    let mut alert = alert(0);
    step(&mut alert, 10, true);
    let after = late(&alert);
    assert_eq!((after.checks, after.last_run, &after.state), (2, Some(10), &alert.state));
}

#[test]
fn every_silence_is_found_by_its_code() {
    for code in ["rules-not-met", "cooldown", "muted", "late", "no-channels", "never-told", "quiet-hours", "plan"] {
        assert_eq!(Silence::coded(code).map(Silence::code), Some(code));
    }
}
