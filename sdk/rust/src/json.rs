//! JSON of any shape, for where only a few of its members matter.

use serde_json::Value;

/// What a text of JSON holds; null where it is none. Members are read by their names (`value["team"]["id"]`), and are
/// null where they are not.
pub fn read(json: &[u8]) -> Value {
    core::str::from_utf8(json).ok().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_null() {
        let value = read(br#"{"team":{"id":"T1"},"list":[1]}"#);
        assert_eq!((value["team"]["id"].as_str(), value["list"][0].as_u64()), (Some("T1"), Some(1)));
        assert!(value["team"]["name"]["first"].is_null() && value["list"][7].is_null());
        for text in [&b"<html>"[..], b"", b"{\"a\":\"\xff\"}", b"{} {}"] {
            assert!(read(text).is_null());
        }
    }
}
