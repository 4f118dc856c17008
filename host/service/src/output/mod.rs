//! What commands print: terse text for people, stable JSON for programs.

pub(crate) mod delivery;
pub(crate) mod plugin;

use std::io::Write as _;

use serde_json::Value;

use crate::error::CliError;

/// For whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// On a terminal.
    Human,
    /// For programs: JSON on standard output.
    Json,
}

/// An error: JSON to standard output, where a program reads; text to standard error.
pub(crate) fn error(error: &CliError, format: Format) {
    match format {
        Format::Json => json(&error.to_json()),
        Format::Human => say_error(&format!("error: {}", error.message)),
    }
}

/// A text as it is.
pub(crate) fn text(text: &str) {
    say(text);
}

/// One JSON document.
fn json(value: &Value) {
    say(&format!("{value:#}"));
}

/// A text and a line end. A reader that went away (`| head`) is none of our failures.
fn say(text: &str) {
    drop(writeln!(std::io::stdout(), "{}", text.trim_end()));
}

fn say_error(text: &str) {
    drop(writeln!(std::io::stderr(), "{}", text.trim_end()));
}

/// Text of a component or a service as a terminal may show it: its control characters would be obeyed.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}
