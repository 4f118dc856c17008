//! One transaction over many jobs: those of a kind in one statement, a faulty one by itself, all durable at once.

use futures_util::future::BoxFuture;

use super::accept::{Accept, accept};
use super::checks::{self, Check, Judged};
use super::jobs::{Answer, Job, Reply};
use super::lease::{self, Lease};
use super::rows::Settle;
use super::{Connection, StoreError};

/// The jobs of a batch by their kinds.
#[derive(Default)]
struct Sorted {
    customs: Vec<Box<dyn super::jobs::Custom>>,
    accepts: (Vec<Accept>, Vec<Reply<super::accept::Accepted>>),
    settles: (Vec<Settle>, Vec<Reply<bool>>),
    checks: (Vec<Check>, Vec<Reply<Judged>>),
    leases: Vec<(Vec<Lease>, Reply<Vec<lease::Found>>)>,
}

impl Sorted {
    fn of(batch: Vec<Job>) -> Self {
        let mut sorted = Self::default();
        for job in batch {
            match job {
                Job::Custom(work) => sorted.customs.push(work),
                Job::Accept(accept, reply) => {
                    sorted.accepts.0.push(*accept);
                    sorted.accepts.1.push(reply);
                }
                Job::Settle(settle, reply) => {
                    sorted.settles.0.push(*settle);
                    sorted.settles.1.push(reply);
                }
                Job::Check(check, reply) => {
                    sorted.checks.0.push(*check);
                    sorted.checks.1.push(reply);
                }
                Job::Lease(leases, reply) => sorted.leases.push((leases, reply)),
            }
        }
        sorted
    }
}

/// Runs all in one transaction. What each waits for is told by its answer, once the caller knows that the commit holds.
pub(super) async fn transact(connection: &mut Connection, batch: Vec<Job>) -> (Vec<Answer>, Result<(), StoreError>) {
    let Sorted { customs, accepts, settles, checks, leases } = Sorted::of(batch);
    let mut answers: Vec<Answer> = Vec::new();
    let mut customs = customs.into_iter();
    let mut leases = leases.into_iter();
    let result = async {
        execute(connection, "BEGIN IMMEDIATE").await?;
        for work in customs.by_ref() {
            execute(connection, "SAVEPOINT job").await?;
            let (keep, answer) = work.run(&mut *connection).await;
            answers.push(answer);
            if !keep {
                execute(connection, "ROLLBACK TO job").await?;
            }
            execute(connection, "RELEASE job").await?;
        }
        let settled = each(connection, &settles.0, |connection, settles| Box::pin(settle(connection, settles))).await?;
        let accepted =
            each(connection, &accepts.0, |connection, accepts| Box::pin(accept(connection, accepts))).await?;
        let judged =
            each(connection, &checks.0, |connection, checks| Box::pin(checks::judge(connection, checks))).await?;
        let mut found = Vec::new();
        for (heads, _) in leases.as_slice() {
            execute(connection, "SAVEPOINT bulk").await?;
            let heads = lease_all(connection, heads).await;
            let fault = heads.as_ref().err().cloned();
            let heads = ended(connection, heads).await?;
            found.push(heads.ok_or_else(|| fault.unwrap_or_else(StoreError::closed)));
        }
        execute(connection, "COMMIT").await?;
        Ok((settled, accepted, judged, found))
    }
    .await;
    match result {
        Ok((settled, accepted, judged, found)) => {
            answers.extend(settles.1.into_iter().zip(settled).map(answer));
            answers.extend(accepts.1.into_iter().zip(accepted).map(answer));
            answers.extend(checks.1.into_iter().zip(judged).map(answer));
            answers.extend(leases.by_ref().map(|(_, reply)| reply).zip(found).map(answer));
            (answers, Ok(()))
        }
        Err(error) => {
            let error: StoreError = error;
            customs.for_each(|work| work.refuse(error.clone()));
            settles.1.into_iter().for_each(|reply| drop(reply.send(Err(error.clone()))));
            accepts.1.into_iter().for_each(|reply| drop(reply.send(Err(error.clone()))));
            checks.1.into_iter().for_each(|reply| drop(reply.send(Err(error.clone()))));
            leases.for_each(|(_, reply)| drop(reply.send(Err(error.clone()))));
            (answers, Err(error))
        }
    }
}

/// Says `found` where the commit held. Whoever asked may have gone.
fn answer<T: Send + 'static>((reply, found): (Reply<T>, Result<T, StoreError>)) -> Answer {
    Box::new(move |committed| drop(reply.send(committed.and(found))))
}

async fn execute(connection: &mut Connection, statement: &'static str) -> Result<(), StoreError> {
    sqlx::query(statement).execute(connection).await?;
    Ok(())
}

/// Of each job, what was found; an error outside is one for the whole transaction.
type Each<T> = Result<Vec<Result<T, StoreError>>, StoreError>;

/// A statement over many jobs.
type Bulk<J, T> = for<'a> fn(&'a mut Connection, &'a [J]) -> BoxFuture<'a, Result<Vec<T>, StoreError>>;

/// Runs jobs of a kind: all at once, and one by one where one of them is refused, so that it spoils no other.
async fn each<J, T>(connection: &mut Connection, jobs: &[J], run: Bulk<J, T>) -> Each<T> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    execute(connection, "SAVEPOINT bulk").await?;
    let all = run(connection, jobs).await;
    if let Some(all) = ended(connection, all).await? {
        return Ok(all.into_iter().map(Ok).collect());
    }
    let mut each = Vec::with_capacity(jobs.len());
    for one in jobs {
        execute(connection, "SAVEPOINT bulk").await?;
        let result = run(connection, std::slice::from_ref(one)).await;
        let fault = result.as_ref().err().cloned();
        each.push(match (ended(connection, result).await?.and_then(|mut one| one.pop()), fault) {
            (Some(found), _) => Ok(found),
            (None, fault) => Err(fault.unwrap_or_else(StoreError::closed)),
        });
    }
    Ok(each)
}

/// Writes outcomes, and says of each whether its lease still held.
async fn settle(connection: &mut Connection, settles: &[Settle]) -> Result<Vec<bool>, StoreError> {
    let matched = lease::settle(connection, settles).await?;
    Ok(settles.iter().map(|settle| matched.contains(&settle.delivery_id)).collect())
}

async fn lease_all(connection: &mut Connection, heads: &[Lease]) -> Result<Vec<lease::Found>, StoreError> {
    let mut found = Vec::with_capacity(heads.len());
    for head in heads {
        found.push(lease::lease(connection, head).await?);
    }
    Ok(found)
}

/// Ends the savepoint: none where its statements were refused and undone. What is wrong with the whole database is an error.
async fn ended<T>(connection: &mut Connection, result: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match result {
        Ok(value) => {
            execute(connection, "RELEASE bulk").await?;
            Ok(Some(value))
        }
        Err(error) if error.is_passing() => Err(error),
        Err(error) => {
            tracing::error!("a statement was refused, going on without it: {error}");
            execute(connection, "ROLLBACK TO bulk").await?;
            execute(connection, "RELEASE bulk").await?;
            Ok(None)
        }
    }
}
