//! The commands: each gathers what it needs, calls the runtime, and hands what came of it to `output`.

mod channel;
mod plugin;

use std::path::PathBuf;

use clap::CommandFactory as _;
use pqh_runtime::{GateConfig, Runtime};

use crate::{
    cli::{ChannelOptions, Cli, Command, PluginCommand},
    error::CliError,
    output::{self, Format},
};

/// How a command that ran to its end ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It did what was asked.
    Done,
    /// It did not, and said so.
    Failed,
}

/// Runs a command.
pub(crate) async fn run(cli: Cli) -> Result<Ending, CliError> {
    let format = if cli.json { Format::Json } else { Format::Human };
    let folder = cli.plugins.as_deref();
    match cli.command {
        Command::Send { event, event_options, channel } => {
            channel::send(&event, &event_options, &channel, folder, format).await
        }
        Command::Preview { event, event_options, channel } => {
            channel::preview(&event, &event_options, &channel, folder, format).await
        }
        Command::Check { channel } => channel::check(&channel, folder, format).await,
        Command::Plugin { command: PluginCommand::List } => plugin::list(folder, format).await,
        Command::Plugin { command: PluginCommand::Inspect { file } } => plugin::inspect(&file, format).await,
        Command::Completions { shell } => {
            // Into memory first: generating straight into a closed pipe would panic.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "pqh", &mut script);
            output::text(&String::from_utf8_lossy(&script));
            Ok(Ending::Done)
        }
    }
}

/// The runtime, with the upstreams that the command line names.
fn runtime(channel: Option<&ChannelOptions>) -> Result<Runtime, CliError> {
    let mut gate = GateConfig::default();
    for (host, url) in channel.map(|channel| channel.upstreams.as_slice()).unwrap_or_default() {
        gate = gate
            .with_upstream(host, url)
            .map_err(|error| CliError::input("bad-upstream", format!("--upstream {host}={url}: {error}")))?;
    }
    let mut builder = Runtime::builder().gate(gate);
    if let Some(folder) = cache_folder() {
        builder = builder.cache_dir(folder);
    }
    builder.build().map_err(|error| CliError::work("no-runtime", error.to_string()))
}

/// Where compiled components are kept, so that only their first use compiles them.
fn cache_folder() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("PQH_CACHE_DIR").or_else(|| {
        let base = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")))?;
        Some(base.join("pqh").join("components"))
    })
}
