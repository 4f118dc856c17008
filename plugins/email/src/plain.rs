//! The mail as plain text.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use pqh_channel_sdk::words::{TOO_LONG, Words};

use crate::message::{Content, Limits, Rule, Section, Told};

/// What stands under every mail.
pub(crate) const FOOTER: &str = "Sent by PyQueryHub. Who gets this mail is set in the notification channel's settings.";
pub(crate) fn render(words: &Words<'_>) -> String {
    let content = Content::of(words, Limits::STEPS[0]);
    let join = |lines: Vec<String>| lines.join("\n");
    let mut paragraphs = Vec::from([content.headline]);
    paragraphs.extend(content.sections.iter().map(section));
    paragraphs.push(join(content.labels.iter().map(|(name, value)| format!("{name}: {value}")).collect()));
    paragraphs.push(content.more_labels);
    if !content.responders.is_empty() {
        paragraphs.push(format!("👥 Who should respond: {}", content.responders));
    }
    paragraphs.push(join(content.buttons.iter().map(|(label, url)| format!("{label}: {url}")).collect()));
    paragraphs.extend(content.report_left_out.then(|| TOO_LONG.to_owned()));
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    format!("{}\n\n-- \n{FOOTER}\n", paragraphs.join("\n\n"))
}

pub(crate) fn section(section: &Section) -> String {
    match section {
        Section::Lines(all) => {
            let lines = all.iter().map(|(name, value)| format!("{name} {value}").trim_start().to_owned());
            lines.collect::<Vec<_>>().join("\n")
        }
        Section::Rules { rows, more } => {
            let rule = |(at, Rule { metric, condition, current }): (usize, &Rule)| {
                format!("{}. {metric} {condition} (Current: {current})", at + 1)
            };
            listed("🔎 Broken Rules:", rows.iter().enumerate().map(rule), more)
        }
        Section::Summaries { heading, rows, more } => listed(heading, rows.iter().map(summary), more),
    }
}

fn listed(heading: &str, lines: impl Iterator<Item = String>, more: &str) -> String {
    let mut list = lines.fold(heading.to_owned(), |list, line| format!("{list}\n{line}"));
    if !more.is_empty() {
        list = format!("{list}\n{more}");
    }
    list
}

fn summary(Told { sign, color: _, title, text, when, link }: &Told) -> String {
    let colon = if text.is_empty() { "" } else { ": " };
    let link = link.as_ref().map(|link| format!("\n   {link}")).unwrap_or_default();
    format!("{sign} {title}{colon}{text} · {when}{link}")
}
