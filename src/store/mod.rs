//! The only module with SQL: one set of queries over TEXT and BIGINT columns, for both databases (`db`).
//!
//! The store has three entry points that take the [`Ctx`]: [`Store::read`], [`Store::write`], and [`Store::add`] for writes that need no
//! tenant lock. Every query names its tenant; on PostgreSQL row-level security enforces the tenant again.
//!
//! Rules for SQL in this module:
//!
//! - SQL is static text. `apply.rs` and `copy.rs` compose statements of table names, column names and placeholders; `db` puts the tenant's name
//!   into the start of a transaction, and `TenantId` allows only a-z, 0-9 and hyphens.
//! - A list is one JSON parameter (`json_each`), so that a statement is prepared once whatever its length. In a batch (`db::Batch`) PostgreSQL gets
//!   an array instead, because its planner can read the whole table for a sub-query.
//! - `LIMIT 0 + $n`, never `LIMIT $n`: SQLite prepares a statement again for each value of a bare parameter in LIMIT.
//! - A state change repeats its condition in WHERE and asserts that one row changed.
//! - Triggers update the counts that every page shows (`action_counts`). On PostgreSQL the triggers are deferred to COMMIT, when the
//!   transaction holds the head of its tenant's log; otherwise two transactions could deadlock.
//! - SQLite gets its index statistics once (`EXPECTED` in `schema/sqlite.rs`). By default it expects ten rows per tenant and scans them all. A test
//!   reads the query plan of every statement of every use case and fails if the plan scans a whole tenant.
//! - A page of actions starts from `actions` and joins the rest with LEFT JOIN. With JOIN, a planner without statistics starts from the people.
//! - Text with the character U+0000 is refused by `db::Query`, which inspects the parameters of each statement.

mod copy;
mod db;
mod error;
mod group_commit;
mod queries;
mod row;
mod schema;
mod unchanged;

pub use copy::{COPIED, CopyReport, CopyStep};
pub use db::DatabaseError;
pub use error::{StoreError, WriteError};
pub use queries::{
    Account, ActionSummary, Asserted, AssessedControl, AuditLeaf, AuditRecord, CatalogCounts, Delivery, EndedDecision,
    Entry, EntryToIndex, ExportRecord, GrantOfToken, GrantsOf, Hashed, ImportKey, ImportedFinding, InboxFilter,
    InboxFrame, InboxItem, KeptEvidence, ListFilter, ListedGrant, ListedPerson, ListedSession, NewEvidence, NewFinding,
    NewGrant, NewSession, NewToken, PART, PastActionRow, PolicyRow, Progress, ProposalContext, Proposer,
    ProviderSessions, ReadCall, RequestRow, Resemblance, SeenBy, Settled, StoredCheckpoint, StoredResult,
    StoredSession, TokenRow, Verdict, Verified, ViewKey, VulnerableFinding, Waiting, WantingFrom, WantingPage,
};
pub use unchanged::Unchanged;

use crate::context::Ctx;
use db::{Database, Dialect, TenantLock, Tx};
use futures::executor::block_on;
use futures::future::BoxFuture;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The database of an installation.
#[derive(Clone)]
pub struct Store {
    database: Database,
    bypasses_row_security: bool,
    /// Whether a write has failed since the last readiness check. A later write that succeeds does not clear the flag, because a small
    /// write can still fit onto a full disk.
    broken: Arc<AtomicBool>,
    /// Runs writes that share transactions: all writes on SQLite, those of [`Store::add`] on PostgreSQL.
    group_commit: group_commit::GroupCommit,
}

/// A transaction that reads one consistent state. It ends when it is dropped.
pub struct ReadTx {
    tx: Tx,
    ctx: Ctx,
    /// Whether the transaction also writes.
    writes: bool,
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

    /// Discards PostgreSQL's statement plans, including the plans of foreign keys. PostgreSQL made them for small tables, and they would read
    /// a whole table after an import has added many rows.
    pub async fn forget_plans(&mut self) -> Result<(), StoreError> {
        if matches!(self.tx, Tx::Postgres(_)) {
            self.tx.execute_batch("DISCARD PLANS").await?;
        }
        Ok(())
    }

    /// Whether what this transaction reads can still be rolled back. Such data must not outlive the transaction, for example in a cache.
    pub fn sees_uncommitted(&self) -> bool {
        self.writes
    }

    /// The context: tenant, principal and time.
    pub fn ctx(&self) -> &Ctx {
        &self.ctx
    }
}

impl WriteTx {
    /// Adds an audit entry. The transaction numbers and writes its entries before it commits.
    pub fn record(&mut self, mut entry: Entry) {
        entry.content.outcome = Some(entry.event.outcome());
        self.entries.push((self.read.ctx.clone(), entry));
    }
}

/// Interrupts a long read when its caller goes away. After the end of the read it has no effect.
struct CancelOnDrop(db::sqlite::Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// The size of the readiness check's test write, in bytes (1 MiB). A smaller write could fit onto a full disk.
const PROBE: usize = 1 << 20;

impl Store {
    /// Opens a database. `url` is `sqlite://FILE?mode=rwc` or `postgres://…`. On SQLite this migrates the schema. On PostgreSQL this only
    /// checks the schema, because the role that owns it migrates it ([`Store::upgrade_schema`]).
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let dialect = Dialect::of(url).ok_or_else(StoreError::unknown_url)?;
        let bypasses_row_security = match dialect {
            Dialect::Sqlite => {
                schema::migrate_sqlite(&mut db::sqlite::open(url).map_err(StoreError::Opening)?)?;
                false
            }
            Dialect::Postgres => schema::check_postgres(url).await?,
        };
        Self::assembled(url, dialect, bypasses_row_security)
    }

    /// A store on a database whose schema is this binary's.
    fn assembled(url: &str, dialect: Dialect, bypasses_row_security: bool) -> Result<Self, StoreError> {
        let database = Database::open(url, dialect).map_err(StoreError::Opening)?;
        Ok(Self {
            bypasses_row_security,
            broken: Arc::default(),
            group_commit: group_commit::GroupCommit::new(database.clone()),
            database,
        })
    }

    /// Whether other nodes can use the same database.
    pub fn is_shared(&self) -> bool {
        self.database.dialect() == Dialect::Postgres
    }

    /// Whether this role bypasses row-level security, as the owner of the tables or by privilege. Always `false` on SQLite, which has no
    /// row-level security.
    pub fn bypasses_row_security(&self) -> bool {
        self.bypasses_row_security
    }

    /// Begins a transaction that reads one consistent state. It ends when it is dropped: a caller that does more than read drops it first.
    pub async fn read(&self, ctx: &Ctx) -> Result<ReadTx, StoreError> {
        Ok(ReadTx {
            tx: self.database.begin_read(ctx.tenant()).await?,
            ctx: ctx.clone(),
            writes: false,
        })
    }

    /// Runs `work`, whose statements may take long (a search, a list with a text filter, an export), in a transaction that reads one
    /// consistent state. On SQLite it runs on a blocking thread, and its statements are interrupted when the caller goes away.
    pub async fn read_long<T, E, F>(&self, ctx: &Ctx, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'t> FnOnce(&'t mut ReadTx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let begun = self.database.begin_long_read(ctx.tenant()).await;
        let mut tx = ReadTx {
            tx: begun.map_err(StoreError::from)?,
            ctx: ctx.clone(),
            writes: false,
        };
        let Some(cancel) = tx.tx.cancel() else {
            return work(&mut tx).await;
        };
        let _guard = CancelOnDrop(cancel);
        let task = tokio::task::spawn_blocking(move || block_on(async move { work(&mut tx).await }));
        task.await
            .unwrap_or_else(|broken| Err(E::from(StoreError::Interrupted(broken.to_string()))))
    }

    /// Runs `work` in a write transaction, appends its audit entries and commits; an error rolls everything back. Within a tenant, these
    /// transactions run one after the other: data that `work` reads does not change until the commit.
    pub async fn write<T, E, F>(&self, ctx: &Ctx, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: WriteError + Send + 'static,
        F: for<'t> FnOnce(&'t mut WriteTx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let writers = match &self.database {
            // SQLite has one writer, so that writes that share a transaction still run one after the other.
            Database::Sqlite { .. } => return self.add(ctx, work).await,
            Database::Postgres { writers, .. } => writers.clone(),
        };
        let ctx = ctx.clone();
        // The transaction runs in its own task, so that a client that disconnects cannot leave it open.
        let task = tokio::spawn(async move {
            let begun = db::begin_write(&writers, ctx.tenant(), TenantLock::Exclusive).await;
            let mut tx = WriteTx::new(begun.map_err(StoreError::from)?, ctx);
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
        self.database.fetch_all(db::query("SELECT 1")).await?;
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
            self.write_and_delete(&probe).await?;
            self.broken.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Closes all connections after their transactions have ended.
    pub async fn close(&self) {
        self.database.close().await;
    }
}
