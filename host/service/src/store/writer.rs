//! The one task that writes. What arrives while a commit is on its way to the disk goes into the next transaction
//! together: under load, one flush makes many durable.

use futures_util::future::BoxFuture;
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::sync::{mpsc, oneshot};

use super::file::Identity;
use super::{Connection, StoreError};

/// Jobs of one transaction, at most: the first of them waits for the last.
const BATCH: usize = 256;

/// Something to write.
pub(super) enum Job {
    /// A transaction's worth of statements of any kind.
    Custom(Box<dyn Custom>),
}

/// Answers whoever waits for a job, once it is known whether its transaction is durable.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Work of any kind: what it found is kept back until the commit.
pub(super) trait Custom: Send {
    /// Runs. True where its changes are to be kept.
    fn run<'a>(self: Box<Self>, connection: &'a mut Connection) -> BoxFuture<'a, (bool, Answer)>;
    /// Says that it was not even tried.
    fn refuse(self: Box<Self>, error: StoreError);
}

struct Work<T, E, F> {
    work: F,
    answer: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Custom for Work<T, E, F>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: for<'a> FnOnce(&'a mut Connection) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
{
    fn run<'a>(self: Box<Self>, connection: &'a mut Connection) -> BoxFuture<'a, (bool, Answer)> {
        Box::pin(async move {
            let Self { work, answer } = *self;
            let result = work(connection).await;
            let keep = result.is_ok();
            let say: Answer = Box::new(move |committed| {
                // Whoever asked may have gone.
                drop(answer.send(match committed {
                    Ok(()) => result,
                    Err(error) => Err(E::from(error)),
                }));
            });
            (keep, say)
        })
    }

    fn refuse(self: Box<Self>, error: StoreError) {
        drop(self.answer.send(Err(E::from(error))));
    }
}

/// A job, and where its answer comes.
pub(super) fn custom<T, E, F>(work: F) -> (Job, oneshot::Receiver<Result<T, E>>)
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: for<'a> FnOnce(&'a mut Connection) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
{
    let (answer, receiver) = oneshot::channel();
    (Job::Custom(Box::new(Work { work, answer })), receiver)
}

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

    /// Writes until nobody can ask any more, then closes the database in good order.
    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(BATCH);
        while inbox.recv_many(&mut batch, BATCH).await > 0 {
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
                for Job::Custom(work) in batch {
                    work.refuse(error.clone());
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
            && sqlx::query("ROLLBACK").execute(&mut connection).await.map_or_else(is_over, |_| true)
        {
            self.connection = Some(connection);
        }
    }
}

/// The database has rolled back by itself already.
fn is_over(error: sqlx::Error) -> bool {
    error.to_string().contains("no transaction is active")
}

async fn transact(connection: &mut Connection, batch: Vec<Job>) -> (Vec<Answer>, Result<(), StoreError>) {
    let mut answers = Vec::with_capacity(batch.len());
    let mut jobs = batch.into_iter();
    let result = async {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
        for Job::Custom(work) in jobs.by_ref() {
            sqlx::query("SAVEPOINT job").execute(&mut *connection).await?;
            let (keep, answer) = work.run(&mut *connection).await;
            answers.push(answer);
            if !keep {
                sqlx::query("ROLLBACK TO job").execute(&mut *connection).await?;
            }
            sqlx::query("RELEASE job").execute(&mut *connection).await?;
        }
        sqlx::query("COMMIT").execute(&mut *connection).await?;
        Ok(())
    }
    .await;
    if let Err(error) = &result {
        for Job::Custom(work) in jobs {
            work.refuse(StoreError::clone(error));
        }
    }
    (answers, result)
}
