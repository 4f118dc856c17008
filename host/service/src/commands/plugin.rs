//! `plugin list` and `plugin inspect`.

use std::path::Path;

use super::{Ending, runtime};
use crate::{
    catalog::Catalog,
    error::CliError,
    output::{self, Format},
};

/// Lists what is there; fails where a file in the folder does not load.
pub(crate) async fn list(folder: Option<&Path>, format: Format) -> Result<Ending, CliError> {
    let catalog = Catalog::load(&runtime(None)?, folder).await?;
    output::plugin::list(&catalog, format);
    Ok(if catalog.broken.is_empty() { Ending::Done } else { Ending::Failed })
}

/// Says what a file is and wants. Nothing in it is called but `describe`, which has no capability.
pub(crate) async fn inspect(file: &Path, format: Format) -> Result<Ending, CliError> {
    if let Err(error) = std::fs::metadata(file) {
        return Err(CliError::input("unreadable-file", format!("{}: {error}", file.display())));
    }
    let plugin = runtime(None)?
        .load_file(file)
        .await
        .map_err(|error| CliError::work("unusable-component", format!("{}: {error}", file.display())))?;
    output::plugin::inspect(&plugin, format);
    Ok(Ending::Done)
}
