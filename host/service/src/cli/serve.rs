//! Words of the commands that work with the database itself: `pqh serve`, `pqh vault`, and what they share with others.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Which database, and how it is served.
#[derive(Debug, Args)]
pub(crate) struct ConfigOptions {
    /// The configuration; left out: pqh.toml where there is one. Each key also as an environment variable, PQH_….
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// How to serve.
#[derive(Debug, Args)]
pub(crate) struct ServeOptions {
    #[command(flatten)]
    pub(crate) config: ConfigOptions,

    /// Where the HTTP API listens, in place of `listen`; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
}

/// About the vault.
#[derive(Debug, Subcommand)]
pub(crate) enum VaultCommand {
    /// Exchange the master key; the service must be stopped.
    Rotate {
        #[command(flatten)]
        config: ConfigOptions,
    },
}
