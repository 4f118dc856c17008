//! What people allowed at a service and have not confirmed here yet: in memory alone, so that nothing of it is stored.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pqh_runtime::Tokens;
use pqh_runtime::contract::connecting::connection::ConnectedWorkspace;
use pqh_runtime::contract::types::Workspace;
use pqh_runtime::{Grant, MemorySecrets, SecretSource as _};
use secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;

use std::sync::Arc;

use super::Connections;
use crate::catalog::Entry;
use crate::clock::Millis;
use crate::store::StoreError;
use crate::store::authorizations::AuthorizationRow;
use crate::store::connections;

/// Those that are waited for at the same time, at most.
const MOST: usize = 1_000;

/// What a person allowed.
pub(super) struct Pending {
    pub(super) authorization: AuthorizationRow,
    pub(super) tokens: Tokens,
    /// When the tokens came.
    pub(super) came_at: Millis,
    pub(super) found: ConnectedWorkspace,
    /// Until when it can be confirmed.
    pub(super) until: Millis,
}

/// All of them, by the fingerprint of what the page that asks holds.
#[derive(Default)]
pub(super) struct Waiting(Mutex<HashMap<String, Pending>>);

impl Waiting {
    /// Keeps one. What it has no room for comes back.
    pub(super) fn add(&self, key: String, pending: Pending) -> Option<Pending> {
        let mut waiting = self.all();
        if waiting.len() >= MOST {
            return Some(pending);
        }
        waiting.insert(key, pending);
        None
    }

    /// Takes one, where `fits` says so of it.
    pub(super) fn take(&self, key: &str, fits: impl FnOnce(&Pending) -> bool) -> Option<Pending> {
        let mut waiting = self.all();
        if !waiting.get(key).is_some_and(fits) {
            return None;
        }
        waiting.remove(key)
    }

    fn take_all(&self, which: impl Fn(&Pending) -> bool) -> Vec<Pending> {
        let mut waiting = self.all();
        let keys: Vec<String> = waiting.iter().filter(|(_, held)| which(held)).map(|(key, _)| key.clone()).collect();
        keys.iter().filter_map(|key| waiting.remove(key)).collect()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Pending>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connections {
    /// Has the service forget what nobody confirmed in time.
    pub(crate) async fn take_back_expired(&self, now: Millis) {
        for pending in self.0.waiting.take_all(|pending| pending.until <= now) {
            self.decline(pending).await;
        }
    }

    pub(super) async fn take_back_all(&self) {
        for pending in self.0.waiting.take_all(|_| true) {
            self.decline(pending).await;
        }
    }

    /// Has the service forget what a person does not confirm.
    pub(super) async fn decline(&self, pending: Pending) {
        let channel_type = &pending.authorization.channel_type;
        let plugins = &self.0.needs.plugins;
        let Some((entry, grant)) = plugins.find(channel_type).zip(plugins.grant_of(channel_type)) else { return };
        self.take_back(&entry, grant, &pending.tokens, Some(&pending.found.workspace)).await;
    }

    /// Has the service forget tokens that are not to be kept, unless a connection works with the same ones.
    pub(super) async fn take_back(&self, entry: &Entry, grant: Grant, tokens: &Tokens, found: Option<&Workspace>) {
        if tokens.secrets.is_empty() {
            return;
        }
        let nameless = Workspace { id: String::new(), name: String::new(), memo: String::new() };
        let workspace = found.unwrap_or(&nameless);
        match self.are_in_use(entry.id(), workspace, tokens).await {
            Ok(false) => {}
            Ok(true) => return,
            Err(error) => {
                // To kill what works would be worse than to leave what nobody has.
                tracing::warn!("tokens that are not kept are not revoked either: {error}");
                return;
            }
        }
        let secrets =
            tokens.secrets.iter().fold(MemorySecrets::new(), |all, (name, secret)| all.with(name, secret.clone()));
        if let Err(failure) = entry.plugin.connection(grant, Arc::new(secrets)).revoke(workspace).await {
            tracing::warn!(code = %failure.code, "tokens that are not kept could not be revoked: {}", failure.message);
        }
    }

    /// Whether a connection of the workspace has one of these tokens: services may give the same one again.
    async fn are_in_use(&self, channel_type: &str, workspace: &Workspace, tokens: &Tokens) -> Result<bool, StoreError> {
        let row = connections::of_workspace(self.store().readers(), channel_type, &workspace.id).await?;
        let Some(row) = row else { return Ok(false) };
        let held = self.tokens(&row).await?.opened().await;
        let held = held.map_err(|error| StoreError::Statement { reason: error.to_string() })?;
        for (name, secret) in &tokens.secrets {
            if let Ok(known) = held.get(name).await
                && bool::from(known.expose_secret().as_bytes().ct_eq(secret.expose_secret().as_bytes()))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
