//! Finds components: those built in, and those of a folder. All go through the runtime's one door.

use std::path::{Path, PathBuf};

use pqh_runtime::{Plugin, Runtime};
use serde_json::json;
use tokio::task::JoinError;

use crate::{builtin, error::CliError};

/// A component and where it is from.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) plugin: Plugin,
    pub(crate) origin: Origin,
}

/// Where a component is from: what is built in is trusted with what it describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    BuiltIn,
    File(PathBuf),
}

impl Entry {
    /// The channel type.
    pub(crate) fn id(&self) -> &str {
        &self.plugin.descriptor().id
    }

    /// Whether it is inside the program.
    pub(crate) fn is_built_in(&self) -> bool {
        self.origin == Origin::BuiltIn
    }
}

/// All that was found, and what could not be loaded.
#[derive(Default)]
pub(crate) struct Catalog {
    pub(crate) entries: Vec<Entry>,
    /// File and reason.
    pub(crate) broken: Vec<(PathBuf, String)>,
}

impl Catalog {
    /// Loads all components, at the same time.
    pub(crate) async fn load(runtime: &Runtime, folder: Option<&Path>) -> Result<Self, CliError> {
        let files = folder.map(wasm_files).transpose()?.unwrap_or_default();
        let built_in = builtin::components().iter().map(|(name, bytes)| {
            let runtime = runtime.clone();
            tokio::spawn(async move { load_built_in(&runtime, name, bytes).await })
        });
        let from_files = files.into_iter().map(|path| {
            let (runtime, file) = (runtime.clone(), path.clone());
            (path, tokio::spawn(async move { runtime.load_file(&file).await }))
        });
        let (built_in, from_files): (Vec<_>, Vec<_>) = (built_in.collect(), from_files.collect());
        let stopped = |error: JoinError| CliError::work("broken-build", format!("loading it stopped: {error}"));
        let mut catalog = Self::default();
        for loading in built_in {
            catalog.add(loading.await.map_err(stopped)??)?;
        }
        for (path, loading) in from_files {
            match loading.await.map_err(stopped)? {
                Ok(plugin) => catalog.add(Entry { plugin, origin: Origin::File(path) })?,
                Err(error) => catalog.broken.push((path, error.to_string())),
            }
        }
        Ok(catalog)
    }

    /// Two components of one type: which would be meant, nobody could tell.
    fn add(&mut self, entry: Entry) -> Result<(), CliError> {
        if let Some(first) = self.entries.iter().find(|other| other.id() == entry.id()) {
            if first.plugin.sha256() == entry.plugin.sha256() {
                // The same bytes, such as what `dist` made of a built-in one.
                return Ok(());
            }
            let place = |entry: &Entry| match &entry.origin {
                Origin::BuiltIn => "built in".to_owned(),
                Origin::File(path) => path.display().to_string(),
            };
            let (id, first, second) = (entry.id(), place(first), place(&entry));
            let message = format!("the channel type {id} exists twice: {first}, and {second}; remove one of them");
            return Err(CliError::input("duplicate-type", message).with(json!({ "type": id })));
        }
        self.entries.push(entry);
        Ok(())
    }

    /// The component of a type.
    fn find(self, channel_type: &str) -> Result<Entry, CliError> {
        for (path, reason) in &self.broken {
            tracing::warn!("{} is not loaded: {reason}", path.display());
        }
        let known: Vec<String> = self.entries.iter().map(|entry| entry.id().to_owned()).collect();
        self.entries.into_iter().find(|entry| entry.id() == channel_type).ok_or_else(|| {
            let list = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let message =
                format!("no channel type is called {channel_type:?}; known: {list} (more with --plugins DIR)");
            CliError::input("unknown-type", message).with(json!({ "known": known }))
        })
    }
}

/// The component of a type. Where only built-in ones can be meant, the one that is named like its type is tried first.
pub(crate) async fn find(runtime: &Runtime, folder: Option<&Path>, channel_type: &str) -> Result<Entry, CliError> {
    if folder.is_none()
        && let Some((name, bytes)) = builtin::components().iter().find(|(name, _)| *name == channel_type)
    {
        let entry = load_built_in(runtime, name, bytes).await?;
        if entry.id() == channel_type {
            return Ok(entry);
        }
    }
    Catalog::load(runtime, folder).await?.find(channel_type)
}

async fn load_built_in(runtime: &Runtime, name: &str, bytes: &[u8]) -> Result<Entry, CliError> {
    let plugin = runtime
        .load_bytes(bytes)
        .await
        .map_err(|error| CliError::work("broken-build", format!("the built-in component {name}: {error}")))?;
    Ok(Entry { plugin, origin: Origin::BuiltIn })
}

/// The folder's component files, in the order of their names.
fn wasm_files(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let unreadable = |error: std::io::Error| {
        CliError::input("unreadable-folder", format!("--plugins {}: {error}", folder.display()))
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
