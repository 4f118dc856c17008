//! Values of options: from a word of the command line to what it means, or to what was expected there.

use jiff::tz::TimeZone;

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
}
