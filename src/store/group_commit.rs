//! Group commit: writes that arrive during a commit share the next transaction. A write waits for at most two commits: the running one and
//! its own. On SQLite the whole database has one writer. On PostgreSQL a transaction holds the head row of its tenant's audit log until it
//! commits.
//!
//! Each write has its own savepoint, so that a write that fails does not undo the others. The task answers each write after the commit.

use super::connection::{Pool, Tx};
use super::dialect::{Dialect, TenantLock};
use super::{ReadTx, StoreError, WriteError, WriteTx};
use crate::context::Ctx;
use crate::domain::TenantId;
use futures::future::BoxFuture;
use sqlx::Executor;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// The most writes in one transaction. Further writes wait for another commit.
const MAX_GROUP: usize = 64;

/// The queues of writes that wait for the next transaction.
#[derive(Clone)]
pub(super) struct GroupCommit {
    writers: Pool,
    dialect: Dialect,
    waiting: Arc<Mutex<Waiting>>,
}

/// Which writes share a transaction: all of them on SQLite (`None`), those of one tenant on PostgreSQL, where a transaction is limited to
/// one tenant.
type CommitGroup = Option<TenantId>;

/// The writes that wait, by group. An entry exists while a task drains the group.
type Waiting = HashMap<CommitGroup, VecDeque<Box<dyn Job>>>;

/// A write without its types.
trait Job: Send {
    fn ctx(&self) -> &Ctx;
    /// Runs the write. Returns whether its changes are committed; otherwise they are rolled back to its savepoint.
    fn run<'t>(&'t mut self, tx: &'t mut WriteTx) -> BoxFuture<'t, bool>;
    /// Sends the result to the caller, after the commit or its failure.
    fn end(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Work<T, E, F> {
    ctx: Ctx,
    work: Option<F>,
    answer: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Job for Work<T, E, F>
where
    T: Send + 'static,
    E: WriteError + Send + 'static,
    F: for<'t> FnOnce(&'t mut WriteTx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
{
    fn ctx(&self) -> &Ctx {
        &self.ctx
    }

    fn run<'t>(&'t mut self, tx: &'t mut WriteTx) -> BoxFuture<'t, bool> {
        Box::pin(async move {
            if let Some(work) = self.work.take() {
                self.answer = Some(work(tx).await);
            }
            matches!(self.answer, Some(Ok(_)))
        })
    }

    fn end(self: Box<Self>, committed: Result<(), StoreError>) {
        let answer = match (self.answer, committed) {
            // The write's own error explains more than the error of the shared transaction.
            (Some(Err(own)), _) => Err(own),
            (_, Err(error)) => Err(E::from(error)),
            (Some(Ok(answer)), Ok(())) => Ok(answer),
            (None, Ok(())) => Err(E::from(StoreError::Interrupted("it was not begun".to_owned()))),
        };
        // Sending fails if the caller has gone away. The result is then not needed.
        drop(self.reply.send(answer));
    }
}

impl GroupCommit {
    pub(super) fn new(dialect: Dialect, writers: Pool) -> Self {
        Self {
            writers,
            dialect,
            waiting: Arc::default(),
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        // Code under this lock only adds and removes entries, so that the queues are consistent after a panic.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a write and waits for its result.
    pub(super) async fn submit<T, E, F>(&self, ctx: &Ctx, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: WriteError + Send + 'static,
        F: for<'t> FnOnce(&'t mut WriteTx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Work {
            ctx: ctx.clone(),
            work: Some(work),
            answer: None,
            reply,
        };
        self.queue(Box::new(job));
        answer
            .await
            .unwrap_or_else(|_| Err(E::from(StoreError::Interrupted("its task is gone".to_owned()))))
    }

    fn queue(&self, job: Box<dyn Job>) {
        let tenant = job.ctx().tenant().clone();
        let group = (self.dialect == Dialect::Postgres).then(|| tenant.clone());
        let mut waiting = self.waiting();
        if let Some(others) = waiting.get_mut(&group) {
            others.push_back(job);
            return;
        }
        waiting.insert(group.clone(), VecDeque::from([job]));
        tokio::spawn(self.clone().drain(group, tenant));
    }

    /// Runs the waiting writes of a group until none is left. `tenant` is the tenant of the first write.
    async fn drain(self, group: CommitGroup, tenant: TenantId) {
        loop {
            // The task takes a connection first, so that writes that arrive while it waits join this transaction.
            let begin = self.dialect.begin_write(&tenant, TenantLock::None);
            let connection = self.writers.begin_with(begin).await;
            let jobs: Vec<_> = {
                let mut waiting = self.waiting();
                let all = waiting.entry(group.clone()).or_default();
                let some = all.len().min(MAX_GROUP);
                all.drain(..some).collect()
            };
            match connection {
                // The transaction runs in its own task, so that a write that panics breaks only this transaction.
                Ok(tx) => drop(tokio::spawn(run_group(tx, self.dialect, jobs)).await),
                Err(error) => fail(jobs, StoreError::from(error)),
            }
            let mut waiting = self.waiting();
            if waiting.get(&group).is_none_or(VecDeque::is_empty) {
                waiting.remove(&group);
                return;
            }
        }
    }
}

fn fail(jobs: Vec<Box<dyn Job>>, error: StoreError) {
    let error = Arc::new(error);
    for job in jobs {
        job.end(Err(StoreError::Together(error.clone())));
    }
}

/// Runs all writes in one transaction, commits, and answers each write.
async fn run_group(tx: Tx, dialect: Dialect, mut jobs: Vec<Box<dyn Job>>) {
    match commit(tx, dialect, &mut jobs).await {
        Ok(()) => jobs.into_iter().for_each(|job| job.end(Ok(()))),
        Err(error) => fail(jobs, error),
    }
}

async fn commit(tx: Tx, dialect: Dialect, jobs: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
    let Some(first) = jobs.first() else { return Ok(()) };
    let ctx = first.ctx().clone();
    let mut tx = WriteTx {
        read: ReadTx { tx, ctx, dialect },
        entries: Vec::new(),
    };
    let alone = jobs.len() == 1;
    for job in jobs {
        tx.read.ctx = job.ctx().clone();
        if !alone {
            tx.read.tx.execute("SAVEPOINT job").await?;
        }
        let entries = tx.entries.len();
        if job.run(&mut tx).await {
            continue;
        }
        if alone {
            return Ok(());
        }
        tx.entries.truncate(entries);
        // If the database has ended the whole transaction by itself (a full disk), this savepoint does not exist. The statement then fails
        // and no write is reported as committed.
        tx.read.tx.execute("ROLLBACK TO SAVEPOINT job").await?;
    }
    tx.append_entries().await?;
    Ok(tx.read.tx.commit().await?)
}
