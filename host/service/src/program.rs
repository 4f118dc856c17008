//! The program: reads the command line, runs the command, ends with its exit code.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{Parser as _, error::ErrorKind};
use tracing_subscriber::EnvFilter;

use crate::{
    cli::{Cli, Command},
    commands::{self, Ending},
    error::{Blame, CliError},
    output::{self, Format},
};

/// Failed.
const FAILED: u8 = 1;
/// Usage or bad input.
const BAD_INPUT: u8 = 2;

/// Runs the command line of this process.
pub async fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    // The service's log is as its configuration says.
    if !matches!(cli.command, Command::Serve { .. }) {
        start_log();
    }
    let format = if cli.json { Format::Json } else { Format::Human };
    match commands::run(cli).await {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::Failed) => ExitCode::from(FAILED),
        Err(error) => {
            output::error(&error, format);
            ExitCode::from(match error.blame {
                Blame::Input => BAD_INPUT,
                Blame::Work => FAILED,
            })
        }
    }
}

/// A command line that could not be read, or one that asked for help.
fn usage(error: &clap::Error) -> ExitCode {
    let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    // Options did not parse, so whether JSON was meant has to be seen from the words themselves.
    if !asked && std::env::args_os().any(|word| word == "--json") {
        let message = error.to_string();
        let message = message.strip_prefix("error: ").unwrap_or(&message).trim_end();
        output::error(&CliError::input("usage", message), Format::Json);
    } else {
        drop(error.print());
    }
    if asked { ExitCode::SUCCESS } else { ExitCode::from(BAD_INPUT) }
}

/// Logs to standard error, from the level that `PQH_LOG` names.
fn start_log() {
    let filter = EnvFilter::try_from_env("PQH_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .without_time()
        .with_target(false)
        .init();
}
