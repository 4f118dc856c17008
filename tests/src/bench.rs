//! What the parts of the service's benchmark share: numbered events, one clock, and figures of what they took.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// The channel type that benchmarks send by.
pub const CHANNEL_TYPE: &str = "bench-webhook";

/// What an event's title starts with; nine digits follow.
const MARK: &str = "bench-";
const DIGITS: usize = 9;

/// Microseconds since 1970: a clock that all processes of this machine share.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// The title and id of the event with this number.
pub fn title(number: u64) -> String {
    format!("{MARK}{number:0DIGITS$}")
}

/// The number of the event that `text` tells of.
pub fn number_in(text: &str) -> Option<u64> {
    let start = text.find(MARK)? + MARK.len();
    text.get(start..start + DIGITS)?.parse().ok()
}

/// The guide's trigger, under this number.
pub fn event(number: u64) -> Value {
    json!({
        "id": title(number), "title": title(number), "severity": "warning", "occurred_at": "2024-12-15T14:14:00-05:00",
        "report": { "name": "Q4 Sales Dashboard", "url": "https://app.example.com/reports/q4" },
        "triggered": { "broken_rules": [
            { "metric": "Revenue", "comparison": "<", "threshold": "10000", "current": "8750" },
            { "metric": "New Customers", "comparison": "<", "threshold": "50", "current": "23" } ] },
    })
}

/// The alias of a benchmark's channel.
pub fn alias(channel: u64) -> String {
    format!("bench-{channel}")
}

/// A webhook's URL for it.
pub fn webhook_url(channel: u64) -> String {
    format!("https://hooks.slack.com/services/T00000000/B{channel:08}/{channel:X>24}")
}

/// The value that this share of `sorted` does not exceed.
pub fn percentile(sorted: &[u64], share: f64) -> Option<u64> {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length is a length"
    )]
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_events_number_is_found_in_whatever_tells_of_it() {
        assert_eq!(number_in(&event(4711).to_string()), Some(4711));
        assert_eq!(number_in("Alert Triggered: bench-000000007\\n"), Some(7));
        assert_eq!(number_in("bench-12"), None);
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<u64> = (1..=200).collect();
        assert_eq!(percentile(&values, 0.5), Some(100));
        assert_eq!(percentile(&values, 0.99), Some(198));
        assert_eq!(percentile(&[7], 0.99), Some(7));
        assert_eq!(percentile(&[], 0.5), None);
    }
}
