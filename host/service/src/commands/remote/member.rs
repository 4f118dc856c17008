//! `pqh member`.

use jiff::tz::TimeZone;
use serde_json::json;

use super::{Ending, done, list};
use crate::{
    cli::{MemberCommand, ServerOptions},
    client::{Client, wire::Member},
    error::CliError,
    output::{self, Format},
};

/// Runs one of them.
pub(crate) async fn run(command: MemberCommand, server: &ServerOptions, format: Format) -> Result<Ending, CliError> {
    let client = Client::open(server)?;
    let members = |members: &[Member]| output::access::members(members, &TimeZone::system());
    match command {
        MemberCommand::Add { name, email } => {
            let answer = client.post(&["members"], &json!({ "name": name, "email": email })).await?;
            output::answer(&answer, format, || Ok(members(&[client.understand(&answer)?])))?;
        }
        MemberCommand::List => {
            let all = list(&client, &["members"], &[], None, format).await?;
            output::answer(&all, format, || Ok(members(&client.items::<Member>(&all)?)))?;
        }
        MemberCommand::Remove { id } => {
            client.delete(&["members", &id], &[]).await?;
            return done(&format!("Removed the member {id}, with their tokens"), format);
        }
    }
    Ok(Ending::Done)
}
