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
mod tests {
    use super::*;

    const BERLIN: &str = "Europe/Berlin";
    const NEW_YORK: &str = "America/New_York";

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    /// "2026-01-05T22:00:00Z", or with another offset.
    fn at(text: &str) -> Millis {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    fn calendar(name: &str, lines: &[&str]) -> Result<Calendar, QuietError> {
        let hours: Vec<QuietHours> = lines.iter().map(|line| line.parse().unwrap()).collect();
        Calendar::new(&hours, &zone(name))
    }

    /// When the quiet at `time` ends, in UTC.
    fn until(name: &str, lines: &[&str], time: &str) -> Option<String> {
        let end = calendar(name, lines).unwrap().until(at(time))?;
        Some(Timestamp::from_millisecond(end).unwrap().to_string())
    }

    fn ends(name: &str, lines: &[&str], time: &str, end: &str) {
        assert_eq!(until(name, lines, time).as_deref(), Some(end), "{lines:?} at {time}");
    }

    fn is_loud(name: &str, lines: &[&str], time: &str) {
        assert_eq!(until(name, lines, time), None, "{lines:?} at {time}");
    }

    fn of_json(json: serde_json::Value) -> Result<Calendar, String> {
        let hours: Vec<QuietHours> = serde_json::from_value(json).map_err(|error| error.to_string())?;
        Calendar::new(&hours, &TimeZone::UTC).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_is_never_quiet() {
        assert_eq!(Calendar::default().until(0), None);
        assert_eq!(Calendar::default().until(0), None);
        assert_eq!(calendar("UTC", &[]).unwrap().until(0), None);
    }

    #[test]
    fn a_quiet_has_its_start_and_not_its_end() {
        let noon = ["12:00-13:00"];
        is_loud("UTC", &noon, "2026-01-05T11:59:59.999Z");
        ends("UTC", &noon, "2026-01-05T12:00:00Z", "2026-01-05T13:00:00Z");
        ends("UTC", &noon, "2026-01-05T12:59:59.999Z", "2026-01-05T13:00:00Z");
        is_loud("UTC", &noon, "2026-01-05T13:00:00Z");
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_starts() {
        // January 5, 2026 is a Monday.
        let monday = ["mon 22:00-07:00"];
        is_loud("UTC", &monday, "2026-01-05T06:00:00Z");
        ends("UTC", &monday, "2026-01-05T22:00:00Z", "2026-01-06T07:00:00Z");
        ends("UTC", &monday, "2026-01-06T06:59:00Z", "2026-01-06T07:00:00Z");
        is_loud("UTC", &monday, "2026-01-06T22:00:00Z");
        ends("UTC", &["22:00-07:00"], "2026-01-06T22:00:00Z", "2026-01-07T07:00:00Z");
    }

    #[test]
    fn only_the_named_days_are_quiet() {
        let days = ["mon,wed-thu 12:00-13:00"];
        for (day, quiet) in [(5, true), (6, false), (7, true), (8, true), (9, false), (10, false), (11, false)] {
            let time = format!("2026-01-{day:02}T12:30:00Z");
            assert_eq!(until("UTC", &days, &time).is_some(), quiet, "{time}");
        }
    }

    #[test]
    fn the_same_time_twice_is_a_whole_day_and_24_00_the_next_midnight() {
        ends("UTC", &["mon 09:00-09:00"], "2026-01-05T09:00:00Z", "2026-01-06T09:00:00Z");
        ends("UTC", &["mon 00:00-00:00"], "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z");
        ends("UTC", &["mon 00:00-24:00"], "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z");
        ends("UTC", &["mon 20:00-24:00"], "2026-01-05T20:00:00Z", "2026-01-06T00:00:00Z");
        is_loud("UTC", &["mon 00:00-24:00"], "2026-01-06T00:00:00Z");
        // By the clock: the day on which clocks go forward has 23 hours.
        ends(BERLIN, &["sun 00:00-00:00"], "2026-03-29T00:00:00+01:00", "2026-03-29T22:00:00Z");
    }

    #[test]
    fn a_time_that_clocks_leave_out_is_moved_by_the_gap() {
        // 02:00 CET is followed by 03:00 CEST.
        let half_past = ["02:30-06:00"];
        is_loud(BERLIN, &half_past, "2026-03-29T01:29:59Z");
        ends(BERLIN, &half_past, "2026-03-29T01:30:00Z", "2026-03-29T04:00:00Z");
        ends(BERLIN, &["22:00-02:30"], "2026-03-29T01:15:00Z", "2026-03-29T01:30:00Z");
        is_loud(BERLIN, &["22:00-02:30"], "2026-03-29T01:30:00Z");
        // 02:00 EST is followed by 03:00 EDT.
        is_loud(NEW_YORK, &half_past, "2026-03-08T07:29:59Z");
        ends(NEW_YORK, &half_past, "2026-03-08T07:30:00Z", "2026-03-08T10:00:00Z");
        // What would end before it starts is left out, on that day alone.
        for time in ["01:00:00", "01:14:00", "01:15:00", "01:29:00", "01:30:00"] {
            is_loud(BERLIN, &["02:30-03:15"], &format!("2026-03-29T{time}Z"));
        }
        ends(BERLIN, &["02:30-03:15"], "2026-03-30T00:30:00Z", "2026-03-30T01:15:00Z");
    }

    #[test]
    fn of_a_time_that_clocks_show_twice_it_is_the_first() {
        // 03:00 CEST is followed by 02:00 CET.
        ends(BERLIN, &["22:00-02:30"], "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z");
        is_loud(BERLIN, &["22:00-02:30"], "2026-10-25T01:15:00Z");
        ends(BERLIN, &["02:30-06:00"], "2026-10-25T00:30:00Z", "2026-10-25T05:00:00Z");
        ends(BERLIN, &["22:00-07:00"], "2026-10-24T20:00:00Z", "2026-10-25T06:00:00Z");
        // 02:00 EDT is followed by 01:00 EST.
        ends(NEW_YORK, &["22:00-01:30"], "2026-11-01T05:00:00Z", "2026-11-01T05:30:00Z");
        is_loud(NEW_YORK, &["22:00-01:30"], "2026-11-01T06:15:00Z");
        ends(NEW_YORK, &["01:30-06:00"], "2026-11-01T05:30:00Z", "2026-11-01T11:00:00Z");
    }

    #[test]
    fn clocks_that_are_moved_across_midnight_lose_no_quiet() {
        // St. John's went from 00:01 back to 23:01 of the day before: midnight of the 7th came first.
        ends("America/St_Johns", &["sun 00:00-06:00"], "2010-11-07T02:45:00Z", "2010-11-07T09:30:00Z");
        // Samoa had no December 30, 2011.
        ends("Pacific/Apia", &["thu 22:00-22:00"], "2011-12-31T07:00:00Z", "2011-12-31T08:00:00Z");
    }

    #[test]
    fn intervals_that_touch_or_overlap_are_one_quiet() {
        // Friday's night, the weekend, Sunday's night.
        let week = ["mon-fri 22:00-07:00", "sat,sun 00:00-24:00", "sun 22:00-07:00"];
        ends("UTC", &week, "2026-01-08T23:00:00Z", "2026-01-09T07:00:00Z");
        is_loud("UTC", &week, "2026-01-09T12:00:00Z");
        ends("UTC", &week, "2026-01-09T22:00:00Z", "2026-01-12T07:00:00Z");
        ends("UTC", &week, "2026-01-11T12:00:00Z", "2026-01-12T07:00:00Z");
        ends("UTC", &["12:00-13:00", "13:00-14:00"], "2026-01-05T12:00:00Z", "2026-01-05T14:00:00Z");
        ends("UTC", &["12:00-13:00", "13:01-14:00"], "2026-01-05T12:00:00Z", "2026-01-05T13:00:00Z");
        ends("UTC", &["12:00-18:00", "13:00-14:00"], "2026-01-05T13:30:00Z", "2026-01-05T18:00:00Z");
    }

    #[test]
    fn an_interval_has_its_own_time_zone_or_the_organizations() {
        ends(NEW_YORK, &["22:00-07:00"], "2026-01-06T03:00:00Z", "2026-01-06T12:00:00Z");
        ends(NEW_YORK, &["22:00-07:00 Europe/Berlin"], "2026-01-05T21:00:00Z", "2026-01-06T06:00:00Z");
        is_loud(NEW_YORK, &["22:00-07:00 Europe/Berlin"], "2026-01-06T06:00:00Z");
        // Days are those of the interval's own zone: Tuesday in Auckland begins on Monday in New York.
        ends(NEW_YORK, &["tue 00:00-01:00 Pacific/Auckland"], "2026-01-05T11:30:00Z", "2026-01-05T12:00:00Z");
        // Intervals of two zones merge too: in winter, 07:00 in Berlin is 06:00 in London.
        let both = ["22:00-07:00 Europe/Berlin", "06:00-08:00 Europe/London"];
        ends("UTC", &both, "2026-01-05T22:00:00Z", "2026-01-06T08:00:00Z");
    }

    #[test]
    fn quiet_without_end_is_refused() {
        let endless: [&[&str]; 6] = [
            &["00:00-00:00"],
            &["mon-sun 00:00-24:00"],
            &["22:00-07:00", "07:00-22:00"],
            &["09:00-21:00", "20:00-10:00"],
            &["sat,sun 12:00-12:00", "mon-fri 00:00-00:00", "sat 00:00-12:00"],
            // Through the summer, though not through the winter.
            &["00:00-12:00 UTC", "14:00-02:00 Europe/Berlin"],
        ];
        for lines in endless {
            assert_eq!(
                calendar(BERLIN, lines).unwrap_err().to_string(),
                "`quiet_hours`: expected some time in each week that is not quiet, since nothing would ever be sent \
                 otherwise; found quiet without end",
                "{lines:?}"
            );
        }
        // One minute of a week is enough, and overlaps do not count twice.
        assert!(calendar(BERLIN, &["mon-sat 00:00-00:00", "sun 00:00-23:59"]).is_ok());
        assert!(calendar(BERLIN, &["00:00-20:00", "01:00-21:00"]).is_ok());
        ends(BERLIN, &["mon-sat 00:00-00:00", "sun 00:00-23:59"], "2026-01-04T23:00:00Z", "2026-01-11T22:59:00Z");
    }

    #[test]
    fn no_end_is_more_than_eight_days_ahead() {
        let always = Interval {
            days: DAYS.iter().map(|(_, day)| *day).collect(),
            from: Time::midnight(),
            to: Time::midnight(),
            zone: zone(BERLIN),
        };
        let calendar = Calendar { intervals: vec![always] };
        assert_eq!(calendar.until(at("2026-03-25T12:34:56Z")), Some(at("2026-04-02T12:34:56Z")));
    }

    #[test]
    fn times_that_no_calendar_has_are_not_quiet() {
        let calendar = calendar(BERLIN, &["22:00-07:00"]).unwrap();
        assert_eq!((calendar.until(Millis::MIN), calendar.until(Millis::MAX)), (None, None));
    }

    #[test]
    fn the_wire_form_is_read_and_written() {
        let json = serde_json::json!({"days": ["mon", "tue"], "from": "22:00", "to": "07:00", "time_zone": BERLIN});
        let hours: QuietHours = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(hours, "mon,tue 22:00-07:00 Europe/Berlin".parse().unwrap());
        assert_eq!(serde_json::to_value(&hours).unwrap(), json);
        let short = serde_json::json!({"from": "22:00", "to": "07:00"});
        let hours: QuietHours = serde_json::from_value(short.clone()).unwrap();
        assert_eq!(serde_json::to_value(&hours).unwrap(), short);
        assert!(of_json(serde_json::json!([{"from": "22:00", "to": "07:00", "zone": BERLIN}])).is_err());
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_place() {
        let days = "expected each of mon, tue, wed, thu, fri, sat and sun at most once";
        let from = "expected a time from 00:00 to 23:59, such as 22:00";
        let to = "expected a time from 00:00 to 24:00, such as 07:00";
        let zone = "expected a time zone of the IANA database, such as Europe/Berlin or UTC";
        for (member, value, told) in [
            ("days", serde_json::json!(["mon", "Tue"]), format!("{days}; found \"Tue\"")),
            ("days", serde_json::json!(["mon", "mon"]), format!("{days}; found \"mon\" twice")),
            (
                "days",
                serde_json::json!([]),
                "expected at least one day, or no `days` for every day; found an empty list".to_owned(),
            ),
            ("from", serde_json::json!("24:00"), format!("{from}; found \"24:00\"")),
            ("from", serde_json::json!("9:00"), format!("{from}; found \"9:00\"")),
            ("from", serde_json::json!("22:60"), format!("{from}; found \"22:60\"")),
            ("from", serde_json::json!("+1:00"), format!("{from}; found \"+1:00\"")),
            ("to", serde_json::json!("24:01"), format!("{to}; found \"24:01\"")),
            ("to", serde_json::json!("07:00:00"), format!("{to}; found \"07:00:00\"")),
            ("to", serde_json::json!(""), format!("{to}; found \"\"")),
            ("time_zone", serde_json::json!("Mars/Olympus"), format!("{zone}; found \"Mars/Olympus\"")),
            ("time_zone", serde_json::json!(""), format!("{zone}; found \"\"")),
        ] {
            let mut hours = serde_json::json!({"from": "22:00", "to": "07:00"});
            hours[member] = value;
            let list = serde_json::json!([{"from": "12:00", "to": "13:00"}, hours]);
            assert_eq!(of_json(list).unwrap_err(), format!("`quiet_hours[1].{member}`: {told}"));
        }
    }

    #[test]
    fn more_than_fourteen_intervals_are_refused() {
        let noon = "12:00-13:00";
        assert!(calendar("UTC", &[noon; 14]).is_ok());
        assert_eq!(
            calendar("UTC", &[noon; 15]).unwrap_err().to_string(),
            "`quiet_hours`: expected at most 14 intervals; found 15"
        );
    }

    #[test]
    fn the_command_line_takes_ranges_lists_and_any_case() {
        for (line, printed) in [
            ("MON-Fri 22:00-07:00", "mon-fri 22:00-07:00"),
            ("sat,sun 00:00-24:00 Europe/Berlin", "sat,sun 00:00-24:00 Europe/Berlin"),
            ("  22:00-07:00  ", "22:00-07:00"),
            ("sat-sun 22:00-07:00", "sat,sun 22:00-07:00"),
            ("fri-mon 22:00-07:00", "fri-mon 22:00-07:00"),
            ("wed-wed 22:00-07:00", "wed 22:00-07:00"),
            ("mon,tue,wed,fri 22:00-07:00", "mon-wed,fri 22:00-07:00"),
            ("fri,mon 22:00-07:00 UTC", "fri,mon 22:00-07:00 UTC"),
            ("mon-sun 01:00-02:00", "mon-sun 01:00-02:00"),
        ] {
            let hours: QuietHours = line.parse().unwrap();
            assert_eq!(hours.to_string(), printed);
            assert_eq!(printed.parse::<QuietHours>().unwrap(), hours);
        }
    }

    #[test]
    fn a_wrong_line_is_told_what_is_wrong_with_it() {
        let form = "`quiet_hours`: expected days, times and time zone, such as \"mon-fri 22:00-07:00 Europe/Berlin\"; \
                    the times are needed; found";
        for (line, told) in [
            ("", format!("{form} \"\"")),
            ("mon-fri", format!("{form} \"mon-fri\"")),
            ("22:00", format!("{form} \"22:00\"")),
            ("22:00-07:00 UTC now", format!("{form} \"22:00-07:00 UTC now\"")),
            (
                "mon-frei 22:00-07:00",
                "`days`: expected days such as mon-fri or sat,sun; found \"mon-frei\"".to_owned(),
            ),
            ("mon, 22:00-07:00", "`days`: expected days such as mon-fri or sat,sun; found \"\"".to_owned()),
            (
                "mon-fri,wed 22:00-07:00",
                "`days`: expected each of mon, tue, wed, thu, fri, sat and sun at most once; found \"wed\" twice"
                    .to_owned(),
            ),
            (
                "mon 24:00-07:00",
                "`from`: expected a time from 00:00 to 23:59, such as 22:00; found \"24:00\"".to_owned(),
            ),
            ("mon 22:00-7", "`to`: expected a time from 00:00 to 24:00, such as 07:00; found \"7\"".to_owned()),
            (
                "22:00-07:00 Berlin",
                "`time_zone`: expected a time zone of the IANA database, such as Europe/Berlin or UTC; found \"Berlin\""
                    .to_owned(),
            ),
        ] {
            assert_eq!(line.parse::<QuietHours>().unwrap_err().to_string(), told);
        }
    }
}
