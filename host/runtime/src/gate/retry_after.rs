//! `Retry-After`, parsed once: seconds or a date.

use std::time::SystemTime;

/// Milliseconds that the header asks for. None where it says nothing that can be followed.
pub(crate) fn parse(value: &str, now: SystemTime) -> Option<u64> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(seconds.saturating_mul(1_000));
    }
    if let Ok(at) = httpdate::parse_http_date(value) {
        let wait = at.duration_since(now).unwrap_or_default();
        return u64::try_from(wait.as_millis()).ok();
    }
    // Not allowed by RFC 9110, but sent: "1.5".
    let seconds = value.parse::<f64>().ok().filter(|seconds| seconds.is_finite() && *seconds >= 0.0)?;
    let wait = std::time::Duration::try_from_secs_f64(seconds).ok()?;
    u64::try_from(wait.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn seconds_fractions_and_dates_are_understood_and_nonsense_is_not() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let date = httpdate::fmt_http_date(now + Duration::from_secs(90));
        for (value, expected) in [
            ("30", Some(30_000)),
            (" 0 ", Some(0)),
            ("1.5", Some(1_500)),
            (date.as_str(), Some(90_000)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("-5", None),
            ("NaN", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(parse(value, now), expected, "{value:?}");
        }
    }
}
