//! The search over audit entries: one index for each process that serves, in files of the data directory.
//!
//! An entry is written without its search terms. The index is fed from the log afterwards, and can be built again from it at any time. It says up
//! to which entry it holds each tenant's log. A search first adds the entries after that one, and so finds every entry that was
//! committed before the search began.
//!
//! New entries stay in memory until a batch of them is written as a *segment* (`segments.rs`). A search reads both (`lookup.rs`),
//! by the same condition (`wanted.rs`).
//!
//! Every function takes the tenant, and every key of the index begins with its name. The functions block: they read and write files.

mod document;
mod error;
mod files;
mod live;
mod lookup;
mod matches;
mod segments;
mod slot;
mod stored;
mod wanted;

pub use document::Document;
pub use error::SearchError;
pub use wanted::Wanted;

use crate::audit::LogPosition;
use crate::domain::TenantId;
use crate::domain::query::Expr;
use live::Live;
use segments::Segments;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The entries of a batch. Fewer would make more and smaller segments, and more would make the search in memory slower.
const BATCH: usize = 1_024;
/// The terms of a batch, for entries with very many of them.
const BATCH_TERMS: usize = 64 * BATCH;
/// The most batches in memory. Before more entries are added, a batch is stored.
const BATCHES: usize = 2;

/// The search index of this process. Clones share it.
#[derive(Clone)]
pub struct AuditIndex(Arc<Shared>);

struct Shared {
    /// The folder; `None` for an index in memory.
    folder: Option<PathBuf>,
    batch: usize,
    /// The stored part, for the one thread that changes it; `None` before the first use and after a failure. A thread that also takes `live`
    /// takes it second.
    segments: Mutex<Option<Segments>>,
    live: RwLock<Live>,
}

/// The size of the stored part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexSize {
    /// The number of stored entries.
    pub entries: u64,
    /// The number of segments.
    pub segments: usize,
}

impl AuditIndex {
    /// An index in memory, for tests and for commands that rarely search.
    pub fn in_memory() -> Self {
        Self::new(None, BATCH)
    }

    /// An index in files below this folder. Nothing is read or written before the first use.
    pub fn in_folder(folder: &Path) -> Self {
        Self::new(Some(folder.to_owned()), BATCH)
    }

    /// The same index with batches of another size, so that a test needs few entries.
    pub fn with_batches_of(&self, entries: usize) -> Self {
        Self::new(self.0.folder.clone(), entries.max(1))
    }

    fn new(folder: Option<PathBuf>, batch: usize) -> Self {
        Self(Arc::new(Shared {
            folder,
            batch,
            segments: Mutex::default(),
            live: RwLock::default(),
        }))
    }

    /// Whether the index is open. It is not before the first use and after a failure.
    pub fn is_open(&self) -> bool {
        self.live().is_open
    }

    /// Opens the index. If it is missing, damaged or of another version, an empty one takes its place; in memory, if the folder cannot be
    /// used, because a node with a database server may have no disk to write on.
    pub fn open(&self) -> Result<(), SearchError> {
        let mut segments = self.segments();
        if self.is_open() {
            return Ok(());
        }
        // The lock of the folder is released before it is taken again.
        *segments = None;
        let Some(folder) = &self.0.folder else {
            *self.live_mut() = Live::empty();
            return Ok(());
        };
        let opened = match Segments::open(folder) {
            Ok(opened) => opened,
            Err(error) => {
                tracing::warn!(%error, folder = %folder.display(), "the search index cannot be stored; this process keeps it in memory");
                Segments::in_memory()?
            }
        };
        *self.live_mut() = Live::stored(&opened);
        *segments = Some(opened);
        Ok(())
    }

    /// Closes the index, so that its files are compared with their checksums before the next use.
    pub fn distrust(&self) {
        self.live_mut().is_open = false;
    }

    /// Removes everything, for a log that is not the one that was indexed.
    pub fn clear(&self) -> Result<(), SearchError> {
        let mut segments = self.segments();
        self.distrust();
        if let Some(known) = segments.take().filter(Segments::is_in_folder) {
            let empty = known.emptied()?;
            *self.live_mut() = Live::stored(&empty);
            *segments = Some(empty);
        }
        Ok(())
    }

    /// The last entry of the tenant's log that the index holds.
    pub fn end(&self, tenant: &TenantId) -> LogPosition {
        self.live().end(tenant)
    }

    /// Adds the documents of the entries after `after` up to `to`, oldest first. Returns `false` if the index does not end at `after` (any
    /// more); then nothing was added.
    pub fn add(&self, tenant: &TenantId, after: &LogPosition, documents: Vec<Document>, to: LogPosition) -> bool {
        self.live_mut().add(tenant, after, documents, to)
    }

    /// Whether a batch of documents waits to be stored.
    pub fn is_due(&self) -> bool {
        self.has_waiting(1)
    }

    /// Whether so many documents wait that no more should be added before they are stored.
    pub fn is_full(&self) -> bool {
        self.has_waiting(BATCHES)
    }

    fn has_waiting(&self, batches: usize) -> bool {
        let (documents, terms) = self.live().waiting();
        documents >= batches * self.0.batch || terms >= batches * BATCH_TERMS
    }

    /// Stores the waiting documents, and merges small segments. Searches run meanwhile.
    pub fn store(&self) -> Result<(), SearchError> {
        let mut segments = self.segments();
        if !self.is_open() {
            return Ok(());
        }
        let known = match &mut *segments {
            Some(known) => known,
            // An index in memory has no segments before the first batch.
            none => none.insert(Segments::in_memory()?),
        };
        let stored = self.store_in(known);
        if stored.is_err() {
            self.distrust();
        }
        stored
    }

    fn store_in(&self, segments: &mut Segments) -> Result<(), SearchError> {
        let additions = self.live().additions();
        if !additions.is_empty() {
            segments.add(&additions)?;
            // At one moment, so that no search finds a document twice or not at all.
            self.live_mut().have_stored(&additions, segments.view());
        }
        while segments.merge()? {
            self.live_mut().view = segments.view();
        }
        Ok(())
    }

    /// Removes entries whose content was purged, from memory and from the files.
    pub fn forget(&self, tenant: &TenantId, seqs: &BTreeSet<i64>) -> Result<(), SearchError> {
        self.open()?;
        let mut segments = self.segments();
        self.live_mut().forget(tenant, seqs);
        let Some(known) = segments.as_mut() else { return Ok(()) };
        let removed = known.remove(tenant, seqs);
        match removed {
            Ok(()) => self.live_mut().view = known.view(),
            Err(_) => self.distrust(),
        }
        removed
    }

    /// The numbers of the newest entries below `before` that the expression wants, newest first; `None` if the index does not hold the tenant's log up
    /// to entry `to`.
    pub fn search(
        &self,
        tenant: &TenantId,
        expr: &Expr,
        (to, before): (i64, i64),
        limit: usize,
    ) -> Result<Option<Vec<i64>>, SearchError> {
        let mut wanted = Wanted::newest(tenant, expr, before, limit);
        let (mut found, view) = {
            let live = self.live();
            match live.newest(tenant, to, &wanted) {
                Some(waiting) => (waiting, live.view.clone()),
                None => return Ok(None),
            }
        };
        wanted.limit -= found.len();
        if wanted.limit > 0 {
            found.extend(view.newest(&wanted).inspect_err(|_| self.distrust())?);
        }
        Ok(Some(found))
    }

    /// The size of the stored part.
    pub fn size(&self) -> IndexSize {
        let live = self.live();
        IndexSize {
            entries: live.view.documents(),
            segments: live.view.segments(),
        }
    }

    fn segments(&self) -> MutexGuard<'_, Option<Segments>> {
        let poisoned = self.0.segments.is_poisoned();
        let mut segments = self.0.segments.lock().unwrap_or_else(PoisonError::into_inner);
        if poisoned {
            // A thread panicked while it changed the stored part.
            self.0.segments.clear_poison();
            *segments = None;
            self.distrust();
        }
        segments
    }

    fn live(&self) -> RwLockReadGuard<'_, Live> {
        self.0.live.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn live_mut(&self) -> RwLockWriteGuard<'_, Live> {
        self.0.live.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
