//! `pqh deliveries`.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{Ending, forced, list, tell_cut, word};
use crate::{
    cli::{DeliveriesCommand, Replayed, ServerOptions},
    client::{Client, wire::Delivery},
    error::CliError,
    output::{self, Format},
};

/// Runs one of them.
pub(crate) async fn run(
    command: DeliveriesCommand,
    server: &ServerOptions,
    format: Format,
) -> Result<Ending, CliError> {
    let client = Client::open(server)?;
    match command {
        DeliveriesCommand::List { status, channel, code, list: options } => {
            let status = status.as_ref().map(word);
            let filters = [("status", &status), ("channel", &channel), ("code", &code)];
            let query: Vec<(&str, &str)> =
                filters.into_iter().filter_map(|(key, value)| Some((key, value.as_deref()?))).collect();
            let found = list(&client, &["deliveries"], &query, options.limit(), format).await?;
            let text = || Ok(output::deliveries::list(&client.items(&found)?, &TimeZone::system()));
            output::answer(&found, format, text)?;
            tell_cut(&found, format);
        }
        DeliveriesCommand::Show { id } => {
            let answer = client.get(&["deliveries", &id], &[]).await?;
            tell(&client, &answer, format)?;
        }
        DeliveriesCommand::Replay(Replayed { id: Some(id), force, .. }) => {
            let answer = client.post_with(&["deliveries", &id, "replay"], forced(force), &json!({})).await?;
            tell(&client, &answer, format)?;
        }
        DeliveriesCommand::Replay(some) => {
            let answer = client.post(&["deliveries", "replay"], &filter(&some)).await?;
            output::answer(&answer, format, || Ok(format!("Deliveries that are sent again: {}", answer["replayed"])))?;
        }
        DeliveriesCommand::Cancel { id } => {
            let answer = client.post(&["deliveries", &id, "cancel"], &json!({})).await?;
            tell(&client, &answer, format)?;
        }
    }
    Ok(Ending::Done)
}

fn tell(client: &Client, answer: &Value, format: Format) -> Result<(), CliError> {
    let text = || Ok(output::deliveries::show(&client.understand::<Delivery>(answer)?, &TimeZone::system()));
    output::answer(answer, format, text)
}

/// Which of those that failed.
fn filter(replayed: &Replayed) -> Value {
    let since = replayed.since.map(|since| since.to_string());
    let mut body = json!({});
    for (key, value) in [("channel", &replayed.channel), ("code", &replayed.code), ("since", &since)] {
        if let Some(value) = value {
            body[key] = value.as_str().into();
        }
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_said_chooses_what_is_replayed() {
        let since = Some("2026-11-23T12:00:00Z".parse().unwrap());
        let replayed = Replayed { id: None, channel: Some("sales".to_owned()), code: None, since, force: false };
        assert_eq!(filter(&replayed), json!({ "channel": "sales", "since": "2026-11-23T12:00:00Z" }));
    }
}
