//! Events that a command is given: from a file or standard input, with what is wrong with them.

use std::{io::Read as _, path::Path};

use jiff::{Timestamp, tz::TimeZone};
use pqh_runtime::contract::events::Event;
use serde_json::json;

use crate::{error::CliError, event};

/// An event, and the text that it stands in.
pub(super) struct EventInput {
    pub(super) event: Event,
    pub(super) text: String,
}

/// Whether a path stands for standard input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// Reads an event. `zone` is where its local time is told.
pub(super) fn read_event(path: &Path, zone: Option<&TimeZone>) -> Result<EventInput, CliError> {
    let name = if is_stdin(path) { "standard input".to_owned() } else { path.display().to_string() };
    let mut bytes = Vec::new();
    let read = if is_stdin(path) {
        std::io::stdin().read_to_end(&mut bytes).map(drop)
    } else {
        std::fs::read(path).map(|read| bytes = read)
    };
    read.map_err(|error| CliError::input("unreadable-file", format!("{name}: {error}")))?;
    let event = event::read(&bytes, zone, Timestamp::now()).map_err(|error| {
        let details = match error.position {
            Some((line, column)) => json!({ "path": error.path, "line": line, "column": column }),
            None => json!({ "path": error.path }),
        };
        CliError::input("bad-event", format!("{name}: {error}")).with(details)
    })?;
    // Read as UTF-8 just now: nothing is lost.
    let text = String::from_utf8_lossy(&bytes).trim_start_matches('\u{feff}').to_owned();
    Ok(EventInput { event, text })
}
