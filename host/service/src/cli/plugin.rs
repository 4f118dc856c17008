//! Words of `pqh plugin`.

use std::path::PathBuf;

use clap::Subcommand;

use super::ServerOptions;

/// About components.
#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// List the components: those built in, and those of --plugins; with --server, those of the service.
    List {
        /// Ask the service at URL, or, without one, at the address that `PQH_SERVER` names.
        #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "")]
        server: Option<String>,
        /// A file that holds the token for the service; else the environment variable `PQH_TOKEN` does.
        #[arg(long, value_name = "FILE", requires = "server")]
        token_file: Option<PathBuf>,
    },
    /// Say what a component file is, what it can do and what it wants.
    Inspect {
        /// The component.
        file: PathBuf,
    },
    /// Let a component of the service send to the hosts that it describes; for operators.
    Grant {
        /// The channel type.
        id: String,
        /// Only if it is the file with this SHA-256, as `pqh plugin inspect` tells it.
        #[arg(long)]
        sha256: Option<String>,
        /// Only to this host, or mail to this @DOMAIN; repeat it for each.
        #[arg(long = "host", value_name = "HOST")]
        hosts: Vec<String>,
        #[command(flatten)]
        server: ServerOptions,
    },
    /// Take back what a component was granted; its channels are held. For operators.
    Revoke {
        /// The channel type.
        id: String,
        #[command(flatten)]
        server: ServerOptions,
    },
}
