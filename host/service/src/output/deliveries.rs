//! Deliveries and events, as lists and one by one.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use super::{
    channels::held_remedy,
    failure,
    table::{facts, table, when, when_any},
};
use crate::client::wire::{Attempt, Delivery, Event, Posted};

/// Some deliveries.
pub(crate) fn list(deliveries: &[Delivery], zone: &TimeZone) -> String {
    if deliveries.is_empty() {
        return "There are no such deliveries.".to_owned();
    }
    let rows = deliveries.iter().map(|delivery| {
        [
            when(&delivery.accepted_at, zone),
            delivery.status.clone(),
            delivery.channel.name().to_owned(),
            delivery.title.clone(),
            delivery.attempt_count.to_string(),
            reason(delivery, zone),
            delivery.id.clone(),
        ]
    });
    table(["Accepted", "Status", "Channel", "Title", "Attempts", "Cause", "Id"], rows)
}

/// In one word why it stands as it does.
fn reason(delivery: &Delivery, zone: &TimeZone) -> String {
    match (&delivery.held, &delivery.quiet_until, &delivery.cause) {
        (Some(held), _, _) => held.reason.clone(),
        (None, Some(until), _) => format!("quiet hours until {}", when(until, zone)),
        (None, None, Some(cause)) => cause.code.clone(),
        (None, None, None) => String::new(),
    }
}

/// One delivery with its attempts.
pub(crate) fn show(delivery: &Delivery, zone: &TimeZone) -> String {
    let held = delivery.held.as_ref();
    let receipt = delivery.receipt.as_ref();
    let remedy = held.map(|held| held_remedy(&held.reason, delivery.channel.name(), delivery.channel.channel_type()));
    let mut text = facts(&[
        ("Delivery", delivery.id.clone()),
        ("Event", format!("{} ({}, {})", delivery.title, delivery.severity, delivery.event)),
        ("Channel", format!("{} ({})", delivery.channel.name(), delivery.channel.channel_type())),
        ("Alert", delivery.alert.clone().unwrap_or_default()),
        ("Status", delivery.status.clone()),
        ("Accepted", when(&delivery.accepted_at, zone)),
        ("Due", if delivery.has_ended() { String::new() } else { when_any(delivery.due_at.as_ref(), zone) }),
        ("Ended", when_any(delivery.ended_at.as_ref(), zone)),
        (
            "Waits for",
            delivery.quiet_until.as_ref().map(|at| format!("quiet hours until {}", when(at, zone))).unwrap_or_default(),
        ),
        ("Held for", held.map(|held| held.reason.clone()).unwrap_or_default()),
        ("Held since", when_any(held.and_then(|held| held.since.as_ref()), zone)),
        ("What to do", remedy.unwrap_or_default()),
        ("Told by", delivery.folded_into.clone().unwrap_or_default()),
        ("Reference", receipt.and_then(|receipt| receipt.reference.clone()).unwrap_or_default()),
        ("See it", receipt.and_then(|receipt| receipt.permalink.clone()).unwrap_or_default()),
        ("Warnings", receipt.map(|receipt| receipt.warnings.join("; ")).unwrap_or_default()),
    ]);
    if delivery.possible_repeat {
        text.push_str("It may have been delivered more than once.\n");
    }
    if let Some(cause) = &delivery.cause {
        // Writing to a string does not fail.
        let _ = writeln!(text, "\n{}", failure::text(&cause.into()));
    }
    if !delivery.attempts.is_empty() {
        let _ = writeln!(text, "\n{}", attempts(&delivery.attempts, zone));
    }
    text
}

fn attempts(attempts: &[Attempt], zone: &TimeZone) -> String {
    let rows = attempts.iter().map(|attempt| {
        let failure = attempt.failure.as_ref().map(|failure| format!("{}: {}", failure.kind, failure.code));
        let log: Vec<String> = attempt.log.iter().map(|line| format!("{}: {}", line.level, line.message)).collect();
        [
            attempt.number.to_string(),
            when(&attempt.started_at, zone),
            attempt.took_ms.map(|took| format!("{took} ms")).unwrap_or_default(),
            attempt.outcome.clone().unwrap_or_default(),
            failure.unwrap_or_default(),
            log.join("; "),
        ]
    });
    table(["Attempt", "Started", "Took", "Outcome", "Failure", "Log"], rows)
}

/// An event that was just accepted.
pub(crate) fn posted(posted: &Posted) -> String {
    let mut text = format!("Accepted as {}\n", posted.id);
    let rows = posted
        .deliveries
        .iter()
        .map(|delivery| [delivery.channel.name().to_owned(), delivery.status.clone(), delivery.id.clone()]);
    text.push_str(&table(["Channel", "Status", "Delivery"], rows));
    text
}

/// An event and what became of it.
pub(crate) fn event(event: &Event, zone: &TimeZone) -> String {
    let title = event.content["title"].as_str().unwrap_or_default().to_owned();
    let facts = facts(&[
        ("Event", event.id.clone()),
        ("Title", title),
        ("Origin", event.origin.clone()),
        ("Accepted", when(&event.accepted_at, zone)),
    ]);
    format!("{facts}\n{}", list(&event.deliveries, zone))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn delivery(more: &Value) -> Delivery {
        let mut delivery = json!({ "id": "d-1", "event": "evt-1", "title": "Daily Sales", "severity": "warning",
            "channel": { "id": "c-1", "alias": "sales", "type": "webhook" }, "status": "delivered",
            "possible_repeat": false, "attempt_count": 1, "accepted_at": "2026-11-23T12:00:00.000Z", "due_at": null,
            "ended_at": "2026-11-23T12:00:01.000Z", "cause": null, "held": null, "receipt": null, "folded_into": null });
        delivery.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(delivery).unwrap()
    }

    #[test]
    fn a_delivery_is_shown_with_each_attempt() {
        let failure = json!({ "kind": "unavailable", "code": "http-503", "message": "It is down.", "remedy": "Wait.",
            "field": null, "retry_after_ms": 1500 });
        let attempts = json!([{ "number": 1, "started_at": "2026-11-23T12:00:00.000Z", "took_ms": 12, "outcome": "failed",
            "failure": failure, "log": [{ "level": "warn", "message": "slow" }] }]);
        let waiting = json!({ "status": "waiting", "cause": failure, "attempts": attempts, "ended_at": null,
            "due_at": "2026-11-23T12:05:00.000Z", "possible_repeat": true });
        let text = show(&delivery(&waiting), &TimeZone::UTC);
        let start = "\
Delivery    d-1
Event       Daily Sales (warning, evt-1)
Channel     sales (webhook)
Status      waiting
Accepted    2026-11-23 12:00:00
Due         2026-11-23 12:05:00
It may have been delivered more than once.

unavailable: http-503
What it means: It is down.
What to do: Wait.
Not again before: 2 s
";
        assert!(text.starts_with(start), "{text}");
        assert!(text.contains("12 ms") && text.contains("warn: slow"), "{text}");
    }

    #[test]
    fn a_delivery_outlives_its_channel() {
        let gone = json!({ "channel": { "id": "c-1", "alias": null, "type": null }, "status": "cancelled" });
        let text = show(&delivery(&gone), &TimeZone::UTC);
        assert!(text.contains("Channel     c-1 (deleted)\n"), "{text}");
    }

    #[test]
    fn what_waits_for_the_end_of_quiet_hours_says_so() {
        let quiet = json!({ "status": "waiting", "quiet_until": "2026-11-23T06:00:00.000Z", "ended_at": null,
            "due_at": "2026-11-23T06:00:00.000Z", "alert": "a-1" });
        let shown = show(&delivery(&quiet), &TimeZone::UTC);
        assert!(shown.contains("Waits for   quiet hours until 2026-11-23 06:00:00\n"), "{shown}");
        assert!(shown.contains("Alert       a-1\n"), "{shown}");
        let listed = list(&[delivery(&quiet)], &TimeZone::UTC);
        assert!(listed.contains("quiet hours until 2026-11-23 06:00:00"), "{listed}");
    }

    #[test]
    fn a_list_tells_in_a_word_why_a_delivery_stands_as_it_does() {
        let held = json!({ "status": "held", "held": { "reason": "plan", "since": "2026-11-23T12:00:00.000Z" } });
        let text = list(&[delivery(&held), delivery(&json!({}))], &TimeZone::UTC);
        let lines: Vec<&str> = text.lines().filter(|line| line.contains("d-1")).collect();
        assert!(lines.iter().any(|line| line.contains("held") && line.contains("plan")), "{text}");
        assert!(lines.iter().any(|line| line.contains("delivered") && line.contains("Daily Sales")), "{text}");
    }
}
