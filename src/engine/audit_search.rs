//! The search over audit entries: feeds the index from the log, and searches it.

use crate::audit::LogPosition;
use crate::context::Ctx;
use crate::domain::TenantId;
use crate::domain::query::Expr;
use crate::engine::{Engine, Error};
use crate::search::{AuditIndex, Document, SearchError, Wanted};
use crate::store::{EntryToIndex, ReadTx};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Entries in one read of the log. Contents can be large, so this is few.
const STRETCH: i64 = 128;
/// A search adds so many missing entries to the index itself. If more are missing, the index is being built.
const FEW: i64 = 1_024;

/// The index, and who feeds it.
#[derive(Clone)]
pub(crate) struct AuditSearch {
    index: AuditIndex,
    /// For each tenant a lock, so that one task at a time reads its log. The others wait, and find that nothing is left to do.
    feeding: Arc<Mutex<HashMap<TenantId, Arc<tokio::sync::Mutex<()>>>>>,
}

impl AuditSearch {
    pub(crate) fn new(index: AuditIndex) -> Self {
        Self {
            index,
            feeding: Arc::default(),
        }
    }

    fn feeding(&self, tenant: &TenantId) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.feeding.lock().unwrap_or_else(PoisonError::into_inner);
        locks.entry(tenant.clone()).or_default().clone()
    }

    /// Runs work on the index where it may block.
    async fn blocking<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&AuditIndex) -> Result<T, SearchError> + Send + 'static,
    {
        let index = self.index.clone();
        match tokio::task::spawn_blocking(move || work(&index)).await {
            Ok(outcome) => outcome.map_err(Error::internal),
            Err(panicked) => {
                self.index.distrust();
                Err(Error::internal(panicked))
            }
        }
    }
}

/// What the log says about the place where the index ends.
enum Log {
    /// There is no such entry: the index holds entries of another log, such as one that was replaced by an older copy.
    IsAnother,
    /// It is the log's last entry.
    Ends,
    /// These entries follow.
    Continues(Vec<EntryToIndex>),
}

/// How a search goes on below an entry.
enum Next {
    /// There are no further entries.
    Nothing,
    /// The index holds all entries down from this one.
    Indexed(i64),
    /// Only few entries are missing in the index, so they are added first.
    AlmostIndexed,
    /// These entries come next and may be missing in the index, newest first.
    Read(Vec<EntryToIndex>),
}

impl Engine {
    /// The numbers of the newest entries below `before` that the expression wants, newest first. The search sees every entry that was committed before
    /// it. While the index is being built, it reads the entries that the index does not hold yet.
    pub(crate) async fn find_audit_entries(
        &self,
        ctx: &Ctx,
        expr: &Expr,
        before: i64,
        limit: usize,
    ) -> Result<Vec<i64>, Error> {
        let (mut found, mut below) = (Vec::new(), before);
        let wanted = Wanted::new(ctx.tenant(), expr);
        loop {
            let to = match self.entries_below(ctx, below).await? {
                Next::Nothing => return Ok(found),
                Next::Indexed(to) => to,
                Next::AlmostIndexed => self.index_audit(ctx).await?,
                Next::Read(entries) => {
                    below = entries.last().map_or(0, |last| last.seq);
                    let matching = entries
                        .iter()
                        .filter(|entry| document(ctx.tenant(), entry).is_some_and(|document| wanted.admits(&document)));
                    found.extend(matching.map(|entry| entry.seq).take(limit - found.len()));
                    if found.len() == limit {
                        return Ok(found);
                    }
                    continue;
                }
            };
            let (tenant, expr, limit) = (ctx.tenant().clone(), expr.clone(), limit - found.len());
            let rest = self
                .search
                .blocking(move |index| index.search(&tenant, &expr, (to, below), limit))
                .await?;
            // Another task may have cleared the index meanwhile.
            if let Some(rest) = rest {
                found.extend(rest);
                return Ok(found);
            }
        }
    }

    async fn entries_below(&self, ctx: &Ctx, below: i64) -> Result<Next, Error> {
        let end = self.search.index.end(ctx.tenant());
        let (last, hash) = self.store.read(ctx).await?.audit_end(end.seq).await?;
        let is_same = hash.is_some_and(|hash| hash == end.leaf_hash);
        let indexed = if is_same { end.seq } else { 0 };
        let newest = last.min(below.saturating_sub(1));
        if newest < 1 {
            return Ok(Next::Nothing);
        }
        if newest <= indexed {
            return Ok(Next::Indexed(newest));
        }
        if last - indexed <= FEW {
            return Ok(Next::AlmostIndexed);
        }
        let read = self.store.read_long(ctx, move |tx| {
            Box::pin(async move { Ok::<_, Error>(tx.audit_before(below, STRETCH).await?) })
        });
        Ok(Next::Read(read.await?))
    }

    /// Adds the tenant's entries that the index does not hold yet, and returns the number of the last one. A background task does it all the
    /// time, so a search finds few of them.
    async fn index_audit(&self, ctx: &Ctx) -> Result<i64, Error> {
        let (tenant, index) = (ctx.tenant(), &self.search.index);
        let feeding = self.search.feeding(tenant);
        let _one_at_a_time = feeding.lock().await;
        loop {
            if !index.is_open() {
                self.search.blocking(AuditIndex::open).await?;
            }
            let end = index.end(tenant);
            let entries = match self.log_after(ctx, &end).await? {
                Log::Ends => return Ok(end.seq),
                Log::Continues(entries) => entries,
                Log::IsAnother => {
                    tracing::warn!(%tenant, seq = end.seq, "the search index holds entries of another log; it is built again");
                    self.search.blocking(AuditIndex::clear).await?;
                    continue;
                }
            };
            let last = entries.last().map_or(end.seq, |last| last.seq);
            let is_last = (entries.len() as i64) < STRETCH;
            let of_tenant = tenant.clone();
            let added = self
                .search
                .blocking(move |index| {
                    let added = add(index, &of_tenant, &end, &entries);
                    if index.is_full() {
                        index.store()?;
                    }
                    Ok(added)
                })
                .await?;
            if added && is_last {
                return Ok(last);
            }
        }
    }

    async fn log_after(&self, ctx: &Ctx, end: &LogPosition) -> Result<Log, Error> {
        // Nearly always there is nothing new.
        let log = compare(&mut self.store.read(ctx).await?, end).await?;
        if !matches!(log, Log::Continues(_)) {
            return Ok(log);
        }
        let end = end.clone();
        let read = self.store.read_long(ctx, move |tx| {
            Box::pin(async move {
                match compare(tx, &end).await? {
                    Log::Continues(_) => Ok(Log::Continues(tx.audit_to_index(end.seq, STRETCH).await?)),
                    log => Ok::<_, Error>(log),
                }
            })
        });
        read.await
    }

    /// Adds new entries of all tenants to the search index, and stores them when they are many.
    pub async fn index_audit_logs(&self) -> Result<(), Error> {
        for tenant in self.store.tenants().await? {
            self.index_audit(&Ctx::system(tenant, &self.runtime)).await?;
        }
        if self.search.index.is_due() {
            self.search.blocking(AuditIndex::store).await?;
        }
        Ok(())
    }
}

/// Compares the index's end with the log, without reading the entries that follow.
async fn compare(tx: &mut ReadTx, end: &LogPosition) -> Result<Log, Error> {
    let (last, hash) = tx.audit_end(end.seq).await?;
    Ok(match hash {
        _ if end.seq == 0 && last == 0 => Log::Ends,
        _ if end.seq == 0 => Log::Continues(Vec::new()),
        Some(hash) if hash == end.leaf_hash && last == end.seq => Log::Ends,
        Some(hash) if hash == end.leaf_hash => Log::Continues(Vec::new()),
        _ => Log::IsAnother,
    })
}

/// Adds entries that follow `end`. Returns `false` if the index does not end there any more.
fn add(index: &AuditIndex, tenant: &TenantId, end: &LogPosition, entries: &[EntryToIndex]) -> bool {
    let Some(last) = entries.last() else { return true };
    let to = LogPosition {
        seq: last.seq,
        leaf_hash: last.leaf_hash.clone(),
    };
    index.add(
        tenant,
        end,
        entries.iter().filter_map(|entry| document(tenant, entry)).collect(),
        to,
    )
}

fn document(tenant: &TenantId, entry: &EntryToIndex) -> Option<Document> {
    let content = entry.content.as_ref()?;
    let terms = content.terms(&entry.event, entry.action_id.as_deref());
    Some(Document::new(tenant, entry.seq, entry.at, &terms))
}
