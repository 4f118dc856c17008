//! Words for services that know no markup: people's text cleaned, and cut with "…", never escaped.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use crate::events::{BrokenRule, Detail, Event, RunStatus};
use crate::list::count;
use crate::text::{MARKER, length, line, line_or, lines, one_line, truncate};
use crate::time::local_or_utc;
use crate::words::{UNNAMED, UNTITLED, Value};

/// The most that [`rule`] says, in characters.
pub const RULE: usize = 450;
/// The most that [`summary`] says, in characters.
pub const SUMMARY: usize = 800;
/// How much of a title is shown in a summary.
const TITLE: usize = 250;
/// How much of a message is shown in a summary.
const MESSAGE: usize = 500;

/// What a fact says; people's text in at most `limit` characters.
pub fn value(value: &Value<'_>, limit: usize) -> String {
    match value {
        Value::Said(words) => (*words).to_owned(),
        Value::Name { name, otherwise } => line_or(name, limit, otherwise),
        Value::Text(text) => lines(text, limit),
        Value::Time { at, local } => local_or_utc(*at, &line(local, 80)),
    }
}

/// A title on one line, in at most `limit` characters, of which its first eight are always told: neither white space
/// before them, nor marks without end on one of them, nor a `<` take their place. `limit` is 9 at least.
pub fn title(text: &str, limit: usize) -> String {
    let text = text.trim_start_matches(|character: char| one_line(character.encode_utf8(&mut [0; 4])).is_empty());
    let end = text.char_indices().nth(limit * 4 + 200).map_or(text.len(), |(end, _)| end);
    let whole = one_line(&text[..end]) + if end < text.len() { MARKER } else { "" };
    let told = truncate(&whole, limit, MARKER);
    match &*told {
        "" => UNTITLED.to_owned(),
        told if told == whole || length(told) > 8 => told.to_owned(),
        _ => whole.chars().take(8).collect::<String>().trim_end().to_owned() + MARKER,
    }
}

/// "Revenue < 10000 (Current: 8750)", in at most [`RULE`] characters.
pub fn rule(rule: &BrokenRule) -> String {
    format!(
        "{} {} {} (Current: {})",
        line_or(&rule.metric, 180, UNNAMED),
        line(&rule.comparison, 30),
        line(&rule.threshold, 110),
        line(&rule.current, 110),
    )
}

/// What a lock screen shows of an event, on one line of at most [`SUMMARY`] characters:
/// "Daily Sales Alert: Revenue < 10000 (Current: 8750) and 1 more".
pub fn summary(event: &Event) -> String {
    let title = line_or(&event.title, TITLE, UNTITLED);
    let said = match &event.detail {
        Detail::Triggered(trigger) => match trigger.broken_rules.as_slice() {
            [] => String::new(),
            [only] => rule(only),
            [first, more @ ..] => format!("{} and {} more", rule(first), count(more.len())),
        },
        Detail::Resolved(_) => "Resolved".to_owned(),
        Detail::Notebook(run) => {
            let status = match run.status {
                RunStatus::Success => "Success",
                RunStatus::Warning => "Warning",
                RunStatus::Failure => "Failure",
            };
            format!("{status}: {}", line_or(&run.message, MESSAGE, "(no message)"))
        }
        Detail::Notice(notice) => line(&notice.message, MESSAGE),
        Detail::Digest(_) => String::new(),
        Detail::Test => return format!("Test Message: {title}"),
    };
    if said.is_empty() { title } else { format!("{title}: {said}") }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::events::Trigger;
    use crate::testkit::events;

    #[test]
    fn a_title_keeps_its_beginning_whatever_stands_before_or_above_it() {
        assert_eq!(title(&(" \n\u{202e}".repeat(5000) + "Sales"), 16), "Sales");
        let marked = title(&("e".to_string() + &"\u{301}".repeat(5000)), 16);
        assert_eq!(marked, "e".to_string() + &"\u{301}".repeat(7) + "…");
        assert_eq!(title(" \u{0}", 16), "(untitled)");
        assert_eq!(title("Daily Sales Alert", 12), "Daily Sales…");
        assert_eq!(title("a <b c d e f g h> of all", 12), "a <b c d…");
    }

    #[test]
    fn a_rule_says_what_broke_it_within_its_limit() {
        assert_eq!(rule(&events::rule("Revenue", "<", "10000", "8750")), "Revenue < 10000 (Current: 8750)");
        assert_eq!(rule(&events::rule("", "<", "1", "0")), "(unnamed) < 1 (Current: 0)");
        let long = "x ".repeat(500_000);
        assert!(length(&rule(&events::rule(&long, &long, &long, &long))) <= RULE);
    }

    #[test]
    fn a_summary_says_what_happened_in_one_line() {
        for (event, told) in [
            (events::triggered(), "Daily Sales Alert: Revenue < 10000 (Current: 8750) and 1 more"),
            (events::resolved(), "Daily Sales Alert: Resolved"),
            (
                events::notebook(RunStatus::Failure),
                "Data Processing Update: Failure: Daily ETL completed successfully. 1,247 records processed.",
            ),
            (events::notice(), "Channel paused: The channel \"DevOps Alerts\" was paused."),
            (events::test(), "Test Message: DevOps Alerts"),
            (events::digest(2), "2 alerts"),
        ] {
            assert_eq!(summary(&event), told);
        }
    }

    #[test]
    fn no_summary_is_longer_than_its_limit() {
        let long = "👩‍👩‍👧 \n\u{202e}x".repeat(10_000);
        for rules in [0, 1, 2000] {
            let mut event = events::triggered();
            event.title.clone_from(&long);
            let broken_rules = vec![events::rule(&long, &long, &long, &long); rules];
            event.detail = Detail::Triggered(Trigger { broken_rules });
            assert!(length(&summary(&event)) <= SUMMARY);
        }
    }
}
