//! Values that people give: what is expected of each, and what is said where they do not fit.

use jiff::tz::TimeZone;

/// Characters of a name, at most.
const NAME: usize = 200;
/// Characters of an email address, at most (RFC 5321's path without its brackets).
const EMAIL: usize = 254;

/// A value that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: expected {expected}; found {found}")]
pub(crate) struct Misfit {
    /// The member of the JSON.
    pub(crate) field: &'static str,
    pub(crate) expected: &'static str,
    pub(crate) found: String,
}

/// A name: some text on one line.
pub(crate) fn name(field: &'static str, text: &str) -> Result<String, Misfit> {
    let text = text.trim();
    let length = text.chars().count();
    let found = if length == 0 {
        "nothing".to_owned()
    } else if length > NAME {
        format!("{length} characters")
    } else if text.chars().any(char::is_control) {
        "a control character".to_owned()
    } else {
        return Ok(text.to_owned());
    };
    Err(Misfit { field, expected: "a name of one line, 1 to 200 characters", found })
}

/// An email address, as far as its form tells.
pub(crate) fn email(field: &'static str, text: &str) -> Result<String, Misfit> {
    let text = text.trim();
    let whole = text.rsplit_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.starts_with('.') && !domain.ends_with('.')
    });
    if whole && text.len() <= EMAIL && !text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Ok(text.to_owned());
    }
    Err(Misfit { field, expected: "an email address, such as ada@example.com", found: shown(text) })
}

/// A time zone's name.
pub(crate) fn time_zone(field: &'static str, text: &str) -> Result<String, Misfit> {
    let expected = "a time zone of the IANA database, such as Europe/Berlin or UTC";
    let zone = TimeZone::get(text).map_err(|_| Misfit { field, expected, found: shown(text) })?;
    Ok(zone.iana_name().unwrap_or(text).to_owned())
}

/// A language tag, as far as its form tells.
pub(crate) fn locale(field: &'static str, text: &str) -> Result<String, Misfit> {
    let mut parts = text.split('-');
    let language =
        parts.next().is_some_and(|part| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic()));
    let rest = parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    if language && rest && text.len() <= 35 {
        return Ok(text.to_owned());
    }
    Err(Misfit { field, expected: "a language tag, such as en-US or de", found: shown(text) })
}

/// The start of a text, quoted.
fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(60).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_line_of_text() {
        assert_eq!(name("name", "  Acme GmbH ").as_deref(), Ok("Acme GmbH"));
        assert_eq!(
            name("name", " ").unwrap_err().to_string(),
            "`name`: expected a name of one line, 1 to 200 characters; found nothing"
        );
        assert!(name("name", "a\nb").is_err());
        assert!(name("name", &"ä".repeat(200)).is_ok());
        assert!(name("name", &"a".repeat(201)).is_err());
    }

    #[test]
    fn addresses_zones_and_languages_are_known_by_their_form() {
        assert!(email("email", "ada@example.com").is_ok());
        for wrong in ["", "ada", "@example.com", "ada@", "a da@example.com", "ada@.com"] {
            assert!(email("email", wrong).is_err(), "{wrong}");
        }
        assert_eq!(time_zone("time_zone", "Europe/Berlin").as_deref(), Ok("Europe/Berlin"));
        assert!(time_zone("time_zone", "Mars/Olympus").is_err());
        for right in ["de", "en-US", "zh-Hant-TW"] {
            assert!(locale("locale", right).is_ok(), "{right}");
        }
        for wrong in ["", "e", "en_US", "en-", "de-DE.UTF-8"] {
            assert!(locale("locale", wrong).is_err(), "{wrong}");
        }
    }
}
