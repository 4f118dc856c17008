//! `pqh audit`, as far as a service does it.

use jiff::tz::TimeZone;

use super::{Ending, list, tell_cut};
use crate::{
    cli::AuditCommand,
    client::Client,
    error::CliError,
    output::{self, Format},
};

/// Runs one of them.
pub(crate) async fn run(command: AuditCommand, format: Format) -> Result<Ending, CliError> {
    match command {
        AuditCommand::List { organization, list: options, server } => {
            let client = Client::open(&server)?;
            let query: Vec<(&str, &str)> = organization.iter().map(|id| ("organization", id.as_str())).collect();
            let entries = list(&client, &["audit"], &query, options.limit(), format).await?;
            output::answer(&entries, format, || {
                Ok(output::audit::list(&client.items(&entries)?, &TimeZone::system()))
            })?;
            tell_cut(&entries, format);
            if let Some(head) = entries["head"].as_str() {
                output::remark(&format!("Head: {head} (keep it elsewhere, for `pqh audit verify --head`)"), format);
            }
        }
        // It opens the database itself.
        AuditCommand::Verify { .. } => {}
    }
    Ok(Ending::Done)
}
