//! Writes that share a transaction. SQLite has one writer, and PostgreSQL one head of each tenant's log that a transaction holds until it
//! has committed: meanwhile others come, and all of them go together next. A commit then costs each of them a part, and nobody waits longer
//! than for the commit before theirs and their own.
//!
//! Each has a savepoint of its own, so that one that fails takes nobody with it, and each is answered after the commit.

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

/// The most that go together.
const MAX_GROUP: usize = 64;

/// Who waits to write.
#[derive(Clone)]
pub(super) struct GroupCommit {
    writers: Pool,
    dialect: Dialect,
    waiting: Arc<Mutex<Waiting>>,
}

/// Whose writes share transactions: everybody's on SQLite, a tenant's on PostgreSQL, where a transaction is in one tenant.
type CommitGroup = Option<TenantId>;

/// Those who wait, while a task is taking them.
type Waiting = HashMap<CommitGroup, VecDeque<Box<dyn Job>>>;

/// A write without its types.
trait Job: Send {
    fn ctx(&self) -> &Ctx;
    /// Does the work; whether it is to be kept.
    fn run<'t>(&'t mut self, tx: &'t mut WriteTx) -> BoxFuture<'t, bool>;
    /// Answers, if everything was committed.
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
            // An answer of its own says more than that the others could not go on.
            (Some(Err(own)), _) => Err(own),
            (_, Err(error)) => Err(E::from(error)),
            (Some(Ok(answer)), Ok(())) => Ok(answer),
            (None, Ok(())) => Err(E::from(StoreError::Interrupted("it was not begun".to_owned()))),
        };
        // Whoever went away does not want it.
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
        // Pushing and taking are all that happens under the lock: a panic leaves it whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes together with whoever else wants to.
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

    /// Takes whoever waits, until nobody does. `tenant`: the first one's.
    async fn drain(self, group: CommitGroup, tenant: TenantId) {
        loop {
            // A connection first: whoever comes until there is one goes along.
            let begin = self.dialect.begin_write(&tenant, TenantLock::None);
            let connection = self.writers.begin_with(begin).await;
            let jobs: Vec<_> = {
                let mut waiting = self.waiting();
                let all = waiting.entry(group.clone()).or_default();
                let some = all.len().min(MAX_GROUP);
                all.drain(..some).collect()
            };
            match connection {
                // In a task of its own: work that panics breaks this transaction and nothing else.
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

/// Does the work of all in one transaction, commits, and answers each.
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
        // Where the database has ended the whole transaction by itself (a full disk), there is no such savepoint any more, and nobody's
        // work is taken for done.
        tx.read.tx.execute("ROLLBACK TO SAVEPOINT job").await?;
    }
    tx.append_entries().await?;
    Ok(tx.read.tx.commit().await?)
}
