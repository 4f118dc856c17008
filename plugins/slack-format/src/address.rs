//! Where buttons and links lead: absolute http(s) URLs, percent-encoded, by how much room they need.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::fmt::Write;

use pqh_channel_sdk::events::Event;
use pqh_channel_sdk::text::length;

use crate::mrkdwn::link;
use crate::{BUTTON_URL_LIMIT, LINK_LIMIT};

/// What is longer fits into no message, and need not be encoded.
const LONGEST: usize = 16_000;

/// An address, by how it can be shown.
#[derive(Debug)]
pub(crate) enum Address {
    /// Fits a button.
    Button(String),
    /// Too long for a button, short enough for a link in the text.
    Link(String),
    /// Too long for any message.
    TooLong,
    /// There is none, or none that leads anywhere.
    None,
}

impl Address {
    pub(crate) fn of_report(event: &Event) -> Self {
        event.report.as_ref().and_then(|report| report.url.as_deref()).map_or(Self::None, Self::of)
    }

    pub(crate) fn of(url: &str) -> Self {
        match encode(url) {
            None => Self::None,
            Some(url) if url.len() <= BUTTON_URL_LIMIT => Self::Button(url),
            Some(url) if length(&link(&url, "View Report")) <= LINK_LIMIT => Self::Link(url),
            Some(_) => Self::TooLong,
        }
    }
}

/// The runbook among the labels, where it is an address that fits a button.
pub(crate) fn runbook(event: &Event) -> Address {
    event.labels.iter().find(|label| is_runbook(label)).map_or(Address::None, |(_, url)| Address::of(url))
}

/// Whether this label is shown as the button 'View Runbook'.
pub(crate) fn is_runbook((name, value): &(String, String)) -> bool {
    name == "runbook" && matches!(Address::of(value), Address::Button(_))
}

/// An absolute http(s) URL with everything percent-encoded that would end it early; none where it is no such URL.
pub(crate) fn encode(url: &str) -> Option<String> {
    let url = url.trim();
    if url.len() > LONGEST {
        return Some(url.to_owned()).filter(|url| url.starts_with("https://") || url.starts_with("http://"));
    }
    let (scheme, rest) = url.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return None;
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    if authority.is_empty() || authority.chars().any(is_unsafe) {
        return None;
    }
    let mut encoded = format!("{}://{authority}", scheme.to_ascii_lowercase());
    for character in rest.chars() {
        if is_unsafe(character) || !character.is_ascii() {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                let _ = write!(encoded, "%{byte:02X}");
            }
        } else {
            encoded.push(character);
        }
    }
    Some(encoded)
}

fn is_unsafe(character: char) -> bool {
    character.is_control()
        || character.is_whitespace()
        || matches!(character, '<' | '>' | '|' | '"' | '\\' | '^' | '`' | '{' | '}')
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_web_addresses_become_buttons() {
        assert!(encode("https://x.y/a b|c>d?é#f").is_some_and(|url| url == "https://x.y/a%20b%7Cc%3Ed?%C3%A9#f"));
        for bad in ["", "javascript:alert(1)", "/reports/1", "https://", "https://a b/", "ftp://x.y", "mailto:a@b"] {
            assert_eq!(encode(bad), None, "{bad}");
        }
    }
}
