//! The same words as text alone, for where Slack refuses blocks or attachments.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use pqh_channel_sdk::events::{Detail, Event};
use pqh_channel_sdk::text::length;
use pqh_channel_sdk::words::{TOO_LONG, VIEW_REPORT, VIEW_RUNBOOK, Words};

use crate::address::Address;
use crate::mrkdwn::link;
use crate::parts::{self, Limits};
use crate::{Message, TEXT_LIMIT, TITLE_LIMIT, headline};

/// What a trigger's list needs at least: its heading and its count.
const LIST_MINIMUM: usize = 80;
/// The longest link to a report.
const REPORT: usize = 3400;
/// The same for a digest, which needs the room for its titles.
const DIGEST_REPORT: usize = 300;

/// The message as text alone, in at most 4000 characters.
pub fn plain_text(event: &Event) -> Message {
    plain_words(event, &Words::of(event))
}

/// The same of an event's words: see [`render_words`](crate::render_words).
pub fn plain_words(event: &Event, words: &Words<'_>) -> Message {
    let longest = if matches!(event.detail, Detail::Digest(_)) { DIGEST_REPORT } else { REPORT };
    let address = Address::of(words.report);
    let report = match &address {
        Address::Button(url) => Some(link(url, VIEW_REPORT)).filter(|link| length(link) <= longest),
        Address::Link(_) | Address::TooLong | Address::None => None,
    };
    let no_report = matches!(address, Address::None);
    let closing = report.unwrap_or_else(|| if no_report { String::new() } else { TOO_LONG.to_owned() });
    let opening = headline(words, TITLE_LIMIT);
    let mut room = TEXT_LIMIT - length(&opening) - length(&closing) - 4;
    let mut told = vec![opening];
    for part in parts_of(event, words, room) {
        let needed = length(&part) + 2;
        if needed <= room {
            room -= needed;
            told.push(part);
        }
    }
    if !closing.is_empty() {
        told.push(closing);
    }
    Message { text: told.join("\n\n"), unfurl_links: false, unfurl_media: false, attachments: Vec::new() }
}

/// The parts by their place. A list shrinks to the room there is, so that no count and no name is ever lost.
fn parts_of(event: &Event, words: &Words<'_>, room: usize) -> Vec<String> {
    let limits = if let Detail::Digest(_) = event.detail {
        // Names before all else, in one list.
        let digest = room.saturating_sub(2);
        Limits { body: digest, digest, ..Limits::PLAIN }
    } else {
        let body = Limits::PLAIN.body.min(room / 2).max(LIST_MINIMUM);
        Limits { body, name: Limits::PLAIN.name.min(body), ..Limits::PLAIN }
    };
    let mut parts = parts::sections(words, &limits);
    if let (Detail::Triggered(_), true) = (&event.detail, room < 800) {
        // Little room: the rules before what the headline says already.
        parts.reverse();
    }
    let labels = parts::labels(words, &limits);
    let fields: Vec<String> = labels.fields.iter().map(|field| field.replacen(":*\n", ":* ", 1)).collect();
    parts.push(fields.into_iter().chain(labels.left_out).collect::<Vec<_>>().join("\n"));
    parts.extend(parts::responders(words, &limits));
    parts.extend(words.runbook.as_deref().map(|url| link(url, VIEW_RUNBOOK)));
    parts.retain(|part| !part.is_empty());
    parts
}
