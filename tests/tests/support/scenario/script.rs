//! What a webhook can be told to answer.

use pqh_tests::slack_webhook::Misbehaviour;
use pqh_tests::slack_webhook::answer::status_of;

/// A status with a body.
pub fn answering(status: u16, body: &str) -> Misbehaviour {
    Misbehaviour::Answer { status, headers: Vec::new(), body: body.to_owned() }
}

/// A word of the service, with its own status.
pub fn saying(word: &str) -> Misbehaviour {
    answering(status_of(word), word)
}

/// 429 with this `Retry-After`, or with none.
pub fn throttling(retry_after: Option<&str>) -> Misbehaviour {
    let headers = retry_after.map(|value| ("Retry-After".to_owned(), value.to_owned())).into_iter().collect();
    Misbehaviour::Answer { status: 429, headers, body: String::new() }
}
