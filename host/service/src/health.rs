//! What is wrong with the service, as `/readyz` tells it: whether the database can be written, and what other parts report.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::Mutex;
use utoipa::ToSchema;

use crate::store::{Store, StoreError};

/// The database is probed once in this time, however often it is asked for.
const PROBE: Duration = Duration::from_secs(1);

/// Something that an operator should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Note {
    /// Stable, for programs.
    pub(crate) code: String,
    pub(crate) message: String,
    /// What to do.
    pub(crate) remedy: String,
}

impl Note {
    /// With those words.
    pub(crate) fn new(code: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), remedy: remedy.into() }
    }
}

/// The registry. Parts of the service push notes under a key of their own, and take them back.
#[derive(Default)]
pub(crate) struct Health {
    stopping: AtomicBool,
    warnings: RwLock<BTreeMap<String, Note>>,
    probed: Mutex<Option<(Instant, Result<(), StoreError>)>>,
}

impl Health {
    /// The service goes on, but an operator should look.
    pub(crate) fn warn(&self, key: &str, note: Note) {
        self.warnings.write().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), note);
    }

    /// A warning is over.
    pub(crate) fn clear_warning(&self, key: &str) {
        self.warnings.write().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// From now on the service is not ready.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Whether the service stops.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// The warnings now.
    pub(crate) fn warnings(&self) -> Vec<Note> {
        self.warnings.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The problems now; the database is tried where it was not in the last second.
    pub(crate) async fn problems(&self, store: &Store) -> Vec<Note> {
        let mut problems: Vec<Note> = Vec::new();
        if self.is_stopping() {
            problems.push(Note::new(
                "stopping",
                "The service is stopping.",
                "Send to another one, or try again later.",
            ));
        }
        if let Err(error) = self.probe(store).await {
            problems.push(Note::new(
                "database-unavailable",
                format!("{error}."),
                "Look at the disk that holds the database; the service goes on by itself once it can be written.",
            ));
        }
        problems
    }

    async fn probe(&self, store: &Store) -> Result<(), StoreError> {
        let mut probed = self.probed.lock().await;
        if let Some((at, result)) = probed.as_ref()
            && at.elapsed() < PROBE
        {
            return result.clone();
        }
        let result = store.probe().await;
        *probed = Some((Instant::now(), result.clone()));
        result
    }
}
