//! What the writer is asked to do, and how whoever asked hears of it.

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::accept::{Accept, Accepted};
use super::checks::{Check, Judged};
use super::lease::{Found, Lease};
use super::rows::Settle;
use super::{Connection, StoreError};

/// Where an answer goes.
pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// Something to write.
pub(super) enum Job {
    /// Statements of any kind.
    Custom(Box<dyn Custom>),
    /// An event and its deliveries.
    Accept(Box<Accept>, Reply<Accepted>),
    /// What became of a lease; true where it still held.
    Settle(Box<Settle>, Reply<bool>),
    /// A check of an alert.
    Check(Box<Check>, Reply<Judged>),
    /// The heads of targets' queues.
    Lease(Vec<Lease>, Reply<Vec<Found>>),
}

impl Job {
    /// Says that it was not done.
    pub(super) fn refuse(self, error: StoreError) {
        // Whoever asked may have gone.
        match self {
            Self::Custom(work) => work.refuse(error),
            Self::Accept(_, reply) => drop(reply.send(Err(error))),
            Self::Settle(_, reply) => drop(reply.send(Err(error))),
            Self::Check(_, reply) => drop(reply.send(Err(error))),
            Self::Lease(_, reply) => drop(reply.send(Err(error))),
        }
    }
}

/// Answers whoever waits for a job, once it is known whether its transaction is durable.
pub(super) type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Work of any kind: what it found is kept back until the commit.
pub(super) trait Custom: Send {
    /// Runs. True where its changes are to be kept.
    fn run(self: Box<Self>, connection: &mut Connection) -> BoxFuture<'_, (bool, Answer)>;
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
    fn run(self: Box<Self>, connection: &mut Connection) -> BoxFuture<'_, (bool, Answer)> {
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
