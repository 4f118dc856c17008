//! What a component remembers from one call to the next, since each call has a fresh instance. Gone at any time.

use alloc::string::String;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The text kept under `key`, if it is still there.
pub fn get(key: &str) -> Option<String> {
    crate::gate::get(key)
}

/// Keeps `value` for at most `seconds`. Beyond the host's limits it keeps nothing.
pub fn put(key: &str, value: &str, seconds: u32) {
    crate::gate::put(key, value, seconds);
}

/// The value kept under `key`, if it is still there and reads as a `T`.
pub fn get_json<T: DeserializeOwned>(key: &str) -> Option<T> {
    serde_json::from_str(&get(key)?).ok()
}

/// Keeps `value` as JSON for at most `seconds`. What has no JSON form is not kept.
pub fn put_json<T: Serialize>(key: &str, value: &T, seconds: u32) {
    if let Ok(json) = serde_json::to_string(value) {
        put(key, &json, seconds);
    }
}
