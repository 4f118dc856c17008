//! The command line's words.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use jiff::tz::TimeZone;

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

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 usage or bad input. PQH_LOG sets the log level (warn).";

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
    /// Print the completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// About components.
#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// List the components: those built in, and those of --plugins.
    List,
    /// Say what a component file is, what it can do and what it wants.
    Inspect {
        /// The component.
        file: PathBuf,
    },
}

/// How an event is read.
#[derive(Debug, Args)]
pub(crate) struct EventOptions {
    /// Where local times are told, like `America/New_York`; else the event's own offset counts.
    #[arg(long, value_name = "ZONE", value_parser = time_zone)]
    pub(crate) timezone: Option<TimeZone>,
}

/// Which channel, with which settings.
#[derive(Debug, Args)]
pub(crate) struct ChannelOptions {
    /// The channel's type: `pqh plugin list` knows them.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) channel_type: String,

    /// A setting; repeat it for each. Lists of addresses are separated by commas.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    pub(crate) settings: Vec<(String, String)>,

    /// Send what is meant for HOST to URL instead, as tests do; may be repeated.
    #[arg(long = "upstream", value_name = "HOST=URL", value_parser = upstream)]
    pub(crate) upstreams: Vec<(String, String)>,

    /// Let a component that is not built in send to HOST; may be repeated.
    #[arg(long = "grant", value_name = "HOST")]
    pub(crate) grants: Vec<String>,
}

fn time_zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| "expected a time zone of the IANA database, like Europe/Berlin or UTC".to_owned())
}

fn setting(text: &str) -> Result<(String, String), String> {
    split(text).ok_or_else(|| "expected KEY=VALUE".to_owned())
}

fn upstream(text: &str) -> Result<(String, String), String> {
    split(text).ok_or_else(|| "expected HOST=URL, like api.example.com=http://127.0.0.1:8080".to_owned())
}

fn split(text: &str) -> Option<(String, String)> {
    let (key, value) = text.split_once('=')?;
    (!key.is_empty()).then(|| (key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_settings_value_may_hold_equals_signs() {
        assert_eq!(setting("url=https://a/?b=c"), Ok(("url".to_owned(), "https://a/?b=c".to_owned())));
        assert!(setting("=x").is_err());
        assert!(setting("x").is_err());
    }

    #[test]
    fn an_unknown_time_zone_is_refused() {
        assert!(time_zone("Europe/Berlin").is_ok());
        assert!(time_zone("Mars/Olympus").is_err());
    }
}
