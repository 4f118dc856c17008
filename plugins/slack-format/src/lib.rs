//! The Slack message of an event: the guide's words, within Slack's limits whatever the event holds.
//!
//! [`render`] makes the message with a coloured attachment; [`plain_text`] says the same words as text alone, for where
//! Slack refuses blocks.

#![no_std]

extern crate alloc;

mod address;
mod message;
mod mrkdwn;
mod parts;
mod plain;

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use pqh_channel_sdk::events::Event;
use pqh_channel_sdk::text::length;
use pqh_channel_sdk::words::{TOO_LONG, Tone, VIEW_REPORT, VIEW_RUNBOOK, Words};

pub use message::{Attachment, Block, Message, TextObject};
pub use mrkdwn::{date, escape, line, line_or, link};
pub use plain::{plain_text, plain_words};

use address::Address;
use parts::Limits;

/// Slack recommends at most 4,000 characters of `text`; beyond it may split the message.
pub const TEXT_LIMIT: usize = 4000;
/// The longest URL of a button.
pub const BUTTON_URL_LIMIT: usize = 3000;
/// The longest address that still goes out, as a link in the top-level text.
pub const LINK_LIMIT: usize = 3900;
/// What a digest's summaries, labels and responders share: Slack's undocumented total is above 10,000.
const BLOCKS_LIMIT: usize = 9800;
/// How much of a title is shown.
const TITLE_LIMIT: usize = 250;

/// The message for Slack.
pub fn render(event: &Event) -> Message {
    render_words(&Words::of(event))
}

/// The same of an event's words: who should respond may have become ids in them, which Slack shows as mentions.
pub fn render_words(words: &Words<'_>) -> Message {
    let report = Address::of(words.report);
    let headline = headline(words, TITLE_LIMIT);
    let labels = parts::labels(words, &Limits::BLOCKS);
    let responders = parts::responders(words, &Limits::BLOCKS);
    let below: usize = labels.fields.iter().chain(&responders).map(|text| length(text)).sum();
    let digest = Limits::BLOCKS.digest.min(BLOCKS_LIMIT - below);
    let mut sections = parts::sections(words, &Limits { digest, ..Limits::BLOCKS });
    let mut text = headline.clone();
    match &report {
        Address::Link(url) => {
            let link = link(url, VIEW_REPORT);
            text = format!("{}\n{link}", self::headline(words, TEXT_LIMIT - length(&link) - 40));
        }
        Address::TooLong => sections.push(TOO_LONG.to_owned()),
        Address::Button(_) | Address::None => {}
    }
    let mut blocks: Vec<Block> = sections.into_iter().map(Block::section).collect();
    if !labels.fields.is_empty() {
        blocks.push(Block::fields(labels.fields));
    }
    blocks.extend(labels.left_out.map(Block::section));
    blocks.extend(responders.map(Block::section));
    let buttons = buttons(&report, words.runbook.as_deref());
    if !buttons.is_empty() {
        blocks.push(Block::Divider);
        blocks.push(Block::Actions { elements: buttons });
    }
    let attachment = Attachment { color: color(words.tone), fallback: headline, blocks };
    Message { text, unfurl_links: false, unfurl_media: false, attachments: vec![attachment] }
}

fn buttons(report: &Address, runbook: Option<&str>) -> Vec<message::Button> {
    let report = match report {
        Address::Button(url) => Some(message::Button::new(VIEW_REPORT, "view_report", url)),
        Address::Link(_) | Address::TooLong | Address::None => None,
    };
    let runbook = runbook.map(|url| message::Button::new(VIEW_RUNBOOK, "view_runbook", url));
    report.into_iter().chain(runbook).collect()
}

/// What a phone shows and a screen reader reads, with at most `limit` characters of the title.
pub(crate) fn headline(words: &Words<'_>, limit: usize) -> String {
    let Words { sign, opening, title, .. } = words;
    format!("{sign} {opening}: {}", parts::title(title, limit.min(TITLE_LIMIT)))
}

fn color(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "#2EB67D",
        Tone::Info => "#36C5F0",
        Tone::Warning => "#ECB22E",
        Tone::Critical => "#E01E5A",
    }
}
