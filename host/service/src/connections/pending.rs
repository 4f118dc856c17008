//! What people allowed at a service and have not confirmed here yet: in memory alone, so that nothing of it is stored.
//!
//! From the moment at which its tokens came until they are kept or given back it stands in one list: whoever gives tokens
//! back asks there whether others need them, and what an error left over is found there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

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
/// What could not be given back is tried again for this long.
const GIVE_UP: Millis = 3_600_000;

/// What a person allowed.
pub(super) struct Pending {
    pub(super) authorization: AuthorizationRow,
    pub(super) tokens: Tokens,
    /// When the tokens came.
    pub(super) came_at: Millis,
    /// For which workspace, once the component said so.
    pub(super) found: OnceLock<ConnectedWorkspace>,
    /// Until when it can be confirmed.
    pub(super) until: Millis,
}

/// What becomes of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Somebody finds out what it is for, or keeps it.
    Held,
    /// The person is asked.
    Asked,
    /// Somebody gives it back.
    GivenBack,
    /// Whoever held it could not go on: it has to be given back.
    Left,
}

impl State {
    /// Whether its tokens may be kept yet.
    fn is_wanted(self) -> bool {
        matches!(self, Self::Held | Self::Asked)
    }
}

type All = HashMap<String, (Arc<Pending>, State)>;

/// All of them, by the fingerprint of what the page that asks holds. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Waiting(Arc<Mutex<All>>);

/// One that is held. Dropped as it is, it is left: given back by the next who looks.
pub(super) struct Held {
    waiting: Waiting,
    key: String,
    pub(super) pending: Arc<Pending>,
}

impl Held {
    /// From now on the person is asked.
    pub(super) fn ask(self) {
        self.turn_into(State::Asked);
    }

    /// It was kept or given back: nobody has to care for it any more.
    pub(super) fn done(self) {
        self.waiting.all().remove(&self.key);
    }

    fn turn_into(&self, state: State) {
        if let Some((_, held)) = self.waiting.all().get_mut(&self.key) {
            *held = state;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some((_, state @ (State::Held | State::GivenBack))) = self.waiting.all().get_mut(&self.key) {
            *state = State::Left;
        }
    }
}

impl Waiting {
    /// Whether nobody else can be asked now.
    pub(super) fn is_full(&self) -> bool {
        self.all().len() >= MOST
    }

    /// Holds what just came.
    pub(super) fn hold(&self, key: String, pending: Pending) -> Held {
        let pending = Arc::new(pending);
        self.all().insert(key.clone(), (Arc::clone(&pending), State::Held));
        Held { waiting: self.clone(), key, pending }
    }

    /// Holds one that a person is asked about, where `judge` has nothing against it.
    pub(super) fn take(
        &self,
        key: &str,
        judge: impl FnOnce(&Pending) -> Result<(), Obstacle>,
    ) -> Result<Held, Obstacle> {
        let mut all = self.all();
        let asked = all.get_mut(key).filter(|(_, state)| *state == State::Asked);
        let (pending, state) = asked.ok_or(Obstacle::Replayed)?;
        judge(pending)?;
        *state = State::Held;
        Ok(Held { waiting: self.clone(), key: key.to_owned(), pending: Arc::clone(pending) })
    }

    /// Holds all that have to be given back, and of those who are asked the ones that `which` says.
    fn take_all(&self, which: impl Fn(&Pending) -> bool) -> Vec<Held> {
        let fits = |pending: &Pending, state| match state {
            State::Left => true,
            State::Asked => which(pending),
            State::Held | State::GivenBack => false,
        };
        let mut taken = Vec::new();
        for (key, (pending, state)) in self.all().iter_mut().filter(|(_, (pending, state))| fits(pending, *state)) {
            *state = State::GivenBack;
            taken.push(Held { waiting: self.clone(), key: key.clone(), pending: Arc::clone(pending) });
        }
        taken
    }

    /// The tokens of the type that may be kept yet.
    fn tokens(&self, channel_type: &str) -> Vec<MemorySecrets> {
        let all = self.all();
        let of_type = all
            .values()
            .filter(|(pending, state)| state.is_wanted() && pending.authorization.channel_type == channel_type);
        of_type.map(|(pending, _)| keep::secrets_of(&pending.tokens)).collect()
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connections {
    /// Has the service forget what nobody confirmed in time, and what an error left over.
    pub(crate) async fn take_back_expired(&self, now: Millis) {
        for held in self.0.waiting.take_all(|pending| pending.until <= now) {
            self.decline(held).await;
        }
    }

    pub(super) async fn take_back_all(&self) {
        for held in self.0.waiting.take_all(|_| true) {
            self.decline(held).await;
        }
    }

    /// Has the service forget what a person does not confirm. Where that cannot be told yet, it is left for later.
    pub(super) async fn decline(&self, held: Held) {
        held.turn_into(State::GivenBack);
        let pending = &held.pending;
        let channel_type = &pending.authorization.channel_type;
        let plugins = &self.0.needs.plugins;
        if let Some((entry, grant)) = plugins.find(channel_type).zip(plugins.grant_of(channel_type)) {
            let (secrets, found) = (keep::secrets_of(&pending.tokens), pending.found.get());
            let given = self.take_back(&entry, grant, secrets, found.map(|found| &found.workspace)).await;
            if given.is_err() && self.0.needs.clock.now() < pending.came_at.saturating_add(GIVE_UP) {
                return;
            }
        }
        held.done();
    }

    /// Has the service forget tokens that are not kept any more, or never were, unless somebody works with the same ones:
    /// services may give them again. Without a workspace nobody knows whose they are. An error where nobody can tell.
    pub(super) async fn take_back(
        &self,
        entry: &Entry,
        grant: Grant,
        secrets: MemorySecrets,
        workspace: Option<&Workspace>,
    ) -> Result<(), StoreError> {
        match self.are_in_use(entry, &secrets, workspace).await {
            Ok(false) => {}
            Ok(true) => return Ok(()),
            Err(error) => {
                // To kill what works would be worse than to leave what nobody has.
                tracing::warn!("tokens that are not kept are not revoked either: {error}");
                return Err(error);
            }
        }
        let nameless = Workspace { id: String::new(), name: String::new(), memo: String::new() };
        let revoked = entry.plugin.connection(grant, Arc::new(secrets)).revoke(workspace.unwrap_or(&nameless)).await;
        if let Err(failure) = revoked {
            tracing::warn!(code = %failure.code, "tokens that are not kept could not be revoked: {}", failure.message);
        }
        Ok(())
    }

    /// Whether a connection, or a person who may keep them yet, has one of these tokens.
    async fn are_in_use(
        &self,
        entry: &Entry,
        secrets: &MemorySecrets,
        workspace: Option<&Workspace>,
    ) -> Result<bool, StoreError> {
        // Before the connections: what is kept meanwhile is among them by then.
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
