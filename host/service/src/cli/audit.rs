//! Words of `pqh audit`.

use clap::Subcommand;

use super::{ListOptions, ServerOptions};

/// About the audit log.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// List who changed what, the newest first.
    List {
        /// The organization, for operators; left out: the operators' own log, or the token's organization.
        #[arg(long, value_name = "ID")]
        organization: Option<String>,
        #[command(flatten)]
        list: ListOptions,
        #[command(flatten)]
        server: ServerOptions,
    },
}
