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
mod time;

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use pqh_channel_sdk::events::{Detail, Event, RunStatus, Severity, State};
use pqh_channel_sdk::text::length;

pub use message::{Attachment, Block, Message, TextObject};
pub use mrkdwn::{escape, link};
pub use plain::plain_text;

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

const GREEN: &str = "#2EB67D";
const BLUE: &str = "#36C5F0";
const YELLOW: &str = "#ECB22E";
const RED: &str = "#E01E5A";

/// What is said where a report's address does not fit into any message.
pub(crate) const TOO_LONG: &str = "The report's address is too long to be shown here.";

/// The message for Slack.
pub fn render(event: &Event) -> Message {
    let report = Address::of_report(event);
    let headline = headline(event, TITLE_LIMIT);
    let labels = parts::labels(event, &Limits::BLOCKS);
    let responders = parts::responders(event, &Limits::BLOCKS);
    let below: usize = labels.fields.iter().chain(&responders).map(|text| length(text)).sum();
    let digest = Limits::BLOCKS.digest.min(BLOCKS_LIMIT - below);
    let mut sections = parts::sections(event, &Limits { digest, ..Limits::BLOCKS });
    let mut text = headline.clone();
    match &report {
        Address::Link(url) => {
            let link = link(url, "View Report");
            text = format!("{}\n{link}", self::headline(event, TEXT_LIMIT - length(&link) - 40));
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
    let buttons = buttons(&report, &address::runbook(event));
    if !buttons.is_empty() {
        blocks.push(Block::Divider);
        blocks.push(Block::Actions { elements: buttons });
    }
    let attachment = Attachment { color: color(event), fallback: headline, blocks };
    Message { text, unfurl_links: false, unfurl_media: false, attachments: vec![attachment] }
}

fn buttons(report: &Address, runbook: &Address) -> Vec<message::Button> {
    [(report, "View Report", "view_report"), (runbook, "View Runbook", "view_runbook")]
        .into_iter()
        .filter_map(|(address, label, id)| match address {
            Address::Button(url) => Some(message::Button::new(label, id, url)),
            _ => None,
        })
        .collect()
}

/// What a phone shows and a screen reader reads, with at most `limit` characters of the title.
pub(crate) fn headline(event: &Event, limit: usize) -> String {
    let opening = match &event.detail {
        Detail::Triggered(_) => "🚨 Alert Triggered",
        Detail::Resolved(_) => "✅ Alert Resolved",
        Detail::Notebook(_) => "📔 Notebook Alert",
        Detail::Notice(_) => "📣 Notice",
        Detail::Digest(_) => "🗂️ Digest",
        Detail::Test => "🧪 Test Message",
    };
    format!("{opening}: {}", parts::title(&event.title, limit.min(TITLE_LIMIT)))
}

fn color(event: &Event) -> &'static str {
    match &event.detail {
        Detail::Resolved(_) => GREEN,
        Detail::Notebook(run) => match run.status {
            RunStatus::Success => GREEN,
            RunStatus::Warning => YELLOW,
            RunStatus::Failure => RED,
        },
        Detail::Digest(digest) => digest
            .summaries
            .iter()
            .filter(|summary| summary.state != State::Resolved)
            .map(|summary| summary.severity)
            .max_by_key(|severity| rank(*severity))
            .map_or(GREEN, of_severity),
        Detail::Triggered(_) | Detail::Notice(_) | Detail::Test => of_severity(event.severity),
    }
}

fn of_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => BLUE,
        Severity::Warning => YELLOW,
        Severity::Critical => RED,
    }
}

fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::Info => 0,
        Severity::Warning => 1,
        Severity::Critical => 2,
    }
}
