//! Text from people as Slack's mrkdwn: escaped, so that it mentions nobody and links nowhere.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use pqh_channel_sdk::Timestamp;
use pqh_channel_sdk::text::{MARKER, clean, enough, one_line, truncate};
use pqh_channel_sdk::time::{seconds, utc};

/// Escapes `&`, `<` and `>`, in that order; Slack decodes nothing else.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A link. `url` is percent-encoded already; `text` is ours.
pub fn link(url: &str, text: &str) -> String {
    format!("<{}|{text}>", escape(url))
}

/// People's text on one line, escaped, in at most `limit` characters.
pub fn line(text: &str, limit: usize) -> String {
    let text = one_line(&enough(text, limit));
    truncate(&escape(&text.replace("```", "'''")), limit, MARKER).into_owned()
}

/// People's text with its line breaks, escaped, in at most `limit` characters.
pub(crate) fn lines(text: &str, limit: usize) -> String {
    let text = clean(&enough(text, limit));
    truncate(&escape(&text.trim().replace("```", "'''")), limit, MARKER).into_owned()
}

/// `line`, or `otherwise` where nothing is left of it.
pub fn line_or(text: &str, limit: usize, otherwise: &str) -> String {
    let line = line(text, limit);
    if line.is_empty() { otherwise.to_owned() } else { line }
}

/// A time in the reader's own zone; `local` (the text in the organization's) stands in for it.
pub fn date(at: Timestamp, local: &str) -> String {
    let seconds = seconds(at);
    let mut fallback = line(local, 80).replace(['|', '^'], " ");
    if fallback.is_empty() {
        fallback = utc(at);
    }
    format!("<!date^{seconds}^{{date_short}} {{time}}|{fallback}>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fallback_cannot_break_out_of_its_token() {
        assert_eq!(date(0, "a|b>c"), "<!date^0^{date_short} {time}|a b&gt;c>");
        assert_eq!(date(0, ""), "<!date^0^{date_short} {time}|Jan 1, 1970 12:00 AM UTC>");
    }
}
