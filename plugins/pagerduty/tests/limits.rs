//! Whatever an event holds, PagerDuty takes what goes out: judged by the simulator's own rules.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

#[path = "../../../tests/src/pagerduty/validate.rs"]
#[allow(dead_code, unreachable_pub, reason = "the simulator uses all of it")]
mod validate;

use pagerduty::PagerDuty;
use pqh_channel_sdk::events::{Detail, Event, NotebookRun, Notice, Report, RunStatus, Severity, Trigger};
use pqh_channel_sdk::testkit::{self, Gate, events};
use proptest::prelude::*;
use serde_json::{Value, json};

/// What went out, with a key in its place, after PagerDuty would have taken it.
fn taken(event: Event) -> Vec<Value> {
    let gate = if matches!(event.detail, Detail::Test) { Gate::new().answer(202, "") } else { Gate::new() };
    let gate = gate.answer(202, "");
    testkit::deliver::<PagerDuty>(&json!({}), event).unwrap();
    let sent = gate.requests();
    let judge = |sent: &testkit::Sent| {
        // As the gate does it: other members stay as they were written, and a name that stands twice is refused.
        let text = String::from_utf8(sent.body().to_vec()).unwrap();
        let placeholder = r#""routing_key":"""#;
        assert_eq!(sent.json()["routing_key"], "");
        let text = text.replacen(placeholder, &format!(r#""routing_key":"{}""#, "a".repeat(32)), 1);
        let judged = if sent.url().ends_with("/change/enqueue") {
            validate::change(text.as_bytes())
        } else {
            validate::alert(text.as_bytes())
        };
        let valid = judged.unwrap_or_else(|refusal| panic!("{refusal:?}: {text:.2000}"));
        check_text(&valid.body);
        let rows = valid.body["payload"]["custom_details"].as_object().map_or(0, serde_json::Map::len);
        assert_eq!(rows, rows_as_written(&text), "a name stands twice: {text:.2000}");
        valid.body
    };
    sent.iter().map(judge).collect()
}

/// How many members `custom_details` has as it is written, each name once or not.
fn rows_as_written(text: &str) -> usize {
    let Some((_, details)) = text.split_once(r#""custom_details":{"#) else { return 0 };
    let mut inside = false;
    let mut escaped = false;
    let mut colons = 0;
    for character in details.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => inside = !inside,
            ':' if !inside => colons += 1,
            '}' if !inside => break,
            _ => {}
        }
    }
    colons
}

/// No control characters but line breaks and tabs, those only in details; no directional overrides.
fn check_text(value: &Value) {
    let text = value.to_string();
    assert!(!text.contains(['\u{202e}', '\u{2066}', '\u{feff}']), "{text:.500}");
    for name in ["summary", "source"] {
        if let Some(text) = value["payload"][name].as_str() {
            assert!(!text.chars().any(char::is_control), "{text:?}");
        }
    }
    assert!(value["payload"]["source"].as_str().is_none_or(|source| source.chars().count() <= 250));
}

/// Events of every kind that hold `text` wherever they can.
fn events_of(text: &str, rules: usize, labels: usize) -> Vec<Event> {
    let own = || text.to_owned();
    let details = [
        Detail::Triggered(Trigger { broken_rules: vec![events::rule(text, text, text, text); rules] }),
        events::resolved().detail,
        Detail::Notebook(NotebookRun { status: RunStatus::Success, message: own() }),
        Detail::Notebook(NotebookRun { status: RunStatus::Failure, message: own() }),
        Detail::Notice(Notice { kind: own(), message: own(), remedy: Some(own()) }),
        Detail::Test,
    ];
    let event = |detail| Event {
        id: own(),
        alert_id: Some(own()),
        report: Some(Report { name: own(), url: Some(format!("https://x.y/{text}")) }),
        severity: Severity::Warning,
        occurred_at: u64::MAX,
        occurred_at_local: own(),
        mentions: vec![own(); labels],
        labels: vec![(own(), own()); labels],
        ..events::event(text, detail)
    };
    details.map(event).to_vec()
}

#[test]
fn the_guides_own_events_are_taken() {
    for event in [
        events::triggered(),
        events::resolved(),
        events::notebook(RunStatus::Success),
        events::notebook(RunStatus::Warning),
        events::notebook(RunStatus::Failure),
        events::notice(),
        events::test(),
    ] {
        assert!(!taken(event).is_empty());
    }
}

#[test]
fn a_megabyte_of_anything_keeps_every_limit() {
    for piece in
        ["a", "\"", "\\", "😀", "👩‍👩‍👧", "e\u{301}\u{302}", "\u{0}\u{1b}", "\u{202e}x", "\n", " ", "x \n", "<b>&amp;"]
    {
        for event in events_of(&piece.repeat(1_000_000 / piece.len()), 3, 2) {
            taken(event);
        }
    }
}

#[test]
fn the_largest_event_stays_below_512_kilobytes() {
    for piece in ["😀", "\"", "a\n", "\u{10ffff}"] {
        for event in events_of(&piece.repeat(9000), 120, 60) {
            for body in taken(event) {
                let bytes = body.to_string().len();
                assert!(bytes < 450_000, "{bytes}");
            }
        }
    }
}

#[test]
fn what_is_left_out_is_counted() {
    let mut event = events::triggered();
    event.detail = Detail::Triggered(Trigger { broken_rules: vec![events::rule("Revenue", "<", "2", "1"); 1100] });
    event.labels = (0..70).map(|number| (format!("label {number}"), "x".to_owned())).collect();
    event.mentions = (0..30).map(|number| format!("U{number}")).collect();
    let details = taken(event).remove(0)["payload"]["custom_details"].take();
    assert_eq!(details["Rule 100"], "Revenue < 2 (Current: 1)");
    assert_eq!(details["Rule 101"], Value::Null);
    assert_eq!(details["More rules"], "… and 1,000 more broken rules");
    assert_eq!(details["More labels"], "… and 20 more labels");
    assert!(details["Who should respond"].as_str().unwrap().ends_with(", U19 and 10 more"), "{details}");
}

#[test]
fn an_event_of_nothing_is_still_an_alert() {
    let event = Event { report: None, id: String::new(), ..events_of("", 0, 1).remove(0) };
    let body = taken(event).remove(0);
    assert_eq!((&body["payload"]["summary"], &body["payload"]["source"]), (&json!("(untitled)"), &json!("PyQueryHub")));
    assert_eq!(body["payload"]["custom_details"]["(unnamed)"], "(empty)");
}

#[test]
fn a_report_without_a_usable_address_has_no_link() {
    for (url, told) in [
        ("javascript:alert(1)".to_owned(), Value::Null),
        (format!("https://x.y/{}", "p".repeat(3000)), json!("The report's address is too long to be shown here.")),
    ] {
        let mut event = events::triggered();
        event.report.as_mut().unwrap().url = Some(url);
        let body = taken(event).remove(0);
        assert_eq!((&body["links"], &body["client_url"]), (&Value::Null, &Value::Null));
        assert_eq!(body["payload"]["custom_details"]["View Report"], told);
    }
}

#[test]
fn long_keys_are_cut_alike_for_a_trigger_and_its_resolution_and_stay_distinct() {
    let key = |event: Event, end: &str| {
        let alert_id = Some("ü".repeat(300) + end);
        taken(Event { alert_id, ..event }).remove(0)["dedup_key"].take()
    };
    assert_eq!(key(events::triggered(), "a"), key(events::resolved(), "a"));
    assert_ne!(key(events::triggered(), "a"), key(events::triggered(), "b"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_event_breaks_a_limit(
        text in "(?s)([&<>\"\\\\\\n]|\\PC|.){0,600}",
        rules in 0usize..120,
        labels in 0usize..60,
    ) {
        for event in events_of(&text, rules, labels) {
            taken(event);
        }
    }
}
