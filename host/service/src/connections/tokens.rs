//! The tokens of one connection: opened when a request is about to carry one, and renewed before they expire, once, however
//! many want it.
//!
//! A refresh token works once. So it is noted down before one is used; what comes for it is kept before the old is
//! forgotten; and where it is not known what came, the old one is tried again soon, while the service still honours it.
//! Where the service gives no new tokens any more, those that there are do for as long as they work.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use pqh_runtime::contract::types::{Failure, FailureKind};
use pqh_runtime::{MemorySecrets, OauthError, Plugin, SecretError, SecretString, SharedCache, Tokens};
use tokio::sync::{Mutex, MutexGuard};

use super::{Needs, failure};
use crate::clock::{Millis, millis};
use crate::failure::{FailureBody, kind_name};
use crate::keys::KeyError;
use crate::store::StoreError;
use crate::store::connections::{self, ConnectionRow, SealedToken, Term, TokensRow};
use crate::vault::{DataKey, VaultError};

/// What the refresh token is called among the sealed ones: no credential is.
const REFRESH: &str = "";
/// Between two tries where the service gives no tokens: at first, and at most.
const FIRST_REST: Millis = 1_000;
const LONGEST_REST: Millis = 5 * 60_000;
/// How long until what could not be written is tried again. Real time, whatever the clock says.
const WRITE_AGAIN: Duration = Duration::from_millis(500);
/// Before a delivery that would run into the expiry.
pub(crate) const SOON: Millis = 60_000;
/// Tokens are renewed this long before they expire, and those of a short life in its last quarter.
const AHEAD: Millis = 3_600_000;

/// Keeps the tokens of one connection.
pub(crate) struct TokenKeeper {
    id: String,
    organization: String,
    channel_type: String,
    workspace: String,
    needs: Arc<Needs>,
    held: RwLock<Held>,
    /// Whoever renews.
    turn: Mutex<()>,
    /// What the component wants to know again of the workspace.
    cache: OnceLock<SharedCache>,
}

/// What is held of them.
#[derive(Default)]
struct Held {
    /// Counts the tokens that there were.
    generation: i64,
    sealed: BTreeMap<String, String>,
    expires_at: Option<Millis>,
    /// Why they will never work again.
    dead: Option<Failure>,
    /// Why there will be no others in their place.
    last: Option<Failure>,
    /// Where the database does not have them yet: of which generation it has some, and how long these last.
    unwritten: Option<(i64, Term)>,
    /// Not to be renewed before, for this reason, after so many tries.
    rest: Option<(Millis, Failure)>,
    tries: u32,
}

impl Held {
    fn of(row: Option<TokensRow>) -> Self {
        let Some(row) = row else { return Self::default() };
        let dead = row.lost.as_deref().and_then(FailureBody::read).map(FailureBody::failure);
        let sealed = row.sealed.into_iter().map(|token| (token.name, token.sealed)).collect();
        Self { generation: row.generation, sealed, expires_at: row.expires_at, dead, ..Self::default() }
    }

    fn expires_before(&self, at: Millis) -> bool {
        self.expires_at.is_some_and(|expires| expires <= at)
    }

    fn dead_at(&self, now: Millis) -> Option<&Failure> {
        self.dead.as_ref().or_else(|| self.last.as_ref().filter(|_| self.expires_before(now)))
    }
}

/// Tokens that do not work.
pub(crate) struct Stale {
    /// Which.
    pub(crate) generation: i64,
    /// Why, and why there are no others now.
    pub(crate) why: Failure,
}

impl TokenKeeper {
    /// What is kept of a connection's tokens.
    pub(super) async fn load(needs: &Arc<Needs>, row: &ConnectionRow) -> Result<Arc<Self>, StoreError> {
        let held = Held::of(connections::tokens(&needs.store, &row.id).await?);
        Ok(Arc::new(Self {
            id: row.id.clone(),
            organization: row.organization_id.clone(),
            channel_type: row.channel_type.clone(),
            workspace: row.workspace_id.clone(),
            needs: Arc::clone(needs),
            held: RwLock::new(held),
            turn: Mutex::new(()),
            cache: OnceLock::new(),
        }))
    }

    /// What the component wants to know again of the workspace.
    pub(super) fn cache(&self, plugin: &Plugin) -> &SharedCache {
        self.cache.get_or_init(|| plugin.shared_cache())
    }

    /// Waits until no renewal is under way, and lets none begin.
    pub(super) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// After other tokens were kept, or none, by whoever has the turn.
    pub(super) async fn reload(&self, _turn: &MutexGuard<'_, ()>) -> Result<(), StoreError> {
        let held = Held::of(connections::tokens(&self.needs.store, &self.id).await?);
        *self.holding() = held;
        self.renewed();
        // When these expire may be sooner than all others.
        self.needs.wanted.by(Millis::MIN);
        Ok(())
    }

    /// After what is kept turned out to be something else than what is held.
    pub(crate) async fn look_again(&self) -> Result<(), StoreError> {
        let turn = self.turn().await;
        self.reload(&turn).await
    }

    /// From now on they are dead, where they are still those of `generation`.
    pub(crate) fn kill(&self, generation: i64, why: &Failure) {
        let mut held = self.holding();
        if held.generation == generation {
            held.dead.get_or_insert_with(|| why.clone());
            self.renewed();
        }
    }

    /// Which tokens there are: a number that rises with each renewal.
    pub(crate) fn generation(&self) -> i64 {
        self.held().generation
    }

    /// Why they do not work any more and never will, where that is so.
    pub(crate) fn dead(&self) -> Option<Failure> {
        self.held().dead_at(self.needs.clock.now()).cloned()
    }

    /// Whether the service lets us renew them.
    pub(crate) fn renews(&self) -> bool {
        self.held().sealed.contains_key(REFRESH)
    }

    /// Whether there is one of that name, for requests to carry.
    pub(super) fn holds(&self, name: &str) -> bool {
        name != REFRESH && self.held().sealed.contains_key(name)
    }

    /// Whether there are none, as after a connection was ended.
    pub(super) fn is_empty(&self) -> bool {
        self.held().sealed.is_empty()
    }

    /// Sees to it that the tokens work for `margin` longer: which they are. Where they cannot be renewed now, those that
    /// still work have to do.
    pub(crate) async fn fresh(self: &Arc<Self>, margin: Millis) -> Result<i64, Stale> {
        let now = self.needs.clock.now();
        let generation = {
            let held = self.held();
            if let Some(dead) = held.dead_at(now) {
                return Err(Stale { generation: held.generation, why: dead.clone() });
            }
            if !held.sealed.contains_key(REFRESH) || !held.expires_before(now.saturating_add(margin)) {
                return Ok(held.generation);
            }
            held.generation
        };
        self.renew(generation).await.or_else(|why| {
            let held = self.held();
            let works = held.dead.is_none() && !held.expires_before(self.needs.clock.now());
            if works { Ok(held.generation) } else { Err(Stale { generation, why }) }
        })
    }

    /// Renews the tokens, unless they are others than those of `generation` by now. Nobody cuts it short: whoever waits for
    /// it may go away.
    pub(crate) async fn renew(self: &Arc<Self>, generation: i64) -> Result<i64, Failure> {
        self.renew_where(move |held| held.generation == generation).await
    }

    /// Renews the tokens that the database knows by `generation` to be due, unless others came for them: these are written,
    /// where they are not yet.
    pub(crate) async fn renew_due(self: &Arc<Self>, generation: i64) -> Result<i64, Failure> {
        self.renew_where(move |held| held.generation == generation || held.unwritten.is_some()).await
    }

    async fn renew_where(
        self: &Arc<Self>,
        is_wanted: impl FnOnce(&Held) -> bool + Send + 'static,
    ) -> Result<i64, Failure> {
        let this = Arc::clone(self);
        let renewing = self.needs.tasks.spawn(async move { this.renew_once(is_wanted).await });
        renewing.await.unwrap_or_else(|error| Err(trouble("renewal-fault", &error)))
    }

    async fn renew_once(&self, is_wanted: impl FnOnce(&Held) -> bool) -> Result<i64, Failure> {
        let _turn = self.turn.lock().await;
        let (generation, unwritten) = {
            let held = self.held();
            if !is_wanted(&held) {
                return Ok(held.generation);
            }
            if let Some(never) = held.dead.as_ref().or(held.last.as_ref()) {
                return Err(never.clone());
            }
            if let Some((until, why)) = held.rest.as_ref().filter(|(until, _)| *until > self.needs.clock.now()) {
                let left = u64::try_from(until.saturating_sub(self.needs.clock.now())).unwrap_or(0);
                return Err(Failure { retry_after: Some(left), ..why.clone() });
            }
            (held.generation, held.unwritten)
        };
        let renewed = match unwritten {
            Some((before, term)) => self.write(before, term).await,
            None => self.ask(generation).await,
        };
        let (again_at, outcome, why) = match renewed {
            Ok(renewed) => {
                self.renewed();
                self.needs.metrics.renewal(&self.channel_type, "renewed");
                return Ok(renewed);
            }
            Err(Asked::Never(why)) => {
                tracing::warn!(
                    connection = %self.id, code = %why.code,
                    "there will be no new token, the old one is used for as long as it works: {}", why.message
                );
                let mut held = self.holding();
                held.last = Some(why.clone());
                // Then it is lost.
                (held.expires_at, kind_name(why.kind), why)
            }
            Err(Asked::Later(why)) => {
                tracing::warn!(connection = %self.id, code = %why.code, "the token is not renewed yet: {}", why.message);
                let mut held = self.holding();
                let rest = FIRST_REST.saturating_mul(1 << held.tries.min(20)).min(LONGEST_REST);
                let until = self.needs.clock.now().saturating_add(rest);
                // Whatever it is called, messages wait for it.
                let waits = Failure { kind: FailureKind::Unavailable, ..why.clone() };
                held.tries = held.tries.saturating_add(1);
                held.rest = Some((until, waits.clone()));
                (Some(until), kind_name(why.kind), waits)
            }
        };
        if let Err(error) = self.note(again_at).await {
            tracing::error!(connection = %self.id, "the next renewal cannot be noted: {error}");
        }
        self.needs.unrenewed.add(&self.channel_type, &self.id, &why);
        self.needs.metrics.renewal(&self.channel_type, outcome);
        self.needs.wanted.by(again_at.unwrap_or(Millis::MAX));
        Err(why)
    }

    /// Readiness does not tell any more that they are not.
    fn renewed(&self) {
        self.needs.unrenewed.remove(&self.channel_type, &self.id);
    }

    async fn ask(&self, generation: i64) -> Result<i64, Asked> {
        let later = |code: &str, why: &dyn std::fmt::Display| Asked::Later(trouble(code, why));
        let missing = |what: &str| {
            let why = format!("the channel type {} {what}", self.channel_type);
            Asked::Later(trouble("not-configured", &why))
        };
        let entry = self.needs.plugins.find(&self.channel_type).ok_or_else(|| missing("is not installed"))?;
        let grant = self.needs.plugins.grant_of(&self.channel_type).ok_or_else(|| missing("is granted nothing"))?;
        let application = self.needs.applications.find(&self.channel_type);
        let application = application.ok_or_else(|| missing("has no [connections] section any more"))?;
        let key = self.key().await.map_err(|error| later("renewal-fault", &error))?;
        let refresh = self.open(&key, REFRESH).map_err(|error| later("renewal-fault", &error))?;
        let refresh = refresh.ok_or_else(|| missing("gave no refresh token"))?;
        let asked_at = self.needs.clock.now();
        // Until it is known what came, the refresh token may be used up: whoever starts then has no time to lose.
        self.note(Some(asked_at)).await.map_err(|error| later("database-unavailable", &error))?;
        let tokens = match entry.plugin.renew(&grant, &application.client, &refresh).await {
            Ok(tokens) => tokens,
            Err(error @ OauthError::NoAnswer(_)) => return Err(later("no-answer", &error)),
            Err(error) => return Err(later("not-renewed", &error)),
        };
        let new =
            tokens.secrets.iter().fold(MemorySecrets::new(), |new, (name, secret)| new.with(name, secret.clone()));
        let judged = entry.plugin.connection(grant, Arc::new(new)).connected(tokens.answer.clone()).await;
        match judged {
            Err(why) if why.kind == FailureKind::Unauthorized => return Err(Asked::Never(why)),
            Err(why) if tokens.secrets.is_empty() => return Err(Asked::Later(why)),
            _ if tokens.secrets.is_empty() => return Err(later("no-token", &"the service's answer holds none")),
            // An answer to a renewal need not say what it is for.
            Ok(found) if !found.workspace.id.is_empty() && found.workspace.id != self.workspace => {
                let why = format!("the one that came is for another workspace, {}", found.workspace.name);
                return Err(later("other-workspace", &why));
            }
            // What came is kept, even where the component stumbles over it: what was sent for it is used up.
            Err(why) => tracing::warn!(
                connection = %self.id, code = %why.code,
                "what came for the token is kept, and the channel type says of it: {}", why.message
            ),
            Ok(_) => {}
        }
        self.keep(&key, generation, tokens, asked_at).await
    }

    /// Keeps what came: in memory first, so that it is used, then in the database.
    async fn keep(&self, key: &DataKey, generation: i64, tokens: Tokens, asked_at: Millis) -> Result<i64, Asked> {
        let Tokens { secrets, refresh, expires_in, answer: _ } = tokens;
        let term = term(asked_at, expires_in, true);
        let mut sealed = self.held().sealed.clone();
        for token in seal(key, &self.id, &secrets, refresh.as_ref())
            .map_err(|error| Asked::Later(trouble("renewal-fault", &error)))?
        {
            sealed.insert(token.name, token.sealed);
        }
        let (expires_at, unwritten) = (term.expires_at, Some((generation, term)));
        *self.holding() = Held { generation: generation + 1, sealed, expires_at, unwritten, ..Held::default() };
        self.write(generation, term).await
    }

    /// Writes what is held in place of what came `before`: for as long as it takes, where the database is away. Where it
    /// refuses it, that is tried again later, before any others are asked for, and nobody waits for it.
    async fn write(&self, before: i64, term: Term) -> Result<i64, Asked> {
        let rows: Vec<SealedToken> = {
            let held = self.held();
            let each = held.sealed.iter();
            each.map(|(name, sealed)| SealedToken { name: name.clone(), sealed: sealed.clone() }).collect()
        };
        loop {
            let (id, rows) = (self.id.clone(), rows.clone());
            let written = self
                .needs
                .store
                .write(move |connection| {
                    Box::pin(async move { connections::put_tokens(connection, &id, Some(before), term, &rows).await })
                })
                .await;
            match written {
                Ok(true) => {
                    tracing::info!(connection = %self.id, "the token is renewed");
                    let mut held = self.holding();
                    *held = Held { unwritten: None, rest: None, tries: 0, ..std::mem::take(&mut *held) };
                    return Ok(held.generation);
                }
                Ok(false) => {
                    // It was connected again or disconnected meanwhile: what is kept counts.
                    let kept = connections::tokens(&self.needs.store, &self.id).await;
                    let held = Held::of(kept.map_err(|error| Asked::Later(trouble("database-unavailable", &error)))?);
                    let generation = held.generation;
                    *self.holding() = held;
                    return Ok(generation);
                }
                Err(error) if error.is_passing() => {
                    tracing::error!(connection = %self.id, "the renewed token cannot be written yet: {error}");
                    tokio::time::sleep(WRITE_AGAIN).await;
                }
                Err(error) => {
                    tracing::error!(connection = %self.id, "the renewed token is in memory alone: {error}");
                    return Err(Asked::Later(failure(
                        FailureKind::Unavailable,
                        "token-not-written",
                        format!("The workspace's new token is used, and would be lost at a restart: {error}."),
                        "Look at the disk that holds the database and at the service's log; do not restart the service \
                         before. It is tried again by itself.",
                    )));
                }
            }
        }
    }

    /// Notes when to renew, for the next round and for the next start.
    async fn note(&self, at: Option<Millis>) -> Result<(), StoreError> {
        let id = self.id.clone();
        let note = self
            .needs
            .store
            .write(move |connection| Box::pin(async move { connections::set_renewal(connection, &id, at).await }));
        note.await
    }

    pub(super) async fn key(&self) -> Result<DataKey, KeyError> {
        self.needs.keys.of(&self.organization).await
    }

    /// One of them, opened.
    pub(super) fn open(&self, key: &DataKey, name: &str) -> Result<Option<SecretString>, VaultError> {
        let sealed = self.held().sealed.get(name).cloned();
        sealed.map(|sealed| key.open(&identity(&self.id, name), &sealed)).transpose()
    }

    /// All tokens, opened: for a last use before they are forgotten, or to compare.
    pub(super) async fn opened(&self) -> Result<MemorySecrets, SecretError> {
        let error = |reason: String| SecretError::lasting("token", reason);
        let key = self.key().await.map_err(|problem| error(problem.to_string()))?;
        let names: Vec<String> = self.held().sealed.keys().filter(|name| *name != REFRESH).cloned().collect();
        let mut secrets = MemorySecrets::new();
        for name in names {
            if let Some(secret) = self.open(&key, &name).map_err(|problem| error(problem.to_string()))? {
                secrets = secrets.with(name, secret);
            }
        }
        Ok(secrets)
    }

    fn held(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn holding(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why there are no new tokens.
enum Asked {
    /// There never will be.
    Never(Failure),
    Later(Failure),
}

/// How long tokens last that were asked for then, and when they are renewed, where they can be.
pub(super) fn term(asked_at: Millis, expires_in: Option<Duration>, renews: bool) -> Term {
    // Some services say 0 of those that do not expire.
    let life = expires_in.map(millis).filter(|life| *life > 0);
    let after = |time| asked_at.saturating_add(time);
    let renew_at = life.filter(|_| renews).map(|life| after((life - AHEAD.min(life / 4)).max(SOON)));
    Term { expires_at: life.map(after), renew_at }
}

/// Seals tokens for a connection.
pub(super) fn seal(
    key: &DataKey,
    connection: &str,
    secrets: &[(String, SecretString)],
    refresh: Option<&SecretString>,
) -> Result<Vec<SealedToken>, VaultError> {
    let refresh = refresh.map(|refresh| (REFRESH, refresh));
    let all = secrets.iter().map(|(name, secret)| (name.as_str(), secret)).chain(refresh);
    all.map(|(name, secret)| {
        let sealed = key.seal(&identity(connection, name), secret)?;
        Ok(SealedToken { name: name.to_owned(), sealed })
    })
    .collect()
}

/// What a sealed token is bound to.
fn identity(connection: &str, name: &str) -> String {
    format!("connection:{connection}:{name}")
}

/// No token yet, for a reason that passes.
fn trouble(code: &str, why: &dyn std::fmt::Display) -> Failure {
    failure(
        FailureKind::Unavailable,
        code,
        format!("The workspace's token cannot be renewed now: {why}."),
        "It is tried again by itself. If it goes on, look at the service's log and its [connections] section.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_renewed_an_hour_before_they_expire_or_in_the_last_quarter_of_a_short_life() {
        let term = |lives, renews| term(1_000, Some(Duration::from_mins(lives)), renews);
        let minutes = |minutes: Millis| Some(1_000 + minutes * 60_000);
        let twelve_hours = term(720, true);
        assert_eq!((twelve_hours.expires_at, twelve_hours.renew_at), (minutes(720), minutes(660)));
        assert_eq!(term(60, true).renew_at, minutes(45), "not at once, and not all the time");
        assert_eq!(term(1, true).renew_at, minutes(1));
        assert_eq!((term(60, false).expires_at, term(60, false).renew_at), (minutes(60), None));
        assert_eq!((term(0, true).expires_at, term(0, true).renew_at), (None, None));
    }
}
