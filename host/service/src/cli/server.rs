//! Words of every command that acts through a service: which one, and as whom.

use std::path::PathBuf;

use clap::Args;

/// The service, and the token.
#[derive(Debug, Args)]
pub(crate) struct ServerOptions {
    /// The service's address; left out: `http://127.0.0.1:7070`.
    #[arg(long, global = true, value_name = "URL", env = "PQH_SERVER", hide_env_values = true)]
    pub(crate) server: Option<String>,

    /// A file that holds the token; else the environment variable `PQH_TOKEN` does.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

/// How much of a long list.
#[derive(Debug, Args)]
pub(crate) struct ListOptions {
    /// At most so many, the newest first.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,

    /// All there are.
    #[arg(long, conflicts_with = "limit")]
    all: bool,
}

impl ListOptions {
    /// The most that is wanted; none where it is all.
    pub(crate) fn limit(&self) -> Option<usize> {
        (!self.all).then_some(self.limit as usize)
    }
}
