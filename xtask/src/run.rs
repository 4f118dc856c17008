//! Runs the commands that a task consists of.

use std::process::Command;

use anyhow::{Context as _, Result, bail};
use pqh_component_build::TARGET;

/// A cargo that hears nothing of the package that this program is of: some build scripts watch such variables, and would
/// build again what tests and other commands have built.
fn quiet_cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|start| text.starts_with(start)) {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs cargo at the workspace's root and says which step it is.
pub(crate) fn cargo(step: &str, arguments: &[&str]) -> Result<()> {
    cargo_with(step, arguments, &[])
}

/// As [`cargo`], with these variables around it.
pub(crate) fn cargo_with(step: &str, arguments: &[&str], surroundings: &[(&str, String)]) -> Result<()> {
    println!("==> cargo {}", arguments.join(" "));
    let status = quiet_cargo()
        .args(arguments)
        .envs(surroundings.iter().map(|(name, value)| (name, value)))
        .current_dir(pqh_component_build::workspace_root()?)
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        bail!("{step} failed: see above (cargo {})", arguments.join(" "));
    }
    Ok(())
}

/// As [`cargo`], and gives back what it printed.
pub(crate) fn cargo_output(step: &str, arguments: &[&str]) -> Result<String> {
    println!("==> cargo {}", arguments.join(" "));
    let output = quiet_cargo()
        .args(arguments)
        .current_dir(pqh_component_build::workspace_root()?)
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    print!("{printed}");
    if !output.status.success() {
        bail!("{step} failed: see above (cargo {})", arguments.join(" "));
    }
    Ok(printed)
}

/// Runs a program of this workspace that was built in the dev profile.
pub(crate) fn program(name: &str) -> Result<()> {
    let root = pqh_component_build::workspace_root()?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into);
    let path: std::path::PathBuf = target.join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let status = Command::new(&path).current_dir(root).status().with_context(|| format!("cannot run {name}"))?;
    if !status.success() {
        bail!("{name} failed: see above");
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
