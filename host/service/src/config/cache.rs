//! Where compiled components are kept, so that only their first use compiles them: for the service and the command line
//! alike.

use std::path::PathBuf;

use pqh_runtime::{BuildError, Runtime, RuntimeBuilder};

/// The environment variable that names the folder.
const VARIABLE: &str = "PQH_CACHE_DIR";

/// Builds the runtime with the folder that somebody named, else with the user's own where that can be used.
pub(crate) fn build(builder: RuntimeBuilder, named: Option<PathBuf>) -> Result<Runtime, BuildError> {
    if let Some(folder) = named {
        return builder.cache_dir(folder).build();
    }
    let Some(folder) = default_folder() else { return builder.build() };
    match builder.clone().cache_dir(folder).build() {
        // Nobody asked for that folder: without it, each start only takes a moment longer.
        Err(error @ BuildError::Cache { .. }) => {
            tracing::warn!("{error}; going on without ({VARIABLE} names another folder)");
            builder.build()
        }
        built => built,
    }
}

/// The folder that the environment names.
pub(crate) fn named_folder() -> Option<PathBuf> {
    folder_from(VARIABLE)
}

fn default_folder() -> Option<PathBuf> {
    let base = folder_from("XDG_CACHE_HOME").or_else(|| Some(folder_from("HOME")?.join(".cache")))?;
    Some(base.join("pqh").join("components"))
}

/// The folder that an environment variable names.
fn folder_from(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}
