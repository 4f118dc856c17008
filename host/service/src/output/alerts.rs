//! Alerts, their checks, and why people are told or not.

use std::fmt::Write as _;

use jiff::{SignedDuration, tz::TimeZone};

use super::{
    clean,
    table::{facts, plain, table, when, when_any},
};
use crate::client::wire::{Alert, AlertCheck, CheckPosted, Place, Rule, Verdict};

/// All alerts.
pub(crate) fn list(alerts: &[Alert], zone: &TimeZone) -> String {
    if alerts.is_empty() {
        return "There are no alerts: `pqh alert add` adds one.".to_owned();
    }
    let rows = alerts.iter().map(|alert| {
        let state = if muted(alert, zone).is_empty() { alert.state.clone() } else { format!("{}, muted", alert.state) };
        [
            alert.name.clone(),
            state,
            when_any(alert.last_run.as_ref(), zone),
            when_any(alert.last_trigger.as_ref(), zone),
            channels(alert),
            alert.id.clone(),
        ]
    });
    table(["Name", "State", "Last run", "Last trigger", "Channels", "Id"], rows)
}

/// One alert.
pub(crate) fn show(alert: &Alert, zone: &TimeZone) -> String {
    let or_never = |at: Option<&String>| at.map_or_else(|| "never".to_owned(), |at| when(at, zone));
    let labels: Vec<String> = alert.labels.iter().map(|(key, value)| format!("{key}={}", plain(value))).collect();
    facts(&[
        ("Alert", alert.name.clone()),
        ("Id", alert.id.clone()),
        ("State", alert.state.clone()),
        ("Triggered", when_any(alert.triggered_at.as_ref(), zone)),
        ("Last run", or_never(alert.last_run.as_ref())),
        ("Last trigger", or_never(alert.last_trigger.as_ref())),
        ("Muted", muted(alert, zone)),
        ("Rules", alert.rules.iter().map(rule).collect::<Vec<_>>().join("; ")),
        ("Channels", channels(alert)),
        ("Severity", alert.severity.clone()),
        ("Report", report(alert)),
        ("Responds", alert.mentions.join(", ")),
        ("Labels", labels.join(", ")),
        ("Cooldown", cooldown(alert.cooldown_seconds)),
        ("Frequency", alert.frequency.clone().unwrap_or_default()),
        ("Version", alert.version.to_string()),
        ("Created", when(&alert.created_at, zone)),
        ("Changed", when(&alert.updated_at, zone)),
    ])
}

/// One alert with its last check, and why people are told or not.
pub(crate) fn explain(alert: &Alert, zone: &TimeZone) -> String {
    let mut text = show(alert, zone);
    if let Some(check) = &alert.last_check {
        // Writing to a string does not fail.
        let _ = writeln!(text, "\nLast check, {}\n{}", when(&check.at, zone), verdicts(&check.verdicts));
    }
    text.push_str("\nWhy\n");
    for finding in &alert.why {
        let _ = writeln!(text, "- {}", finding.message);
        if !finding.remedy.is_empty() {
            let _ = writeln!(text, "  What to do: {}", finding.remedy);
        }
    }
    clean(&text)
}

/// What came of a check.
pub(crate) fn checked(posted: &CheckPosted, zone: &TimeZone) -> String {
    let CheckPosted { alert, check, deliveries } = posted;
    let mut text = format!("{alert}: {} (check {}, {})\n", check.state, check.number, when(&check.at, zone));
    text.push_str(&verdicts(&check.verdicts));
    text.push('\n');
    let told = match (&check.silence, &check.event, deliveries.is_empty()) {
        (Some(silence), _, true) => format!("Nobody is told ({}): {}", silence.code, silence.message),
        (Some(silence), _, false) => format!("Not told yet ({}): {}", silence.code, silence.message),
        (None, Some(event), true) => format!("It was kept before; `pqh event show {event}` says what became of it."),
        (None, _, false) => "Goes out to:".to_owned(),
        (None, None, true) => "Nobody is told.".to_owned(),
    };
    text.push_str(&told);
    text.push('\n');
    if !deliveries.is_empty() {
        let rows =
            deliveries.iter().map(|delivery| [delivery.channel.clone(), delivery.status.clone(), delivery.id.clone()]);
        text.push_str(&table(["Channel", "Status", "Delivery"], rows));
    }
    clean(&text)
}

/// Some checks.
pub(crate) fn checks(checks: &[AlertCheck], zone: &TimeZone) -> String {
    if checks.is_empty() {
        return "No check has come yet: `pqh alert check` posts one by hand.".to_owned();
    }
    let rows = checks.iter().map(|check| {
        let found: Vec<String> = check.verdicts.iter().map(verdict).collect();
        [
            check.number.to_string(),
            when(&check.at, zone),
            check.state.clone(),
            found.join("; "),
            outcome(check),
            check.event.clone().unwrap_or_default(),
        ]
    });
    table(["Check", "At", "State", "Found", "Told", "Event"], rows)
}

fn outcome(check: &AlertCheck) -> String {
    match (&check.silence, &check.event) {
        (Some(silence), Some(_)) => format!("not yet: {}", silence.code),
        (Some(silence), None) => format!("no: {}", silence.code),
        (None, Some(_)) => "yes".to_owned(),
        (None, None) => "no".to_owned(),
    }
}

fn verdicts(verdicts: &[Verdict]) -> String {
    let rows = verdicts.iter().map(|verdict| {
        let word = if verdict.broken { "broken" } else { "not broken" };
        [rule(&verdict.rule), verdict.current.clone(), word.to_owned()]
    });
    table(["Rule", "Value", "Verdict"], rows)
}

fn verdict(verdict: &Verdict) -> String {
    let broken = if verdict.broken { ", broken" } else { "" };
    format!("{} ({}{broken})", rule(&verdict.rule), verdict.current)
}

fn rule(rule: &Rule) -> String {
    format!("{} {} {}", rule.metric, rule.comparison, rule.threshold)
}

fn channels(alert: &Alert) -> String {
    alert.channels.iter().map(Place::name).collect::<Vec<_>>().join(", ")
}

fn report(alert: &Alert) -> String {
    let Some(report) = &alert.report else { return String::new() };
    report.url.as_ref().map_or_else(|| report.name.clone(), |url| format!("{} ({url})", report.name))
}

/// Until when it is muted; empty where it is not.
fn muted(alert: &Alert, zone: &TimeZone) -> String {
    match (alert.muted.as_bool(), alert.muted.as_str()) {
        (Some(true), _) => "until somebody ends it".to_owned(),
        (_, Some(until)) => format!("until {}", when(until, zone)),
        _ => String::new(),
    }
}

fn cooldown(seconds: u64) -> String {
    match i64::try_from(seconds) {
        Ok(0) => "none: each check that holds is told".to_owned(),
        Ok(seconds) => {
            let (days, rest) = (seconds / 86_400, SignedDuration::from_secs(seconds % 86_400));
            match (days, rest.is_zero()) {
                (0, _) => format!("{rest:#}"),
                (days, true) => format!("{days}d"),
                (days, false) => format!("{days}d {rest:#}"),
            }
        }
        Err(_) => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn verdict() -> Value {
        json!({ "metric": "Revenue", "comparison": "<", "threshold": "50000", "current": "42,750", "broken": true })
    }

    fn check(more: &Value) -> Value {
        let mut check = json!({ "number": 7, "at": "2026-11-23T12:00:00.000Z", "received_at": "2026-11-23T12:00:00.000Z",
            "state": "triggered", "verdicts": [verdict()], "event": null, "silence": null });
        check.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        check
    }

    fn cooled() -> Value {
        json!({ "silence": { "code": "cooldown", "message": "People were told already." } })
    }

    fn alert(more: &Value) -> Alert {
        let mut alert = json!({ "id": "a-1", "name": "Daily Revenue Alert", "state": "triggered",
            "last_run": "2026-11-23T12:00:00.000Z", "last_trigger": "2026-11-23T11:45:00.000Z",
            "triggered_at": "2026-11-23T11:45:00.000Z", "muted": null, "cooldown_seconds": 1800,
            "rules": [{ "metric": "Revenue", "comparison": "<", "threshold": "50000" }], "severity": "warning",
            "report": { "name": "Daily Sales", "url": "https://a.example/r" }, "mentions": ["U1", "U2"],
            "labels": { "runbook": "https://a.example/b" },
            "channels": [{ "id": "c-1", "alias": "Sales Team", "type": "webhook" }], "version": 3,
            "created_at": "2026-11-23T10:00:00.000Z", "updated_at": "2026-11-23T10:30:00.000Z" });
        alert.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(alert).unwrap()
    }

    #[test]
    fn an_alert_says_what_it_is_and_why_nobody_is_told() {
        let why = json!([{ "code": "cooldown", "message": "The cooldown runs.", "remedy": "Wait." },
            { "code": "rule-broken", "message": "Revenue < 50000 is broken.", "remedy": "" }]);
        let text = explain(&alert(&json!({ "last_check": check(&cooled()), "why": why })), &TimeZone::UTC);
        let start = "\
Alert         Daily Revenue Alert
Id            a-1
State         triggered
Triggered     2026-11-23 11:45:00
Last run      2026-11-23 12:00:00
Last trigger  2026-11-23 11:45:00
Rules         Revenue < 50000
Channels      Sales Team
Severity      warning
Report        Daily Sales (https://a.example/r)
Responds      U1, U2
Labels        runbook=https://a.example/b
Cooldown      30m
Version       3
Created       2026-11-23 10:00:00
Changed       2026-11-23 10:30:00

Last check, 2026-11-23 12:00:00
";
        assert!(text.starts_with(start), "{text}");
        let end = "\
Why
- The cooldown runs.
  What to do: Wait.
- Revenue < 50000 is broken.
";
        assert!(text.ends_with(end) && text.contains("42,750"), "{text}");
    }

    #[test]
    fn what_never_ran_and_is_muted_says_so() {
        let new = json!({ "last_run": null, "last_trigger": null, "triggered_at": null, "state": "pending",
            "muted": true, "cooldown_seconds": 0 });
        let text = show(&alert(&new), &TimeZone::UTC);
        for part in
            ["Last run      never\n", "Muted         until somebody ends it\n", "Cooldown      none: each check"]
        {
            assert!(text.contains(part), "{text}");
        }
        let until = alert(&json!({ "muted": "2026-11-24T06:00:00.000Z" }));
        assert!(show(&until, &TimeZone::UTC).contains("Muted         until 2026-11-24 06:00:00\n"));
        assert!(list(&[until], &TimeZone::UTC).contains("triggered, muted"));
    }

    #[test]
    fn a_check_says_who_is_told_or_why_nobody_is() {
        let posted = |check: Value, deliveries: Value| {
            let mut whole = json!({ "alert": "Daily Revenue Alert", "deliveries": deliveries });
            whole.as_object_mut().unwrap().extend(check.as_object().unwrap().clone());
            checked(&serde_json::from_value(whole).unwrap(), &TimeZone::UTC)
        };
        let one = json!([{ "id": "d-1", "channel": "Sales Team", "status": "queued" }]);
        let told = posted(check(&json!({ "event": "e-1" })), one.clone());
        assert!(told.starts_with("Daily Revenue Alert: triggered (check 7, 2026-11-23 12:00:00)\n"), "{told}");
        assert!(told.contains("Goes out to:\n") && told.contains("Sales Team") && told.contains("d-1"), "{told}");
        let cooling = posted(check(&cooled()), json!([]));
        assert!(cooling.contains("Nobody is told (cooldown): People were told already."), "{cooling}");
        let quiet = json!({ "event": "e-1", "silence": { "code": "quiet-hours", "message": "They wait." } });
        assert!(posted(check(&quiet), one).contains("Not told yet (quiet-hours): They wait."));
        assert!(posted(check(&json!({ "event": "e-1" })), json!([])).contains("`pqh event show e-1`"));
    }

    #[test]
    fn each_check_of_a_list_says_what_it_found_and_whether_people_were_told() {
        let all: Vec<AlertCheck> =
            serde_json::from_value(json!([check(&cooled()), check(&json!({ "event": "e-1" }))])).unwrap();
        let text = checks(&all, &TimeZone::UTC);
        assert!(text.contains("no: cooldown") && text.contains("yes") && text.contains("broken"), "{text}");
    }

    #[test]
    fn a_cooldown_is_told_in_days_and_hours() {
        assert_eq!(cooldown(1_800), "30m");
        assert_eq!(cooldown(86_400), "1d");
        assert_eq!(cooldown(91_800), "1d 1h 30m");
    }
}
