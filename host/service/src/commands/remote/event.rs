//! `pqh event`.

use std::{fmt::Write as _, path::Path, time::Duration};

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use uuid::Uuid;

use super::{
    Ending,
    watch::{Patience, watch},
};
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

/// An event's name, where it has one.
#[derive(Default, Deserialize)]
struct Named {
    id: Option<String>,
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
    let answer = tell(&client, channels, &input.text, key).await?;
    let posted: Posted = client.understand(&answer)?;
    let Some(patience) = wait else {
        output::answer(&answer, format, || Ok(output::deliveries::posted(&posted)))?;
        return Ok(Ending::Done);
    };
    output::progress(&format!("Accepted as {}", posted.id), format);
    watch(&client, &posted.id, Patience::of(patience), format).await
}

/// Posts it, under a key in any case, be it the event's own id: a connection that breaks must not make two of one.
async fn tell(client: &Client, channels: &[String], event: &str, key: Option<String>) -> Result<Value, CliError> {
    let event: &RawValue = serde_json::from_str(event.trim())
        .map_err(|error| CliError::input("bad-event", format!("expected JSON: {error}")))?;
    let body = Post { channels, event };
    let named: Named = serde_json::from_str(event.get()).unwrap_or_default();
    if key.is_none() && named.id.is_some() {
        return client.post(&["events"], &body).await.map_err(|mut error| {
            if error.code == "no-answer" {
                error.message.push_str("\nRepeating it tells it once at most: it has an id.");
            }
            error
        });
    }
    let key = key.unwrap_or_else(|| Uuid::now_v7().to_string());
    client.post_once(&["events"], &key, &body).await.map_err(|mut error| {
        if error.code == "no-answer" {
            let _ = write!(error.message, "\nRepeating it with --idempotency-key {key} tells it once at most.");
        }
        error
    })
}

#[cfg(test)]
mod tests {
    use axum::{Json, Router, http::HeaderMap, routing::post};
    use serde_json::json;

    use super::*;
    use crate::client::testing::{hangs_up, serve};

    #[tokio::test]
    async fn the_event_goes_as_it_was_written_and_under_a_key() {
        let echo = |headers: HeaderMap, body: String| async move {
            Json(json!({ "key": headers.get("idempotency-key").map(|key| key.to_str().unwrap()), "body": body }))
        };
        let client = serve(Router::new().route("/v1/events", post(echo))).await;
        let channels = ["sales".to_owned()];
        let answer = tell(&client, &channels, "{ \"b\": 1.0,\n \"a\": 2 }\n", Some("k-1".to_owned())).await.unwrap();
        assert_eq!(answer["body"], "{\"channels\":[\"sales\"],\"event\":{ \"b\": 1.0,\n \"a\": 2 }}");
        assert_eq!(answer["key"], "k-1");
        let without = tell(&client, &channels, "{}", None).await.unwrap();
        assert!(Uuid::try_parse(without["key"].as_str().unwrap()).is_ok(), "{without}");
        let named = tell(&client, &channels, "{\"id\":\"evt-1\"}", None).await.unwrap();
        assert_eq!(named["key"], Value::Null, "its id is its key");
    }

    #[tokio::test]
    async fn a_broken_connection_tells_how_to_repeat_without_telling_twice() {
        let client = hangs_up().await;
        let error = tell(&client, &["sales".to_owned()], "{}", Some("k-1".to_owned())).await.err().unwrap();
        assert_eq!(error.code, "no-answer");
        assert!(
            error.message.ends_with("Repeating it with --idempotency-key k-1 tells it once at most."),
            "{}",
            error.message
        );
    }
}
