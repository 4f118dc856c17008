//! Finds the targets of a workspace: page by page, one pass at a time, as fast as the service lets us. What was found is
//! there at once; what a pass did not see is dropped when it is whole. A pass that was cut off goes on where it was.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pqh_runtime::contract::listing::directory::Page;
use pqh_runtime::contract::types::{Failure, FailureKind};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::asking::ask;
use super::error::ConnectionError;
use super::keep::found_target;
use super::{LiveConnection, failure};
use crate::app::App;
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
const PAGES: usize = 5_000;
/// Passes that are begun anew because the service does not know its own cursor any more.
const ANEW: u32 = 3;
/// How long somebody who asks first waits for something to show. Real time.
const FIRST_RESULTS: Duration = Duration::from_secs(10);

/// The passes that are under way, and why the last ones ended early.
#[derive(Default)]
pub(super) struct Listings {
    running: Mutex<HashMap<String, Running>>,
    /// When, and why.
    ended: Mutex<HashMap<String, (Millis, Failure)>>,
    /// Ends all passes: each goes on at the next start.
    pub(super) stop: CancellationToken,
}

impl Listings {
    fn running(&self) -> MutexGuard<'_, HashMap<String, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self) -> MutexGuard<'_, HashMap<String, (Millis, Failure)>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A pass that is under way.
struct Running {
    progress: watch::Receiver<Progress>,
    /// Whether it is followed by another, since what is asked for may be on a page that it has behind it.
    again: bool,
}

/// How far a pass is.
#[derive(Clone, Debug, Default)]
struct Progress {
    /// Whether there is something to show, or nothing for a while.
    shows: bool,
    /// Why it rests.
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

/// Searches what was found, and looks for more where that is old. Whoever asks first waits for the first page.
pub(crate) async fn search(
    app: &App,
    live: &LiveConnection,
    query: &str,
    after: Option<&(String, String)>,
    limit: i64,
) -> Result<Found, ConnectionError> {
    let id = &live.row.id;
    if let Some(lost) = &live.row.lost {
        return Err(ConnectionError::Lost(lost.clone().failure()));
    }
    if live.row.ended_at.is_some() {
        let (name, channel_type) = (live.row.name.clone(), live.row.channel_type.clone());
        return Err(ConnectionError::Disconnected { name, channel_type });
    }
    let (readers, listings) = (app.store.readers(), &app.connections.0.listings);
    let listing = connection_targets::listing(readers, id).await?;
    let now = app.clock.now();
    let is_fresh = |listing: &Listing| {
        listing.cursor.is_none() && listing.listed_at.is_some_and(|at| now.saturating_sub(at) < STALE)
    };
    let rests = listings.ended().get(id).is_some_and(|(at, _)| now.saturating_sub(*at) < LONGEST_REST);
    if !rests && !listing.as_ref().is_some_and(is_fresh) {
        look(app, &live.row);
    }
    let running = listings.running().get(id).map(|running| running.progress.clone());
    if let Some(mut running) = running
        && connection_targets::count(readers, id).await? == 0
    {
        let _ = tokio::time::timeout(FIRST_RESULTS, running.wait_for(|progress| progress.shows)).await;
    }
    // In this order: what is not loading any more is all there.
    let running = listings.running().get(id).map(|running| running.progress.borrow().clone());
    let (loading, problem) = running.map_or((false, None), |progress| (true, progress.problem));
    let problem = problem.or_else(|| listings.ended().get(id).map(|(_, failure)| failure.clone()));
    let targets = connection_targets::search(readers, id, query, after, limit).await?;
    let count = connection_targets::count(readers, id).await?;
    let listed_at = connection_targets::listing(readers, id).await?.and_then(|listing| listing.listed_at);
    Ok(Found { targets, loading, count, listed_at, problem })
}

/// Begins or goes on with a pass, unless one is under way.
pub(crate) fn look(app: &App, row: &ConnectionRow) {
    begin_looking(app, row, false);
}

/// The same, for something that is new there: a pass that is under way may miss it, and is followed by another.
pub(crate) fn look_anew(app: &App, row: &ConnectionRow) {
    begin_looking(app, row, true);
}

fn begin_looking(app: &App, row: &ConnectionRow, anew: bool) {
    let listings = &app.connections.0.listings;
    let lists = app.plugins.find(&row.channel_type).is_some_and(|entry| entry.plugin.lists_targets());
    if !lists || listings.stop.is_cancelled() {
        return;
    }
    let (progress, watched) = watch::channel(Progress::default());
    {
        let mut running = listings.running();
        if let Some(running) = running.get_mut(&row.id) {
            running.again |= anew;
            return;
        }
        running.insert(row.id.clone(), Running { progress: watched, again: false });
    }
    listings.ended().remove(&row.id);
    let (app, id) = (app.clone(), row.id.clone());
    tokio::spawn(async move {
        let listings = &app.connections.0.listings;
        loop {
            let ended = listings.stop.run_until_cancelled(pass(&app, &id, &progress)).await;
            let is_whole = matches!(ended, Some(Ok(())));
            if let Some(Err(failure)) = ended {
                tracing::warn!(connection = %id, code = %failure.code, "targets are not listed: {}", failure.message);
                listings.ended().insert(id.clone(), (app.clock.now(), failure));
            }
            let mut running = listings.running();
            match running.get_mut(&id) {
                Some(running) if is_whole && running.again => running.again = false,
                _ => {
                    running.remove(&id);
                    return;
                }
            }
        }
    });
}

/// One pass to its end.
async fn pass(app: &App, id: &str, progress: &watch::Sender<Progress>) -> Result<(), Failure> {
    let (mut tries, mut anew) = (0_u32, 0_u32);
    let listing = connection_targets::listing(app.store.readers(), id).await.map_err(|error| ours(&error))?;
    let mut number = listing.as_ref().map_or(0, |listing| listing.pass);
    let mut cursor = listing.and_then(|listing| listing.cursor);
    if cursor.is_none() {
        number = begin(app, id).await.map_err(|error| ours(&error))?;
    }
    let mut seen: HashSet<String> = cursor.iter().cloned().collect();
    loop {
        let page = match page(app, id, cursor.as_deref()).await {
            Ok(page) => page,
            Err(refused) if refused.kind == FailureKind::Rejected && cursor.is_some() && anew < ANEW => {
                anew += 1;
                (number, cursor) = (begin(app, id).await.map_err(|error| ours(&error))?, None);
                seen.clear();
                continue;
            }
            Err(passing) if is_passing(passing.kind) => {
                let rest = FIRST_REST.saturating_mul(1 << tries.min(20)).min(LONGEST_REST);
                let rest = passing.retry_after.and_then(|asked| Millis::try_from(asked).ok()).unwrap_or(rest);
                tries += 1;
                let until = app.clock.now().saturating_add(rest.clamp(FIRST_REST, 3_600_000));
                progress.send_replace(Progress { shows: true, problem: Some(passing) });
                app.clock.sleep_until(until).await;
                continue;
            }
            Err(failure) => return Err(failure),
        };
        tries = 0;
        if page.next.as_ref().is_some_and(|next| seen.len() >= PAGES || !seen.insert(next.clone())) {
            // From the beginning, the next time.
            begin(app, id).await.map_err(|error| ours(&error))?;
            return Err(endless());
        }
        let targets = page.targets.into_iter().map(found_target).collect();
        if !keep(app, id, number, targets, page.next.clone()).await.map_err(|error| ours(&error))? {
            return Ok(());
        }
        progress.send_replace(Progress { shows: true, problem: None });
        cursor = page.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

async fn page(app: &App, id: &str, cursor: Option<&str>) -> Result<Page, Failure> {
    let live = app.connections.find(id).await.map_err(|error| ours(&error))?;
    let live = live.filter(|live| live.row.ended_at.is_none()).ok_or_else(disconnected)?;
    let entry = app.plugins.find(&live.row.channel_type).ok_or_else(uninstalled)?;
    let grant = app.plugins.grant_of(&live.row.channel_type).ok_or_else(uninstalled)?;
    let connection = live.connection(&entry, grant);
    let workspace = live.workspace();
    ask(app, &live, || connection.list_targets(&workspace, cursor)).await.map(|(_, page)| page)
}

async fn begin(app: &App, id: &str) -> Result<i64, StoreError> {
    let id = id.to_owned();
    app.store
        .write(move |connection| Box::pin(async move { connection_targets::begin_pass(connection, &id).await }))
        .await
}

async fn keep(
    app: &App,
    id: &str,
    pass: i64,
    targets: Vec<FoundTarget>,
    next: Option<String>,
) -> Result<bool, StoreError> {
    let (id, now) = (id.to_owned(), app.clock.now());
    app.store
        .write(move |connection| {
            Box::pin(async move {
                connection_targets::keep_page(connection, &id, pass, &targets, next.as_deref(), now).await
            })
        })
        .await
}

fn is_passing(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::Throttled | FailureKind::Unavailable | FailureKind::UnknownOutcome)
}

fn ours(error: &StoreError) -> Failure {
    failure(
        FailureKind::Unavailable,
        "database-unavailable",
        format!("What was found cannot be kept now: {error}."),
        "It is tried again by itself.",
    )
}

fn endless() -> Failure {
    failure(
        FailureKind::Rejected,
        "endless-list",
        "The service lists its targets without an end.".to_owned(),
        "Report it to the author of the channel type's component: what was found can be used.",
    )
}

fn disconnected() -> Failure {
    let message = "It was disconnected.".to_owned();
    failure(FailureKind::Rejected, "disconnected", message, "Connect it again: pqh connection connect TYPE.")
}

fn uninstalled() -> Failure {
    failure(
        FailureKind::Rejected,
        "not-granted",
        "The channel type is not installed, or granted nothing.".to_owned(),
        "Ask the operator to allow it: pqh plugin grant.",
    )
}
