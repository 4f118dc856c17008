//! `pqh connection`.

use jiff::tz::TimeZone;
use serde_json::json;

use super::{Ending, done, forced, list};
use crate::{
    cli::{ConnectionCommand, ConnectionName, ServerOptions},
    client::{
        Client,
        wire::{Authorization, Connection},
    },
    error::CliError,
    output::{self, Format},
};

/// Runs one of them.
pub(crate) async fn run(
    command: ConnectionCommand,
    server: &ServerOptions,
    format: Format,
) -> Result<Ending, CliError> {
    let client = Client::open(server)?;
    match command {
        ConnectionCommand::Connect { channel_type } => connect(&client, &channel_type, format).await?,
        ConnectionCommand::List => {
            let all = list(&client, &["connections"], &[], None, format).await?;
            output::answer(&all, format, || Ok(output::connections::list(&client.items(&all)?)))?;
        }
        ConnectionCommand::Show(ConnectionName { connection }) => {
            let answer = client.get(&["connections", &connection], &[]).await?;
            let text =
                || Ok(output::connections::show(&client.understand::<Connection>(&answer)?, &TimeZone::system()));
            output::answer(&answer, format, text)?;
        }
        ConnectionCommand::Targets { connection: ConnectionName { connection }, query, limit } => {
            let query: Vec<(&str, &str)> = query.iter().map(|query| ("query", query.as_str())).collect();
            let limit = limit.map(|limit| limit as usize);
            let found = list(&client, &["connections", &connection, "targets"], &query, limit, format).await?;
            output::answer(&found, format, || Ok(output::connections::targets(&client.items(&found)?)))?;
            let remark = output::connections::listing(&client.understand(&found)?);
            if !remark.is_empty() {
                output::remark(&remark, format);
            }
        }
        ConnectionCommand::Disconnect { connection: ConnectionName { connection }, force } => {
            client.delete(&["connections", &connection], forced(force)).await?;
            return done(&format!("Disconnected {connection}"), format);
        }
    }
    Ok(Ending::Done)
}

async fn connect(client: &Client, channel_type: &str, format: Format) -> Result<(), CliError> {
    let answer = client.post(&["connections", channel_type, "authorize"], &json!({})).await?;
    let begun: Authorization = client.understand(&answer)?;
    output::remark(&output::connections::invitation(&begun, &TimeZone::system()), format);
    // Only the link on standard output, so that a script can open it.
    output::answer(&answer, format, || Ok(begun.url))
}
