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

/// A time.
pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "expected a time with Z or an offset, like 2026-11-23T12:00:00Z".to_owned())
}

/// How long something is to last.
pub(super) fn length(text: &str) -> Result<Duration, String> {
    let length = text.parse::<SignedDuration>().ok().and_then(|length| Duration::try_from(length).ok());
    length.filter(|length| !length.is_zero()).ok_or_else(|| "expected how long, like 2h or 30m".to_owned())
}

/// The seconds of a cooldown.
pub(super) fn cooldown(text: &str) -> Result<u64, String> {
    if text == "0" {
        return Ok(0);
    }
    let length = text.parse::<SignedDuration>().ok().and_then(|length| Duration::try_from(length).ok());
    let whole = length.filter(|length| length.subsec_nanos() == 0);
    whole.map(|length| length.as_secs()).ok_or_else(|| "expected whole seconds or more, like 30m, or 0".to_owned())
}

/// A further fact of an alert.
pub(super) fn label(text: &str) -> Result<(String, String), String> {
    split(text).ok_or_else(|| "expected KEY=VALUE, like team=sales".to_owned())
}

/// A value of a check.
pub(super) fn metric(text: &str) -> Result<(String, String), String> {
    let (metric, value) = split(text).ok_or_else(|| "expected METRIC=VALUE, like \"Revenue=42,750\"".to_owned())?;
    Ok((metric.trim().to_owned(), value.trim().to_owned()))
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
    fn a_cooldown_is_of_whole_seconds_and_may_be_none() {
        assert_eq!((cooldown("30m"), cooldown("1h 30m"), cooldown("0")), (Ok(1_800), Ok(5_400), Ok(0)));
        for wrong in ["30", "-30m", "1500ms", "soon", ""] {
            assert!(cooldown(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_muted_is_muted_for_some_time() {
        assert_eq!(length("2h"), Ok(Duration::from_hours(2)));
        assert!(length("0s").is_err() && length("-2h").is_err() && length("2").is_err());
    }

    #[test]
    fn a_checks_value_is_what_follows_the_first_equals_sign() {
        assert_eq!(metric("Cost per Click = $1.5k"), Ok(("Cost per Click".to_owned(), "$1.5k".to_owned())));
        assert_eq!(metric("Status=a=b"), Ok(("Status".to_owned(), "a=b".to_owned())));
        assert!(metric("Revenue").is_err() && metric("=5").is_err());
    }

    #[test]
    fn nobody_waits_for_nothing_or_for_days() {
        assert_eq!(wait("5"), Ok(Duration::from_secs(5)));
        assert!(wait("0").is_err() && wait("86401").is_err() && wait("soon").is_err());
    }
}
