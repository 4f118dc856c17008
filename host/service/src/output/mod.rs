//! What commands print: terse text for people, stable JSON for programs.

pub(crate) mod access;
pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod channels;
pub(crate) mod connections;
pub(crate) mod deliveries;
pub(crate) mod delivery;
mod failure;
pub(crate) mod outcome;
pub(crate) mod plugin;
pub(crate) mod plugins;
mod table;

use std::io::{IsTerminal as _, Write as _};

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
        Format::Human => say_error(&clean(&format!("error: {}", error.message))),
    }
}

/// A text as it is.
pub(crate) fn text(text: &str) {
    say(text);
}

/// What a service answered: as it is for programs, as `human` words it for people.
pub(crate) fn answer(
    answer: &Value,
    format: Format,
    human: impl FnOnce() -> Result<String, CliError>,
) -> Result<(), CliError> {
    match format {
        Format::Json => json(answer),
        Format::Human => say(&human()?),
    }
    Ok(())
}

/// A remark beside the answer, for people.
pub(crate) fn remark(text: &str, format: Format) {
    if format == Format::Human {
        say_error(&clean(text));
    }
}

/// How far long work has come, where somebody is watching.
pub(crate) fn progress(text: &str, format: Format) {
    if std::io::stderr().is_terminal() {
        remark(text, format);
    }
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
