//! Words of `pqh connection`.

use clap::{Args, Subcommand};

/// About the workspaces that an organization connected.
#[derive(Debug, Subcommand)]
pub(crate) enum ConnectionCommand {
    /// Begin to connect a workspace, or to connect one again: prints a link for the browser of who does it.
    Connect {
        /// The channel type: `pqh channel types` says which ones are connected.
        #[arg(value_name = "TYPE")]
        channel_type: String,
    },
    /// List the connections.
    List,
    /// Show a connection: how it stands, what to do where it is lost, and the channels that use it.
    Show(ConnectionName),
    /// List where in a workspace messages can go: channels and people, by name.
    Targets {
        #[command(flatten)]
        connection: ConnectionName,
        /// Only those whose name has this in it, in any case; or one by its id.
        query: Option<String>,
        /// At most so many; left out: all.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        limit: Option<u32>,
    },
    /// Disconnect a workspace: its tokens are revoked and forgotten.
    Disconnect {
        #[command(flatten)]
        connection: ConnectionName,
        /// Also where channels use it; they are paused until the workspace is connected again.
        #[arg(long)]
        force: bool,
    },
}

/// Which connection.
#[derive(Debug, Args)]
pub(crate) struct ConnectionName {
    /// The connection's id, or the id or the name of its workspace.
    #[arg(value_name = "CONNECTION")]
    pub(crate) connection: String,
}
