//! Finds and builds the real `pqh`, and runs it.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

use anyhow::{Context as _, Result, ensure};

/// Path of `pqh`, built once in the profile and target folder of the running program.
///
/// # Errors
///
/// When it does not build.
pub fn pqh() -> Result<PathBuf> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT.get_or_init(|| build().map_err(|error| format!("{error:#}"))).clone().map_err(anyhow::Error::msg)
}

fn build() -> Result<PathBuf> {
    let current = std::env::current_exe().context("cannot tell where this program stands")?;
    // <target>/<profile>/slack-simulator, or <target>/<profile>/deps/test-0123
    let mut folder = current.parent().context("this program stands in no folder")?;
    if folder.ends_with("deps") {
        folder = folder.parent().context("no profile folder")?;
    }
    let target = folder.parent().context("no target folder")?;
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        // The whole workspace, so that features are those of the tests, and nothing is built twice.
        .args(["build", "--quiet", "--workspace", "--bins", "--target-dir"])
        .arg(target);
    // What the cargo around a test says of its own package would build others again: some watch these.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|start| text.starts_with(start)) {
            command.env_remove(&name);
        }
    }
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    if folder.ends_with("release") {
        command.arg("--release");
    }
    ensure!(command.status().context("cannot run cargo")?.success(), "pqh does not build");
    Ok(folder.join(format!("pqh{}", std::env::consts::EXE_SUFFIX)))
}

/// Runs `pqh` with `arguments`; the webhook's URL goes by the environment, where no list of processes shows it.
///
/// # Errors
///
/// When it cannot be started.
pub fn run(arguments: &[&str], webhook_url: &str) -> Result<Output> {
    Command::new(pqh()?)
        .args(arguments)
        .env("PQH_SET_URL", webhook_url)
        .stdin(std::process::Stdio::null())
        .output()
        .context("cannot run pqh")
}

/// Path of one of the guide's events, such as `daily-sales-triggered`.
pub fn event(name: &str) -> String {
    format!("{}/events/{name}.json", env!("CARGO_MANIFEST_DIR"))
}
