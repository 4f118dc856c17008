//! Whatever an event holds, its message keeps Slack's limits, and headline, report link and count are there.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by a panic")]

use pqh_channel_sdk::events::{Detail, Event, Report, State, Summary, Trigger};
use pqh_channel_sdk::testkit::events;
use pqh_channel_sdk::text::one_line;
use proptest::prelude::*;
use serde_json::Value;
use slack_format::{escape, plain_text, render};

fn length(value: &Value) -> usize {
    value.as_str().unwrap().chars().count()
}

/// Every text object below `value`, with the most that it may hold.
fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            if let (Some("mrkdwn" | "plain_text"), Some(text)) =
                (members.get("type").and_then(Value::as_str), members.get("text").and_then(Value::as_str))
            {
                found.push(text);
            }
            members.values().for_each(|member| texts(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        _ => {}
    }
}

/// Slack's limits, by the facts alone.
fn check_limits(message: &Value) {
    assert!((1..=4000).contains(&length(&message["text"])), "text");
    check_markup(message["text"].as_str().unwrap());
    for attachment in message["attachments"].as_array().into_iter().flatten() {
        let blocks = attachment["blocks"].as_array().unwrap();
        assert!((1..=50).contains(&blocks.len()), "blocks");
        let mut found = Vec::new();
        texts(&attachment["blocks"], &mut found);
        let total: usize = found.iter().map(|text| text.chars().count()).sum();
        assert!(total <= 10_000, "all block text: {total}");
        for text in found {
            assert!((1..=3000).contains(&text.chars().count()), "a text object");
            check_markup(text);
        }
        for block in blocks {
            for field in block["fields"].as_array().into_iter().flatten() {
                assert!((1..=2000).contains(&length(&field["text"])));
            }
            assert!(block["fields"].as_array().is_none_or(|fields| (1..=10).contains(&fields.len())));
            for button in block["elements"].as_array().into_iter().flatten() {
                assert!((1..=75).contains(&length(&button["text"]["text"])));
                assert!((1..=3000).contains(&length(&button["url"])));
            }
        }
    }
}

/// Every `<` opens a token of ours, every `&` an entity; no control characters but line breaks, no code blocks.
fn check_markup(text: &str) {
    assert!(!text.contains("```"));
    assert!(!text.chars().any(|held| held.is_control() && held != '\n' && held != '\t'), "{text:?}");
    assert!(!text.contains(['\u{202e}', '\u{2066}']));
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&', '>']) {
        rest = &rest[at..];
        if rest.starts_with('&') {
            let known = ["&amp;", "&lt;", "&gt;"].iter().find(|entity| rest.starts_with(**entity));
            rest = &rest[known.unwrap_or_else(|| panic!("a bare &: {rest:.20}")).len()..];
            continue;
        }
        let ours = ["<!date^", "<https://", "<http://", "<@U", "<@W", "<!subteam^S"];
        assert!(ours.iter().any(|start| rest.starts_with(start)), "markup from people: {rest:.40}");
        rest = &rest[rest.find('>').expect("a token that ends") + 1..];
    }
}

fn check(event: &Event) -> (Value, Value) {
    let rich = serde_json::to_value(render(event)).unwrap();
    let plain = serde_json::to_value(plain_text(event)).unwrap();
    check_limits(&rich);
    check_limits(&plain);
    for message in [&rich, &plain] {
        assert!(message["text"].as_str().unwrap().starts_with("🚨 Alert Triggered: "));
    }
    (rich, plain)
}

fn event_of(text: &str, rules: usize) -> Event {
    let broken_rules = (0..rules).map(|_| events::rule(text, text, text, text)).collect();
    let mut event = events::triggered();
    text.clone_into(&mut event.title);
    text.clone_into(&mut event.report.as_mut().unwrap().name);
    text.clone_into(&mut event.occurred_at_local);
    event.detail = Detail::Triggered(Trigger { broken_rules });
    event.labels = vec![(text.to_owned(), text.to_owned()); 12];
    event.mentions = vec![text.to_owned(); 6];
    event
}

#[test]
fn ten_thousand_rules_are_counted() {
    let mut event = events::triggered();
    let broken_rules = (0..10_000).map(|_| events::rule("Revenue", "<", "10000", "8750")).collect();
    event.detail = Detail::Triggered(Trigger { broken_rules });
    let (rich, plain) = check(&event);
    for (message, name) in [(rich, "rich"), (plain, "plain")] {
        let text = message.to_string();
        let shown = text.matches("(Current: 8750)").count();
        let left = format!("… and 9,{:03} more broken rules", 10_000 - 9000 - shown);
        assert!(shown > 20 && text.contains(&left), "{name}: {shown} shown");
        assert!(text.contains("View Report") && text.contains("https://app.pyqueryhub.com/reports/42"));
    }
}

#[test]
fn a_megabyte_of_anything_keeps_every_limit() {
    for piece in [
        "a",
        "&",
        "<!channel> ",
        "👩‍👩‍👧",
        "e\u{301}\u{302}",
        "שלום ",
        "\u{0}\u{1b}",
        "\u{202e}x",
        "```",
        "|^>",
        "❤\u{fe0f}",
        "\n> ",
    ] {
        let text = piece.repeat(1_000_000 / piece.len());
        let (rich, _) = check(&event_of(&text, 3));
        let text = rich.to_string();
        assert!(text.contains("broken rule") || text.contains("Broken Rules"), "{piece}");
        assert!(text.contains("https://app.pyqueryhub.com/reports/42"), "{piece}");
    }
}

#[test]
fn a_long_report_address_is_a_link_in_the_text_and_a_longer_one_is_said_to_be_too_long() {
    let mut event = event_of(&"long & wide ".repeat(100), 500);
    for (characters, place) in [(2900, "button"), (3500, "link"), (5000, "none")] {
        let url = format!("https://x.y/{}", "p".repeat(characters));
        event.report.as_mut().unwrap().url = Some(url.clone());
        let (rich, plain) = check(&event);
        assert_eq!(rich["attachments"].to_string().contains(&url), place == "button");
        assert_eq!(rich["text"].as_str().unwrap().contains(&url), place == "link");
        assert_eq!(rich.to_string().contains("address is too long"), place == "none");
        assert!(plain["text"].as_str().unwrap().contains("broken rule"), "{plain}");
    }
}

#[test]
fn an_event_of_nothing_is_still_a_message() {
    let (rich, _) = check(&event_of("", 1));
    assert!(rich.to_string().contains("(untitled)"));
}

/// The lines of a digest as they are read, in both forms, below a heading that counts them.
fn check_digest(event: &Event, count: usize) -> [Vec<String>; 2] {
    let rich = serde_json::to_value(render(event)).unwrap();
    let plain = serde_json::to_value(plain_text(event)).unwrap();
    check_limits(&rich);
    check_limits(&plain);
    let mut found = Vec::new();
    texts(&rich["attachments"], &mut found);
    [found.join("\n"), plain["text"].as_str().unwrap().to_owned()].map(|text| {
        let heading = if count == 1 { "*1 message:*".to_owned() } else { format!("*{count} messages:*") };
        let below = text.lines().skip_while(|line| **line != heading).skip(1);
        let signed = |line: &&str| ["🚨 *", "✅ *", "📔 *", "📣 *"].iter().any(|sign| line.starts_with(sign));
        below.take_while(signed).map(str::to_owned).collect()
    })
}

/// What has to be seen of a title: its first eight characters.
fn seen(title: &str) -> String {
    let begins: String = one_line(title).replace("```", "'''").chars().take(8).collect();
    if begins.is_empty() { "(untitled)".to_owned() } else { escape(begins.trim_end()) }
}

fn check_names(event: &Event) {
    let Detail::Digest(digest) = &event.detail else { panic!("no digest") };
    for lines in check_digest(event, digest.summaries.len()) {
        assert_eq!(lines.len(), digest.summaries.len(), "{lines:#?}");
        for (line, summary) in lines.iter().zip(&digest.summaries) {
            let title = line.split_once(" *").unwrap().1;
            assert!(title.starts_with(&seen(&summary.title)), "{line} of {:?}", summary.title);
            assert!(line.contains("* · <!date^") || line.contains("*: "), "{line}");
            assert!(line.contains(" · <!date^"), "{line}");
        }
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

#[test]
fn a_digest_names_twenty_five_whatever_they_are_called() {
    for piece in
        ["a", "&", "<!channel> ", "👩‍👩‍👧", "שלום ", "\u{202e}x", "```", "|^>", "❤\u{fe0f}", "\n> ", "*", "· <!date^ "]
    {
        for size in [1, 60, 1000, 20_000] {
            let text = piece.repeat(size / piece.len() + 1);
            let mut event = digest_of(vec![(text.clone(), text.clone(), text.clone(), text.clone()); 25]);
            check_names(&event);
            // With everything else that a message may have.
            event.title.clone_from(&text);
            event.labels = vec![(text.clone(), text.clone()); 12];
            event.mentions = vec![text.clone(); 6];
            for url in [format!("https://x.y/{}", "p".repeat(250)), "https://x.y/".to_owned() + &text] {
                event.report = Some(Report { url: Some(url), ..events::triggered().report.unwrap() });
                check_names(&event);
            }
        }
    }
}

#[test]
fn a_title_that_begins_with_nothing_or_never_ends_its_first_character_is_named() {
    let marks = "e".to_owned() + &"\u{301}\u{302}".repeat(5000);
    let blank = " \n\u{0}\u{202e}".repeat(5000) + "Sales";
    let event = digest_of(
        [marks, blank]
            .into_iter()
            .cycle()
            .take(25)
            .map(|title| (title, String::new(), String::new(), String::new()))
            .collect(),
    );
    for lines in check_digest(&event, 25) {
        assert!(lines.iter().step_by(2).all(|line| line.contains(" *e\u{301}")), "{lines:#?}");
        assert!(lines.iter().skip(1).step_by(2).all(|line| line.contains(" *Sales* · ")), "{lines:#?}");
    }
}

#[test]
fn a_digest_of_summaries_of_common_length_is_told_whole() {
    let title = "t".repeat(59);
    let text = "x".repeat(99);
    let path = "p".repeat(119 - "https://x.y/".len());
    let event = digest_of(vec![(title.clone(), text.clone(), "Dec 15, 2024 12:14 PM".to_owned(), path.clone()); 25]);
    let [rich, plain] = check_digest(&event, 25);
    for line in &rich {
        assert!(line.contains(&format!("*{title}*: {text} · <!date^")), "{line}");
        assert!(line.ends_with(&format!(" · <https://x.y/{path}|View Report>")), "{line}");
    }
    assert_eq!((rich.len(), plain.len()), (25, 25));
    assert!(plain.iter().all(|line| line.contains(&title)), "{plain:#?}");
}

#[test]
fn what_is_beyond_twenty_five_is_counted() {
    let event = events::digest(500);
    for lines in check_digest(&event, 500) {
        assert_eq!(lines.len(), 25);
    }
    for message in [render(&event), plain_text(&event)] {
        assert!(serde_json::to_string(&message).unwrap().contains("… and 475 more messages"));
    }
}

#[test]
fn a_digest_of_nothing_is_still_a_message() {
    let event = events::digest(0);
    for message in [render(&event), plain_text(&event)] {
        let message = serde_json::to_value(message).unwrap();
        check_limits(&message);
        assert!(message.to_string().contains("Nothing to tell."));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_event_breaks_a_limit(
        text in "(?s)([&<>|`@!*\\n]|\\PC|.){0,600}",
        rules in 0usize..60,
        path in "(?s).{0,400}",
    ) {
        let mut event = event_of(&text, rules);
        event.report.as_mut().unwrap().url = Some(format!("https://x.y/{}", path.repeat(4)));
        event.labels.push(("runbook".to_owned(), format!("https://x.y/{path}")));
        check(&event);
    }

    #[test]
    fn no_digest_leaves_a_title_out(
        told in prop::collection::vec(
            (
                "(?s)([&<>|`*\\n]|\\PC|.){0,200}",
                "(?s)([&<>|`*\\n]|\\PC|.){0,300}",
                prop_oneof!["Dec 15, 2024 2:14 PM", "(?s).{0,100}"],
                "(?s).{0,300}",
            ),
            1..=25,
        ),
        states in prop::collection::vec(0usize..4, 25),
        labels in 0usize..14,
        title in "(?s)([&<>]|.){0,300}",
    ) {
        let mut event = digest_of(told);
        event.labels = vec![(title.clone(), title.clone()); labels];
        event.mentions = vec![title.clone(); labels];
        event.title = title;
        if let Detail::Digest(digest) = &mut event.detail {
            for (summary, state) in digest.summaries.iter_mut().zip(states) {
                summary.state = [State::Triggered, State::Resolved, State::Notebook, State::Notice][state];
            }
        }
        check_names(&event);
    }
}
