//! Values of options: from a word of the command line to what it means, or to what was expected there.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// A time zone by its name.
pub(super) fn time_zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| "expected a time zone of the IANA database, like Europe/Berlin or UTC".to_owned())
}

/// A setting.
pub(super) fn setting(text: &str) -> Result<(String, String), String> {
    split(text).ok_or_else(|| "expected KEY=VALUE".to_owned())
}

/// Where what is meant for a host goes instead.
pub(super) fn upstream(text: &str) -> Result<(String, String), String> {
    split(text).ok_or_else(|| "expected HOST=URL, like api.example.com=http://127.0.0.1:8080".to_owned())
}

/// A time, or how long ago it was.
pub(super) fn since(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let ago = text.parse::<SignedDuration>().ok().filter(|ago| !ago.is_negative());
    ago.and_then(|ago| Timestamp::now().checked_sub(ago).ok()).ok_or_else(|| {
        "expected a time with Z or an offset, like 2026-11-23T12:00:00Z, or how long ago, like 2h".to_owned()
    })
}

/// For how many seconds one waits.
pub(super) fn wait(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<u64>().ok().filter(|seconds| (1..=86_400).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| "expected whole seconds, 1 to 86400".to_owned())
}

fn split(text: &str) -> Option<(String, String)> {
    let (key, value) = text.split_once('=')?;
    (!key.is_empty()).then(|| (key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_settings_value_may_hold_equals_signs() {
        assert_eq!(setting("url=https://a/?b=c"), Ok(("url".to_owned(), "https://a/?b=c".to_owned())));
        assert!(setting("=x").is_err());
        assert!(setting("x").is_err());
    }

    #[test]
    fn an_unknown_time_zone_is_refused() {
        assert!(time_zone("Europe/Berlin").is_ok());
        assert!(time_zone("Mars/Olympus").is_err());
    }

    #[test]
    fn since_is_a_time_or_how_long_ago() {
        assert_eq!(since("2026-11-23T13:00:00+01:00"), Ok("2026-11-23T12:00:00Z".parse().unwrap()));
        let before = Timestamp::now();
        let ago = since("2h").unwrap();
        assert!(ago >= before - SignedDuration::from_hours(2) && ago < before);
        assert!(since("-2h").is_err());
        assert!(since("yesterday").is_err());
        assert!(since("2026-11-23T13:00:00").is_err());
    }

    #[test]
    fn nobody_waits_for_nothing_or_for_days() {
        assert_eq!(wait("5"), Ok(Duration::from_secs(5)));
        assert!(wait("0").is_err() && wait("86401").is_err() && wait("soon").is_err());
    }
}
