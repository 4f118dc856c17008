//! Text and labels in an event's JSON, with errors that say how to write what came as something else.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Unexpected, Visitor},
};

/// A string. A number in its place is the commonest mistake, and its error shows how to write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not `deserialize_str`: with that, `serde_json` would refuse a number in its own words.
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl TextVisitor {
    fn unquoted<E: Error>(value: impl fmt::Display, what: &str) -> E {
        E::custom(format!("expected a string, found the {what} {value}: write \"{value}\""))
    }
}

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Text, E> {
        Ok(Text(value.to_owned()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Text, E> {
        Err(Self::unquoted(value, "number"))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Text, E> {
        Err(Self::unquoted(value, "number"))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Text, E> {
        Err(Self::unquoted(value, "number"))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Text, E> {
        Err(Self::unquoted(value, "boolean"))
    }

    fn visit_unit<E: Error>(self) -> Result<Text, E> {
        Err(E::invalid_type(Unexpected::Other("null"), &self))
    }
}

/// An object of strings, in the order in which it stands, no key twice.
#[derive(Debug, Default)]
pub(super) struct Labels(pub(super) Vec<(String, String)>);

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(LabelsVisitor)
    }
}

struct LabelsVisitor;

impl<'de> Visitor<'de> for LabelsVisitor {
    type Value = Labels;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of names and strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Labels, A::Error> {
        let mut labels: Vec<(String, String)> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        while let Some((name, Text(value))) = map.next_entry::<String, Text>()? {
            if !seen.insert(name.clone()) {
                return Err(A::Error::custom(format!("expected each label once, found `{name}` twice")));
            }
            labels.push((name, value));
        }
        Ok(Labels(labels))
    }
}
