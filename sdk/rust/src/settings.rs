//! Settings, from JSON into the author's type. [`serde_json`] parses; what stands here only words the misfits itself,
//! without the formatting of floating-point numbers, which takes a sixth of a component.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error, Expected, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Value;

/// Reads settings as a `T`.
pub(crate) fn read<T: DeserializeOwned>(json: &str) -> Result<T, Misfit> {
    let value: Value = serde_json::from_str(json).map_err(|error| Misfit::custom(error.to_string()))?;
    T::deserialize(Settings(value))
}

/// Why settings do not fit, and where a field is missing, which.
#[derive(Debug)]
pub(crate) struct Misfit {
    pub(crate) message: String,
    pub(crate) missing: Option<&'static str>,
}

impl fmt::Display for Misfit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl core::error::Error for Misfit {}

impl Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), missing: None }
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format!("invalid type: {}, expected {expected}", told(unexpected)))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format!("invalid value: {}, expected {expected}", told(unexpected)))
    }

    fn missing_field(field: &'static str) -> Self {
        Self { message: format!("missing field `{field}`"), missing: Some(field) }
    }
}

/// As serde says it, but for the value of a floating-point number, and with JSON's own word for nothing.
fn told(unexpected: Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(value) => format!("boolean `{value}`"),
        Unexpected::Unsigned(value) => format!("integer `{value}`"),
        Unexpected::Signed(value) => format!("integer `{value}`"),
        Unexpected::Float(_) => "floating-point number".to_owned(),
        Unexpected::Str(value) => format!("string \"{value}\""),
        Unexpected::Unit => "null".to_owned(),
        Unexpected::Seq => "sequence".to_owned(),
        Unexpected::Map => "map".to_owned(),
        Unexpected::UnitVariant => "unit variant".to_owned(),
        Unexpected::NewtypeVariant => "newtype variant".to_owned(),
        Unexpected::TupleVariant => "tuple variant".to_owned(),
        Unexpected::StructVariant => "struct variant".to_owned(),
        Unexpected::Other(what) => what.to_owned(),
        _ => "another value".to_owned(),
    }
}

struct Settings(Value);

impl IntoDeserializer<'_, Misfit> for Settings {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Settings {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(value), ..) => visitor.visit_u64(value),
                (_, Some(value), _) => visitor.visit_i64(value),
                (.., value) => visitor.visit_f64(value.unwrap_or(f64::NAN)),
            },
            Value::String(value) => visitor.visit_string(value),
            Value::Array(values) => {
                let mut values = SeqDeserializer::new(values.into_iter().map(Settings));
                let read = visitor.visit_seq(&mut values)?;
                values.end().map(|()| read)
            }
            Value::Object(members) => {
                let members: Vec<(String, Settings)> =
                    members.into_iter().map(|(name, value)| (name, Settings(value))).collect();
                let mut members = MapDeserializer::new(members.into_iter());
                let read = visitor.visit_map(&mut members)?;
                members.end().map(|()| read)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::String(variant) => visitor.visit_enum(IntoDeserializer::<Misfit>::into_deserializer(variant)),
            Value::Object(members) => {
                let members = members.into_iter().map(|(name, value)| (name, Settings(value)));
                visitor.visit_enum(MapAccessDeserializer::new(MapDeserializer::new(members)))
            }
            _ => Err(Misfit::custom("expected a string or a map")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct All {
        text: String,
        yes: bool,
        small: u8,
        negative: i64,
        ratio: f64,
        nothing: Option<String>,
        something: Option<u16>,
        #[serde(default)]
        defaulted: Vec<String>,
        list: Vec<(u8, char)>,
        names: BTreeMap<String, u32>,
        wrapped: Wrapped,
        choices: Vec<Choice>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Wrapped(String);

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Choice {
        Plain,
        Number(u8),
        Pair(u8, u8),
        Named { inner: bool },
    }

    const ALL: &str = r#"{
        "text": "a\u00e9\n", "yes": true, "small": 255, "negative": -7, "ratio": 1.5, "nothing": null, "something": 9,
        "list": [[1, "x"], [2, "y"]], "names": {"b": 2, "a": 1}, "wrapped": "w", "unknown": {"deep": [1.25, null]},
        "choices": ["plain", {"number": 1}, {"pair": [1, 2]}, {"named": {"inner": true}}]
    }"#;

    #[test]
    fn every_shape_reads_as_serde_json_reads_it() {
        let expected: All = serde_json::from_str(ALL).unwrap();
        assert_eq!(read::<All>(ALL).unwrap(), expected);
    }

    #[test]
    fn misfits_are_worded_as_serde_json_words_them() {
        for (from, to) in [
            ("\"text\": \"a\\u00e9\\n\",", ""),
            ("true,", "1,"),
            ("255", "256"),
            ("255", "\"1\""),
            ("-7", "[]"),
            ("\"x\"", "\"xy\""),
            ("\"w\"", "null"),
            ("\"plain\"", "\"odd\""),
            ("{\"number\": 1}", "{\"number\": true}"),
            ("[1, \"x\"]", "[1]"),
            ("\"names\": {", "\"names\": {,"),
        ] {
            let bad = ALL.replacen(from, to, 1);
            let theirs = serde_json::from_str::<All>(&bad).unwrap_err().to_string();
            let theirs = theirs.split(" at line ").next().unwrap();
            let ours = read::<All>(&bad).unwrap_err().message;
            assert_eq!(ours.split(" at line ").next().unwrap(), theirs, "{bad}");
        }
    }

    #[test]
    fn a_missing_field_is_named() {
        let misfit = read::<All>("{}").unwrap_err();
        assert_eq!(misfit.missing, Some("text"));
        assert!(read::<All>("{").unwrap_err().missing.is_none());
    }
}
