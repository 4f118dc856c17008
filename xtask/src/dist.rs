//! `dist/`: what is handed to others.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context as _, Result};
use pqh_component_build::Options;
use serde_json::json;
use sha2::{Digest as _, Sha256};

pub(crate) fn run() -> Result<()> {
    let root = pqh_component_build::workspace_root()?;
    let dist = root.join("dist");
    std::fs::create_dir_all(&dist).context("cannot make dist/")?;
    let (mut sums, mut list) = (String::new(), Vec::new());
    for built in pqh_component_build::build("plugins", &Options { revision: revision() })? {
        let bytes = std::fs::read(&built.wasm_path).context("cannot read the component")?;
        let file = format!("{}.wasm", built.package);
        std::fs::write(dist.join(&file), &bytes).context("cannot write into dist/")?;
        let sha256 = hex::encode(Sha256::digest(&bytes));
        println!("{file}  {} bytes  {sha256}", bytes.len());
        writeln!(sums, "{sha256}  {file}")?;
        list.push(json!({
            "package": built.package, "version": built.version, "description": built.description,
            "license": built.license, "file": file, "size": bytes.len(), "sha256": sha256,
        }));
    }
    std::fs::write(dist.join("SHA256SUMS"), sums).context("cannot write SHA256SUMS")?;
    std::fs::write(dist.join("components.json"), format!("{}\n", serde_json::to_string_pretty(&list)?))
        .context("cannot write components.json")
}

/// The commit, where git knows it and nothing is changed.
fn revision() -> Option<String> {
    let git = |arguments: &[&str]| {
        let asked = Command::new("git").args(arguments).output().ok()?;
        asked.status.success().then(|| String::from_utf8_lossy(&asked.stdout).trim().to_owned())
    };
    let clean = git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    clean.then(|| git(&["rev-parse", "HEAD"])).flatten()
}
