//! Whatever an event holds, its message keeps Teams' limits by the facts alone, and headline, names and counts are there.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

use pqh_channel_sdk::events::{
    Detail, Event, NotebookRun, Notice, Report, Resolution, RunStatus, State, Summary, Trigger,
};
use pqh_channel_sdk::testkit::events;
use pqh_channel_sdk::text::one_line;
use proptest::prelude::*;
use serde_json::Value;
use teams::render;

/// Every text people read as it is, of a card of known 1.2 elements with what they need; panics at anything else.
fn texts(element: &Value, told: &mut Vec<String>) {
    let keys: Vec<&str> = element.as_object().unwrap().keys().map(String::as_str).collect();
    match element["type"].as_str().unwrap() {
        "Container" => {
            assert_eq!(keys, ["bleed", "items", "style", "type"]);
            assert!(["good", "accent", "warning", "attention"].contains(&element["style"].as_str().unwrap()));
            element["items"].as_array().unwrap().iter().for_each(|item| texts(item, told));
        }
        "RichTextBlock" => {
            let runs = element["inlines"].as_array().unwrap();
            assert!((1..=2).contains(&runs.len()));
            assert!(runs.iter().all(|run| run["type"] == "TextRun" && !run["text"].as_str().unwrap().is_empty()));
            told.push(runs.iter().map(|run| run["text"].as_str().unwrap()).collect());
        }
        "TextBlock" => {
            let address =
                element["text"].as_str().unwrap().strip_prefix("[View Report](").unwrap().strip_suffix(')').unwrap();
            assert!(
                address.starts_with("https://")
                    && !address.contains(['(', ')', '[', ']', ' ', '<', '"', '*', '\\', '\n'])
            );
            assert_eq!(element["wrap"], true);
        }
        other => panic!("an element of type {other}"),
    }
}

/// The message by the facts, and its texts in order.
fn check(event: &Event) -> Vec<String> {
    let body = render(event);
    assert!(body.len() <= 20 * 1024, "{} bytes", body.len());
    let message: Value = serde_json::from_str(&body).unwrap();
    // As Teams may keep it: a string within JSON, of ASCII alone.
    let kept: usize = Value::from(body.as_str())
        .to_string()
        .chars()
        .map(|held| if held.is_ascii() { 1 } else { 6 * held.len_utf16() })
        .sum();
    assert!(kept <= 28 * 1024, "{kept} kept");
    let attachment = &message["attachments"][0];
    assert_eq!((&message["type"], message["attachments"].as_array().unwrap().len()), (&"message".into(), 1));
    assert_eq!(attachment["contentType"], "application/vnd.microsoft.card.adaptive");
    assert!(attachment.as_object().unwrap().contains_key("contentUrl") && attachment["contentUrl"].is_null());
    let card = &attachment["content"];
    assert_eq!(
        (&card["type"], &card["version"], &card["msteams"]["width"]),
        (&"AdaptiveCard".into(), &"1.2".into(), &"Full".into())
    );
    let mut told = Vec::new();
    card["body"].as_array().unwrap().iter().for_each(|element| texts(element, &mut told));
    for text in told
        .iter()
        .map(String::as_str)
        .chain([&message["summary"], &card["fallbackText"]].map(|text| text.as_str().unwrap()))
    {
        assert!(!text.contains("{{") && !text.contains(['\u{202e}', '\u{2066}']), "{text:?}");
        assert!(!text.chars().any(|held| held.is_control() && held != '\n' && held != '\t'), "{text:?}");
    }
    assert!(!card["fallbackText"].as_str().unwrap().contains("]("));
    for button in card["actions"].as_array().into_iter().flatten() {
        assert_eq!(button["type"], "Action.OpenUrl");
        let url = button["url"].as_str().unwrap();
        assert!(url.starts_with("https://") && url.len() <= 2000);
    }
    told
}

/// An event of this kind with everything that it may have, all of it `text`.
fn event_of(text: &str, rules: usize, kind: usize) -> Event {
    let text = text.to_owned();
    let detail = match kind {
        0 => Detail::Triggered(Trigger {
            broken_rules: (0..rules).map(|_| events::rule(&text, &text, &text, &text)).collect(),
        }),
        1 => Detail::Resolved(Resolution { triggered_at: Some(u64::MAX), triggered_at_local: Some(text.clone()) }),
        2 => Detail::Notebook(NotebookRun { status: RunStatus::Failure, message: text.clone() }),
        3 => Detail::Notice(Notice { kind: text.clone(), message: text.clone(), remedy: Some(text.clone()) }),
        4 => digest_of(vec![(text.clone(), text.clone(), text.clone(), text.clone()); 25]).detail,
        _ => Detail::Test,
    };
    Event {
        title: text.clone(),
        report: Some(Report { name: text.clone(), url: Some("https://app.pyqueryhub.com/reports/42".to_owned()) }),
        occurred_at_local: text.clone(),
        labels: vec![(text.clone(), text.clone()); 12],
        mentions: vec![text.clone(); 12],
        detail,
        ..events::triggered()
    }
}

const PIECES: [&str; 16] = [
    "a",
    "&",
    "\"",
    "\\",
    "<at>everyone</at> ",
    "[x](https://x.y) ",
    "👩‍👩‍👧",
    "e\u{301}\u{302}",
    "שלום ",
    "\u{0}\u{1b}",
    "\u{202e}x",
    "**_",
    "{",
    "{{DATE(2024-12-15T14:14:00Z)}}",
    "❤\u{fe0f}",
    "\n> ",
];

#[test]
fn a_megabyte_of_anything_keeps_every_limit_in_every_kind_of_event() {
    for piece in PIECES {
        let text = piece.repeat(1_000_000 / piece.len());
        check(&event_of(&text, 3, 0));
        let text = piece.repeat(20_000 / piece.len());
        for kind in 0..6 {
            let mut event = event_of(&text, 3, kind);
            for url in ["p".repeat(1900), "é".repeat(2100)] {
                event.report.as_mut().unwrap().url = Some(format!("https://x.y/{url}"));
                event.labels[0] =
                    ("runbook".to_owned(), format!("https://é.y/{}", url.chars().take(900).collect::<String>()));
                check(&event);
            }
        }
    }
}

#[test]
fn ten_thousand_rules_are_counted() {
    let mut event = events::triggered();
    let broken_rules = (0..10_000).map(|_| events::rule("Revenue", "<", "10000", "8750")).collect();
    event.detail = Detail::Triggered(Trigger { broken_rules });
    let told = check(&event).join("\n");
    let shown = told.matches("(Current: 8750)").count();
    assert!(shown > 100 && told.ends_with(&format!("… and 9,{:03} more broken rules", 1000 - shown)), "{shown} shown");
}

#[test]
fn a_common_message_is_told_whole_and_a_long_one_cut_with_a_mark() {
    for (length, whole) in [(5000, true), (50_000, false)] {
        let Detail::Notebook(mut run) = events::notebook(RunStatus::Success).detail else { panic!("no notebook") };
        run.message = "line of a log\n".repeat(length / 14);
        let told = check(&Event { detail: Detail::Notebook(run), ..events::notebook(RunStatus::Success) });
        assert_eq!(told.last().unwrap().ends_with('…'), !whole, "{length}");
        assert!(told.last().unwrap().len() > 4500);
    }
}

#[test]
fn an_address_that_fits_no_button_is_said_to_be_too_long() {
    let mut event = events::triggered();
    for (length, fits) in [(1900, true), (2100, false), (100_000, false)] {
        let url = format!("https://x.y/{}", "p".repeat(length));
        event.report.as_mut().unwrap().url = Some(url.clone());
        event.labels = vec![("runbook".to_owned(), url.clone())];
        let told = check(&event).join("\n");
        assert_eq!(render(&event).matches(&url).count(), if fits { 2 } else { 0 });
        assert_eq!(told.contains("The report's address is too long to be shown here."), !fits);
    }
    event.labels[0].1 = format!("https://x.y/{}", "p".repeat(2100));
    assert!(check(&event).join("\n").ends_with("The runbook's address is too long to be shown here."));
}

#[test]
fn an_event_of_nothing_is_still_a_message() {
    for kind in 0..6 {
        let told = check(&event_of("", 1, kind));
        assert!(told[0].ends_with(": (untitled)") && told.len() > 1);
    }
}

fn digest_of(told: Vec<(String, String, String, String)>) -> Event {
    let mut event = events::digest(told.len());
    let Detail::Digest(digest) = &mut event.detail else { return event };
    for (summary, (title, text, local, path)) in digest.summaries.iter_mut().zip(told) {
        let report = summary.report.take().map(|report| Report { url: Some(format!("https://x.y/{path}")), ..report });
        *summary = Summary { title, text, occurred_at_local: local, report, ..summary.clone() };
    }
    event
}

/// What has to be seen of a title: its first eight characters.
fn seen(title: &str) -> String {
    let begins: String = one_line(title).chars().take(8).collect();
    if begins.is_empty() { "(untitled)".to_owned() } else { begins.trim_end().replace(' ', "") }
}

fn check_names(event: &Event) {
    let Detail::Digest(digest) = &event.detail else { panic!("no digest") };
    let told = check(event);
    let signed: Vec<&String> = told[2..]
        .iter()
        .take_while(|line| ["🚨 ", "✅ ", "📔 ", "📣 "].iter().any(|sign| line.starts_with(sign)))
        .collect();
    assert_eq!(signed.len(), digest.summaries.len(), "{told:#?}");
    for (line, summary) in signed.iter().zip(&digest.summaries) {
        let title = line.split_once(' ').unwrap().1.replace(' ', "");
        assert!(title.starts_with(&seen(&summary.title)), "{line} of {:?}", summary.title);
        assert!(line.contains(" · "), "{line}");
    }
}

#[test]
fn a_digest_names_twenty_five_whatever_they_are_called() {
    for piece in PIECES {
        for size in [1, 60, 1000, 20_000] {
            check_names(&event_of(&piece.repeat(size / piece.len() + 1), 0, 4));
        }
    }
}

#[test]
fn a_digest_of_summaries_of_common_length_is_told_whole() {
    let path = "p".repeat(119 - "https://x.y/".len());
    let event = digest_of(vec![("t".repeat(59), "x".repeat(99), "Dec 15, 2024 12:14 PM".to_owned(), path); 25]);
    let told = check(&event);
    assert!(told[2..].iter().all(|line| *line
        == format!(
            "{} {}: {} · Dec 15, 2024 12:14 PM",
            &line[..line.find(' ').unwrap()],
            "t".repeat(59),
            "x".repeat(99)
        )));
    assert_eq!((told.len(), render(&event).matches("[View Report](").count()), (27, 25));
}

#[test]
fn a_digest_gives_up_its_longest_links_first_then_texts_then_ends_of_titles() {
    let with = |text: usize, title: usize, path: usize| {
        let one = |at: usize| {
            ("t".repeat(title), "é".repeat(text), String::new(), "p".repeat(if at == 0 { 130 } else { path }))
        };
        let event = digest_of((0..25).map(one).collect());
        check_names(&event);
        let told = check(&event);
        (render(&event).matches("[View Report](").count(), told[2].matches('é').count(), told[2].matches('t').count())
    };
    assert_eq!(with(10, 100, 100), (25, 10, 100));
    assert_eq!(with(10, 100, 480), (1, 10, 100));
    assert_eq!(with(60, 100, 130), (0, 60, 100));
    assert_eq!(with(200, 100, 480), (0, 39, 63));
    assert_eq!(with(200, 100, 130), (0, 39, 63));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_event_breaks_a_limit(
        text in "(?s)([&<>\\[\\]()*_{\"\\\\\\n]|\\PC|.){0,900}",
        rules in 0usize..60,
        kind in 0usize..6,
        path in "(?s).{0,400}",
    ) {
        let mut event = event_of(&text, rules, kind);
        event.report.as_mut().unwrap().url = Some(format!("https://x.y/{}", path.repeat(4)));
        event.labels.push(("runbook".to_owned(), format!("https://x.y/{path}")));
        check(&event);
    }

    #[test]
    fn no_digest_leaves_a_title_out(
        told in prop::collection::vec(
            (
                "(?s)([&<>\\[\\](){\"\\\\\\n]|\\PC|.){0,200}",
                "(?s)([&<>\\[\\](){\"\\\\\\n]|\\PC|.){0,300}",
                prop_oneof!["Dec 15, 2024 2:14 PM", "(?s).{0,100}"],
                "(?s).{0,300}",
            ),
            1..=25,
        ),
        states in prop::collection::vec(0usize..4, 25),
        title in "(?s)([&<>{]|.){0,300}",
    ) {
        let mut event = Event { detail: digest_of(told).detail, ..event_of(&title, 0, 4) };
        if let Detail::Digest(digest) = &mut event.detail {
            for (summary, state) in digest.summaries.iter_mut().zip(states) {
                summary.state = [State::Triggered, State::Resolved, State::Notebook, State::Notice][state];
            }
        }
        check_names(&event);
    }
}
