//! Points in time, as events write them and as people read them.

use jiff::{
    Timestamp,
    fmt::temporal::Pieces,
    tz::{Offset, TimeZone},
};

use super::{EventError, text::Text};

/// How people read a time: "Dec 15, 2024 2:14 PM".
const LOCAL: &str = "%b %-d, %Y %-I:%M %p";

/// A point in time and the offset from UTC in which it was written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    timestamp: Timestamp,
    offset: Offset,
}

impl Moment {
    /// A point in time that nobody wrote: in the machine's own time zone.
    pub(super) fn here(timestamp: Timestamp) -> Self {
        Self { timestamp, offset: TimeZone::system().to_offset(timestamp) }
    }

    /// Reads RFC 3339: a date, a time, and `Z` or an offset.
    pub(super) fn read(path: &str, Text(text): &Text) -> Result<Self, EventError> {
        const EXPECTED: &str = "expected a date and time with an offset, like \"2024-12-15T14:14:00-05:00\"";
        let refuse = |error: jiff::Error| EventError::at(path, format!("{EXPECTED}, found {text:?} ({error})"));
        let timestamp: Timestamp = text.parse().map_err(refuse)?;
        let offset = Pieces::parse(text).map_err(refuse)?.to_numeric_offset().unwrap_or(Offset::UTC);
        if timestamp < Timestamp::UNIX_EPOCH {
            return Err(EventError::at(path, format!("expected a time after 1970, found {text:?}")));
        }
        Ok(Self { timestamp, offset })
    }

    /// Milliseconds since 1970, as the contract counts.
    pub(super) fn milliseconds(self) -> u64 {
        u64::try_from(self.timestamp.as_millisecond()).unwrap_or_default()
    }

    /// As people read it, in `zone`, else in the offset in which it was written.
    pub(super) fn local(self, zone: Option<&TimeZone>) -> String {
        let zone = zone.cloned().unwrap_or_else(|| self.offset.to_time_zone());
        self.timestamp.to_zoned(zone).strftime(LOCAL).to_string()
    }
}

/// A time in milliseconds since 1970 as people read it in `zone`.
pub(crate) fn local_time(milliseconds: u64, zone: &TimeZone) -> String {
    let timestamp = i64::try_from(milliseconds).ok().and_then(|at| Timestamp::from_millisecond(at).ok());
    timestamp.unwrap_or_default().to_zoned(zone.clone()).strftime(LOCAL).to_string()
}
