//! `pqh token`.

use jiff::tz::TimeZone;
use serde_json::json;

use super::{Ending, done, list, word};
use crate::{
    cli::{ServerOptions, TokenCommand},
    client::Client,
    error::CliError,
    output::{self, Format},
};

/// Runs one of them.
pub(crate) async fn run(command: TokenCommand, server: &ServerOptions, format: Format) -> Result<Ending, CliError> {
    let client = Client::open(server)?;
    match command {
        TokenCommand::Create { name, role, organization, member } => {
            let mut body = json!({ "name": name, "role": word(&role) });
            for (key, value) in [("organization", organization), ("member", member)] {
                if let Some(value) = value {
                    body[key] = value.into();
                }
            }
            let answer = client.post(&["tokens"], &body).await?;
            // Only the token on standard output, so that a script can keep it as it is.
            let text = || Ok(answer["token"].as_str().unwrap_or_default().to_owned());
            let id = answer["id"].as_str().unwrap_or_default();
            output::remark(&format!("Keep this token, it is not shown again (its id is {id}):"), format);
            output::answer(&answer, format, text)?;
        }
        TokenCommand::List { organization } => {
            let query: Vec<(&str, &str)> = organization.iter().map(|id| ("organization", id.as_str())).collect();
            let tokens = list(&client, &["tokens"], &query, None, format).await?;
            output::answer(&tokens, format, || {
                Ok(output::access::tokens(&client.items(&tokens)?, &TimeZone::system()))
            })?;
        }
        TokenCommand::Revoke { id } => {
            client.delete(&["tokens", &id], &[]).await?;
            return done(&format!("Revoked the token {id}"), format);
        }
    }
    Ok(Ending::Done)
}
