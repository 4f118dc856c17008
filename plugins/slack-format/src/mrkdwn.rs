//! Text from people as Slack's mrkdwn: escaped, so that it mentions nobody and links nowhere.

use alloc::borrow::{Cow, ToOwned};
use alloc::format;
use alloc::string::{String, ToString};

use pqh_channel_sdk::text::{clean, one_line, truncate};

/// What stands where something was cut off.
pub(crate) const MARKER: &str = "…";

/// Escapes `&`, `<` and `>`, in that order; Slack decodes nothing else.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A link. `url` is percent-encoded already; `text` is ours.
pub fn link(url: &str, text: &str) -> String {
    format!("<{}|{text}>", escape(url))
}

/// People's text on one line, escaped, in at most `limit` characters.
pub(crate) fn line(text: &str, limit: usize) -> String {
    let text = one_line(&enough(text, limit));
    truncate(&escape(&text.replace("```", "'''")), limit, MARKER).into_owned()
}

/// People's text with its line breaks, escaped, in at most `limit` characters.
pub(crate) fn lines(text: &str, limit: usize) -> String {
    let text = clean(&enough(text, limit));
    truncate(&escape(&text.trim().replace("```", "'''")), limit, MARKER).into_owned()
}

/// No more of a text than can matter: a megabyte of which a line is shown need not be worked on.
fn enough(text: &str, limit: usize) -> Cow<'_, str> {
    truncate(text, limit * 4 + 200, MARKER)
}

/// `line`, or `otherwise` where nothing is left of it.
pub(crate) fn line_or(text: &str, limit: usize, otherwise: &str) -> String {
    let line = line(text, limit);
    if line.is_empty() { otherwise.to_owned() } else { line }
}

/// A number as the guide writes it: "9,950".
pub(crate) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
