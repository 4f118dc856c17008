//! Tables, facts and times as people read them.

use std::fmt::Write as _;

use comfy_table::{ContentArrangement, Table, presets};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use super::clean;

/// A table, no wider than the terminal.
pub(super) fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header);
    for row in rows {
        table.add_row(row.map(|text| one_line(&text)));
    }
    table.to_string()
}

/// Names and values below each other; what is empty is left out.
pub(super) fn facts(facts: &[(&str, String)]) -> String {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name:<width$}  {}", one_line(value));
    }
    text
}

/// A time of the API in a zone; what is no time stays as it came.
pub(super) fn when(text: &str, zone: &TimeZone) -> String {
    text.parse::<Timestamp>()
        .map_or_else(|_| text.to_owned(), |time| time.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// As [`when`], where there is one.
pub(super) fn when_any(text: Option<&String>, zone: &TimeZone) -> String {
    text.map(|text| when(text, zone)).unwrap_or_default()
}

/// A value as one writes it.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// A line end within a cell would look like another row.
fn one_line(text: &str) -> String {
    clean(text).replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_the_zone_and_anything_else_as_it_came() {
        let zone = TimeZone::get("America/New_York").unwrap();
        assert_eq!(when("2026-11-23T12:00:00.000Z", &zone), "2026-11-23 07:00:00");
        assert_eq!(when("soon", &zone), "soon");
    }

    #[test]
    fn a_cell_cannot_pretend_to_be_a_row_or_command_the_terminal() {
        let text = table(["Name"], [["a\nb\u{1b}[2J".to_owned()]]);
        assert!(text.contains("a b\u{fffd}[2J"), "{text}");
    }

    #[test]
    fn facts_are_aligned_and_empty_ones_left_out() {
        let text = facts(&[("id", "1".to_owned()), ("none", String::new()), ("status", "paused".to_owned())]);
        assert_eq!(text, "id      1\nstatus  paused\n");
    }
}
