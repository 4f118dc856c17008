//! `pqh plugin`, as far as it is about the components of a service.

use serde_json::{Value, json};

use super::{Ending, list};
use crate::{
    cli::{PluginCommand, ServerOptions},
    client::Client,
    error::CliError,
    output::{self, Format},
};

/// Runs one of them.
pub(crate) async fn run(command: PluginCommand, format: Format) -> Result<Ending, CliError> {
    match command {
        PluginCommand::Grant { id, sha256, hosts, server } => {
            let client = Client::open(&server)?;
            let answer = client.post(&["plugins", &id, "grant"], &grant(sha256, &hosts)).await?;
            output::answer(&answer, format, || Ok(output::plugins::changed(&client.understand(&answer)?)))?;
        }
        PluginCommand::Revoke { id, server } => {
            let client = Client::open(&server)?;
            let answer = client.post(&["plugins", &id, "revoke"], &json!({})).await?;
            output::answer(&answer, format, || Ok(output::plugins::changed(&client.understand(&answer)?)))?;
        }
        // Whoever wants those at hand is served without a service.
        PluginCommand::List { server, token_file } => {
            let server = server.filter(|server| !server.is_empty()).or_else(|| std::env::var("PQH_SERVER").ok());
            let client = Client::open(&ServerOptions { server, token_file })?;
            let plugins = list(&client, &["plugins"], &[], None, format).await?;
            output::answer(&plugins, format, || Ok(output::plugins::list(&client.items(&plugins)?)))?;
        }
        PluginCommand::Inspect { file } => return crate::commands::plugin::inspect(&file, format).await,
    }
    Ok(Ending::Done)
}

/// Without hosts, all that it describes is granted.
fn grant(sha256: Option<String>, hosts: &[String]) -> Value {
    let mut body = json!({});
    if let Some(sha256) = sha256 {
        body["sha256"] = sha256.into();
    }
    if !hosts.is_empty() {
        body["hosts"] = json!(hosts);
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_says_only_what_was_said() {
        assert_eq!(grant(None, &[]), json!({}));
        let hosts = ["a.example".to_owned()];
        assert_eq!(grant(Some("00".to_owned()), &hosts), json!({ "sha256": "00", "hosts": ["a.example"] }));
    }
}
