//! `pqh event`.

use std::{path::Path, time::Duration};

use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Ending, watch::watch};
use crate::{
    cli::{EventCommand, ServerOptions},
    client::{Client, wire::Posted},
    commands::input::read_event,
    error::CliError,
    output::{self, Format},
};

/// The body of `POST /v1/events`; the event goes as it was written.
#[derive(Serialize)]
struct Post<'a> {
    channels: &'a [String],
    event: &'a RawValue,
}

/// Runs one of them.
pub(crate) async fn run(command: EventCommand, server: &ServerOptions, format: Format) -> Result<Ending, CliError> {
    match command {
        EventCommand::Post { event, channels, idempotency_key, wait } => {
            post(&event, &channels, idempotency_key, wait, server, format).await
        }
        EventCommand::Show { id } => {
            let client = Client::open(server)?;
            let answer = client.get(&["events", &id], &[]).await?;
            let text = || Ok(output::deliveries::event(&client.understand(&answer)?, &TimeZone::system()));
            output::answer(&answer, format, text)?;
            Ok(Ending::Done)
        }
    }
}

async fn post(
    path: &Path,
    channels: &[String],
    key: Option<String>,
    wait: Option<Duration>,
    server: &ServerOptions,
    format: Format,
) -> Result<Ending, CliError> {
    let client = Client::open(server)?;
    // Read here as the service reads it: the line of a fault is that of the file, not of a request.
    let input = read_event(path, None)?;
    let event: &RawValue = serde_json::from_str(input.text.trim())
        .map_err(|error| CliError::input("bad-event", format!("{}: {error}", path.display())))?;
    let key = key.unwrap_or_else(|| Uuid::now_v7().to_string());
    let answer = client.post_once(&["events"], &key, &Post { channels, event }).await.map_err(|mut error| {
        if error.code == "no-answer" {
            error.message =
                format!("{}\nRepeating it with --idempotency-key {key} tells it once at most.", error.message);
        }
        error
    })?;
    let posted: Posted = client.understand(&answer)?;
    let Some(patience) = wait else {
        output::answer(&answer, format, || Ok(output::deliveries::posted(&posted)))?;
        return Ok(Ending::Done);
    };
    output::progress(&format!("Accepted as {}", posted.id), format);
    watch(&client, &posted.id, patience, format).await
}
