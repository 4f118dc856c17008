//! `pqh serve`.

use std::io::Write as _;
use std::path::Path;

use tokio::signal::unix::{SignalKind, signal};

use super::Ending;
use crate::cli::{ConfigOptions, ServeOptions};
use crate::clock::Clock;
use crate::config::Config;
use crate::error::CliError;
use crate::log;
use crate::service::Service;

/// Runs the service until it is told to stop.
pub(crate) async fn run(options: ServeOptions, plugins: Option<&Path>) -> Result<Ending, CliError> {
    let mut config = configuration(&options.config)?;
    if let Some(listen) = options.listen {
        config.listen = listen;
    }
    if let Some(plugins) = plugins {
        config.plugins = Some(plugins.to_owned());
    }
    log::start(config.log.format, config.log.level);
    let failed = |error: std::io::Error| CliError::work("no-signals", format!("signals cannot be waited for: {error}"));
    // From now on: a signal during the start must not leave a database half made.
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let service = Service::start(config, Clock::system())
        .await
        .map_err(|error| CliError::work("not-started", error.to_string()))?;
    say(&format!("listening on http://{}", service.address()));
    say(&format!("database: {}", service.database().display()));
    say(&format!("first operator's token: {}", service.operator_token_file().display()));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    say("stopping: requests that are worked on end first; a second signal ends it at once");
    tokio::select! {
        () = service.stop() => {
            say("stopped");
            Ok(Ending::Done)
        }
        _ = terminate.recv() => Ok(Ending::Failed),
        _ = interrupt.recv() => Ok(Ending::Failed),
    }
}

/// The configuration that the options name.
pub(super) fn configuration(options: &ConfigOptions) -> Result<Config, CliError> {
    // A variable that is no text is none of ours.
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Config::load(options.config.as_deref(), environment)
        .map_err(|error| CliError::input("bad-configuration", error.to_string()))
}

/// To whoever started it. A terminal that is gone is no reason to stop.
fn say(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}
