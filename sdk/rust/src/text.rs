//! Text from people, made fit to be sent: cleaned, on one line, and cut where it may be cut.

use alloc::borrow::{Cow, ToOwned};
use alloc::format;
use alloc::string::String;
use core::fmt::Write;

use crate::clusters::Before;

/// How far an entity reaches at most, from its `&` to its `;`: "&quot;" and "&#128512;" fit.
const ENTITY_BYTES: usize = 10;
/// An address that is longer fits into no message, and need not be encoded.
const LONGEST_URL: usize = 16_000;

/// Without control characters, line and page oddities, byte order marks and directional overrides; line breaks and
/// tabs stay. Both `\r\n` and the Unicode line separators become `\n`.
pub fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\n' | '\t' => cleaned.push(character),
            '\r' => {
                if characters.peek() != Some(&'\n') {
                    cleaned.push('\n');
                }
            }
            '\u{2028}' | '\u{2029}' | '\u{85}' | '\u{b}' | '\u{c}' => cleaned.push('\n'),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' => {}
            _ if character.is_control() => {}
            _ => cleaned.push(character),
        }
    }
    cleaned
}

/// Cleaned, and on one line: every run of white space becomes one space, none at either end.
pub fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in clean(text).split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// How many characters (Unicode code points) a text has, which is what most services count.
pub fn length(text: &str) -> usize {
    text.chars().count()
}

/// At most `limit` characters (Unicode code points), `marker` included where something was cut off.
///
/// Never cuts within an entity (`&amp;`), within `<…>` (a link, a mention, a date), or before a combining mark, a
/// variation selector or a joiner. A marker that is longer than the limit is left out.
///
/// ```
/// use pqh_channel_sdk::text::truncate;
///
/// assert_eq!(truncate("Daily Sales Alert", 12, "…"), "Daily Sales…");
/// assert_eq!(truncate("R&amp;D", 5, "…"), "R…");
/// ```
pub fn truncate<'a>(text: &'a str, limit: usize, marker: &str) -> Cow<'a, str> {
    if text.char_indices().nth(limit).is_none() {
        return Cow::Borrowed(text);
    }
    let marker = if length(marker) > limit { "" } else { marker };
    let room = limit - length(marker);
    let end = text.char_indices().nth(room).map_or(text.len(), |(at, _)| at);
    let kept = text[..cut(text, end)].trim_end();
    Cow::Owned(format!("{kept}{marker}"))
}

/// What stands where something was cut off.
pub const MARKER: &str = "…";

/// People's text on one line: cleaned, and of at most `limit` characters, "…" included where something was cut off.
pub fn line(text: &str, limit: usize) -> String {
    truncate(&one_line(&enough(text, limit)), limit, MARKER).into_owned()
}

/// [`line`], or `otherwise` where nothing is left of it.
pub fn line_or(text: &str, limit: usize, otherwise: &str) -> String {
    let line = line(text, limit);
    if line.is_empty() { otherwise.to_owned() } else { line }
}

/// As [`line`], but with line breaks.
pub fn lines(text: &str, limit: usize) -> String {
    truncate(clean(&enough(text, limit)).trim(), limit, MARKER).into_owned()
}

/// An id that a service takes: as it is, where it is one clean line of at most `limit` characters; else what fits of it,
/// and a hash of the whole, so that it stays the same and distinct.
pub fn short_id(id: &str, limit: usize) -> Cow<'_, str> {
    if length(id) <= limit && !id.is_empty() && one_line(id) == id {
        return Cow::Borrowed(id);
    }
    // FNV-1a.
    let hash = id
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let start = one_line(&truncate(id, limit, ""));
    Cow::Owned(format!("{}-{hash:016x}", truncate(&start, limit.saturating_sub(17), "")))
}

/// No more of a text than can matter: a megabyte of which a line is shown need not be worked on.
pub fn enough(text: &str, limit: usize) -> Cow<'_, str> {
    truncate(text, limit * 4 + 200, MARKER)
}

/// The last place up to `end` where `text` may be cut.
fn cut(text: &str, end: usize) -> usize {
    let mut best = 0;
    let mut whole_until = 0;
    let mut before = Before::default();
    for (at, character) in text.char_indices() {
        if at > end {
            break;
        }
        if before.may_part(character) && at >= whole_until {
            best = at;
            whole_until = at + whole(&text[at..]);
        }
    }
    best
}

/// How many bytes at the start of `text` belong together as an entity or as `<…>`; 0 if it starts with neither.
fn whole(text: &str) -> usize {
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(b'&') => {
            let reach = &bytes[1..bytes.len().min(ENTITY_BYTES)];
            let name = reach.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'#').count();
            if name > 0 && reach.get(name) == Some(&b';') { name + 2 } else { 0 }
        }
        Some(b'<') => match bytes[1..].iter().position(|byte| matches!(byte, b'<' | b'>' | b'\n')) {
            Some(length) if bytes[1 + length] == b'>' => length + 2,
            _ => 0,
        },
        _ => 0,
    }
}

/// An absolute http(s) URL with everything percent-encoded that would end it early; none where it is no such URL.
///
/// What is over 16,000 bytes comes back as it is.
pub fn web_url(url: &str) -> Option<String> {
    let url = url.trim();
    if url.len() > LONGEST_URL {
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
    use proptest::prelude::*;

    #[test]
    fn control_characters_and_overrides_go_and_line_breaks_stay() {
        assert_eq!(clean("a\u{0}b\u{202e}c\r\nd\re\u{2028}f\u{7f}"), "abc\nd\ne\nf");
        assert_eq!(one_line("  a\n\tb \u{0} c "), "a b c");
    }

    #[test]
    fn only_absolute_web_addresses_are_addresses() {
        assert!(web_url("https://x.y/a b|c>d?é#f").is_some_and(|url| url == "https://x.y/a%20b%7Cc%3Ed?%C3%A9#f"));
        for bad in ["", "javascript:alert(1)", "/reports/1", "https://", "https://a b/", "ftp://x.y", "mailto:a@b"] {
            assert_eq!(web_url(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_line_is_cleaned_and_cut_and_never_empty() {
        assert_eq!(line(" a\n b\u{202e}  c ", 5), "a b c");
        assert_eq!(line(&"x ".repeat(100_000), 4), "x x…");
        assert_eq!(line_or(" \n", 5, "(none)"), "(none)");
        assert_eq!(lines(" a\r\nb ", 5), "a\nb");
    }

    #[test]
    fn an_id_that_does_not_fit_stays_the_same_and_distinct() {
        let id = |text: &str| short_id(text, 255).into_owned();
        assert_eq!(id("alert-1"), "alert-1");
        assert_eq!(id(&"k".repeat(255)), "k".repeat(255));
        let long = |end: &str| id(&("ü".repeat(300) + end));
        assert_eq!(long("a"), long("a"));
        assert_ne!(long("a"), long("b"));
        assert_ne!(id("a\u{0}"), id("a"));
        assert_ne!(id(" a"), id("a"));
        for key in [long(""), id(""), id("\n\u{202e}"), id(&"e\u{301}".repeat(9000))] {
            assert!((17..=255).contains(&length(&key)), "{key}");
        }
    }

    #[test]
    fn what_fits_is_left_alone() {
        assert_eq!(truncate("👩‍👩‍👧", 5, "…"), "👩‍👩‍👧");
        assert_eq!(truncate("", 0, "…"), "");
    }

    #[test]
    fn entities_links_and_clusters_are_never_cut_in_two() {
        assert_eq!(truncate("a&lt;b and more", 4, "…"), "a…");
        assert_eq!(truncate("see <https://x.y|here> now", 10, "…"), "see…");
        assert_eq!(truncate("ae\u{301}xyz", 3, "…"), "a…");
        assert_eq!(truncate("a👩‍👩‍👧bcdef", 5, "…"), "a…");
        assert_eq!(truncate("a❤\u{fe0f}bcd", 3, "…"), "a…");
        assert_eq!(truncate("a < b < c < d", 8, "…"), "a < b <…");
        assert_eq!(truncate("&amp;&amp;&amp;", 11, "…"), "&amp;&amp;…");
    }

    #[test]
    fn a_marker_longer_than_the_limit_is_left_out() {
        assert_eq!(truncate("abcdef", 2, "(more)"), "ab");
    }

    proptest! {
        #[test]
        fn no_text_gets_longer_than_its_limit(text in "(?s)([&<>;a|]|\\PC|.){0,80}", limit in 0usize..60) {
            let cut = truncate(&text, limit, "…");
            prop_assert!(length(&cut) <= limit);
            if length(&text) <= limit {
                prop_assert_eq!(&*cut, text.as_str());
            }
        }

        #[test]
        fn escaped_text_stays_escaped(text in "[&<>a]{0,60}", limit in 1usize..80) {
            let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let cut = truncate(&escaped, limit, "…");
            let bare = cut.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "");
            prop_assert!(!bare.contains(['&', ';']), "{}", cut);
        }
    }
}
