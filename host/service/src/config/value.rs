//! From what was found to what was meant: numbers, texts, lists. Errors say what was expected and what was found.

use std::fmt;
use std::ops::RangeInclusive;

use toml::de::DeValue;

use super::error::ConfigError;
use super::source::{Source, Value};

/// Longer ones are not repeated in errors.
const LONGEST_SHOWN: usize = 80;

impl Source<'_> {
    /// A whole number within the range.
    pub(super) fn number<T>(&mut self, key: &str, range: &RangeInclusive<T>) -> Result<Option<T>, ConfigError>
    where
        T: TryFrom<i64> + PartialOrd + fmt::Display,
    {
        let Some(value) = self.take(key) else { return Ok(None) };
        let number = match &value {
            Value::Text(text) => whole(text),
            Value::Toml(value) => integer(value),
        };
        let within = number.and_then(|number| T::try_from(number).ok()).filter(|number| range.contains(number));
        within.map(Some).ok_or_else(|| self.expected(key, &whole_number(range), &shown(&value)))
    }

    /// A text that `parse` understands.
    pub(super) fn text<T>(
        &mut self,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let parsed = match &value {
            Value::Text(text) => parse(text),
            Value::Toml(value) => value.as_str().and_then(parse),
        };
        parsed.map(Some).ok_or_else(|| self.expected(key, expected, &shown(&value)))
    }

    /// A list of what `parse` understands; in a variable, separated by commas.
    pub(super) fn list<T>(
        &mut self,
        key: &str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<Vec<T>>, ConfigError> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let wrong = |found: &str| self.expected(key, &format!("a list of {expected}"), found);
        let items: Vec<T> = match &value {
            Value::Text(text) => {
                pieces(text).map(|item| parse(item).ok_or_else(|| wrong(&quoted(item)))).collect::<Result<_, _>>()?
            }
            Value::Toml(DeValue::Array(items)) => items
                .iter()
                .map(|item| {
                    let item = item.get_ref();
                    let parsed = match item {
                        DeValue::Integer(_) => integer(item).and_then(|number| parse(&number.to_string())),
                        _ => item.as_str().and_then(&parse),
                    };
                    parsed.ok_or_else(|| wrong(&shown_toml(item)))
                })
                .collect::<Result<_, _>>()?,
            Value::Toml(value) => return Err(wrong(&shown_toml(value))),
        };
        Ok(Some(items))
    }

    /// Expected this, found that.
    pub(super) fn expected(&self, key: &str, expected: &str, found: &str) -> ConfigError {
        self.wrong(key, format!("expected {expected}; found {found}"))
    }
}

/// What stands between commas.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|piece| !piece.is_empty())
}

/// How errors show a value.
pub(super) fn shown_toml(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// A text in quotes, unless it may hold a password, as `user:password@host` and queries do, or is too long to help.
pub(super) fn quoted(text: &str) -> String {
    if text.contains(['@', '?']) {
        "an address with a user or a query (not shown)".to_owned()
    } else if text.chars().count() > LONGEST_SHOWN {
        format!("a text of {} characters", text.chars().count())
    } else {
        format!("{text:?}")
    }
}

fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => quoted(text),
        Value::Toml(value) => shown_toml(value),
    }
}

fn whole_number<T: fmt::Display>(range: &RangeInclusive<T>) -> String {
    format!("a whole number from {} to {}", range.start(), range.end())
}

fn whole(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}
