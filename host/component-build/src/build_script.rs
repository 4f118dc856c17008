//! What a build script calls to put components inside a program.
//!
//! ```no_run
//! // build.rs
//! fn main() -> anyhow::Result<()> {
//!     pqh_component_build::build_script::embed("plugins", "components.rs")
//! }
//! ```
//!
//! ```ignore
//! // in the program: COMPONENTS, by package name
//! include!(concat!(env!("OUT_DIR"), "/components.rs"));
//! ```

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::{Options, replace_file};

/// Builds every component below `folder` and writes `out_file_name` into `OUT_DIR`: a Rust file with
/// `pub static COMPONENTS: &[(&str, &[u8])]`, each component's package name and bytes, in the order of names.
///
/// Prints what cargo must watch. A folder that holds no component yet gives an empty list.
///
/// # Errors
///
/// See [`crate::build`]; also when called from anything but a build script.
pub fn embed(folder: &str, out_file_name: &str) -> Result<()> {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").context("OUT_DIR is not set: call this from a build script")?);
    let built = crate::build(folder, &Options::default())?;
    let root = crate::workspace_root()?;
    let mut watched: BTreeSet<PathBuf> = built.iter().flat_map(|component| component.inputs.clone()).collect();
    watched.insert(root.join("Cargo.toml"));
    for path in watched {
        println!("cargo:rerun-if-changed={}", path.display());
    }
    let copies = out.join(Path::new(out_file_name).file_stem().unwrap_or_default());
    std::fs::create_dir_all(&copies).with_context(|| format!("cannot make the folder {}", copies.display()))?;
    let mut source = format!(
        "/// Every component below `{folder}`: its package's name and its bytes.\n\
         pub static COMPONENTS: &[(&str, &[u8])] = &[\n"
    );
    for component in &built {
        let bytes = std::fs::read(&component.wasm_path)
            .with_context(|| format!("cannot read {}", component.wasm_path.display()))?;
        let copy = copies.join(format!("{}.wasm", component.package));
        replace_file(&copy, &bytes)?;
        let copy = copy.to_str().context("the target folder's path is not UTF-8")?;
        writeln!(source, "    ({:?}, include_bytes!({:?})),", component.package, copy)?;
    }
    source.push_str("];\n");
    replace_file(&out.join(out_file_name), source.as_bytes())
}
