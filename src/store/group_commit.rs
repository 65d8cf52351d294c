//! Group commit: writes that arrive during a commit share the next transaction. A write waits for at most two commits: the running one and
//! its own. On SQLite the whole database has one writer, and all writes share transactions. On PostgreSQL a transaction holds the head row of
//! its tenant's audit log until it commits.
//!
//! Each write has its own savepoint, so that a write that fails or panics does not undo the others. The writes are answered after the commit.
//! A write that decides by what it reads ([`Store::write`](super::Store::write)) can follow another one in its transaction on SQLite, and the
//! audit log is among what it reads: so each write appends its own entries there. On PostgreSQL such a write has a transaction of its own, and
//! a group appends the entries of all its writes at the end, because that takes the head row of the log for a shorter time.

use super::db::{self, Database, DatabaseError, TenantLock, Tx, sqlite};
use super::{ReadTx, StoreError, WriteError, WriteTx};
use crate::context::Ctx;
use crate::domain::TenantId;
use futures::FutureExt;
use futures::executor::block_on;
use futures::future::BoxFuture;
use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// The most writes in one transaction. Further writes wait for another commit.
const MAX_GROUP: usize = 64;

/// The queues of writes that wait for the next transaction.
#[derive(Clone)]
pub(super) struct GroupCommit {
    database: Database,
    waiting: Arc<Mutex<Waiting>>,
}

/// Which writes share a transaction: all of them on SQLite (`None`), those of one tenant on PostgreSQL, where a transaction is limited to
/// one tenant.
type CommitGroup = Option<TenantId>;

/// The writes that wait, by group. An entry exists while a task or the writer's thread drains the group.
type Waiting = HashMap<CommitGroup, VecDeque<Box<dyn Job>>>;

/// A write without its types.
trait Job: Send {
    fn ctx(&self) -> &Ctx;
    /// Runs the write. Returns whether its changes are to be committed; otherwise they are rolled back to its savepoint.
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
                let answer = AssertUnwindSafe(async { work(tx).await }).catch_unwind().await;
                self.answer = Some(answer.unwrap_or_else(|_| {
                    Err(E::from(StoreError::Interrupted(
                        "an error in the program ended it".to_owned(),
                    )))
                }));
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
    pub(super) fn new(database: Database) -> Self {
        Self {
            database,
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
        self.queue(Box::new(Work {
            ctx: ctx.clone(),
            work: Some(work),
            answer: None,
            reply,
        }));
        answer
            .await
            .unwrap_or_else(|_| Err(E::from(StoreError::Interrupted("its task is gone".to_owned()))))
    }

    fn queue(&self, job: Box<dyn Job>) {
        let tenant = job.ctx().tenant().clone();
        let group = matches!(self.database, Database::Postgres { .. }).then(|| tenant.clone());
        {
            let mut waiting = self.waiting();
            if let Some(others) = waiting.get_mut(&group) {
                others.push_back(job);
                return;
            }
            waiting.insert(group.clone(), VecDeque::from([job]));
        }
        let this = self.clone();
        match &self.database {
            Database::Sqlite { writer, .. } => {
                if !writer.send(move |connection| this.drain_on_thread(connection)) {
                    let jobs = self.waiting().remove(&None).unwrap_or_default();
                    fail(jobs.into(), DatabaseError::Closed.into());
                }
            }
            Database::Postgres { writers, .. } => drop(tokio::spawn(this.drain(writers.clone(), tenant))),
        }
    }

    /// Whether a write of the group waits. If none does, the group's entry is removed: the next write starts another drain.
    fn is_waiting(&self, group: &CommitGroup) -> bool {
        let mut waiting = self.waiting();
        let is_empty = waiting.get(group).is_none_or(VecDeque::is_empty);
        if is_empty {
            waiting.remove(group);
        }
        !is_empty
    }

    /// The next writes of a group.
    fn take(&self, group: &CommitGroup) -> Vec<Box<dyn Job>> {
        let mut waiting = self.waiting();
        let Some(all) = waiting.get_mut(group) else {
            return Vec::new();
        };
        let some = all.len().min(MAX_GROUP);
        all.drain(..some).collect()
    }

    /// Runs the waiting writes on SQLite's writer thread until none is left. Statements on SQLite never wait for another task, so that
    /// `block_on` only polls.
    fn drain_on_thread(self, mut connection: sqlite::Connection) -> Option<sqlite::Connection> {
        while self.is_waiting(&None) {
            let jobs = self.take(&None);
            let Some(first) = jobs.first() else { break };
            let mut tx = WriteTx::new(Tx::Writer(connection), first.ctx().clone());
            block_on(run_group(&mut tx, jobs));
            connection = tx.read.tx.into_connection()?;
            if connection.is_in_transaction() {
                // Nothing of this transaction was reported as committed. If the rollback fails, the next BEGIN fails too.
                drop(connection.execute_batch("ROLLBACK"));
            }
        }
        Some(connection)
    }

    /// Runs the waiting writes of a tenant on PostgreSQL until none is left.
    async fn drain(self, writers: sqlx::PgPool, tenant: TenantId) {
        let group = Some(tenant.clone());
        while self.is_waiting(&group) {
            // The task takes a connection first, so that writes that arrive while it waits join this transaction.
            let connection = db::begin_write(&writers, &tenant, TenantLock::None).await;
            let jobs = self.take(&group);
            let Some(first) = jobs.first() else { break };
            match connection {
                Ok(tx) => {
                    let mut tx = WriteTx::new(tx, first.ctx().clone());
                    // The transaction runs in its own task, so that a panic breaks only this transaction.
                    drop(tokio::spawn(async move { run_group(&mut tx, jobs).await }).await);
                }
                Err(error) => fail(jobs, error.into()),
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
async fn run_group(tx: &mut WriteTx, mut jobs: Vec<Box<dyn Job>>) {
    match commit(tx, &mut jobs).await {
        Ok(()) => jobs.into_iter().for_each(|job| job.end(Ok(()))),
        Err(error) => fail(jobs, error),
    }
}

async fn commit(tx: &mut WriteTx, jobs: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
    let on_sqlite = matches!(tx.read.tx, Tx::Writer(_));
    if on_sqlite {
        // PostgreSQL's transaction has begun with its connection. IMMEDIATE: if a deferred transaction starts to write, SQLite can return
        // a busy error that no timeout retries.
        tx.read.tx.execute_batch("BEGIN IMMEDIATE").await?;
    }
    let alone = jobs.len() == 1;
    for (index, job) in jobs.iter_mut().enumerate() {
        tx.read.ctx = job.ctx().clone();
        match index {
            _ if alone => {}
            0 => tx.read.tx.execute_batch("SAVEPOINT job").await?,
            _ => tx.read.tx.execute_batch("RELEASE SAVEPOINT job; SAVEPOINT job").await?,
        }
        let entries = tx.entries.len();
        let is_kept = job.run(tx).await;
        // If the database has ended the whole transaction by itself (a full disk), no write is reported as committed.
        if !tx.read.tx.is_open() {
            return Err(DatabaseError::RolledBack.into());
        }
        if is_kept {
            if on_sqlite {
                tx.append_entries().await?;
            }
            continue;
        }
        if alone {
            return Ok(());
        }
        tx.entries.truncate(entries);
        tx.read.tx.execute_batch("ROLLBACK TO SAVEPOINT job").await?;
    }
    tx.append_entries().await?;
    Ok(tx.read.tx.commit().await?)
}

impl WriteTx {
    /// A transaction that has recorded no audit entry.
    pub(super) fn new(tx: Tx, ctx: Ctx) -> Self {
        Self {
            read: ReadTx { tx, ctx, writes: true },
            entries: Vec::new(),
        }
    }
}
