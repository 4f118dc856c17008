//! Events as JSON: reads one, says exactly what is wrong with it, and turns it into the contract's event.

mod convert;
pub(crate) mod digest;
mod object;
mod shape;
mod text;
mod time;
mod validate;

#[cfg(test)]
mod tests;

pub(crate) use shape::EventShape as EventSchema;
pub(crate) use time::local_time;

use std::fmt;

use jiff::{Timestamp, tz::TimeZone};
use pqh_runtime::contract::events::Event;

use crate::clock::Millis;

/// Why an event was refused: where in the JSON, and what was expected there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventError {
    /// The place: `triggered.broken_rules[0].threshold`; empty for the event as a whole.
    pub(crate) path: String,
    /// What was expected, and what came instead.
    pub(crate) message: String,
    /// Line and column, both from 1, where the parser knows them.
    pub(crate) position: Option<(usize, usize)>,
}

impl EventError {
    /// There is nobody any more to tell it for.
    pub(crate) fn gone() -> Self {
        Self::at("", "its organization is there no more")
    }

    /// A fault at `path` that only shows once all is read, where no line is known.
    fn at(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), position: None }
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str("the event: ")?;
        } else {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        if let Some((line, column)) = self.position {
            write!(f, " (line {line}, column {column})")?;
        }
        Ok(())
    }
}

impl std::error::Error for EventError {}

/// Reads one event. `zone` is where its local time is told; without one, the event's own offset counts.
/// `now` is when it happened, where it does not say so itself.
pub(crate) fn read(bytes: &[u8], zone: Option<&TimeZone>, now: Timestamp) -> Result<Event, EventError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| EventError::at("", format!("expected JSON in UTF-8, found another encoding at {error}")))?;
    // Editors on Windows put a byte order mark before what they save.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(EventError::at("", "expected a JSON object, found nothing"));
    }
    let shape = parse(text)?;
    validate::validate(&shape)?;
    convert::convert(shape, zone, now)
}

/// Reads an event as it was kept, or is about to be: told in the organization's time zone and language.
pub(crate) fn read_kept(body: &str, zone: &TimeZone, locale: &str, accepted_at: Millis) -> Result<Event, EventError> {
    let accepted = Timestamp::from_millisecond(accepted_at).unwrap_or_default();
    let mut event = read(body.as_bytes(), Some(zone), accepted)?;
    locale.clone_into(&mut event.locale);
    Ok(event)
}

/// From text to the JSON's shape, with the path where it does not fit.
fn parse(text: &str) -> Result<shape::EventShape, EventError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let object::Object(shape) = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        located(if path == "." { String::new() } else { path }, error.inner())
    })?;
    deserializer.end().map_err(|error| located(String::new(), &error))?;
    Ok(shape)
}

/// `serde_json` ends its messages with the position, which we keep apart.
fn located(path: String, error: &serde_json::Error) -> EventError {
    let (line, column) = (error.line(), error.column());
    let whole = error.to_string();
    let message = whole.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&whole).to_owned();
    // A syntax error says nothing of the member it came upon: its line says it better than the path that led there.
    let path = if error.is_data() { path } else { String::new() };
    EventError { path, message, position: (line > 0).then_some((line, column)) }
}
