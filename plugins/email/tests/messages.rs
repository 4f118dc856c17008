//! Each mail as it goes out, kept as a snapshot: subject, plain text and HTML.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use email::Email;
use pqh_channel_sdk::events::{Detail, Event, RunStatus};
use pqh_channel_sdk::testkit::{self, Gate, SentMail, events};
use serde_json::json;

/// The mail of an event.
fn mail(event: Event) -> SentMail {
    let gate = Gate::new().mail(&[]);
    testkit::deliver::<Email>(&json!({ "to": ["ada@example.com", "bo@example.com"] }), event).unwrap();
    let mail = gate.mails().remove(0);
    gate.finish();
    mail
}

fn snapshot(name: &str, event: Event) {
    let SentMail { to, subject, text, html, conversation } = mail(event);
    let head = format!("To: {}\nSubject: {subject}\nConversation: {conversation:?}\n", to.join(", "));
    insta::assert_snapshot!(format!("{name}-text"), format!("{head}\n{text}"));
    insta::assert_snapshot!(format!("{name}-html"), html.unwrap());
}

fn full() -> Event {
    let mut event = events::triggered();
    event.labels = vec![
        ("team".into(), "sales".into()),
        ("runbook".into(), "https://wiki.example/runbooks/sales".into()),
        ("cost & <b>centre</b>".into(), "4711".into()),
    ];
    event.mentions = vec!["ada@example.com".into(), "U012AB3CD".into()];
    event
}

#[test]
fn a_triggered_alert_is_mailed_in_the_guides_words() {
    let mail = mail(events::triggered());
    assert_eq!(
        mail.text,
        "🚨 Alert Triggered: Daily Sales Alert\n\n📊 Report: Q4 Sales Dashboard\n⚠️  Alert: Daily Sales Alert\n\
         📅 When: Dec 15, 2024 2:14 PM\n\n🔎 Broken Rules:\n1. Revenue < 10000 (Current: 8750)\n\
         2. New Customers < 50 (Current: 23)\n\nView Report: https://app.pyqueryhub.com/reports/42\n\n\
         -- \nSent by PyQueryHub. Who gets this mail is set in the notification channel's settings.\n"
    );
    snapshot("triggered", events::triggered());
}

#[test]
fn every_kind_of_event_has_its_mail() {
    snapshot("resolved", events::resolved());
    snapshot("notebook", events::notebook(RunStatus::Warning));
    snapshot("notice", events::notice());
    snapshot("digest", events::digest(3));
    snapshot("test", events::test());
    snapshot("full", full());
}

#[test]
fn mail_of_one_incident_has_one_subject_and_one_conversation() {
    let (trigger, resolution) = (mail(events::triggered()), mail(events::resolved()));
    assert_eq!(trigger.subject, "🚨 Daily Sales Alert");
    assert_eq!(resolution.subject, format!("Re: {}", trigger.subject));
    assert_eq!(trigger.conversation.as_deref(), Some("incident-1"));
    assert_eq!(resolution.conversation, trigger.conversation);
    assert_eq!(mail(events::notebook(RunStatus::Success)).conversation, None);
}

#[test]
fn a_subject_is_one_short_line_whatever_the_title_holds() {
    let mut event = events::triggered();
    event.title = format!("a\r\nBcc: eve@example.com\u{202e} {}", "x".repeat(2000));
    let subject = mail(event).subject;
    assert!(!subject.contains(['\r', '\n', '\u{202e}']) && subject.chars().count() <= 160, "{subject}");
    let mut event = events::triggered();
    event.title = " \n".into();
    assert_eq!(mail(event).subject, "🚨 (untitled)");
}

#[test]
fn no_text_of_people_becomes_markup() {
    let evil = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&amp;";
    let mut event = full();
    event.title = evil.into();
    event.labels.push((evil.into(), evil.into()));
    event.mentions.push(evil.into());
    event.report.as_mut().unwrap().name = evil.into();
    event.report.as_mut().unwrap().url = Some(format!("https://x.example/\"><script>{evil}"));
    let Detail::Triggered(trigger) = &mut event.detail else { panic!("no trigger") };
    trigger.broken_rules.push(events::rule(evil, evil, evil, evil));
    let html = mail(event).html.unwrap();
    assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
    assert!(html.contains("<html lang=\"en\">"));
}

#[test]
fn nothing_is_loaded_from_elsewhere() {
    for event in [full(), events::digest(25)] {
        let html = mail(event).html.unwrap();
        assert!(
            !html.contains("src=") && !html.contains("url(") && !html.contains("<link") && !html.contains("@import")
        );
    }
}

#[test]
fn only_web_addresses_are_linked() {
    let mut event = full();
    event.report.as_mut().unwrap().url = Some("javascript:alert(1)".into());
    assert!(!mail(event.clone()).html.unwrap().contains("javascript:"));
    event.report.as_mut().unwrap().url = Some(format!("https://x.example/{}", "a".repeat(3100)));
    let mail = mail(event);
    assert!(mail.text.contains("The report's address is too long to be shown here."));
    assert!(mail.html.unwrap().contains("too long to be shown here"));
}
