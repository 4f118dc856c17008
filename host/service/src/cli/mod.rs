//! The command line's words; each group of commands has its own in a file beside this one.

mod access;
mod alert;
mod audit;
mod channel;
mod connection;
mod delivery;
mod direct;
mod plugin;
mod serve;
mod server;
mod value;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use self::{
    access::{MemberCommand, OrgChanges, OrgCommand, Plan, TokenCommand},
    alert::{AlertChanges, AlertCommand, AlertName, AlertOptions},
    audit::AuditCommand,
    channel::{ChannelChanges, ChannelCommand, Named},
    connection::{ConnectionCommand, ConnectionName},
    delivery::{DeliveriesCommand, EventCommand, Replayed},
    direct::{ChannelOptions, EventOptions},
    plugin::PluginCommand,
    serve::{ConfigOptions, ServeOptions, VaultCommand},
    server::{ListOptions, ServerOptions},
};

/// Delivers `PyQueryHub` events through sandboxed channel components.
#[derive(Debug, Parser)]
#[command(name = "pqh", version, about, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Print JSON, for programs; errors too.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// A folder of further components (`*.wasm`), beside those that are built in.
    #[arg(long, global = true, value_name = "DIR", env = "PQH_PLUGINS")]
    pub(crate) plugins: Option<PathBuf>,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 failed, which is also what is not found, not allowed, in conflict, a channel \
whose check failed, or no service that answers; 2 usage or bad input, also where the service says so (HTTP 400, 413, \
415, 422). \
PQH_LOG sets the log level (warn).";

const SECRETS: &str = "A secret is best kept out of shell history: --set KEY=@FILE reads it from a file, --set KEY=- \
from standard input, and the environment variable PQH_SET_<KEY> (upper case, '-' as '_') stands for --set KEY=…";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Deliver one event, now.
    #[command(after_help = SECRETS)]
    Send {
        /// The event as JSON; `-` reads standard input.
        event: PathBuf,
        #[command(flatten)]
        event_options: EventOptions,
        #[command(flatten)]
        channel: ChannelOptions,
    },
    /// Show the exact requests of a delivery, and send nothing.
    #[command(after_help = SECRETS)]
    Preview {
        /// The event as JSON; `-` reads standard input.
        event: PathBuf,
        #[command(flatten)]
        event_options: EventOptions,
        #[command(flatten)]
        channel: ChannelOptions,
    },
    /// Find out whether a channel's settings work, and post nothing.
    #[command(after_help = SECRETS)]
    Check {
        #[command(flatten)]
        channel: ChannelOptions,
    },
    /// The components that channels are made of.
    Plugin {
        #[command(subcommand)]
        command: PluginCommand,
    },
    /// Tell channels something through the service, and see what became of it.
    Event {
        #[command(subcommand)]
        command: EventCommand,
        #[command(flatten)]
        server: ServerOptions,
    },
    /// What is on its way to channels, and what came of it.
    Deliveries {
        #[command(subcommand)]
        command: DeliveriesCommand,
        #[command(flatten)]
        server: ServerOptions,
    },
    /// What watches the values of reports, and tells channels.
    Alert {
        #[command(subcommand)]
        command: AlertCommand,
        #[command(flatten)]
        server: ServerOptions,
    },
    /// The channels of an organization.
    Channel {
        #[command(subcommand)]
        command: ChannelCommand,
        #[command(flatten)]
        server: ServerOptions,
    },
    /// The workspaces that people connected, for channels to post in.
    Connection {
        #[command(subcommand)]
        command: ConnectionCommand,
        #[command(flatten)]
        server: ServerOptions,
    },
    /// The organizations.
    Org {
        #[command(subcommand)]
        command: OrgCommand,
    },
    /// The tokens that say who may do what.
    Token {
        #[command(subcommand)]
        command: TokenCommand,
        #[command(flatten)]
        server: ServerOptions,
    },
    /// The people of an organization.
    Member {
        #[command(subcommand)]
        command: MemberCommand,
        #[command(flatten)]
        server: ServerOptions,
    },
    /// Run the service.
    Serve {
        #[command(flatten)]
        options: ServeOptions,
    },
    /// The key that all secrets are kept under.
    Vault {
        #[command(subcommand)]
        command: VaultCommand,
    },
    /// Who changed what.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Print the completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}
