//! Times as text, for where a host's own words for them are not enough.

use alloc::format;
use alloc::string::String;

use crate::Timestamp;
use crate::text::one_line;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// The end of the year 9999, in seconds; later times mean nothing to anybody.
const LAST: u64 = 253_402_300_799;

/// Seconds since 1970, at most those of the year 9999.
pub fn seconds(at: Timestamp) -> u64 {
    (at / 1000).min(LAST)
}

/// `local` on one line, or the time in UTC where nothing is left of it: "Dec 15, 2024 2:14 PM UTC".
pub fn local_or_utc(at: Timestamp, local: &str) -> String {
    let local = one_line(local);
    if local.is_empty() { utc(at) } else { local }
}

/// "Dec 15, 2024 2:14 PM UTC".
pub fn utc(at: Timestamp) -> String {
    let Parts { year, month, day, hour, minute, .. } = Parts::of(at);
    let half = if hour < 12 { "AM" } else { "PM" };
    let month = usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at)).unwrap_or(&"");
    format!("{month} {day}, {year} {}:{minute:02} {half} UTC", (hour + 11) % 12 + 1)
}

/// RFC 3339, in UTC: "2024-12-15T14:14:00.000Z".
pub fn rfc3339(at: Timestamp) -> String {
    let Parts { year, month, day, hour, minute, second } = Parts::of(at);
    let milliseconds = if at / 1000 > LAST { 0 } else { at % 1000 };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z")
}

struct Parts {
    year: u64,
    month: u64,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
}

impl Parts {
    fn of(at: Timestamp) -> Self {
        let seconds = seconds(at);
        let (year, month, day) = civil(seconds / 86_400);
        Self { year, month, day, hour: seconds / 3600 % 24, minute: seconds / 60 % 60, second: seconds % 60 }
    }
}

/// Year, month and day of a day since 1970 (Howard Hinnant's `civil_from_days`).
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_local_text_is_told_in_utc() {
        assert_eq!(local_or_utc(1_734_272_040_000, " \n"), "Dec 15, 2024 2:14 PM UTC");
        assert_eq!(local_or_utc(0, "Jan 1"), "Jan 1");
        assert_eq!(utc(0), "Jan 1, 1970 12:00 AM UTC");
        assert_eq!(utc(951_782_400_000), "Feb 29, 2000 12:00 AM UTC");
        assert_eq!(utc(u64::MAX), "Dec 31, 9999 11:59 PM UTC");
    }

    #[test]
    fn machines_read_rfc_3339() {
        assert_eq!(rfc3339(1_734_272_040_012), "2024-12-15T14:14:00.012Z");
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(u64::MAX), "9999-12-31T23:59:59.000Z");
    }
}
