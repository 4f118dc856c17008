//! JSON of any shape, for where only a few of its members matter.

use serde_json::Value;

/// What a text of JSON holds; null where it is none. Members are read by their names (`value["team"]["id"]`), and are
/// null where they are not.
pub fn read(json: &[u8]) -> Value {
    core::str::from_utf8(json).ok().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}
