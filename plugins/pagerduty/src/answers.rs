//! PagerDuty's answers, and what each means: by the status, and a 400 by whether it names the routing key.

use alloc::{format, vec::Vec};

use pqh_channel_sdk::http::Answer;
use pqh_channel_sdk::text::{line, line_or};
use pqh_channel_sdk::{Failure, FailureKind, Receipt};
use serde_json::Value;

use crate::ROUTING_KEY;

/// How long to wait after a 429: "each request being 30 seconds apart" (FACTS.md, 4).
const REST: u64 = 30_000;

/// What an answer says of an alert's event that was sent with this key.
pub(crate) fn of_alert(answer: &Answer, sent: &str) -> Result<Receipt, Failure> {
    let said: Value = serde_json::from_str(&answer.text()).unwrap_or_default();
    match answer.status() {
        200..=299 => Ok(Receipt::new().reference(said["dedup_key"].as_str().unwrap_or(sent))),
        400 if names_the_key(answer) => Err(Failure::unauthorized(
            "invalid_routing_key",
            format!("PagerDuty does not know the integration key{}.", answer.said()),
        )
        .remedy(
            "Check the service region, and whether the integration still exists: your service, Integrations, Events API v2. \
             Copy its Integration Key again and update the PyQueryHub notification channel.",
        )
        .field(ROUTING_KEY)),
        400 => Err(invalid(answer, &said)),
        429 => {
            let failure = answer.refusal("PagerDuty");
            let rest = failure.retry_after.unwrap_or(REST);
            Err(failure.retry_after(Some(rest)))
        }
        _ => Err(answer.refusal("PagerDuty")),
    }
}

/// The same of a change event. Keys of rulesets take none, so a refused key says nothing of alerts.
pub(crate) fn of_change(answer: &Answer) -> Result<(), Failure> {
    const REMEDY: &str = "What needs nobody's action goes to PagerDuty as a change event, which the keys of event \
                          orchestrations and rulesets do not take: use the Integration Key of a service, or send such \
                          messages to another notification channel.";
    of_alert(answer, "").map(drop).map_err(|failure| match failure.kind {
        FailureKind::Unauthorized => {
            Failure::rejected("change_event_refused", failure.message).remedy(REMEDY).field(ROUTING_KEY)
        }
        _ => failure,
    })
}

/// Whether the body of a 400 says that the key is the matter (FACTS.md, 3).
fn names_the_key(answer: &Answer) -> bool {
    answer.text().to_ascii_lowercase().replace([' ', '_', '-'], "").contains("routingkey")
}

fn invalid(answer: &Answer, said: &Value) -> Failure {
    let code = line_or(said["status"].as_str().unwrap_or_default(), 60, "http 400");
    let errors: Vec<&str> = said["errors"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let why = if errors.is_empty() { answer.said() } else { format!(": {}", line(&errors.join("; "), 400)) };
    Failure::rejected(code.to_ascii_lowercase().replace(' ', "_"), format!("PagerDuty refused the event{why}."))
        .remedy("Report it to PyQueryHub support with this error: the event has to be mended.")
}
