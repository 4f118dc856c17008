//! The commands: each gathers what it needs, calls the runtime or the service, and hands what came of it to `output`.

mod channel;
mod input;
mod offline;
mod plugin;
mod remote;
mod serve;

use std::path::Path;

use clap::CommandFactory as _;
use pqh_runtime::{GateConfig, MailConfig, Runtime};

use crate::{
    cli::{AuditCommand, ChannelOptions, Cli, Command, OrgCommand, PluginCommand},
    config::{Config, cache},
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
        Command::Plugin { command: PluginCommand::List { server: None, token_file: _ } } => {
            plugin::list(folder, format).await
        }
        Command::Plugin { command: PluginCommand::Inspect { file } } => plugin::inspect(&file, format).await,
        Command::Plugin { command } => remote::plugin::run(command, format).await,
        Command::Event { command, server } => remote::event::run(command, &server, format).await,
        Command::Deliveries { command, server } => remote::deliveries::run(command, &server, format).await,
        Command::Alert { command, server } => remote::alert::run(command, &server, format).await,
        Command::Channel { command, server } => remote::channel::run(command, &server, format).await,
        Command::Connection { command, server } => remote::connection::run(command, &server, format).await,
        Command::Serve { options } => serve::run(options, folder).await,
        Command::Vault { command } => offline::vault(command, format).await,
        Command::Org { command: OrgCommand::Create { name, plan, timezone, locale, config } } => {
            let new = offline::Wanted { name, plan, timezone, locale };
            offline::create_organization(new, &config, format).await
        }
        Command::Audit { command: AuditCommand::Verify { organization, head, config } } => {
            offline::verify(organization, head.as_deref(), &config, format).await
        }
        Command::Org { command } => remote::organization::run(command, format).await,
        Command::Token { command, server } => remote::token::run(command, &server, format).await,
        Command::Member { command, server } => remote::member::run(command, &server, format).await,
        Command::Audit { command } => remote::audit::run(command, format).await,
        Command::Completions { shell } => {
            // Into memory first: generating straight into a closed pipe would panic.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "pqh", &mut script);
            output::text(&String::from_utf8_lossy(&script));
            Ok(Ending::Done)
        }
    }
}

/// How mail leaves, where a file or a variable says so.
fn mail(file: Option<&Path>) -> Result<Option<MailConfig>, CliError> {
    const PREFIX: &str = "PQH_MAIL_";
    let variables: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty())
        .collect();
    let config = match file {
        Some(file) => Config::load(Some(file), variables),
        None if variables.is_empty() => return Ok(None),
        None => Config::of_variables(variables),
    };
    config.and_then(|config| config.mail()).map_err(|error| CliError::input("bad-configuration", error.to_string()))
}

/// The runtime, with the upstreams and the mail relay that the command line names.
fn runtime(channel: Option<&ChannelOptions>) -> Result<Runtime, CliError> {
    let mut gate = GateConfig::default();
    for (host, url) in channel.map(|channel| channel.upstreams.as_slice()).unwrap_or_default() {
        gate = gate
            .with_upstream(host, url)
            .map_err(|error| CliError::input("bad-upstream", format!("--upstream {host}={url}: {error}")))?;
    }
    let mut builder = Runtime::builder().gate(gate);
    if let Some(mail) = channel.map(|channel| mail(channel.config.as_deref())).transpose()?.flatten() {
        builder = builder.mail(mail);
    }
    cache::build(builder, cache::named_folder()).map_err(|error| CliError::work("no-runtime", error.to_string()))
}
