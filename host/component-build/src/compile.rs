//! Compiles one component by a nested cargo.

use std::ffi::OsString;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{Message, Package};

use crate::find::Workspace;

/// The target that components are built for.
pub const TARGET: &str = "wasm32-wasip2";

/// Checks that the compiler has the standard library of [`TARGET`].
///
/// # Errors
///
/// Says the one command that installs it.
pub fn ensure_target() -> Result<()> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let asked = Command::new(&rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .with_context(|| format!("cannot run {}", rustc.display()))?;
    let folder = String::from_utf8_lossy(&asked.stdout);
    if asked.status.success() && Path::new(folder.trim()).is_dir() {
        return Ok(());
    }
    bail!(
        "components are built for {TARGET}, and this Rust has no standard library for it. Install it by\n\n    \
         rustup target add {TARGET}\n\nand build again."
    )
}

/// Builds `package` and says where the wasm is.
///
/// One cargo a component: cargo joins the features of all packages of one build, and a component's bytes (which
/// operators grant by their hash) must not depend on what else was built with it.
pub(crate) fn component(workspace: &Workspace, package: &Package) -> Result<PathBuf> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(workspace.root())
        .args(["build", "--lib", "--profile", "component", "--target", TARGET])
        .args(["--package", &package.name, "--message-format", "json-render-diagnostics"])
        .arg("--target-dir")
        .arg(workspace.components_target())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    for name in inherited() {
        command.env_remove(name);
    }
    let mut flags = path_free(workspace.root());
    flags.push(SMALL_STACK);
    flags.push(SHORT_NUMBERS);
    command.env("CARGO_ENCODED_RUSTFLAGS", flags);
    let mut cargo = command.spawn().context("cannot run cargo")?;
    let mut wasm = None;
    if let Some(stdout) = cargo.stdout.take() {
        for message in Message::parse_stream(BufReader::new(stdout)) {
            if let Message::CompilerArtifact(artifact) = message.context("cannot read what cargo says")?
                && artifact.package_id == package.id
            {
                wasm = artifact.filenames.into_iter().find(|file| file.extension() == Some("wasm")).or(wasm);
            }
        }
    }
    let status = cargo.wait().context("cannot wait for cargo")?;
    if !status.success() {
        bail!("the component {} does not build: cargo's own words are above", package.name);
    }
    let wasm = wasm.with_context(|| format!("cargo built {} and named no .wasm file", package.name))?;
    Ok(wasm.into_std_path_buf())
}

/// What the cargo or clippy around us set for its own build, and what would change ours.
fn inherited() -> impl Iterator<Item = OsString> {
    const NAMES: [&str; 16] = [
        "CARGO_BUILD_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "CARGO_BUILD_TARGET_DIR",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_TARGET_DIR",
        "CLIPPY_ARGS",
        "DEBUG",
        "HOST",
        "NUM_JOBS",
        "OPT_LEVEL",
        "OUT_DIR",
        "PROFILE",
        "RUSTC",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_WRAPPER",
        "RUSTFLAGS",
    ];
    const BEGINNINGS: [&str; 7] = [
        "CARGO_CFG_",
        "CARGO_FEATURE_",
        "CARGO_MANIFEST_",
        "CARGO_PKG_",
        "CARGO_PROFILE_",
        "CARGO_TARGET_WASM32_",
        "DEP_",
    ];
    std::env::vars_os().map(|(name, _)| name).filter(|name| {
        name.to_str()
            .is_some_and(|name| NAMES.contains(&name) || BEGINNINGS.iter().any(|start| name.starts_with(start)))
    })
}

/// A shadow stack of 128 KiB in place of 1 MiB: what a fresh sandbox touches then lies within the memory that the host
/// resets by copying. It made a delivery a quarter faster.
const SMALL_STACK: &str = "\u{1f}-Clink-arg=-zstack-size=131072";

/// Addresses and indices in the code as short as they can be, where the linker leaves each five bytes otherwise: a
/// twelfth of a component.
const SHORT_NUMBERS: &str = "\u{1f}-Clink-arg=--compress-relocations";

/// Flags that keep folders of the building machine out of the component, so that it is the same wherever it is built.
fn path_free(root: &Path) -> OsString {
    let mut flags = OsString::from("--remap-path-prefix=");
    flags.push(root);
    flags.push("=/pqh");
    let cargo_home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    if let Some(cargo_home) = cargo_home {
        flags.push("\u{1f}--remap-path-prefix=");
        flags.push(cargo_home);
        flags.push("=/cargo");
    }
    flags
}
