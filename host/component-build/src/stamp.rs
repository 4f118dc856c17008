//! Writes the standard metadata of a component into it: what a registry and `pqh plugin inspect` show.

use std::path::Path;

use anyhow::{Context as _, Result};
use cargo_metadata::Package;
use wasm_metadata::{
    AddMetadata, AddMetadataField, Authors, Description, Homepage, Licenses, Revision, Source, Version,
};

use crate::{Options, replace_file};

/// Reads the component at `plain`, adds what `package` and `options` say of it, and writes it to `stamped`.
pub(crate) fn write(package: &Package, options: &Options, plain: &Path, stamped: &Path) -> Result<()> {
    let bytes = std::fs::read(plain).with_context(|| format!("cannot read {}", plain.display()))?;
    let bytes = metadata(package, options)
        .and_then(|metadata| metadata.to_wasm(&bytes))
        .with_context(|| format!("cannot write the metadata of {}", package.name))?;
    replace_file(stamped, &bytes)
}

fn metadata(package: &Package, options: &Options) -> Result<AddMetadata> {
    let mut add = AddMetadata::default();
    add.name = AddMetadataField::Set(package.name.to_string());
    add.version = AddMetadataField::Set(Version::new(package.version.to_string()));
    if let Some(description) = &package.description {
        add.description = AddMetadataField::Set(Description::new(description.clone()));
    }
    if !package.authors.is_empty() {
        add.authors = AddMetadataField::Set(Authors::new(package.authors.join(", ")));
    }
    if let Some(license) = &package.license {
        add.licenses = AddMetadataField::Set(Licenses::new(license)?);
    }
    if let Some(repository) = &package.repository {
        add.source = AddMetadataField::Set(Source::new(repository)?);
    }
    if let Some(homepage) = &package.homepage {
        add.homepage = AddMetadataField::Set(Homepage::new(homepage)?);
    }
    if let Some(revision) = &options.revision {
        add.revision = AddMetadataField::Set(Revision::new(revision.clone()));
    }
    Ok(add)
}
