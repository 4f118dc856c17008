//! The card of an event: the guide's words, within Teams' size whatever the event holds.

use alloc::{format, string::String};

use pqh_channel_sdk::events::{Event, Summary};
use pqh_channel_sdk::list::{count, fitting, left_out, plural};
use pqh_channel_sdk::plain::{rule, title};
use pqh_channel_sdk::text::{line, line_or, lines, web_url};
use pqh_channel_sdk::words::{Line, Part, Tone, UNNAMED, VIEW_REPORT, VIEW_RUNBOOK, Value, Words, sign_of};
use pqh_channel_sdk::{Timestamp, time};

use crate::card::{Card, weight};

/// The heaviest message: Teams posts nothing over 28 KB, and says so to nobody (FACTS.md, 3).
const LIMIT: usize = 20 * 1024;
/// The heaviest address of a button, and the heaviest local time before that in UTC takes its place.
const BUTTON: usize = 2000;
const LOCAL_TIME: usize = 150;
/// A digest names all that the host puts into one.
const NAMED: usize = 25;

/// How much is told, in characters: a summary's link (whole or not at all) and text, titles and names, broken rules or a
/// message, what stands beside it (a remedy, responders, a label's value); and how many labels.
struct Room {
    link: usize,
    text: usize,
    title: usize,
    body: usize,
    aside: usize,
    labels: usize,
}

/// From the most to the least, in which every event fits. A digest's links go first, the longest before the others, then
/// texts, then the ends of titles; all its summaries give up the same.
const ROOMS: [Room; 9] = [
    Room { link: 500, text: 200, title: 200, body: 6000, aside: 500, labels: 10 },
    Room { link: 250, text: 200, title: 200, body: 4000, aside: 500, labels: 10 },
    Room { link: 150, text: 200, title: 200, body: 3000, aside: 340, labels: 10 },
    Room { link: 0, text: 200, title: 200, body: 2000, aside: 340, labels: 10 },
    Room { link: 0, text: 130, title: 160, body: 1500, aside: 250, labels: 10 },
    Room { link: 0, text: 80, title: 100, body: 1000, aside: 150, labels: 10 },
    Room { link: 0, text: 40, title: 64, body: 800, aside: 100, labels: 10 },
    Room { link: 0, text: 0, title: 48, body: 600, aside: 60, labels: 5 },
    Room { link: 0, text: 0, title: 16, body: 500, aside: 40, labels: 1 },
];

/// The message to post: JSON, of at most 20 KB.
pub fn render(event: &Event) -> String {
    let words = Words::of(event);
    let mut messages = ROOMS.iter().map(|room| card(&words, room).message());
    messages.find(|message| weight(message) <= LIMIT).unwrap_or_default()
}

fn card(words: &Words<'_>, room: &Room) -> Card {
    let style = match words.tone {
        Tone::Good => "good",
        Tone::Info => "accent",
        Tone::Warning => "warning",
        Tone::Critical => "attention",
    };
    let mut card = Card::new(&format!("{} {}: {}", words.sign, words.opening, title(words.title, room.title)), style);
    for part in &words.parts {
        match part {
            Part::Lines(lines) => lines.iter().enumerate().for_each(|(at, line)| tell(&mut card, at, line, room)),
            Part::Text(text) => card.text(0, "", &lines(text, room.body)),
            Part::Rules(rules) => {
                let numbered = rules.iter().enumerate().map(|(at, broken)| format!("{}. {}", at + 1, rule(broken)));
                card.text(0, "🔎 Broken Rules:", "");
                card.text(1, "", fitting("", numbered, rules.len(), "broken rule", room.body).trim());
            }
            Part::Summaries([]) => card.text(0, "", "Nothing to tell."),
            Part::Summaries(summaries) => digest(&mut card, summaries, room),
        }
    }
    for (at, (name, value)) in words.labels.iter().take(room.labels).enumerate() {
        let name = format!("{}: ", line_or(name, room.aside.min(80), UNNAMED));
        card.text(at, &name, &line_or(value, room.aside.min(340), "(empty)"));
    }
    card.text(1, "", &left_out(words.labels.len(), room.labels, "label"));
    if !words.responders.is_empty() {
        let names = words.responders.iter().map(|name| line_or(name, room.aside.min(100), UNNAMED));
        let names = fitting("", names, words.responders.len(), "responder", room.aside).trim().replace('\n', ", ");
        card.text(0, "👥 Who should respond: ", &names);
    }
    let report = words.report.and_then(web_url);
    for (label, noun, url) in [(VIEW_REPORT, "report", &report), (VIEW_RUNBOOK, "runbook", &words.runbook)] {
        match url {
            Some(url) if weight(url) <= BUTTON => card.button(label, url),
            Some(_) => card.text(0, "", &format!("The {noun}'s address is too long to be shown here.")),
            None => {}
        }
    }
    card
}

fn tell(card: &mut Card, at: usize, line: &Line<'_>, room: &Room) {
    let (sign, name, value) = match line {
        Line::Said(words) => return card.text(at, "", words),
        Line::Fact { sign, name, value } => (sign, name, value),
    };
    let value = match value {
        Value::Said(words) => (*words).into(),
        Value::Name { name, otherwise } => line_or(name, room.title, otherwise),
        Value::Text(text) => lines(text, if *name == "Message" { room.body } else { room.aside }),
        Value::Time { at, local } => when(*at, local),
    };
    card.text(at, format!("{sign} {name}: ").trim_start(), &value);
}

fn when(at: Timestamp, local: &str) -> String {
    let local = line(local, LOCAL_TIME);
    if local.is_empty() || weight(&local) > LOCAL_TIME { time::utc(at) } else { local }
}

fn digest(card: &mut Card, summaries: &[Summary], room: &Room) {
    let total = summaries.len();
    card.text(0, &format!("{} message{}:", count(total), plural(total)), "");
    let mut whole = true;
    for summary in summaries.iter().take(NAMED) {
        let title = title(&summary.title, room.title.min(120));
        let text = line(&summary.text, room.text);
        whole &= room.text > 0 || summary.text.is_empty();
        let colon = if text.is_empty() { "" } else { ": " };
        let when = when(summary.occurred_at, &summary.occurred_at_local);
        card.text(1, &format!("{} {title}", sign_of(summary)), &format!("{colon}{text} · {when}"));
        match summary.report.as_ref().and_then(|report| web_url(report.url.as_deref()?)) {
            Some(url) if weight(&url) <= room.link => card.link(VIEW_REPORT, &url),
            url => whole &= url.is_none(),
        }
    }
    card.text(1, "", &left_out(total, NAMED, "message"));
    if !whole {
        card.text(0, "", "Links and texts for which there is no room are left out.");
    }
}
