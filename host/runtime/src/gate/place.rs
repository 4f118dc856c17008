//! Step 6: credentials in headers and body. A signature comes last.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::gate::headers;

/// Puts a secret into a header, after a prefix.
pub(crate) fn header(map: &mut HeaderMap, name: &str, prefix: &str, secret: &str) -> Result<(), String> {
    let (name, mut value) = headers::pair(name, &format!("{prefix}{secret}"))?;
    value.set_sensitive(true);
    map.insert(name, value);
    Ok(())
}

/// Puts all headers of a `secret-headers` field: a JSON object of names and values.
pub(crate) fn all_headers(map: &mut HeaderMap, secret: &str) -> Result<(), String> {
    let pairs: std::collections::BTreeMap<String, String> = serde_json::from_str(secret)
        .map_err(|_| "the secret headers are no JSON object of names and values".to_owned())?;
    for (name, value) in &pairs {
        let (name, value) = headers::secret_pair(name, value)?;
        if map.contains_key(&name) {
            return Err(format!("the header `{name}` is the component's own: a secret header cannot replace it"));
        }
        map.insert(name, value);
    }
    Ok(())
}

/// HTTP Basic.
pub(crate) fn basic(map: &mut HeaderMap, user: &str, secret: &str) -> Result<(), String> {
    if user.contains(':') {
        return Err("the user name of HTTP Basic holds a colon".to_owned());
    }
    header(map, AUTHORIZATION.as_str(), "Basic ", &STANDARD.encode(format!("{user}:{secret}")))
}

/// Replaces the string at a JSON Pointer. Everything else stays as it was, digits included.
pub(crate) fn json_body(body: &[u8], pointer: &str, secret: &str) -> Result<Vec<u8>, String> {
    let mut document: Node = serde_json::from_slice(body)
        .map_err(|error| format!("the body is no JSON to place a credential in: {error}"))?;
    let mut node = &mut document;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        node = node.child(&token).ok_or_else(|| format!("the body has nothing at {pointer}"))?;
    }
    match node {
        Node::Leaf(raw) if raw.get().starts_with('"') => {
            *raw = serde_json::value::to_raw_value(secret).map_err(|error| error.to_string())?;
        }
        _ => return Err(format!("the body has no string at {pointer}")),
    }
    serde_json::to_vec(&document).map_err(|error| error.to_string())
}

/// JSON whose numbers and strings stay as they were written, and whose objects have each key once.
enum Node {
    Object(Vec<(String, Node)>),
    Array(Vec<Node>),
    Leaf(Box<RawValue>),
}

impl Node {
    fn child(&mut self, token: &str) -> Option<&mut Node> {
        match self {
            Self::Object(members) => members.iter_mut().find(|(key, _)| key == token).map(|(_, value)| value),
            Self::Array(items) => items.get_mut(token.parse::<usize>().ok()?),
            Self::Leaf(_) => None,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        match raw.get().as_bytes().first() {
            Some(b'{' | b'[') => serde_json::Deserializer::from_str(raw.get())
                .deserialize_any(Members)
                .map_err(|error| D::Error::custom(format!("{error}"))),
            _ => Ok(Self::Leaf(raw)),
        }
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Node;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members: Vec<(String, Node)> = Vec::new();
        let mut keys = std::collections::HashSet::new();
        while let Some((key, value)) = map.next_entry::<String, Node>()? {
            if !keys.insert(key.clone()) {
                return Err(A::Error::custom(format!("the key {key:?} stands twice in an object")));
            }
            members.push((key, value));
        }
        Ok(Node::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Node::Array(items))
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Object(members) => serializer.collect_map(members.iter().map(|(key, value)| (key, value))),
            Self::Array(items) => serializer.collect_seq(items),
            Self::Leaf(raw) => raw.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(body: &str, pointer: &str) -> Result<String, String> {
        json_body(body.as_bytes(), pointer, "s\"ecret").map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn a_secret_replaces_the_string_at_its_pointer_and_nothing_else_changes() {
        let body = r#"{"b":1.10,"a":{"x/y":["k","\u00e9"]},"n":12345678901234567890123}"#;
        assert_eq!(
            placed(body, "/a/x~1y/0").unwrap(),
            r#"{"b":1.10,"a":{"x/y":["s\"ecret","\u00e9"]},"n":12345678901234567890123}"#
        );
    }

    #[test]
    fn a_secret_header_replaces_none_that_is_there() {
        let mut map = HeaderMap::new();
        map.insert("webhook-id", "1".parse().unwrap());
        assert!(all_headers(&mut map, r#"{"we\u0062hook-id":"x"}"#).unwrap_err().contains("`webhook-id`"));
        assert!(all_headers(&mut map, r#"{"X-Key":"x"}"#).is_ok());
        assert_eq!(map["webhook-id"], "1");
    }

    #[test]
    fn duplicate_keys_are_refused_wherever_they_stand() {
        for body in [r#"{"k":"a","k":"b"}"#, r#"{"k":"a","o":[{"x":1,"x":2}]}"#] {
            assert!(placed(body, "/k").unwrap_err().contains("twice"), "{body}");
        }
    }

    #[test]
    fn only_a_string_that_is_there_is_replaced() {
        for pointer in ["/n", "/missing", "/o", "/k/0"] {
            assert!(placed(r#"{"n":1,"o":{},"k":"x"}"#, pointer).is_err(), "{pointer}");
        }
        assert!(placed("not json", "/k").is_err());
    }
}
