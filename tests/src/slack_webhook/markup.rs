//! Slack's markup: which `<…>` and `&…;` are whole, and what people see of them.

/// Whether each `<` opens a token that Slack knows and each `&` an entity.
pub(crate) fn is_sound(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        rest = &rest[at..];
        if rest.starts_with('&') {
            let Some(entity) = ["&amp;", "&lt;", "&gt;"].iter().find(|entity| rest.starts_with(**entity)) else {
                return false;
            };
            rest = &rest[entity.len()..];
        } else {
            let Some(end) = rest.find('>') else {
                return false;
            };
            if !is_token(&rest[1..end]) {
                return false;
            }
            rest = &rest[end + 1..];
        }
    }
    true
}

fn is_token(token: &str) -> bool {
    let (target, label) = token.split_once('|').map_or((token, None), |(target, label)| (target, Some(label)));
    if token.contains('<') || target.is_empty() {
        return false;
    }
    let id = |id: &str, first: &[char]| {
        id.starts_with(first) && id.len() > 1 && id.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
    };
    if let Some(user) = target.strip_prefix('@') {
        return id(user, &['U', 'W']);
    }
    if let Some(channel) = target.strip_prefix('#') {
        return id(channel, &['C']);
    }
    if let Some(group) = target.strip_prefix("!subteam^") {
        return id(group, &['S']);
    }
    if let Some(date) = target.strip_prefix("!date^") {
        let mut parts = date.split('^');
        let number = parts.next().is_some_and(|unix| unix.parse::<i64>().is_ok());
        let format = parts.next().is_some_and(|format| format.contains('{') && format.contains('}'));
        return number && format && label.is_some_and(|fallback| !fallback.is_empty());
    }
    if target.starts_with('!') {
        return matches!(target, "!here" | "!channel" | "!everyone");
    }
    let schemes = ["https://", "http://", "mailto:"];
    schemes.iter().any(|scheme| target.starts_with(scheme) && target.len() > scheme.len()) && !target.contains(' ')
}

/// What people see: tokens by their label, entities decoded, `*bold*` by `bold` and its end mark.
pub(crate) fn shown(text: &str, bold: (&str, &str)) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut in_bold = false;
    while let Some(c) = rest.chars().next() {
        if c == '<'
            && let Some(end) = rest.find('>')
        {
            let token = &rest[1..end];
            out.push_str(&decoded(token.split_once('|').map_or(token, |(_, label)| label)));
            rest = &rest[end + 1..];
        } else if c == '*' {
            let after = &rest[1..];
            if in_bold || closes(after) {
                out.push_str(if in_bold { bold.1 } else { bold.0 });
                in_bold = !in_bold;
            } else {
                out.push('*');
            }
            rest = after;
        } else {
            let end = rest[c.len_utf8()..].find(['<', '*']).map_or(rest.len(), |at| at + c.len_utf8());
            out.push_str(&decoded(&rest[..end]));
            rest = &rest[end..];
        }
    }
    out
}

fn closes(after: &str) -> bool {
    let line = after.lines().next().unwrap_or_default();
    line.find('*').is_some_and(|at| at > 0) && !line.starts_with(' ')
}

/// `text` with its three entities decoded, ampersand last.
pub(crate) fn decoded(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_tokens_and_entities_are_sound() {
        for text in [
            "a &amp; b &lt;c&gt;",
            "<https://a.example|b>",
            "<mailto:a@b.example|a>",
            "<@U024BE7LH>",
            "<!subteam^S123>",
            "<!here>",
            "<#C024BE7LR>",
            "<!date^1392734382^{date_short} {time}|Dec 15>",
            "> a quotation",
        ] {
            assert!(is_sound(text), "{text}");
        }
    }

    #[test]
    fn a_raw_sign_or_half_a_token_is_a_fault() {
        for text in [
            "a & b",
            "&quot;",
            "a < b",
            "<b>",
            "<@ada>",
            "<!date^x^{time}|f>",
            "<!date^1^{time}>",
            "<https://a b>",
            "<!all>",
            "<https://a",
            "&am",
        ] {
            assert!(!is_sound(text), "{text}");
        }
    }

    #[test]
    fn people_see_labels_fallbacks_and_decoded_entities() {
        let text = "*When:* <!date^1^{date}|Dec 15, 2024 2:14 PM> 3 * 4 &lt; <https://a.example|b &amp; c>";
        assert_eq!(shown(text, ("", "")), "When: Dec 15, 2024 2:14 PM 3 * 4 < b & c");
    }
}
