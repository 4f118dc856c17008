//! Each message as it goes out, kept as a snapshot, and against the guide's words.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use pqh_channel_sdk::events::{Detail, Event, Resolution, RunStatus, Severity, State};
use pqh_channel_sdk::testkit::events;
use serde_json::Value;
use teams::render;

fn message(event: &Event) -> Value {
    serde_json::from_str(&render(event)).unwrap()
}

fn card(event: &Event) -> Value {
    message(event)["attachments"][0]["content"].take()
}

/// The words of a card as people read them.
fn words(event: &Event) -> String {
    fn read(element: &Value, told: &mut Vec<String>) {
        for item in element["items"].as_array().into_iter().flatten() {
            read(item, told);
        }
        if let Some(inlines) = element["inlines"].as_array() {
            let text: String = inlines.iter().map(|run| run["text"].as_str().unwrap()).collect();
            let apart = if element["spacing"] == "default" { "\n" } else { "" };
            told.push(apart.to_owned() + &text);
        }
        if let Some(text) = element["text"].as_str() {
            told.push(text.split_once(']').unwrap().0.to_owned() + "]");
        }
    }
    let card = card(event);
    let mut told = Vec::new();
    card["body"].as_array().unwrap().iter().for_each(|element| read(element, &mut told));
    for button in card["actions"].as_array().into_iter().flatten() {
        told.push(format!("\n[{}]", button["title"].as_str().unwrap()));
    }
    told.join("\n")
}

/// A digest of the longest night that the host makes one message of.
fn night() -> Event {
    let names = [
        "Daily Sales Alert",
        "Checkout conversion below target (EU)",
        "Warehouse sync is late",
        "R&D spend > budget",
        "New sign-ups per hour, all regions",
    ];
    let texts = [
        (State::Triggered, "Revenue < 10000 (Current: 8750) and 2 more"),
        (State::Resolved, "Returned to an 'ok' state"),
        (State::Notebook, "Daily ETL completed with 3 warnings. 1,247 records processed, 12 left out as duplicates."),
        (State::Notice, "Connection 'Sales Alerts' was paused because Teams refused its messages."),
    ];
    let mut event = events::digest(25);
    "25 messages that waited".clone_into(&mut event.title);
    let Detail::Digest(digest) = &mut event.detail else { return event };
    let kinds = names.iter().cycle().zip(texts.iter().cycle());
    for (number, (summary, (name, (state, text)))) in (0u64..).zip(digest.summaries.iter_mut().zip(kinds)) {
        summary.title = format!("{name} #{}", number + 1);
        summary.state = *state;
        (*text).clone_into(&mut summary.text);
        summary.report.as_mut().unwrap().url = Some(format!(
            "https://app.pyqueryhub.com/acme/reports/{}?from=alert&run=01J9ZQ5W6T3M8K2V7B4XNY0R{number:02}",
            42 + number
        ));
    }
    event
}

#[test]
fn a_triggered_alert_reads_as_in_the_guide() {
    let event = events::triggered();
    assert_eq!(
        words(&event),
        "🚨 Alert Triggered: Daily Sales Alert\n\n📊 Report: Q4 Sales Dashboard\n⚠️  Alert: Daily Sales Alert\n\
         📅 When: Dec 15, 2024 2:14 PM\n\n🔎 Broken Rules:\n1. Revenue < 10000 (Current: 8750)\n\
         2. New Customers < 50 (Current: 23)\n\n[View Report]"
    );
    insta::assert_json_snapshot!(message(&event));
}

#[test]
fn a_resolved_alert_reads_as_in_the_guide() {
    let event = events::resolved();
    assert_eq!(
        words(&event),
        "✅ Alert Resolved: Daily Sales Alert\n\n📊 Report: Q4 Sales Dashboard\n\
         ✅ This alert has returned to an 'ok' state.\n\nResolved: Dec 15, 2024 4:32 PM\n\n[View Report]"
    );
    insta::assert_json_snapshot!(message(&event));
}

#[test]
fn a_notebook_message_reads_as_in_the_guide() {
    let event = events::notebook(RunStatus::Success);
    assert_eq!(
        words(&event),
        "📔 Notebook Alert: Data Processing Update\n\nStatus: Success ✅\n\
         Message: Daily ETL completed successfully. 1,247 records processed.\n\n[View Report]"
    );
    insta::assert_json_snapshot!(message(&event));
}

#[test]
fn a_notebook_says_warning_and_failure_and_takes_their_colour() {
    for (status, told, style) in [
        (RunStatus::Warning, "Status: Warning ⚠️\n", "warning"),
        (RunStatus::Failure, "Status: Failure ❌\n", "attention"),
    ] {
        let event = events::notebook(status);
        assert!(words(&event).contains(told));
        assert_eq!(card(&event)["body"][0]["style"], style);
    }
}

#[test]
fn an_alert_takes_the_colour_of_its_severity() {
    let mut event = events::triggered();
    for (severity, style) in
        [(Severity::Info, "accent"), (Severity::Warning, "warning"), (Severity::Critical, "attention")]
    {
        event.severity = severity;
        assert_eq!(card(&event)["body"][0]["style"], style);
    }
    assert_eq!(card(&events::resolved())["body"][0]["style"], "good");
}

#[test]
fn notices_tests_and_digests_have_their_own_headline() {
    insta::assert_json_snapshot!("notice", message(&events::notice()));
    insta::assert_json_snapshot!("test", message(&events::test()));
    insta::assert_json_snapshot!("digest", message(&events::digest(2)));
}

#[test]
fn a_digest_of_a_whole_night_leaves_out_nothing() {
    let words = words(&night());
    assert_eq!(words.matches("[View Report]").count(), 25);
    assert!(words.starts_with(
        "🗂️ Digest: 25 messages that waited\n\n25 messages:\n\
         🚨 Daily Sales Alert #1: Revenue < 10000 (Current: 8750) and 2 more · Dec 15, 2024 2:14 PM\n[View Report]\n\
         ✅ Checkout conversion below target (EU) #2: Returned to an 'ok' state · Dec 15, 2024 2:14 PM\n[View Report]\n"
    ));
    assert!(!words.contains('…') && !words.contains("left out."));
    insta::assert_json_snapshot!("digest_of_a_night", message(&night()));
}

#[test]
fn a_digest_of_endless_texts_names_them_all() {
    let mut event = night();
    let Detail::Digest(digest) = &mut event.detail else { return };
    for (number, summary) in (1..).zip(&mut digest.summaries) {
        summary.title = format!("{number} {}", "A very long title of an alert that somebody gave. ".repeat(20));
        summary.text = "<at>everyone</at> & so on ".repeat(30);
        summary.report.as_mut().unwrap().url.as_mut().unwrap().push_str(&"&filter=all".repeat(20));
    }
    let words = words(&event);
    assert!((1..=25).all(|number| words.contains(&format!("{number} A very long title"))));
    assert!(words.ends_with("\n\nLinks and texts for which there is no room are left out."));
    insta::assert_json_snapshot!("digest_of_endless_texts", message(&event));
}

#[test]
fn what_is_beyond_twenty_five_is_counted() {
    let words = words(&events::digest(500));
    assert!(words.contains("\n500 messages:\n") && words.ends_with("\n… and 475 more messages"), "{words}");
    assert!(self::words(&events::digest(0)).ends_with("\n\nNothing to tell."));
}

#[test]
fn labels_responders_and_a_runbook_stand_below_the_rules() {
    let mut event = events::triggered();
    event.labels = (1..=12).map(|number| (format!("label {number}"), format!("<value> {number}"))).collect();
    event.labels.push(("runbook".to_owned(), "https://wiki.example/run book".to_owned()));
    event.mentions = ["ada@example.com", "**ops** [x](https://x.y)", "<at>everyone</at>"].map(str::to_owned).to_vec();
    assert!(words(&event).ends_with(
        "\nlabel 10: <value> 10\n… and 2 more labels\n\n\
         👥 Who should respond: ada@example.com, **ops** [x](https://x.y), <at>everyone</at>\n\n[View Report]\n\n[View Runbook]"
    ));
    insta::assert_json_snapshot!(message(&event));
}

#[test]
fn a_known_time_of_the_trigger_is_told_apart() {
    let mut event = events::resolved();
    event.detail = Detail::Resolved(Resolution { triggered_at: Some(events::WHEN), triggered_at_local: None });
    assert!(words(&event).contains("\n\nTriggered: Dec 15, 2024 2:14 PM UTC\n\n"));
}

#[test]
fn a_time_is_told_as_the_organization_reads_it_unless_that_is_no_time() {
    let mut event = events::test();
    for (local, told) in [
        (" Dec 15,\n2024 ", "Dec 15, 2024"),
        ("15 декабря 2024 г., 14:14", "15 декабря 2024 г., 14:14"),
        ("", "Dec 15, 2024 2:14 PM UTC"),
        (&"x".repeat(151), "Dec 15, 2024 2:14 PM UTC"),
        (&"я".repeat(26), "Dec 15, 2024 2:14 PM UTC"),
    ] {
        local.clone_into(&mut event.occurred_at_local);
        assert!(words(&event).ends_with(&format!("When: {told}")), "{local}");
    }
}

#[test]
fn no_text_holds_what_clients_would_format() {
    for braces in 1..9 {
        let mut event = events::notice();
        event.title = "{".repeat(braces) + "DATE(2024-12-15T14:14:00Z)}}";
        let words = words(&event);
        assert!(!words.contains("{{") && words.replace(' ', "").contains(&event.title), "{words}");
    }
}

#[test]
fn a_link_is_whole_whatever_its_address_holds() {
    let mut event = events::digest(1);
    let Detail::Digest(digest) = &mut event.detail else { return };
    digest.summaries[0].report.as_mut().unwrap().url = Some("https://x.y/(a)[b](https://evil.example) *c*".to_owned());
    let link = card(&event)["body"][3].take();
    assert_eq!(link["text"], "[View Report](https://x.y/%28a%29%5Bb%5D%28https://evil.example%29%20%2Ac%2A)");
}

#[test]
fn a_message_is_small() {
    assert!(render(&events::triggered()).len() < 1600);
}
