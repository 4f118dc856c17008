//! The database: one file of `SQLite`, written by one task that groups commits, read by a small pool.
//!
//! All SQL stands in this folder, a file for each table or two, plain enough for `PostgreSQL` as well. Nothing here decides
//! anything: it keeps and finds.

pub(crate) mod accept;
pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod authorizations;
mod bulk;
pub(crate) mod channels;
pub(crate) mod checks;
pub(crate) mod connection_targets;
pub(crate) mod connections;
pub(crate) mod deliveries;
pub(crate) mod digests;
mod error;
mod file;
pub(crate) mod grants;
pub(crate) mod inbound;
pub(crate) mod incidents;
mod jobs;
pub(crate) mod lease;
pub(crate) mod members;
pub(crate) mod organizations;
pub(crate) mod pruning;
pub(crate) mod recovery;
pub(crate) mod rows;
mod schema;
pub(crate) mod targets;
pub(crate) mod tokens;
mod transact;
pub(crate) mod views;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

pub(crate) use error::StoreError;
use jobs::Job;
use writer::Writer;

/// One connection, within a transaction where it was handed out by [`Store::write`].
pub(crate) type Connection = sqlx::SqliteConnection;

/// Writes that wait for the writer, at most. More wait outside.
const QUEUE: usize = 4_096;
/// Bytes of a page.
const PAGE: u64 = 4_096;
/// Connections that read at the same time.
const READERS: u32 = 4;

/// The database. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Store(Arc<Inner>);

struct Inner {
    path: PathBuf,
    readers: SqlitePool,
    jobs: mpsc::Sender<Job>,
    file: file::Identity,
    closing: CancellationToken,
    closed: CancellationToken,
}

/// Whether a database may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Made where there is none.
    MayCreate,
    /// It has to be there.
    MustExist,
}

impl Store {
    /// Opens the database at `url` (`sqlite:PATH`) and brings its schema up to date. A schema newer than this program's is
    /// refused.
    pub(crate) async fn open(url: &str, opening: Opening) -> Result<Self, StoreError> {
        Self::open_limited(url, opening, None).await
    }

    /// As [`Store::open`]; the database grows to `most` bytes, and is full then.
    pub(crate) async fn open_limited(url: &str, opening: Opening, most: Option<u64>) -> Result<Self, StoreError> {
        let path = path_of(url)?;
        if opening == Opening::MustExist && !path.exists() {
            return Err(StoreError::Missing { path });
        }
        let options = options(&path, opening, most);
        let mut connection = schema::connect(&options, &path).await?;
        schema::migrate(&mut connection, &path).await?;
        let file = file::Identity::of(&path)?;
        let same = file.clone();
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(0)
            // While the database is away, who asks is told so soon.
            .acquire_timeout(Duration::from_secs(5))
            // A reader that opened another file, or made one, would read another's events.
            .after_connect(move |_, _| {
                let same = same.check();
                Box::pin(async move { same.map_err(|error| sqlx::Error::Io(std::io::Error::other(error))) })
            })
            .connect_lazy_with(options.clone().create_if_missing(false).read_only(true));
        let (jobs, inbox) = mpsc::channel(QUEUE);
        let (closing, closed) = (CancellationToken::new(), CancellationToken::new());
        // Dropped with the task: whoever waits for its end never waits for one that is gone.
        let ended = closed.clone().drop_guard();
        let writer = Writer::new(connection, options, file.clone()).run(inbox, closing.clone());
        tokio::spawn(async move {
            writer.await;
            drop(ended);
        });
        Ok(Self(Arc::new(Inner { path, readers, jobs, file, closing, closed })))
    }

    /// Where the database is.
    pub(crate) fn path(&self) -> &Path {
        &self.0.path
    }

    /// Reads. What was committed before is seen.
    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.0.readers
    }

    /// Runs `work` in a transaction that it may share with others, and returns once it is durable. An error undoes what
    /// `work` did, and nothing else.
    pub(crate) async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'a> FnOnce(&'a mut Connection) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
    {
        let (job, answer) = jobs::custom(work);
        self.submit(job).await.map_err(E::from)?;
        answer.await.unwrap_or_else(|_| Err(E::from(StoreError::closed())))
    }

    /// Writes what was handed in, takes no more, and closes the database in good order.
    pub(crate) async fn close(&self) {
        self.0.readers.close().await;
        self.0.closing.cancel();
        self.0.closed.cancelled().await;
    }

    /// Whether the database can be written now; else why not.
    pub(crate) async fn probe(&self) -> Result<(), StoreError> {
        self.0.file.check()?;
        self.write(|connection| Box::pin(schema::touch(connection))).await
    }

    /// Keeps an event with its deliveries, durably.
    pub(crate) async fn accept(&self, accept: accept::Accept) -> Result<accept::Accepted, StoreError> {
        self.ask(|reply| Job::Accept(Box::new(accept), reply)).await
    }

    /// Leases the heads of targets' queues, durably: what is sent after this is known to have been.
    pub(crate) async fn lease(&self, leases: Vec<lease::Lease>) -> Result<Vec<lease::Found>, StoreError> {
        self.ask(|reply| Job::Lease(leases, reply)).await
    }

    /// Writes what became of a lease. False where the lease was no longer ours: nothing was written.
    pub(crate) async fn settle(&self, settle: rows::Settle) -> Result<bool, StoreError> {
        self.ask(|reply| Job::Settle(Box::new(settle), reply)).await
    }

    /// Judges a check, and keeps it with what follows from it, durably.
    pub(crate) async fn check(&self, check: checks::Check) -> Result<checks::Judged, StoreError> {
        self.ask(|reply| Job::Check(Box::new(check), reply)).await
    }

    async fn ask<T>(&self, job: impl FnOnce(jobs::Reply<T>) -> Job) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.submit(job(reply)).await?;
        answer.await.unwrap_or_else(|_| Err(StoreError::closed()))
    }

    /// Hands a job to the writer.
    async fn submit(&self, job: Job) -> Result<(), StoreError> {
        self.0.jobs.send(job).await.map_err(|_| StoreError::closed())
    }
}

fn options(path: &Path, opening: Opening, most: Option<u64>) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(opening == Opening::MayCreate)
        .journal_mode(SqliteJournalMode::Wal)
        // A commit is on the disk when it returns: 202 means kept.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        // The indexes that every event writes to stay in memory: 32 MiB, taken as they are used.
        .pragma("cache_size", "-32768")
        // Under load a page is written many times: into the file only once for every 16 MiB of log.
        .pragma("wal_autocheckpoint", "4096")
        .statement_cache_capacity(256)
        .disable_statement_logging();
    match most {
        Some(most) => options.pragma("max_page_count", (most / PAGE).max(1).to_string()),
        None => options,
    }
}

/// `sqlite:PATH`, with or without slashes.
pub(crate) fn path_of(url: &str) -> Result<PathBuf, StoreError> {
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"));
    match path {
        Some(path) if !path.is_empty() && !path.contains('?') => Ok(PathBuf::from(path)),
        _ => Err(StoreError::BadUrl { scheme: url.split(':').next().unwrap_or_default().to_owned() }),
    }
}
