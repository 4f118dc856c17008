//! What people allowed at a service and have not confirmed here yet: in memory alone, so that nothing of it is stored.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pqh_runtime::Tokens;
use pqh_runtime::contract::connecting::connection::ConnectedWorkspace;
use pqh_runtime::contract::types::Workspace;
use pqh_runtime::{Grant, MemorySecrets, SecretSource as _};
use secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;

use super::error::Obstacle;
use super::{Connections, keep};
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

    /// Takes one, where `judge` has nothing against it.
    pub(super) fn take(
        &self,
        key: &str,
        judge: impl FnOnce(&Pending) -> Result<(), Obstacle>,
    ) -> Result<Pending, Obstacle> {
        let mut waiting = self.all();
        judge(waiting.get(key).ok_or(Obstacle::Replayed)?)?;
        waiting.remove(key).ok_or(Obstacle::Replayed)
    }

    fn take_all(&self, which: impl Fn(&Pending) -> bool) -> Vec<Pending> {
        let mut waiting = self.all();
        let keys: Vec<String> = waiting.iter().filter(|(_, held)| which(held)).map(|(key, _)| key.clone()).collect();
        keys.iter().filter_map(|key| waiting.remove(key)).collect()
    }

    /// The tokens of all that wait for the type.
    fn tokens(&self, channel_type: &str) -> Vec<MemorySecrets> {
        let waiting = self.all();
        let of_type = waiting.values().filter(|pending| pending.authorization.channel_type == channel_type);
        of_type.map(|pending| keep::secrets_of(&pending.tokens)).collect()
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
        let secrets = keep::secrets_of(&pending.tokens);
        self.take_back(&entry, grant, secrets, Some(&pending.found.workspace)).await;
    }

    /// Has the service forget tokens that are not kept any more, or never were, unless somebody works with the same ones:
    /// services may give them again. Without a workspace nobody knows whose they are.
    pub(super) async fn take_back(
        &self,
        entry: &Entry,
        grant: Grant,
        secrets: MemorySecrets,
        workspace: Option<&Workspace>,
    ) {
        match self.are_in_use(entry, &secrets, workspace).await {
            Ok(false) => {}
            Ok(true) => return,
            Err(error) => {
                // To kill what works would be worse than to leave what nobody has.
                tracing::warn!("tokens that are not kept are not revoked either: {error}");
                return;
            }
        }
        let nameless = Workspace { id: String::new(), name: String::new(), memo: String::new() };
        let revoked = entry.plugin.connection(grant, Arc::new(secrets)).revoke(workspace.unwrap_or(&nameless)).await;
        if let Err(failure) = revoked {
            tracing::warn!(code = %failure.code, "tokens that are not kept could not be revoked: {}", failure.message);
        }
    }

    /// Whether a connection, or a person who is asked, has one of these tokens.
    async fn are_in_use(
        &self,
        entry: &Entry,
        secrets: &MemorySecrets,
        workspace: Option<&Workspace>,
    ) -> Result<bool, StoreError> {
        let mut held = self.0.waiting.tokens(entry.id());
        let readers = self.store().readers();
        let rows = match workspace {
            Some(workspace) => {
                connections::of_workspace(readers, entry.id(), &workspace.id).await?.into_iter().collect()
            }
            None => connections::of_type(readers, entry.id()).await?,
        };
        for row in rows {
            let opened = self.tokens(&row).await?.opened().await;
            held.push(opened.map_err(|error| StoreError::Statement { reason: error.to_string() })?);
        }
        let names: Vec<&str> = entry
            .plugin
            .oauth2()
            .into_iter()
            .flat_map(|service| &service.secrets)
            .map(|secret| secret.name.as_str())
            .collect();
        for name in names {
            let Ok(secret) = secrets.get(name).await else { continue };
            for other in &held {
                if let Ok(known) = other.get(name).await
                    && bool::from(known.expose_secret().as_bytes().ct_eq(secret.expose_secret().as_bytes()))
                {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}
