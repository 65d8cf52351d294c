//! The only module with SQL: one set of queries through `sqlx::Any` over TEXT and BIGINT columns.
//!
//! The store has three entry points that take the [`Ctx`]: [`Store::read`], [`Store::write`], and [`Store::add`] for writes that need no
//! tenant lock. Every query names its tenant; on PostgreSQL row-level security enforces the tenant again.
//!
//! Rules for SQL in this module:
//!
//! - SQL is static text. `queries/apply.rs` and `copy.rs` compose statements of table names, column names and placeholders; `dialect.rs` puts the
//!   tenant's name into the start of a transaction, and `TenantId` allows only a-z, 0-9 and hyphens.
//! - A list is one JSON parameter (`json_each`), so that a statement is prepared once whatever its length. Lists of IDs in frequent statements go
//!   through `in_list!`: a sub-query on SQLite, an array on PostgreSQL, whose planner reads the whole table for a sub-query.
//! - `LIMIT 0 + $n`, never `LIMIT $n`: SQLite prepares a statement again for each value of a bare parameter in LIMIT.
//! - A state change repeats its condition in WHERE and asserts that one row changed.
//! - Triggers update the counts that every page shows (`action_counts`). On PostgreSQL the triggers are deferred to COMMIT, when the
//!   transaction holds the head of its tenant's log; otherwise two transactions could deadlock.
//! - SQLite gets its index statistics once (`EXPECTED` in `schema.rs`). By default it expects ten rows per tenant and scans them all. A test
//!   reads the query plan of every statement of every use case and fails if the plan scans a whole tenant.
//! - A page of actions starts from `actions` and joins the rest with LEFT JOIN. With JOIN, a planner without statistics starts from the people.
//! - Text with the character U+0000 is refused by `connection.rs`, which inspects the arguments of each statement.

mod connection;
mod copy;
mod dialect;
mod error;
mod group_commit;
mod queries;
mod row;
mod schema;

pub use copy::{COPIED, CopyReport, CopyStep};
pub use error::{StoreError, WriteError};
pub use queries::{
    Account, ActionSummary, Asserted, AuditRecord, Entry, ImportKey, ImportedFinding, InboxFilter, InboxFrame,
    InboxItem, KeptEvidence, ListFilter, NewEvidence, NewFinding, PART, PastActionRow, PolicyRow, Progress,
    ProposalContext, Proposer, ReadCall, RequestRow, Resemblance, Settled, TokenGrant, TokenRow, ViewKey, Waiting,
    WantingFrom, WantingPage,
};

use crate::context::Ctx;
use crate::domain::Timestamp;
use connection::{Pool, Tx};
use dialect::{Dialect, Sql, TenantLock};
use futures::future::BoxFuture;
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, Connection, Executor};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The database of an installation.
#[derive(Clone)]
pub struct Store {
    dialect: Dialect,
    bypasses_row_security: bool,
    /// Whether a write has failed since the last readiness check. A later write that succeeds does not clear the flag, because a small
    /// write can still fit onto a full disk.
    broken: Arc<AtomicBool>,
    readers: Pool,
    writers: Pool,
    /// Runs the writes of [`Store::add`], which share transactions.
    group_commit: group_commit::GroupCommit,
}

/// A transaction that reads one consistent state.
pub struct ReadTx {
    tx: Tx,
    ctx: Ctx,
    dialect: Dialect,
}

/// A transaction that writes. Its audit entries are appended last, and it does not commit without them.
pub struct WriteTx {
    read: ReadTx,
    /// The audit entries, each with the context of the write that recorded it.
    entries: Vec<(Ctx, Entry)>,
}

impl Deref for WriteTx {
    type Target = ReadTx;
    fn deref(&self) -> &ReadTx {
        &self.read
    }
}

impl DerefMut for WriteTx {
    fn deref_mut(&mut self) -> &mut ReadTx {
        &mut self.read
    }
}

impl ReadTx {
    fn tenant(&self) -> String {
        self.ctx.tenant().as_str().to_owned()
    }

    /// The statement in the SQL of this database.
    fn sql(&self, sql: &Sql) -> &'static str {
        self.dialect.sql(sql)
    }

    /// Discards statement plans. An import calls this after it has added many rows to small tables.
    pub async fn forget_plans(&mut self) -> Result<(), StoreError> {
        if let Some(sql) = self.dialect.forget_plans() {
            self.tx.execute(sql).await?;
        }
        Ok(())
    }

    /// The context: tenant, principal and time.
    pub fn ctx(&self) -> &Ctx {
        &self.ctx
    }
}

impl WriteTx {
    /// Adds an audit entry. The transaction numbers and writes its entries before it commits.
    pub fn record(&mut self, entry: Entry) {
        self.entries.push((self.read.ctx.clone(), entry));
    }
}

/// The most connections that read at the same time; on PostgreSQL, as many more write. A request that finds all of them in use waits for up
/// to 10 seconds.
const CONNECTIONS: u32 = 8;

/// The size of the readiness check's test write, in bytes (1 MiB). A smaller write could fit onto a full disk.
const PROBE: usize = 1 << 20;

impl Store {
    /// Opens a database. `url` is `sqlite://FILE?mode=rwc` or `postgres://…`. On SQLite this migrates the schema. On PostgreSQL this only
    /// checks the schema, because the role that owns it migrates it ([`Store::upgrade_schema`]).
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let dialect = Dialect::of(url).ok_or_else(StoreError::unknown_url)?;
        // A pool would retry until its timeout. A single connection reports an error to the operator at once.
        let mut first = AnyConnection::connect(url).await.map_err(StoreError::Opening)?;
        match dialect {
            Dialect::Sqlite => {
                first.execute(dialect.connection_setup()).await?;
                schema::migrate(&mut first, dialect).await?;
            }
            Dialect::Postgres => schema::check(&mut first, dialect).await?,
        }
        let bypasses_row_security = dialect == Dialect::Postgres && schema::bypasses_row_security(&mut first).await?;
        first.close().await?;
        let pool = |size: u32| {
            AnyPoolOptions::new()
                .max_connections(size)
                .acquire_timeout(Duration::from_secs(10))
                // A database server that restarts breaks all connections. The pool tests a connection first, so that no request fails
                // because of that. A file needs no test.
                .test_before_acquire(dialect == Dialect::Postgres)
                // A full disk makes SQLite end a transaction without SQLx noticing. The pool discards such a connection, because it cannot
                // begin another transaction.
                .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
                .after_connect(move |connection, _| {
                    Box::pin(async move { connection.execute(dialect.connection_setup()).await.map(drop) })
                })
                .connect_lazy(url)
                .map(Pool)
                .map_err(StoreError::Opening)
        };
        let (readers, writers) = match dialect {
            // SQLite has one writer at a time, and waiting for a connection costs less than waiting for the file lock. Each reader is a
            // thread with its own cache, which every write on another connection empties.
            Dialect::Sqlite => (
                2 * std::thread::available_parallelism().map_or(2, usize::from) as u32,
                1,
            ),
            Dialect::Postgres => (CONNECTIONS, CONNECTIONS),
        };
        let writers = pool(writers)?;
        Ok(Self {
            dialect,
            bypasses_row_security,
            broken: Arc::default(),
            readers: pool(readers.min(CONNECTIONS))?,
            group_commit: group_commit::GroupCommit::new(dialect, writers.clone()),
            writers,
        })
    }

    /// Whether other nodes can use the same database.
    pub fn is_shared(&self) -> bool {
        self.dialect == Dialect::Postgres
    }

    /// Whether this role bypasses row-level security, as the owner of the tables or by privilege. Always `false` on SQLite, which has no
    /// row-level security.
    pub fn bypasses_row_security(&self) -> bool {
        self.bypasses_row_security
    }

    /// Runs `work` in a transaction that reads one consistent state.
    pub async fn read<T, E, F>(&self, ctx: &Ctx, work: F) -> Result<T, E>
    where
        E: From<StoreError>,
        F: for<'t> FnOnce(&'t mut ReadTx) -> BoxFuture<'t, Result<T, E>>,
    {
        let begin = self.dialect.begin_read(ctx.tenant());
        let tx = self.readers.begin_with(begin).await.map_err(StoreError::from)?;
        let mut tx = ReadTx {
            tx,
            ctx: ctx.clone(),
            dialect: self.dialect,
        };
        // The transaction has written nothing. Dropping it ends it, and the caller does not wait for that.
        work(&mut tx).await
    }

    /// Runs `work` in a write transaction, appends its audit entries and commits; an error rolls everything back. Within a tenant, these
    /// transactions run one after the other: data that `work` reads does not change until the commit.
    pub async fn write<T, E, F>(&self, ctx: &Ctx, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: WriteError + Send + 'static,
        F: for<'t> FnOnce(&'t mut WriteTx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let (writers, ctx, dialect) = (self.writers.clone(), ctx.clone(), self.dialect);
        // The transaction runs in its own task, so that a client that disconnects cannot leave it open.
        let task = tokio::spawn(async move {
            let begin = dialect.begin_write(ctx.tenant(), TenantLock::Exclusive);
            let tx = writers.begin_with(begin).await.map_err(StoreError::from)?;
            let mut tx = WriteTx {
                read: ReadTx { tx, ctx, dialect },
                entries: Vec::new(),
            };
            let answer = work(&mut tx).await?;
            tx.append_entries().await?;
            tx.read.tx.commit().await.map_err(StoreError::from)?;
            Ok(answer)
        });
        let answer = match task.await {
            Ok(answer) => answer,
            Err(broken) => Err(E::from(StoreError::Interrupted(broken.to_string()))),
        };
        self.note_fault(&answer);
        answer
    }

    /// For writes whose result does not depend on earlier reads. `work` only adds rows, or changes rows under conditions. It takes no
    /// tenant lock and shares a transaction with other such writes.
    pub async fn add<T, E, F>(&self, ctx: &Ctx, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: WriteError + Send + 'static,
        F: for<'t> FnOnce(&'t mut WriteTx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let answer = self.group_commit.submit(ctx, work).await;
        self.note_fault(&answer);
        answer
    }

    /// After a database fault, makes the next readiness check write to the database.
    fn note_fault<T, E: WriteError>(&self, answer: &Result<T, E>) {
        if answer.as_ref().is_err_and(WriteError::is_fault) {
            self.broken.store(true, Ordering::Relaxed);
        }
    }

    /// Checks that the database answers. After a fault this also checks that the database accepts writes, because a full disk still allows
    /// reads.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.readers.execute("SELECT 1").await?;
        if self.broken.load(Ordering::Relaxed) {
            // The test text is as large as a large proposal. Its letters are pseudo-random, so that the database cannot compress it.
            let mut state = 0x9e37_79b9_7f4a_7c15_u64;
            let letter = || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                char::from(b'!' + (state % 90) as u8)
            };
            let probe: String = std::iter::repeat_with(letter).take(PROBE).collect();
            self.create_session("probe", &probe, Timestamp(0)).await?;
            self.delete_session("probe").await?;
            self.broken.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Closes all connections after their transactions have ended.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writers.close().await;
    }
}
