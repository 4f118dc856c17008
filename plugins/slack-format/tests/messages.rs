//! Each message as it goes out, kept as a snapshot, and against the guide's words.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use pqh_channel_sdk::events::{Detail, Event, RunStatus, Severity, State};
use pqh_channel_sdk::testkit::events;
use slack_format::{Message, plain_text, render};

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
        (State::Notice, "Connection 'Sales Alerts' was paused because Slack refused its messages."),
    ];
    let mut event = events::digest(25);
    "25 messages that waited".clone_into(&mut event.title);
    let Detail::Digest(digest) = &mut event.detail else { return event };
    let kinds = names.iter().cycle().zip(texts.iter().cycle());
    for (number, (summary, (name, (state, text)))) in (0u64..).zip(digest.summaries.iter_mut().zip(kinds)) {
        summary.title = format!("{name} #{}", number + 1);
        summary.state = *state;
        (*text).clone_into(&mut summary.text);
        summary.occurred_at += number * 780_000;
        summary.report.as_mut().unwrap().url = Some(format!(
            "https://app.pyqueryhub.com/acme/reports/{}?from=alert&run=01J9ZQ5W6T3M8K2V7B4XNY0R{number:02}",
            42 + number
        ));
    }
    event
}

/// The words of a message as people read them, with `*` taken away and dates and links as their text.
fn words(message: &Message) -> String {
    let value = serde_json::to_value(message).unwrap();
    let mut words = value["text"].as_str().unwrap().to_owned();
    for block in value["attachments"][0]["blocks"].as_array().unwrap() {
        if let Some(text) = block["text"]["text"].as_str() {
            words.push_str("\n\n");
            words.push_str(text);
        }
        for button in block["elements"].as_array().into_iter().flatten() {
            let label = button["text"]["text"].as_str().unwrap();
            words = format!(
                "{words}

[{label}]"
            );
        }
    }
    let words = words.replace('*', "");
    let mut read = String::new();
    let mut rest = words.as_str();
    while let Some(at) = rest.find('<') {
        let end = at + rest[at..].find('>').unwrap();
        read.push_str(&rest[..at]);
        read.push_str(rest[at + 1..end].split_once('|').unwrap().1);
        rest = &rest[end + 1..];
    }
    (read + rest).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[test]
fn a_triggered_alert_reads_as_in_the_guide() {
    let message = render(&events::triggered());
    assert_eq!(
        words(&message),
        "🚨 Alert Triggered: Daily Sales Alert\n\n📊 Report: Q4 Sales Dashboard\n⚠️  Alert: Daily Sales Alert\n\
         📅 When: Dec 15, 2024 2:14 PM\n\n🔎 Broken Rules:\n1. Revenue < 10000 (Current: 8750)\n\
         2. New Customers < 50 (Current: 23)\n\n[View Report]"
    );
    insta::assert_json_snapshot!(message);
}

#[test]
fn a_resolved_alert_reads_as_in_the_guide() {
    let message = render(&events::resolved());
    assert_eq!(
        words(&message),
        "✅ Alert Resolved: Daily Sales Alert\n\n📊 Report: Q4 Sales Dashboard\n\
         ✅ This alert has returned to an 'ok' state.\n\nResolved: Dec 15, 2024 4:32 PM\n\n[View Report]"
    );
    insta::assert_json_snapshot!(message);
}

#[test]
fn a_notebook_message_reads_as_in_the_guide() {
    let message = render(&events::notebook(RunStatus::Success));
    assert_eq!(
        words(&message),
        "📔 Notebook Alert: Data Processing Update\n\nStatus: Success ✅\n\
         Message: Daily ETL completed successfully. 1,247 records processed.\n\n[View Report]"
    );
    insta::assert_json_snapshot!(message);
}

#[test]
fn a_notebook_says_warning_and_failure() {
    let warning = render(&events::notebook(RunStatus::Warning));
    let failure = render(&events::notebook(RunStatus::Failure));
    assert!(words(&warning).contains("Status: Warning ⚠️\n"));
    assert!(words(&failure).contains("Status: Failure ❌\n"));
    assert_eq!((warning.attachments[0].color, failure.attachments[0].color), ("#ECB22E", "#E01E5A"));
}

#[test]
fn notices_tests_and_digests_have_their_own_headline() {
    insta::assert_json_snapshot!("notice", render(&events::notice()));
    insta::assert_json_snapshot!("test", render(&events::test()));
    insta::assert_json_snapshot!("digest", render(&events::digest(2)));
}

#[test]
fn a_digest_of_a_whole_night_leaves_out_nothing() {
    let message = render(&night());
    let words = words(&message);
    assert_eq!(words.matches("View Report").count(), 25);
    assert!(
        words.starts_with(
            "🗂️ Digest: 25 messages that waited\n\n25 messages:\n🚨 Daily Sales Alert #1: Revenue < 10000"
        )
    );
    assert!(!words.contains('…'));
    insta::assert_json_snapshot!("digest_of_a_night", message);
    insta::assert_json_snapshot!("plain_digest_of_a_night", plain_text(&night()));
}

#[test]
fn a_digest_of_endless_texts_names_them_all() {
    let mut event = night();
    let Detail::Digest(digest) = &mut event.detail else { return };
    for (number, summary) in (1..).zip(&mut digest.summaries) {
        summary.title = match number % 3 {
            0 => format!("{number} {}", "<&> ".repeat(300)),
            1 => format!("{number} {}", "A very long title of an alert that somebody gave. ".repeat(20)),
            _ => "&".repeat(number * 40),
        };
        summary.text = "<!channel> & so on ".repeat(30);
    }
    insta::assert_json_snapshot!("digest_of_endless_texts", render(&event));
    insta::assert_json_snapshot!("plain_digest_of_endless_texts", plain_text(&event));
}

#[test]
fn labels_responders_and_a_runbook_stand_below_the_rules() {
    let mut event = events::triggered();
    event.labels = (1..=12).map(|number| (format!("label {number}"), format!("<value> {number}"))).collect();
    event.labels.push(("runbook".to_owned(), "https://wiki.example/run book".to_owned()));
    event.mentions = ["U012AB3CD", "S0614TZR7", "ops@example.com", "<!channel>", "URGENT"].map(str::to_owned).to_vec();
    insta::assert_json_snapshot!(render(&event));
}

#[test]
fn a_known_time_of_the_trigger_is_told_in_a_section_of_its_own() {
    use pqh_channel_sdk::events::{Detail, Resolution};
    let mut event = events::resolved();
    event.detail = Detail::Resolved(Resolution { triggered_at: Some(events::WHEN), triggered_at_local: None });
    assert!(words(&render(&event)).contains("\n\nTriggered: Dec 15, 2024 2:14 PM UTC\n\n"));
}

#[test]
fn an_alert_takes_the_colour_of_its_severity() {
    let mut event = events::triggered();
    for (severity, color) in
        [(Severity::Info, "#36C5F0"), (Severity::Warning, "#ECB22E"), (Severity::Critical, "#E01E5A")]
    {
        event.severity = severity;
        assert_eq!(render(&event).attachments[0].color, color);
    }
}

#[test]
fn plain_text_says_the_same_words() {
    insta::assert_json_snapshot!("plain_triggered", plain_text(&events::triggered()));
    insta::assert_json_snapshot!("plain_resolved", plain_text(&events::resolved()));
    insta::assert_json_snapshot!("plain_notebook", plain_text(&events::notebook(RunStatus::Success)));
}
