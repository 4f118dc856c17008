//! Words of `pqh audit`.

use clap::Subcommand;

use super::{ConfigOptions, ListOptions, ServerOptions};

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
    /// Find rows that were changed, deleted, reordered or cut off; opens the database itself.
    Verify {
        /// The organization whose log it is; left out: all logs, with --head the operators' own.
        #[arg(long, value_name = "ID")]
        organization: Option<String>,
        /// A head that the log had once: finds also that the whole database was put back to an older state.
        #[arg(long, value_name = "HASH")]
        head: Option<String>,
        #[command(flatten)]
        config: ConfigOptions,
    },
}
