//! Texts that come from components: without control characters, and capped, before anybody sees them.

/// `text` in one line: each run of control characters becomes a space, and at most `limit` characters stay.
pub(crate) fn line(text: &str, limit: usize) -> String {
    clean(text, limit, |_| false)
}

/// As [`line`], but line breaks stay.
pub(crate) fn lines(text: &str, limit: usize) -> String {
    clean(text, limit, |character| character == '\n')
}

fn clean(text: &str, limit: usize, keep: impl Fn(char) -> bool) -> String {
    let mut out = String::new();
    let mut count = 0;
    let mut gap = false;
    for character in text.chars() {
        if (character.is_control() && !keep(character)) || is_invisible_control(character) {
            gap = true;
            continue;
        }
        if count + usize::from(gap) >= limit {
            out.push('…');
            break;
        }
        if gap {
            out.push(' ');
            count += 1;
            gap = false;
        }
        out.push(character);
        count += 1;
    }
    out
}

/// Marks that turn the direction of what follows: they can make a log line read as another.
fn is_invisible_control(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_by_characters_and_says_so() {
        assert_eq!(line("äöü", 2), "äö…");
        assert_eq!(line("äöü", 3), "äöü");
    }

    #[test]
    fn direction_overrides_are_taken_out() {
        assert_eq!(line("a\u{202e}b", 10), "a b");
    }
}
