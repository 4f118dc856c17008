//! Waits until an event is told, or until it is clear that it will not be soon.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::Ending;
use crate::{
    client::{Client, wire::Event},
    error::CliError,
    output::{self, Format},
};

/// How long one waits for a message that should take a second.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
const BETWEEN_LOOKS: Duration = Duration::from_millis(300);

/// Waits for all deliveries of an event, then tells what came of them.
pub(super) async fn watch(client: &Client, id: &str, patience: Duration, format: Format) -> Result<Ending, CliError> {
    let start = Instant::now();
    let mut told = String::new();
    let (answer, event) = loop {
        let (answer, event) = look(client, id).await?;
        let open = event.deliveries.iter().filter(|delivery| !delivery.has_ended() && !delivery.is_held());
        let states: Vec<String> =
            open.map(|delivery| format!("{}: {}", delivery.channel.alias, delivery.status)).collect();
        if states.is_empty() || start.elapsed() >= patience {
            break (answer, event);
        }
        let states = states.join(", ");
        if states != told {
            output::progress(&format!("Waiting: {states}"), format);
            told = states;
        }
        sleep(BETWEEN_LOOKS).await;
    };
    match format {
        Format::Json => output::answer(&answer, format, || Ok(String::new()))?,
        Format::Human => output::outcome::tell(&event),
    }
    let all_told = event.deliveries.iter().all(crate::client::wire::Delivery::was_told);
    Ok(if all_told { Ending::Done } else { Ending::Failed })
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
