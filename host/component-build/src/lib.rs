//! Builds the components of this workspace to wasm, with their metadata.
//!
//! A component is any workspace member below a folder whose library is a `cdylib`; none is ever named here. Each is
//! built by a nested `cargo build` in the profile `component`, into a target folder of its own (`components` below the
//! workspace's), so that the build which asked never waits for its own lock, and then stamped with its name, version,
//! description, authors, licence and home.
//!
//! The program's build script, the tests' build script and `cargo xtask dist` all come through here.

mod compile;
mod find;
mod stamp;

pub mod build_script;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

pub use compile::{TARGET, ensure_target};

/// A component that was built and stamped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The package's name, as its `Cargo.toml` says it.
    pub package: String,
    /// The package's version.
    pub version: String,
    /// What the package says it is, in one line; empty where it says nothing.
    pub description: String,
    /// The licence as an SPDX expression, where the package has one.
    pub license: Option<String>,
    /// Where the stamped component stands.
    pub wasm_path: PathBuf,
    /// Files and folders that the component was made of: a change in any of them asks for another build.
    pub inputs: Vec<PathBuf>,
}

/// What a build adds to the metadata beyond what `Cargo.toml` says.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The revision of the sources. Left out of development builds: with it, each commit would change each component.
    pub revision: Option<String>,
}

/// Builds every component below `folder` (relative to the workspace's root, such as `plugins`).
///
/// A folder without any component gives an empty list.
///
/// # Errors
///
/// When the wasm target is not installed (the message says how to install it), when a component does not compile, and
/// when its metadata cannot be written.
pub fn build(folder: &str, options: &Options) -> Result<Vec<Built>> {
    let workspace = find::Workspace::read()?;
    let found = workspace.components_below(folder);
    if found.is_empty() {
        return Ok(Vec::new());
    }
    ensure_target()?;
    let stamped = workspace.components_target().join("stamped");
    std::fs::create_dir_all(&stamped).with_context(|| format!("cannot make the folder {}", stamped.display()))?;
    let mut built = Vec::new();
    for package in found {
        let plain = compile::component(&workspace, package)?;
        let wasm_path = stamped.join(format!("{}.wasm", package.name));
        stamp::write(package, options, &plain, &wasm_path)?;
        built.push(Built {
            package: package.name.to_string(),
            version: package.version.to_string(),
            description: package.description.clone().unwrap_or_default(),
            license: package.license.clone(),
            wasm_path,
            inputs: workspace.inputs_of(package),
        });
    }
    Ok(built)
}

/// The workspace's root folder.
///
/// # Errors
///
/// When `cargo metadata` fails.
pub fn workspace_root() -> Result<PathBuf> {
    Ok(find::Workspace::read()?.root().to_path_buf())
}

/// Replaces `path` by `bytes` in one step, and leaves it alone where it holds them already: two builds may do this at
/// the same time.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> Result<()> {
    if std::fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let beside = path.with_extension(format!("{}.part", std::process::id()));
    std::fs::write(&beside, bytes).with_context(|| format!("cannot write {}", beside.display()))?;
    std::fs::rename(&beside, path).with_context(|| format!("cannot write {}", path.display()))
}
