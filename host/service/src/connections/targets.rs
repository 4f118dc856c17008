//! Finds the targets of a workspace: page by page, one pass at a time, as fast as the service lets us. What was found is
//! there at once; what a pass did not see is dropped when it is whole. A pass that was cut off goes on where it was.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pqh_runtime::contract::types::{Failure, FailureKind};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::error::ConnectionError;
use super::keep::found_target;
use super::tokens::SOON;
use super::{Connections, LiveConnection, failure};
use crate::clock::Millis;
use crate::store::StoreError;
use crate::store::connection_targets::{self, Listing};
use crate::store::connections::{ConnectionRow, FoundTarget};

/// What was found is looked for anew when it is older.
const STALE: Millis = 10 * 60_000;
/// Between two tries, where the service does not say how long: at first, and at most.
const FIRST_REST: Millis = 1_000;
const LONGEST_REST: Millis = 60_000;
/// Pages of a pass, at most: a service that never ends would be asked for ever.
const PAGES: u32 = 5_000;
/// Passes that are begun anew because the service does not know its own cursor any more.
const ANEW: u32 = 3;
/// How long somebody who asks first waits for something to show. Real time.
const FIRST_RESULTS: Duration = Duration::from_secs(10);

/// The passes that are under way, and why the last ones ended early.
#[derive(Default)]
pub(super) struct Listings {
    running: Mutex<HashMap<String, watch::Receiver<Progress>>>,
    problems: Mutex<HashMap<String, Failure>>,
    /// Ends all passes: each goes on at the next start.
    pub(super) stop: CancellationToken,
}

/// How far a pass is.
#[derive(Clone, Debug, Default)]
struct Progress {
    /// Whether there is something to show, or nothing for a while.
    shows: bool,
    /// Why it ended early, or rests.
    problem: Option<Failure>,
}

/// A part of what was found, and how far it is.
pub(crate) struct Found {
    pub(crate) targets: Vec<FoundTarget>,
    /// Whether more may come by itself.
    pub(crate) loading: bool,
    /// How many there are by now.
    pub(crate) count: i64,
    /// When the last whole pass ended.
    pub(crate) listed_at: Option<Millis>,
    /// Why the pass rests or ended.
    pub(crate) problem: Option<Failure>,
}

impl Connections {
    /// Searches what was found, and looks for more where that is old. Whoever asks first waits for the first page.
    pub(crate) async fn search(
        &self,
        live: &LiveConnection,
        query: &str,
        after: Option<&(String, String)>,
        limit: i64,
    ) -> Result<Found, ConnectionError> {
        let id = &live.row.id;
        if live.row.ended_at.is_some() {
            return Err(ConnectionError::Disconnected(live.row.name.clone()));
        }
        if let Some(lost) = &live.row.lost {
            return Err(ConnectionError::Lost(lost.clone().failure()));
        }
        let listing = connection_targets::listing(self.store().readers(), id).await?;
        let now = self.0.needs.clock.now();
        let is_fresh = |listing: &Listing| {
            listing.cursor.is_none() && listing.listed_at.is_some_and(|at| now.saturating_sub(at) < STALE)
        };
        if !listing.as_ref().is_some_and(is_fresh) {
            self.look_for_targets(&live.row);
        }
        let running = self.running().get(id).cloned();
        let never = listing.as_ref().is_none_or(|listing| listing.listed_at.is_none());
        if let (Some(mut running), true) = (running, never) {
            let _ = tokio::time::timeout(FIRST_RESULTS, running.wait_for(|progress| progress.shows)).await;
        }
        let readers = self.store().readers();
        let targets = connection_targets::search(readers, id, query, after, limit).await?;
        let count = connection_targets::count(readers, id).await?;
        let listed_at = connection_targets::listing(readers, id).await?.and_then(|listing| listing.listed_at);
        let running = self.running().get(id).map(|running| running.borrow().clone());
        let (loading, problem) = running.map_or((false, None), |progress| (true, progress.problem));
        let problem = problem.or_else(|| self.problems().get(id).cloned());
        Ok(Found { targets, loading, count, listed_at, problem })
    }

    /// Begins or goes on with a pass, unless one is under way.
    pub(crate) fn look_for_targets(&self, row: &ConnectionRow) {
        let lists = self.0.needs.plugins.find(&row.channel_type).is_some_and(|entry| entry.plugin.lists_targets());
        if !lists || self.0.listings.stop.is_cancelled() {
            return;
        }
        let (progress, watched) = watch::channel(Progress::default());
        {
            let mut running = self.running();
            if running.contains_key(&row.id) {
                return;
            }
            running.insert(row.id.clone(), watched);
        }
        let (this, id, stop) = (self.clone(), row.id.clone(), self.0.listings.stop.clone());
        tokio::spawn(async move {
            let ended = stop.run_until_cancelled(this.pass(&id, &progress)).await;
            this.running().remove(&id);
            if let Some(Err(failure)) = ended {
                tracing::warn!(connection = %id, code = %failure.code, "targets are not listed: {}", failure.message);
                this.problems().insert(id, failure.clone());
                progress.send_replace(Progress { shows: true, problem: Some(failure) });
            }
        });
    }

    /// One pass to its end.
    async fn pass(&self, id: &str, progress: &watch::Sender<Progress>) -> Result<(), Failure> {
        let (mut tries, mut anew) = (0_u32, 0_u32);
        let listing = connection_targets::listing(self.store().readers(), id).await.map_err(ours)?;
        let mut pass = listing.as_ref().map_or(0, |listing| listing.pass);
        let mut cursor = listing.and_then(|listing| listing.cursor);
        if cursor.is_none() {
            pass = self.begin_pass(id).await.map_err(ours)?;
        }
        for _ in 0..PAGES {
            let page = match self.page(id, cursor.as_deref()).await {
                Ok(page) => page,
                Err(refused) if refused.kind == FailureKind::Rejected && cursor.is_some() && anew < ANEW => {
                    anew += 1;
                    (pass, cursor) = (self.begin_pass(id).await.map_err(ours)?, None);
                    continue;
                }
                Err(passing) if is_passing(passing.kind) => {
                    let rest = FIRST_REST.saturating_mul(1 << tries.min(20)).min(LONGEST_REST);
                    let rest = passing.retry_after.and_then(|asked| Millis::try_from(asked).ok()).unwrap_or(rest);
                    tries += 1;
                    progress.send_replace(Progress { shows: true, problem: Some(passing) });
                    let clock = &self.0.needs.clock;
                    clock.sleep_until(clock.now().saturating_add(rest.clamp(FIRST_REST, 3_600_000))).await;
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            tries = 0;
            let next = page.next.filter(|next| Some(next) != cursor.as_ref());
            let targets = page.targets.into_iter().map(found_target).collect();
            if !self.keep_page(id, pass, targets, next.clone()).await.map_err(ours)? {
                return Ok(());
            }
            self.problems().remove(id);
            progress.send_replace(Progress { shows: true, problem: None });
            if next.is_none() {
                return Ok(());
            }
            cursor = next;
        }
        let message = format!("The service listed {PAGES} pages of targets and did not end.");
        Err(failure(FailureKind::Rejected, "endless-list", message, "Report it: what was found can be used."))
    }

    async fn page(
        &self,
        id: &str,
        cursor: Option<&str>,
    ) -> Result<pqh_runtime::contract::listing::directory::Page, Failure> {
        let live = self.find(id).await.map_err(ours)?;
        let live = live.filter(|live| live.row.ended_at.is_none()).ok_or_else(gone)?;
        let plugins = &self.0.needs.plugins;
        let entry = plugins.find(&live.row.channel_type).ok_or_else(gone)?;
        let grant = plugins.grant_of(&live.row.channel_type).ok_or_else(gone)?;
        live.tokens.fresh(SOON).await?;
        let connection = live.connection(&entry, grant);
        connection.list_targets(&live.workspace(), cursor).await
    }

    async fn begin_pass(&self, id: &str) -> Result<i64, StoreError> {
        let id = id.to_owned();
        self.store()
            .write(move |connection| Box::pin(async move { connection_targets::begin_pass(connection, &id).await }))
            .await
    }

    async fn keep_page(
        &self,
        id: &str,
        pass: i64,
        targets: Vec<FoundTarget>,
        next: Option<String>,
    ) -> Result<bool, StoreError> {
        let (id, now) = (id.to_owned(), self.0.needs.clock.now());
        self.store()
            .write(move |connection| {
                Box::pin(async move {
                    connection_targets::keep_page(connection, &id, pass, &targets, next.as_deref(), now).await
                })
            })
            .await
    }

    fn running(&self) -> MutexGuard<'_, HashMap<String, watch::Receiver<Progress>>> {
        self.0.listings.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn problems(&self) -> MutexGuard<'_, HashMap<String, Failure>> {
        self.0.listings.problems.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_passing(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::Throttled | FailureKind::Unavailable | FailureKind::UnknownOutcome)
}

fn ours(error: StoreError) -> Failure {
    failure(
        FailureKind::Unavailable,
        "database-unavailable",
        format!("What was found cannot be kept now: {error}."),
        "It is tried again by itself.",
    )
}

fn gone() -> Failure {
    failure(
        FailureKind::Rejected,
        "not-connected",
        "The workspace is not connected, or its channel type not installed.".to_owned(),
        "Connect the workspace again.",
    )
}
