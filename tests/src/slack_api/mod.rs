//! Slack's Web API, OAuth pages and Events API on loopback: it refuses what Slack refuses, and misbehaves when told to.
//!
//! Where Slack is lenient or advises (a token in a form, JSON without a charset, a channel by its name, credentials in a
//! body) the simulator refuses: a test should see it. All time is that of the clock that a test sets.

mod app;
mod call;
mod delivery;
mod events;
mod form;
mod limits;
mod manifest;
mod methods;
mod misbehaviour;
mod oauth;
mod pages;
mod state;
mod team;
#[cfg(test)]
mod tests;
mod tokens;
mod workspace;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

pub use app::{App, RefreshToken, Token};
pub use delivery::{Delivery, sign};
pub use events::Events;
pub use misbehaviour::Misbehaviour;
pub use oauth::Approval;
use state::State;
pub use state::{Called, Page};
pub use team::Workspace;
pub use workspace::{Channel, ChannelKind, Edit, Message, User, UserGroup};

use crate::http_service::HttpService;

/// The state, and what tells of its changes.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

impl Shared {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running simulator; it ends when dropped.
#[derive(Debug)]
pub struct SlackApi {
    service: HttpService,
    shared: Arc<Shared>,
}

impl SlackApi {
    /// Starts on a free port of the loopback address. `clock` says the time: milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// When no port can be listened on.
    pub async fn start(clock: impl Fn() -> i64 + Send + Sync + 'static) -> io::Result<Self> {
        let state = Mutex::new(State::new(Box::new(clock)));
        let shared = Arc::new(Shared { state, changed: watch::Sender::new(()) });
        let judge = Arc::clone(&shared);
        let service = HttpService::start(move |request| {
            let reply = judge.state().judge(request);
            judge.changed.send_replace(());
            reply
        })
        .await?;
        shared.state().base_url = service.base_url();
        Ok(Self { service, shared })
    }

    /// Starts with the machine's clock.
    ///
    /// # Errors
    ///
    /// When no port can be listened on.
    pub async fn start_now() -> io::Result<Self> {
        Self::start(|| jiff::Timestamp::now().as_millisecond()).await
    }

    /// From now on it is the time that `clock` says: milliseconds since 1970.
    pub fn set_clock(&self, clock: impl Fn() -> i64 + Send + Sync + 'static) {
        self.shared.state().clock = Box::new(clock);
    }

    /// Tells of each request that was answered.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.shared.changed.subscribe()
    }

    /// `http://127.0.0.1:PORT`, for an upstream of slack.com.
    pub fn base_url(&self) -> String {
        self.service.base_url()
    }

    /// Where requests come in: for all of them, to wait, and for faults that need not know a method.
    pub fn service(&self) -> &HttpService {
        &self.service
    }

    /// Adds an app; one of the same id is replaced, as when its maker changes its configuration.
    pub fn add_app(&self, app: App) {
        let mut state = self.shared.state();
        state.apps.retain(|held| held.id != app.id);
        state.apps.push(app);
    }

    /// Adds a workspace; one that is there already stays as it is.
    pub fn add_workspace(&self, id: &str, name: &str) -> Workspace {
        let mut state = self.shared.state();
        if state.team(id).is_none() {
            state.teams.push(workspace::Team::new(id, name));
        }
        Workspace::new(id, &self.shared)
    }

    /// A workspace that was added.
    pub fn workspace(&self, id: &str) -> Workspace {
        Workspace::new(id, &self.shared)
    }

    /// From now on the authorize page grants all scopes that it is asked for but this one.
    pub fn without_scope(&self, scope: &str) {
        self.shared.state().withheld.insert(scope.to_owned());
    }

    /// Whether the authorize page does not grant this scope.
    pub fn withholds(&self, scope: &str) -> bool {
        self.shared.state().withheld.contains(scope)
    }

    /// From now on the authorize page grants all scopes that it is asked for.
    pub fn with_all_scopes(&self) {
        self.shared.state().withheld.clear();
    }

    /// A person approves on the authorize page, to which a browser was sent by `url`: where the browser is sent back to.
    ///
    /// # Errors
    ///
    /// The word that the page shows instead, or what is wrong with the approval.
    pub fn approve(&self, url: &str, approval: &Approval) -> Result<String, &'static str> {
        oauth::approve(&mut self.shared.state(), url, approval)
    }

    /// A person denies on the authorize page: where the browser is sent back to.
    ///
    /// # Errors
    ///
    /// The word that the page shows instead.
    pub fn deny(&self, url: &str) -> Result<String, &'static str> {
        oauth::deny(&self.shared.state(), url)
    }

    /// The next call of `method` not yet spoken for is treated so; before what was told of any.
    pub fn next(&self, method: &str, misbehaviour: Misbehaviour) {
        self.shared.state().next.entry(method.to_owned()).or_default().push_back(misbehaviour);
    }

    /// The next call of any method not yet spoken for is treated so.
    pub fn next_any(&self, misbehaviour: Misbehaviour) {
        self.next("", misbehaviour);
    }

    /// From now on each call of `method` (of any, where it is empty) is treated so; `None` ends that.
    pub fn always(&self, method: &str, misbehaviour: Option<Misbehaviour>) {
        let mut state = self.shared.state();
        match misbehaviour {
            Some(misbehaviour) => drop(state.always.insert(method.to_owned(), misbehaviour)),
            None => drop(state.always.remove(method)),
        }
    }

    /// A channel takes so many posts at once before one a second; 25 at first, 1 is the rate that Slack documents.
    pub fn set_burst(&self, burst: u32) {
        self.shared.state().limits.burst = burst;
    }

    /// How long a used refresh token is honoured: milliseconds, 60,000 at first. Slack says "a short grace".
    pub fn set_refresh_grace(&self, milliseconds: i64) {
        self.shared.state().refresh_grace = milliseconds;
    }

    /// Whether an app without rotation gets another token when it is installed once more; at first it does not.
    pub fn set_reinstall_renews(&self, renews: bool) {
        self.shared.state().reinstall_renews = renews;
    }

    /// Whether a renewal is answered with the new pair alone. At first it tells workspace and bot too; Slack promises neither.
    pub fn set_bare_renewals(&self, bare: bool) {
        self.shared.state().bare_renewals = bare;
    }

    /// Cursors that were given until now are refused with `invalid_cursor`.
    pub fn expire_cursors(&self) {
        self.shared.state().cursor_age += 1;
    }

    /// Somebody revokes a token. One that does not rotate takes the whole installation with it.
    pub fn revoke(&self, token: &str) {
        self.shared.state().revoke(token);
    }

    /// All refresh tokens of a workspace are dead from now on; access tokens live on until they expire.
    pub fn end_refresh_tokens(&self, workspace: &str) {
        let mut state = self.shared.state();
        state.refresh_tokens.iter_mut().filter(|held| held.place == workspace).for_each(|held| held.is_revoked = true);
    }

    /// Every token that was given out, oldest first.
    pub fn tokens(&self) -> Vec<Token> {
        self.shared.state().tokens.clone()
    }

    /// The tokens that Slack honours now.
    pub fn live_tokens(&self) -> Vec<Token> {
        let state = self.shared.state();
        state.tokens.iter().filter(|token| token.refused(state.now()).is_none()).cloned().collect()
    }

    /// The tokens that were revoked or whose app was removed; expired ones are not among them.
    pub fn revoked_tokens(&self) -> Vec<Token> {
        self.shared.state().tokens.iter().filter(|token| token.ended.is_some()).cloned().collect()
    }

    /// Every refresh token that was given out, oldest first.
    pub fn refresh_tokens(&self) -> Vec<RefreshToken> {
        self.shared.state().refresh_tokens.clone()
    }

    /// The refresh tokens that Slack honours now: unused, or used a short while ago.
    pub fn live_refresh_tokens(&self) -> Vec<RefreshToken> {
        let state = self.shared.state();
        state.refresh_tokens.iter().filter(|held| state.honours_refresh(held, state.now())).cloned().collect()
    }

    /// How many times a refresh token was exchanged.
    pub fn renewals(&self) -> usize {
        self.shared.state().renewals
    }

    /// The calls of `method`, oldest first; of all, where it is empty. Refused ones are among them.
    pub fn calls(&self, method: &str) -> Vec<Called> {
        let state = self.shared.state();
        state.calls.iter().filter(|called| method.is_empty() || called.method == method).cloned().collect()
    }

    /// How many calls of `method` came.
    pub fn requests(&self, method: &str) -> usize {
        self.shared.state().calls.iter().filter(|called| called.method == method).count()
    }

    /// The pages of `conversations.list` that were given, oldest first.
    pub fn channel_pages(&self) -> Vec<Page> {
        self.pages("channels")
    }

    /// The pages of `users.list` that were given, oldest first.
    pub fn user_pages(&self) -> Vec<Page> {
        self.pages("members")
    }

    fn pages(&self, list: &str) -> Vec<Page> {
        self.shared.state().pages.iter().filter(|(held, _)| *held == list).map(|(_, page)| page.clone()).collect()
    }

    /// Waits until `count` calls of `method` came in all, refused ones included, and gives them.
    pub async fn wait_for_calls(&self, method: &str, count: usize) -> Vec<Called> {
        let mut changed = self.shared.changed.subscribe();
        while self.requests(method) < count {
            // The sender lives in `self`.
            let _ = changed.changed().await;
        }
        self.calls(method)
    }
}
