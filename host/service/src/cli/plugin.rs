//! Words of `pqh plugin`.

use std::path::PathBuf;

use clap::Subcommand;

/// About components.
#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// List the components: those built in, and those of --plugins.
    List,
    /// Say what a component file is, what it can do and what it wants.
    Inspect {
        /// The component.
        file: PathBuf,
    },
}
