//! The one task that writes. What arrives while a commit is on its way to the disk goes into the next transaction
//! together: under load, one flush makes many durable.

use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::file::Identity;
use super::jobs::Job;
use super::transact::transact;
use super::{Connection, StoreError};

/// Jobs of one transaction, at most: the first of them waits for the last.
const BATCH: usize = 256;

/// The task.
pub(super) struct Writer {
    /// None after a fault of which nobody knows what it left behind.
    connection: Option<Connection>,
    options: SqliteConnectOptions,
    file: Identity,
}

impl Writer {
    pub(super) fn new(connection: Connection, options: SqliteConnectOptions, file: Identity) -> Self {
        // Never makes a new file in the place of one that was taken away.
        Self { connection: Some(connection), options: options.create_if_missing(false), file }
    }

    /// Writes until nobody can ask any more or it is told to close, then closes the database in good order.
    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Job>, closing: CancellationToken) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let told = closing.cancelled();
            let jobs = tokio::select! {
                jobs = inbox.recv_many(&mut batch, BATCH) => jobs,
                // What was handed in before is still written.
                () = told, if !inbox.is_closed() => {
                    inbox.close();
                    continue;
                }
            };
            if jobs == 0 {
                break;
            }
            self.write(std::mem::take(&mut batch)).await;
        }
        if let Some(connection) = self.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::error!("the database did not close in good order: {error}");
        }
    }

    /// One transaction.
    async fn write(&mut self, batch: Vec<Job>) {
        let (answers, result) = match self.ready().await {
            Ok(connection) => {
                let (answers, result) = transact(connection, batch).await;
                // A file that was taken away meanwhile may be gone for good: nothing counts as kept.
                (answers, result.and_then(|()| self.file.check()))
            }
            Err(error) => {
                for job in batch {
                    job.refuse(error.clone());
                }
                return;
            }
        };
        if let Err(error) = &result {
            tracing::error!("nothing can be written: {error}");
            self.recover().await;
        }
        for answer in answers {
            answer(result.clone());
        }
    }

    /// The connection, opened anew where it was lost, on the file that was opened first.
    async fn ready(&mut self) -> Result<&mut Connection, StoreError> {
        self.file.check()?;
        if self.connection.is_none() {
            self.connection = Some(Connection::connect_with(&self.options).await?);
        }
        self.connection.as_mut().ok_or_else(StoreError::closed)
    }

    /// Ends a transaction that failed; a connection that cannot even do that is given up.
    async fn recover(&mut self) {
        if let Some(mut connection) = self.connection.take()
            && sqlx::query("ROLLBACK").execute(&mut connection).await.map_or_else(|error| is_over(&error), |_| true)
        {
            self.connection = Some(connection);
        }
    }
}

/// The database has rolled back by itself already.
fn is_over(error: &sqlx::Error) -> bool {
    error.to_string().contains("no transaction is active")
}
