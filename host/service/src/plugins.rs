//! The channel types that the service has, and what each may do. Built-in components have what they describe; any other
//! has what an operator granted to its exact file, and nothing before that.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use pqh_runtime::{BuildError, Grant, Runtime};
use tokio::sync::{Mutex, MutexGuard};

use crate::catalog::{Catalog, Entry};
use crate::config::{Config, ConfigError, cache};
use crate::error::CliError;
use crate::health::{Health, Note};
use crate::store::grants::{self, GrantRow};
use crate::store::{Store, StoreError};

/// Components and their grants. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Plugins(Arc<Inner>);

struct Inner {
    entries: BTreeMap<String, Arc<Entry>>,
    broken: Vec<(PathBuf, String)>,
    /// By channel type: those for the files that are loaded.
    granted: RwLock<HashMap<String, GrantRow>>,
    /// Held by whoever changes grants, until memory and database agree again.
    changing: Mutex<()>,
}

/// Why the channel types cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PluginsError {
    /// How they may send.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// What they run in.
    #[error(transparent)]
    Runtime(#[from] BuildError),
    /// The components.
    #[error("{}", .0.message)]
    Components(CliError),
    /// The grants.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Plugins {
    /// Starts what components run in, and loads them. They can never send to `own`, where the service itself listens. What
    /// does not load is a warning: the other channels go on.
    pub(crate) async fn start(
        config: &Config,
        own: SocketAddr,
        store: &Store,
        health: &Health,
    ) -> Result<Self, PluginsError> {
        let gate = config.gate()?.with_own_listener(own);
        let mut builder = Runtime::builder().gate(gate).limits(config.runtime_limits());
        if let Some(mail) = config.mail()? {
            builder = builder.mail(mail);
        }
        let runtime = cache::build(builder, config.cache_dir.clone())?;
        let plugins = Self::load(&runtime, config.plugins.as_deref(), store).await?;
        for (path, reason) in plugins.broken() {
            let path = path.display();
            tracing::warn!("{path} is not loaded: {reason}");
            let remedy = format!("Replace {path} by a component that fits this service, or remove it; then restart.");
            let note = Note::new("component-not-loaded", format!("{path} is not loaded: {reason}"), remedy);
            health.warn(&format!("component {path}"), note);
        }
        Ok(plugins)
    }

    /// Loads all components, and what was granted to them. A file that does not load is kept with its reason.
    pub(crate) async fn load(runtime: &Runtime, folder: Option<&Path>, store: &Store) -> Result<Self, PluginsError> {
        let Catalog { entries, broken } = Catalog::load(runtime, folder).await.map_err(PluginsError::Components)?;
        let grants = grants::all(store.readers()).await?;
        Ok(Self::of(entries, broken, grants))
    }

    pub(crate) fn of(entries: Vec<Entry>, broken: Vec<(PathBuf, String)>, grants: Vec<GrantRow>) -> Self {
        let entries: BTreeMap<_, _> =
            entries.into_iter().map(|entry| (entry.id().to_owned(), Arc::new(entry))).collect();
        let loaded = |grant: &GrantRow| {
            entries.get(&grant.plugin_id).is_some_and(|entry| entry.plugin.sha256().to_string() == grant.sha256)
        };
        let granted = grants.into_iter().filter(loaded).map(|grant| (grant.plugin_id.clone(), grant)).collect();
        Self(Arc::new(Inner { entries, broken, granted: RwLock::new(granted), changing: Mutex::new(()) }))
    }

    /// All, by type.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.0.entries.values()
    }

    /// Files that did not load, with the reason.
    pub(crate) fn broken(&self) -> &[(PathBuf, String)] {
        &self.0.broken
    }

    /// The component of a type.
    pub(crate) fn find(&self, channel_type: &str) -> Option<Arc<Entry>> {
        self.0.entries.get(channel_type).cloned()
    }

    /// What the component of a type may do; none where nobody granted it anything.
    pub(crate) fn grant_of(&self, channel_type: &str) -> Option<Grant> {
        let entry = self.0.entries.get(channel_type)?;
        if entry.is_built_in() {
            return Some(Grant::described(&entry.plugin));
        }
        let Some(hosts) = self.granted(channel_type)?.hosts else { return Some(Grant::described(&entry.plugin)) };
        let granted = hosts.iter().try_fold(Grant::nothing(&entry.plugin), |grant, host| grant.allow(host));
        // They were read before they were kept.
        granted.inspect_err(|error| tracing::error!("the grant for {channel_type} is not understood: {error}")).ok()
    }

    /// What an operator granted to the file that is loaded.
    pub(crate) fn granted(&self, channel_type: &str) -> Option<GrantRow> {
        self.0.granted.read().unwrap_or_else(PoisonError::into_inner).get(channel_type).cloned()
    }

    /// The turn to change grants: to be held from reading what is granted until [`Self::set_granted`].
    pub(crate) async fn change(&self) -> MutexGuard<'_, ()> {
        self.0.changing.lock().await
    }

    /// What is granted from now on, once it is in the database.
    pub(crate) fn set_granted(&self, channel_type: &str, grant: Option<GrantRow>) {
        let mut granted = self.0.granted.write().unwrap_or_else(PoisonError::into_inner);
        match grant {
            Some(grant) => drop(granted.insert(channel_type.to_owned(), grant)),
            None => drop(granted.remove(channel_type)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin;
    use crate::catalog::Origin;

    async fn entry(origin: Origin) -> Entry {
        let runtime = Runtime::builder().build().unwrap();
        let (_, bytes) = builtin::components()[0];
        Entry { plugin: runtime.load_bytes(bytes).await.unwrap(), origin }
    }

    fn grant(entry: &Entry, sha256: &str, hosts: Option<&[&str]>) -> GrantRow {
        GrantRow {
            plugin_id: entry.id().to_owned(),
            sha256: sha256.to_owned(),
            hosts: hosts.map(|hosts| hosts.iter().map(|&host| host.to_owned()).collect()),
            granted_by: "ada".to_owned(),
            granted_at: 7,
        }
    }

    #[tokio::test]
    async fn what_is_built_in_may_do_what_it_describes() {
        let entry = entry(Origin::BuiltIn).await;
        let (id, described) = (entry.id().to_owned(), Grant::described(&entry.plugin).to_string());
        let plugins = Plugins::of(vec![entry], Vec::new(), Vec::new());
        assert_eq!(plugins.grant_of(&id).unwrap().to_string(), described);
        assert!(plugins.grant_of("nothing").is_none());
    }

    #[tokio::test]
    async fn a_file_may_do_what_was_granted_to_its_exact_bytes() {
        let entry = entry(Origin::File("x.wasm".into())).await;
        let (id, sha256) = (entry.id().to_owned(), entry.plugin.sha256().to_string());
        let described = Grant::described(&entry.plugin).to_string();
        let of = |sha256: &str, hosts| Plugins::of(vec![entry.clone()], Vec::new(), vec![grant(&entry, sha256, hosts)]);
        assert!(Plugins::of(vec![entry.clone()], Vec::new(), Vec::new()).grant_of(&id).is_none());
        assert!(of("other", None).grant_of(&id).is_none());
        assert_eq!(of(&sha256, None).grant_of(&id).unwrap().to_string(), described);
        assert_eq!(of(&sha256, Some(&["a.example"])).grant_of(&id).unwrap().to_string(), "a.example");
    }

    #[tokio::test]
    async fn a_grant_counts_until_it_is_taken_back() {
        let entry = entry(Origin::File("x.wasm".into())).await;
        let (id, sha256) = (entry.id().to_owned(), entry.plugin.sha256().to_string());
        let plugins = Plugins::of(vec![entry.clone()], Vec::new(), Vec::new());
        plugins.set_granted(&id, Some(grant(&entry, &sha256, None)));
        assert!(plugins.grant_of(&id).is_some());
        plugins.set_granted(&id, None);
        assert!(plugins.grant_of(&id).is_none());
    }
}
