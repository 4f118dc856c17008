//! Times as Slack date tokens, with the local text for who cannot read them.

use alloc::format;
use alloc::string::String;

use crate::mrkdwn::line;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// The end of the year 9999, in seconds; later times mean nothing to anybody.
const LAST: u64 = 253_402_300_799;

/// A time in the reader's own zone; `local` (the text in the organization's) stands in for it.
pub(crate) fn date(milliseconds: u64, local: &str) -> String {
    let seconds = (milliseconds / 1000).min(LAST);
    let mut fallback = line(local, 80).replace(['|', '^'], " ");
    if fallback.is_empty() {
        fallback = utc(seconds);
    }
    format!("<!date^{seconds}^{{date_short}} {{time}}|{fallback}>")
}

/// "Dec 15, 2024 2:14 PM UTC".
fn utc(seconds: u64) -> String {
    let (year, month, day) = civil(seconds / 86_400);
    let minutes = seconds / 60 % 1440;
    let (hour, minute) = (minutes / 60, minutes % 60);
    let half = if hour < 12 { "AM" } else { "PM" };
    let month = usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at)).unwrap_or(&"");
    format!("{month} {day}, {year} {}:{minute:02} {half} UTC", (hour + 11) % 12 + 1)
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
        assert_eq!(utc(1_734_272_040), "Dec 15, 2024 2:14 PM UTC");
        assert_eq!(utc(0), "Jan 1, 1970 12:00 AM UTC");
        assert_eq!(utc(951_782_400), "Feb 29, 2000 12:00 AM UTC");
        assert_eq!(utc(LAST), "Dec 31, 9999 11:59 PM UTC");
    }

    #[test]
    fn a_fallback_cannot_break_out_of_its_token() {
        assert_eq!(date(0, "a|b>c"), "<!date^0^{date_short} {time}|a b&gt;c>");
    }
}
