//! What came of an event that somebody waited for.

use jiff::tz::TimeZone;

use super::{
    channels::held_remedy,
    clean, failure, say, say_error,
    table::{when, when_any},
};
use crate::client::wire::{Checked, Delivery, Event};

/// Tells each delivery's end: what was told on standard output, what was not on standard error.
pub(crate) fn tell(event: &Event) {
    for delivery in &event.deliveries {
        let text = clean(&text(delivery, &TimeZone::system()));
        if delivery.was_told() {
            say(&text);
        } else {
            say_error(&text);
        }
        for warning in delivery.receipt.iter().flat_map(|receipt| &receipt.warnings) {
            say_error(&clean(&format!("warning: {warning}")));
        }
    }
}

/// Tells what a check of a channel found.
pub(crate) fn checked(channel: &str, checked: &Checked) {
    match &checked.failure {
        None => say(&clean(&format!("{channel}: works"))),
        Some(failure) => {
            say_error(&clean(&format!("{channel}: does not work")));
            say_error(&failure::text(&failure.into()));
        }
    }
}

fn text(delivery: &Delivery, zone: &TimeZone) -> String {
    let (alias, id) = (delivery.channel.name(), &delivery.id);
    let mut lines = Vec::new();
    match delivery.status.as_str() {
        "delivered" => {
            lines.push(format!("Delivered to {alias} (delivery {id})"));
            let permalink = delivery.receipt.as_ref().and_then(|receipt| receipt.permalink.as_ref());
            lines.extend(permalink.map(|permalink| format!("See it: {permalink}")));
        }
        "folded" => {
            let by = delivery.folded_into.as_deref().unwrap_or("another");
            lines.push(format!("Told to {alias} by the delivery {by} (delivery {id})"));
        }
        "failed" => lines.push(format!("Not delivered to {alias} (delivery {id})")),
        "cancelled" => lines.push(format!("Cancelled, not delivered to {alias} (delivery {id})")),
        "held" => {
            let reason = delivery.held.as_ref().map(|held| held.reason.as_str()).unwrap_or_default();
            lines.push(format!("Held for {alias}: {reason} (delivery {id})"));
            lines.push(format!("What to do: {}", held_remedy(reason, alias, delivery.channel.channel_type())));
        }
        status => {
            let due = when_any(delivery.due_at.as_ref(), zone);
            let due = match (&delivery.quiet_until, due) {
                (Some(until), _) => format!(", quiet hours until {}", when(until, zone)),
                (None, due) if due.is_empty() => due,
                (None, due) => format!(", due {due}"),
            };
            lines.push(format!(
                "Not yet delivered to {alias}: {status}{due}; it goes on, and `pqh deliveries show {id}` tells what \
                 becomes of it"
            ));
        }
    }
    if let (false, Some(cause)) = (delivery.was_told(), &delivery.cause) {
        lines.push(failure::text(&cause.into()));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn told(more: &Value) -> String {
        let mut delivery = json!({ "id": "d-1", "event": "evt-1", "title": "Daily Sales", "severity": "warning",
            "channel": { "id": "c-1", "alias": "sales", "type": "webhook" }, "attempt_count": 1,
            "accepted_at": "2026-11-23T12:00:00.000Z" });
        delivery.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        text(&serde_json::from_value(delivery).unwrap(), &TimeZone::UTC)
    }

    #[test]
    fn a_failure_comes_with_what_to_do() {
        let cause =
            json!({ "kind": "unreachable", "code": "no_service", "message": "It is gone.", "remedy": "Make one." });
        assert_eq!(
            told(&json!({ "status": "failed", "cause": cause })),
            "Not delivered to sales (delivery d-1)\nunreachable: no_service\nWhat it means: It is gone.\nWhat to do: Make one."
        );
    }

    #[test]
    fn what_is_not_over_says_when_it_goes_on() {
        let text = told(&json!({ "status": "waiting", "due_at": "2026-11-23T12:05:00.000Z" }));
        assert!(text.starts_with("Not yet delivered to sales: waiting, due 2026-11-23 12:05:00; it goes on"), "{text}");
    }

    #[test]
    fn what_is_held_says_who_can_mend_it() {
        let text = told(&json!({ "status": "held", "held": { "reason": "grant", "since": null } }));
        assert!(text.ends_with("What to do: an operator has to let it send: `pqh plugin grant webhook`"), "{text}");
    }

    #[test]
    fn an_earlier_cause_of_what_was_delivered_at_last_is_no_news() {
        let cause = json!({ "kind": "unavailable", "code": "http-503" });
        assert_eq!(told(&json!({ "status": "delivered", "cause": cause })), "Delivered to sales (delivery d-1)");
    }
}
