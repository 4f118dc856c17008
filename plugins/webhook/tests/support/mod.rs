//! What the tests share: sample events of every kind, and what is posted for one.
#![allow(dead_code, reason = "each test uses its part")]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use pqh_channel_sdk::events::{Detail, Event, Resolution, RunStatus};
use pqh_channel_sdk::testkit::{self, Gate, Sent, events};
use serde_json::{Value, json};
use webhook::Webhook;

/// Every kind of event, by the name of its snapshot.
pub(crate) fn samples() -> Vec<(&'static str, Event)> {
    let mut labelled = events::triggered();
    labelled.labels =
        [("team", "sales"), ("team", "R&D <b>"), ("runbook", "https://wiki.example/run book"), ("note", "")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec();
    labelled.mentions = ["U012AB3CD", "ops@example.com"].map(str::to_owned).to_vec();
    let mut resolved = events::resolved();
    resolved.detail = Detail::Resolved(Resolution {
        triggered_at: Some(events::WHEN),
        triggered_at_local: Some("Dec 15, 2024 2:14 PM".to_owned()),
    });
    let mut repeated = events::triggered();
    repeated.report.as_mut().unwrap().url = None;
    repeated.attributes.push(("possible-repeat".to_owned(), "true".to_owned()));
    vec![
        ("triggered", events::triggered()),
        ("triggered_with_labels_and_responders", labelled),
        ("triggered_possibly_told_before", repeated),
        ("resolved", events::resolved()),
        ("resolved_with_its_trigger", resolved),
        ("notebook_success", events::notebook(RunStatus::Success)),
        ("notebook_warning", events::notebook(RunStatus::Warning)),
        ("notebook_failure", events::notebook(RunStatus::Failure)),
        ("notice", events::notice()),
        ("test", events::test()),
    ]
}

/// What is posted for an event.
pub(crate) fn posted(event: Event) -> Sent {
    let gate = Gate::new().answer(204, "");
    testkit::deliver::<Webhook>(&json!({}), event).unwrap();
    gate.requests().remove(0)
}

/// The same for a ping.
pub(crate) fn pinged() -> Sent {
    let gate = Gate::new().answer(204, "");
    testkit::check::<Webhook>(&json!({})).unwrap();
    gate.requests().remove(0)
}

/// The body that is posted.
pub(crate) fn body(event: Event) -> Value {
    posted(event).json()
}
