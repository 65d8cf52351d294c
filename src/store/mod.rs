//! The only place with SQL: one set of queries through `sqlx::Any` over TEXT and BIGINT columns.
//!
//! There are two entrances, [`Store::read`] and [`Store::write`]. Both take the [`Ctx`], whose tenant stands in every query.

mod actions;
mod apply;
mod audit;
mod error;
mod facts;
mod import;
mod inbox;
mod journal;
mod people;
mod records;
mod row;
mod seed;
mod sessions;

pub use actions::{ActionRow, AttemptRow, DecisionRow, Ending};
pub use audit::{AuditRecord, Entry};
pub use error::StoreError;
pub use import::{ImportedFinding, NewEvidence, NewFinding};
pub use inbox::{InboxFilter, InboxItem};
pub use journal::{ChainCall, ReadCall};
pub use people::{Asserted, TokenGrant, TokenRow};
pub use records::ListFilter;

use crate::context::Ctx;
use futures::future::BoxFuture;
use sqlx::any::AnyPoolOptions;
use sqlx::{Any, AnyPool, Executor, Transaction};
use std::ops::{Deref, DerefMut};
use std::time::Duration;

static SQLITE: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");

/// The database of an installation.
#[derive(Clone)]
pub struct Store {
    readers: AnyPool,
    writer: AnyPool,
}

/// A transaction that reads one consistent state.
pub struct ReadTx {
    tx: Transaction<'static, Any>,
    ctx: Ctx,
}

/// A transaction that writes. Its audit entries are appended last, and it does not commit without them.
pub struct WriteTx {
    read: ReadTx,
    entries: Vec<Entry>,
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

    /// Who asks, and when it is.
    pub fn ctx(&self) -> &Ctx {
        &self.ctx
    }
}

impl WriteTx {
    /// Adds an audit entry. It is numbered and written at the end of the transaction.
    pub fn record(&mut self, entry: Entry) {
        self.entries.push(entry);
    }
}

/// How many connections read side by side. Each is a thread of SQLite's own.
const READERS: u32 = 8;

impl Store {
    /// Opens a database and brings it to this binary's schema. `url`: `sqlite://FILE?mode=rwc`.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let options = |size: u32| {
            AnyPoolOptions::new()
                .max_connections(size)
                .acquire_timeout(Duration::from_secs(10))
                .after_connect(|connection, _| Box::pin(async move { connection.execute(PRAGMAS).await.map(drop) }))
        };
        let writer = options(1).connect(url).await.map_err(StoreError::opening)?;
        SQLITE.run(&writer).await.map_err(StoreError::migrating)?;
        let readers = options(READERS).connect(url).await.map_err(StoreError::opening)?;
        Ok(Self { readers, writer })
    }

    /// Runs `work` in a transaction that reads one consistent state.
    pub async fn read<T, E, F>(&self, ctx: &Ctx, work: F) -> Result<T, E>
    where
        E: From<StoreError>,
        F: for<'t> FnOnce(&'t mut ReadTx) -> BoxFuture<'t, Result<T, E>>,
    {
        let tx = self.readers.begin().await.map_err(StoreError::from)?;
        let mut tx = ReadTx { tx, ctx: ctx.clone() };
        let outcome = work(&mut tx).await;
        // Nothing was written: ending it either way is the same, and a failure to end it says nothing about the answer.
        let _ = tx.tx.rollback().await;
        outcome
    }

    /// Runs `work` in a transaction that writes, appends its audit entries and commits; an error rolls everything back.
    ///
    /// It runs in a task of its own, so that a request that goes away can't leave a transaction open, and answers only
    /// after COMMIT.
    pub async fn write<T, E, F>(&self, ctx: &Ctx, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'t> FnOnce(&'t mut WriteTx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let (writer, ctx) = (self.writer.clone(), ctx.clone());
        let task = tokio::spawn(async move {
            // IMMEDIATE: a deferred transaction that turns writer gets a busy error that no timeout retries.
            let tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(StoreError::from)?;
            let mut tx = WriteTx {
                read: ReadTx { tx, ctx },
                entries: Vec::new(),
            };
            let answer = work(&mut tx).await?;
            tx.append_entries().await?;
            tx.read.tx.commit().await.map_err(StoreError::from)?;
            Ok(answer)
        });
        match task.await {
            Ok(outcome) => outcome,
            Err(broken) => Err(E::from(StoreError::Interrupted(broken.to_string()))),
        }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.readers
            .execute("SELECT 1")
            .await
            .map(drop)
            .map_err(StoreError::from)
    }

    /// Ends all connections, once their transactions are over.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Durable and safe beside other processes. WAL: readers never wait for the writer. FULL: what was acknowledged survives a
/// power cut.
const PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
     PRAGMA busy_timeout = 10000; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000;";
