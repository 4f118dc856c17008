//! Waits until an event is told, or until it is clear that it will not be soon.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::Ending;
use crate::{
    client::{
        Client,
        wire::{Delivery, Event},
    },
    error::CliError,
    output::{self, Format},
};

/// For how long one waits, and looks how often.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    whole: Duration,
    between: Duration,
}

impl Patience {
    /// Waits so long.
    pub(super) fn of(whole: Duration) -> Self {
        Self { whole, between: Duration::from_millis(300) }
    }
}

impl Default for Patience {
    /// Long enough for a message that should take a second.
    fn default() -> Self {
        Self::of(Duration::from_secs(30))
    }
}

/// Waits for all deliveries of an event, then tells what came of them.
pub(super) async fn watch(client: &Client, id: &str, patience: Patience, format: Format) -> Result<Ending, CliError> {
    let (answer, event) = settle(client, id, patience, |states| output::progress(states, format)).await?;
    match format {
        Format::Json => output::answer(&answer, format, || Ok(String::new()))?,
        Format::Human => output::outcome::tell(&event),
    }
    Ok(if event.deliveries.iter().all(Delivery::was_told) { Ending::Done } else { Ending::Failed })
}

/// The event once nothing becomes of it by itself any more, or patience ends. `changed` hears how it stands meanwhile.
async fn settle(
    client: &Client,
    id: &str,
    patience: Patience,
    mut changed: impl FnMut(&str),
) -> Result<(Value, Event), CliError> {
    let start = Instant::now();
    let mut told = String::new();
    loop {
        let (answer, event) = look(client, id).await?;
        let open = event.deliveries.iter().filter(|delivery| !delivery.has_ended() && !delivery.is_held());
        let states: Vec<String> =
            open.map(|delivery| format!("{}: {}", delivery.channel.name(), delivery.status)).collect();
        if states.is_empty() || start.elapsed() >= patience.whole {
            return Ok((answer, event));
        }
        let states = format!("Waiting ({})", states.join(", "));
        if states != told {
            changed(&states);
            told = states;
        }
        sleep(patience.between).await;
    }
}

async fn look(client: &Client, id: &str) -> Result<(Value, Event), CliError> {
    let answer = client.get(&["events", id], &[]).await.map_err(|mut error| {
        // Whoever may post need not be allowed to read; nobody should post again for that.
        error.message =
            format!("the event was accepted as {id}, but what becomes of it is not known: {}", error.message);
        error
    })?;
    let event = client.understand(&answer)?;
    Ok((answer, event))
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use axum::{Json, Router, http::StatusCode, routing::get};
    use serde_json::json;

    use super::*;
    use crate::client::testing::serve;

    const AT_ONCE: Duration = Duration::ZERO;
    const LONG: Duration = Duration::from_mins(10);

    /// A service with one event, whose delivery stands as each of `states` in turn, and stays as the last.
    async fn service(states: &'static [&'static str]) -> Client {
        let looks = Arc::new(AtomicUsize::new(0));
        let event = move || async move {
            let before = looks.fetch_add(1, Ordering::SeqCst);
            let now = states[before.min(states.len() - 1)];
            Json(json!({ "id": "evt-1", "origin": "test", "event": {}, "accepted_at": "2026-11-23T12:00:00.000Z",
                "deliveries": [{ "id": "d-1", "event": "evt-1", "title": "T", "severity": "info", "attempt_count": 0,
                    "channel": { "id": "c", "alias": "sales", "type": "webhook" }, "status": now,
                    "accepted_at": "2026-11-23T12:00:00.000Z" }] }))
        };
        serve(Router::new().route("/v1/events/evt-1", get(event))).await
    }

    async fn settled(client: &Client, whole: Duration) -> (String, Vec<String>) {
        let mut heard = Vec::new();
        let patience = Patience { whole, between: Duration::ZERO };
        let (_, event) = settle(client, "evt-1", patience, |states| heard.push(states.to_owned())).await.unwrap();
        (event.deliveries[0].status.clone(), heard)
    }

    #[tokio::test]
    async fn it_waits_until_the_delivery_ends_and_tells_each_change_once() {
        let client = service(&["queued", "queued", "sending", "delivered"]).await;
        let heard = ["Waiting (sales: queued)", "Waiting (sales: sending)"].map(str::to_owned);
        assert_eq!(settled(&client, LONG).await, ("delivered".to_owned(), heard.to_vec()));
    }

    #[tokio::test]
    async fn what_is_held_is_not_waited_for() {
        let client = service(&["queued", "held", "delivered"]).await;
        assert_eq!(settled(&client, LONG).await.0, "held");
    }

    #[tokio::test]
    async fn patience_ends() {
        let client = service(&["waiting"]).await;
        assert_eq!(settled(&client, AT_ONCE).await.0, "waiting");
    }

    #[tokio::test]
    async fn whoever_may_not_read_learns_that_the_event_was_accepted() {
        let forbidden = || async {
            let problem = json!({ "code": "forbidden", "status": 403, "title": "Forbidden", "detail": "for members" });
            (StatusCode::FORBIDDEN, Json(problem))
        };
        let client = serve(Router::new().route("/v1/events/evt-1", get(forbidden))).await;
        let error = settle(&client, "evt-1", Patience::default(), |_| {}).await.err().unwrap();
        assert_eq!(error.code, "forbidden");
        assert!(error.message.starts_with("the event was accepted as evt-1, but"), "{}", error.message);
    }
}
