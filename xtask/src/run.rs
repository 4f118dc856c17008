//! Runs the commands that a task consists of.

use std::process::Command;

use anyhow::{Context as _, Result, bail};
use pqh_component_build::TARGET;

/// Runs cargo at the workspace's root and says which step it is.
pub(crate) fn cargo(step: &str, arguments: &[&str]) -> Result<()> {
    println!("==> cargo {}", arguments.join(" "));
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(arguments)
        .current_dir(pqh_component_build::workspace_root()?)
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        bail!("{step} failed: see above (cargo {})", arguments.join(" "));
    }
    Ok(())
}

/// Installs the components' target where it is missing and rustup is there.
pub(crate) fn ensure_target() -> Result<()> {
    let Err(missing) = pqh_component_build::ensure_target() else {
        return Ok(());
    };
    println!("==> rustup target add {TARGET}");
    match Command::new("rustup").args(["target", "add", TARGET]).status() {
        Ok(status) if status.success() => pqh_component_build::ensure_target(),
        Ok(_) => Err(missing.context("rustup could not install it")),
        Err(_) => Err(missing.context(
            "there is no rustup here: install Rust by rustup, or the package of your system that brings this target",
        )),
    }
}
