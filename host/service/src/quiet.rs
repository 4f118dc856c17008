//! Quiet hours of a channel: when nothing is sent, and when that ends.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clock::Millis;

/// Intervals of a channel, at most.
const INTERVALS: usize = 14;
/// How far ahead the end of a quiet is looked for.
const AHEAD: Millis = 8 * 24 * 60 * MINUTE;
const MINUTE: Millis = 60_000;
const MINUTES_OF_DAY: Millis = 24 * 60;
const WEEK: Millis = 7 * MINUTES_OF_DAY * MINUTE;
/// Where the search for a quiet without end begins: January 1, 2026. It goes through a year, since the difference of
/// two time zones may change within one.
const YEAR: Millis = 1_767_225_600_000;
const WEEKS_OF_YEAR: Millis = 53;

/// The days as they are written, from Monday.
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

const A_DAY: &str = "each of mon, tue, wed, thu, fri, sat and sun at most once";
const A_START: &str = "a time from 00:00 to 23:59, such as 22:00";
const AN_END: &str = "a time from 00:00 to 24:00, such as 07:00";
const A_ZONE: &str = "a time zone of the IANA database, such as Europe/Berlin or UTC";
const A_LINE: &str = "days, times and time zone, such as \"mon-fri 22:00-07:00 Europe/Berlin\"; the times are needed";

/// Quiet hours that do not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: expected {expected}; found {found}")]
pub(crate) struct QuietError {
    /// The member of the JSON, with its place in the list where there is one.
    pub(crate) field: String,
    pub(crate) expected: &'static str,
    pub(crate) found: String,
}

impl QuietError {
    fn new(field: &str, expected: &'static str, found: impl Into<String>) -> Self {
        Self { field: field.to_owned(), expected, found: found.into() }
    }
}

/// Hours of the week at which a channel is quiet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuietHours {
    /// The days on which the quiet starts: `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`. Every day where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    days: Option<Vec<String>>,
    /// When it starts, as `HH:MM`.
    from: String,
    /// When it ends, as `HH:MM`: on the next day where that is not after `from`. `24:00` is the next midnight.
    to: String,
    /// The time zone of both, such as `Europe/Berlin`. The organization's where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
}

/// Quiet hours that were checked and are ready to be asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calendar {
    intervals: Vec<Interval>,
}

impl Calendar {
    /// Checks; `zone` is the organization's, for intervals that name none.
    pub(crate) fn new(intervals: &[QuietHours], zone: &TimeZone) -> Result<Self, QuietError> {
        if intervals.len() > INTERVALS {
            return Err(QuietError::new("quiet_hours", "at most 14 intervals", intervals.len().to_string()));
        }
        let place =
            |at: usize, error: QuietError| QuietError { field: format!("quiet_hours[{at}].{}", error.field), ..error };
        let checked =
            intervals.iter().enumerate().map(|(at, hours)| hours.check(zone).map_err(|error| place(at, error)));
        let calendar = Self { intervals: checked.collect::<Result<_, _>>()? };
        if calendar.is_endless() {
            let expected = "some time in each week that is not quiet, since nothing would ever be sent otherwise";
            return Err(QuietError::new("quiet_hours", expected, "quiet without end"));
        }
        Ok(calendar)
    }

    /// When the quiet that covers `at` ends, at most 8 days later; none where it is not quiet.
    ///
    /// Intervals that touch or overlap are one quiet. The end belongs to it no more.
    pub(crate) fn until(&self, at: Millis) -> Option<Millis> {
        let last = at.saturating_add(AHEAD);
        let mut end = at;
        while let Some(later) = self.intervals.iter().filter_map(|interval| interval.until(end)).max() {
            end = later;
            if end >= last {
                return Some(last);
            }
        }
        (end > at).then_some(end)
    }

    /// Whether it is quiet for more than a week on end at some time of the year.
    fn is_endless(&self) -> bool {
        let minutes: Millis = self.intervals.iter().map(Interval::minutes_of_week).sum();
        // Less than a week's minutes cannot fill a week.
        minutes * MINUTE >= WEEK
            && (0..WEEKS_OF_YEAR)
                .map(|week| YEAR + week * WEEK)
                .any(|start| self.until(start).is_some_and(|end| end >= start + AHEAD))
    }
}

/// One interval of a calendar.
#[derive(Clone, Debug)]
struct Interval {
    days: Vec<Weekday>,
    from: Time,
    to: Time,
    zone: TimeZone,
}

impl Interval {
    /// When the latest of its occurrences that cover `at` ends.
    fn until(&self, at: Millis) -> Option<Millis> {
        let today = self.zone.to_datetime(Timestamp::from_millisecond(at).ok()?).date();
        // An occurrence starts today or yesterday. One day more each way, since clocks are moved across midnight too,
        // and a zone that changes sides of the date line leaves out a whole day.
        (-2..=1)
            .filter_map(|days| self.starting(today.checked_add(Span::new().days(days)).ok()?))
            .filter(|(start, end)| (*start..*end).contains(&at))
            .map(|(_, end)| end)
            .max()
    }

    /// Start and end of what starts on `day`.
    fn starting(&self, day: Date) -> Option<(Millis, Millis)> {
        if !self.days.contains(&day.weekday()) {
            return None;
        }
        let last_day = if self.crosses_midnight() { day.tomorrow().ok()? } else { day };
        // A local time that a change of the clocks leaves out is moved by the gap; of one that is there twice, it is
        // the first.
        let instant = |day: Date, time: Time| self.zone.to_timestamp(day.to_datetime(time)).ok();
        Some((instant(day, self.from)?.as_millisecond(), instant(last_day, self.to)?.as_millisecond()))
    }

    fn crosses_midnight(&self) -> bool {
        self.to <= self.from
    }

    /// How many minutes it covers in a week without changes of the clocks.
    fn minutes_of_week(&self) -> Millis {
        let of_day = |time: Time| Millis::from(time.hour()) * 60 + Millis::from(time.minute());
        let midnight = if self.crosses_midnight() { MINUTES_OF_DAY } else { 0 };
        self.days.iter().map(|_| midnight + of_day(self.to) - of_day(self.from)).sum()
    }
}

impl QuietHours {
    fn check(&self, zone: &TimeZone) -> Result<Interval, QuietError> {
        Ok(Interval {
            days: match &self.days {
                Some(days) => weekdays(days)?,
                None => DAYS.iter().map(|(_, day)| *day).collect(),
            },
            from: time("from", &self.from, A_START)?,
            // The midnight at the end of a day is the next day's first minute.
            to: if self.to == "24:00" { Time::midnight() } else { time("to", &self.to, AN_END)? },
            zone: self.time_zone.as_deref().map_or_else(|| Ok(zone.clone()), time_zone)?,
        })
    }
}

fn weekdays(names: &[String]) -> Result<Vec<Weekday>, QuietError> {
    let mut days = Vec::new();
    for name in names {
        let known = DAYS.iter().find(|(known, _)| known == name);
        let (_, day) = known.ok_or_else(|| QuietError::new("days", A_DAY, shown(name)))?;
        if days.contains(day) {
            return Err(QuietError::new("days", A_DAY, format!("{} twice", shown(name))));
        }
        days.push(*day);
    }
    if days.is_empty() {
        return Err(QuietError::new("days", "at least one day, or no `days` for every day", "an empty list"));
    }
    Ok(days)
}

/// "HH:MM", before midnight.
fn time(field: &str, text: &str, expected: &'static str) -> Result<Time, QuietError> {
    let two = |digits: &str| match digits.as_bytes() {
        [b'0'..=b'9', b'0'..=b'9'] => digits.parse::<i8>().ok(),
        _ => None,
    };
    let read = || {
        let (hour, minute) = text.split_once(':')?;
        Time::new(two(hour)?, two(minute)?, 0, 0).ok()
    };
    read().ok_or_else(|| QuietError::new(field, expected, shown(text)))
}

fn time_zone(text: &str) -> Result<TimeZone, QuietError> {
    let zone = TimeZone::get(text).ok().filter(|zone| !zone.is_unknown());
    zone.ok_or_else(|| QuietError::new("time_zone", A_ZONE, shown(text)))
}

impl FromStr for QuietHours {
    type Err = QuietError;

    /// "mon-fri 22:00-07:00", "sat,sun 00:00-24:00 Europe/Berlin", "22:00-07:00".
    fn from_str(text: &str) -> Result<Self, QuietError> {
        let misfit = || QuietError::new("quiet_hours", A_LINE, shown(text));
        let mut words = text.split_whitespace().peekable();
        let days = words.next_if(|word| !word.starts_with(|first: char| first.is_ascii_digit()));
        let (from, to) = words.next().and_then(|times| times.split_once('-')).ok_or_else(misfit)?;
        let zone = words.next();
        if words.next().is_some() {
            return Err(misfit());
        }
        let days = days.map(named_days).transpose()?;
        let hours = Self { days, from: from.to_owned(), to: to.to_owned(), time_zone: zone.map(str::to_owned) };
        hours.check(&TimeZone::UTC)?;
        Ok(hours)
    }
}

/// "mon-fri", "sat,sun", "fri-mon,wed" as the names of days. Whether one is there twice is not asked here.
fn named_days(text: &str) -> Result<Vec<String>, QuietError> {
    let place = |name: &str| DAYS.iter().position(|(known, _)| known.eq_ignore_ascii_case(name));
    let mut days = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (Some(first), Some(last)) = (place(first), place(last)) else {
            return Err(QuietError::new("days", "days such as mon-fri or sat,sun", shown(part)));
        };
        let more = (last + DAYS.len() - first) % DAYS.len();
        days.extend(DAYS.iter().cycle().skip(first).take(more + 1).map(|(name, _)| (*name).to_owned()));
    }
    Ok(days)
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(days) = &self.days {
            let runs = days.chunk_by(|day, next| follows(day, next)).map(|run| match run {
                [first, _, .., last] => format!("{first}-{last}"),
                _ => run.join(","),
            });
            write!(f, "{} ", runs.collect::<Vec<_>>().join(","))?;
        }
        write!(f, "{}-{}", self.from, self.to)?;
        self.time_zone.iter().try_for_each(|zone| write!(f, " {zone}"))
    }
}

/// Whether `next` is the day after `day`.
fn follows(day: &str, next: &str) -> bool {
    let place = |name: &str| DAYS.iter().position(|(known, _)| *known == name);
    place(day).zip(place(next)).is_some_and(|(day, next)| (day + 1) % DAYS.len() == next)
}

/// The start of a text, quoted.
fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(60).collect::<String>())
}

#[cfg(test)]
#[path = "quiet_tests.rs"]
mod tests;
