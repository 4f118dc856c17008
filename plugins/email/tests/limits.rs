//! However much an event holds, a mail stays whole where Gmail would cut it off, and says what it left out.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use email::Email;
use pqh_channel_sdk::events::{Detail, Event};
use pqh_channel_sdk::testkit::{self, Gate, SentMail, events};
use proptest::prelude::*;
use serde_json::json;

fn mail(event: Event) -> SentMail {
    let gate = Gate::new().mail(&[]);
    testkit::deliver::<Email>(&json!({ "to": ["ada@example.com"] }), event).unwrap();
    let mail = gate.mails().remove(0);
    gate.finish();
    mail
}

/// The same text wherever an event has one.
fn stuffed(mut event: Event, text: &str, many: usize) -> Event {
    event.title = text.into();
    event.mentions = vec![text.into(); many];
    event.labels = vec![(text.into(), text.into()); many];
    if let Some(report) = &mut event.report {
        report.name = text.into();
        report.url = Some(format!("https://x.example/{text}"));
    }
    event.occurred_at_local = text.into();
    match &mut event.detail {
        Detail::Triggered(trigger) => trigger.broken_rules = vec![events::rule(text, text, text, text); many],
        Detail::Notebook(run) => run.message = text.into(),
        Detail::Notice(notice) => {
            notice.message = text.into();
            notice.remedy = Some(text.into());
        }
        Detail::Digest(digest) => digest.summaries.iter_mut().for_each(|summary| {
            summary.title = text.into();
            summary.text = text.into();
            summary.occurred_at_local = text.into();
            summary.report.as_mut().unwrap().url = Some(format!("https://x.example/{text}"));
        }),
        Detail::Resolved(_) | Detail::Test => {}
    }
    event
}

fn kinds() -> [Event; 6] {
    [
        events::triggered(),
        events::resolved(),
        events::notebook(pqh_channel_sdk::events::RunStatus::Failure),
        events::notice(),
        events::digest(25),
        events::test(),
    ]
}

#[test]
fn endless_texts_fit_whatever_they_are_made_of() {
    for text in ["x", "&", "\"", "ü", "👩‍👩‍👧", "a b ", "<b>"] {
        for event in kinds() {
            let mail = mail(stuffed(event, &text.repeat(20_000), 300));
            let html = mail.html.unwrap();
            assert!(html.len() <= 100_000, "{} bytes of {text:?} in {:?}", html.len(), mail.subject);
            assert!(html.ends_with("</html>"));
        }
    }
}

#[test]
fn what_is_left_out_is_counted() {
    let mail = mail(stuffed(events::triggered(), "x", 300));
    for text in [mail.text, mail.html.unwrap()] {
        assert!(text.contains("… and 250 more broken rules"), "{text}");
        assert!(text.contains("… and 270 more labels") && text.contains("and 270 more"), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_makes_a_mail(text in "\\PC{0,300}|[\\r\\n\\t<>&\"' ]{0,60}", kind in 0usize..6) {
        let event = stuffed(kinds()[kind].clone(), &text, 3);
        let mail = mail(event);
        prop_assert!(!mail.subject.contains(['\r', '\n']));
        prop_assert!(!mail.text.is_empty() && mail.html.unwrap().len() <= 100_000);
    }
}
