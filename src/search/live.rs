//! What searches read, at one moment: the stored segments and the documents that wait in memory.

use super::document::Document;
use super::lookup::View;
use super::segments::{Addition, Segments};
use super::wanted::Wanted;
use crate::audit::LogPosition;
use crate::domain::TenantId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The state of the index that is not in its files.
#[derive(Default)]
pub(super) struct Live {
    /// Whether the view is that of the stored part.
    pub(super) is_open: bool,
    pub(super) view: View,
    logs: BTreeMap<TenantId, Log>,
}

/// A tenant's log in the index.
#[derive(Default)]
struct Log {
    /// The last entry that the index holds.
    end: LogPosition,
    /// The documents that are not stored yet, oldest first, all of them newer than the stored ones.
    waiting: Vec<Arc<Document>>,
}

impl Live {
    /// An open index without entries.
    pub(super) fn empty() -> Self {
        Self {
            is_open: true,
            ..Self::default()
        }
    }

    /// Exactly what is stored.
    pub(super) fn stored(segments: &Segments) -> Self {
        let log = |(tenant, end): (&TenantId, &LogPosition)| {
            let (end, waiting) = (end.clone(), Vec::new());
            (tenant.clone(), Log { end, waiting })
        };
        Self {
            is_open: true,
            view: segments.view(),
            logs: segments.positions().iter().map(log).collect(),
        }
    }

    /// The last entry of the tenant's log that the index holds.
    pub(super) fn end(&self, tenant: &TenantId) -> LogPosition {
        self.logs.get(tenant).map(|log| log.end.clone()).unwrap_or_default()
    }

    /// Adds documents, if the index ends at `after`.
    pub(super) fn add(
        &mut self,
        tenant: &TenantId,
        after: &LogPosition,
        documents: Vec<Document>,
        to: LogPosition,
    ) -> bool {
        if !self.is_open || self.end(tenant) != *after {
            return false;
        }
        let log = self.logs.entry(tenant.clone()).or_default();
        log.waiting.extend(documents.into_iter().map(Arc::new));
        log.end = to;
        true
    }

    /// The number of waiting documents, and of their terms.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let documents = || self.logs.values().flat_map(|log| &log.waiting);
        (documents().count(), documents().map(|document| document.size()).sum())
    }

    /// What waits, to be stored.
    pub(super) fn additions(&self) -> Vec<Addition> {
        let waiting = self.logs.iter().filter(|(_, log)| !log.waiting.is_empty());
        waiting
            .map(|(tenant, log)| Addition {
                tenant: tenant.clone(),
                documents: log.waiting.clone(),
                to: log.end.clone(),
            })
            .collect()
    }

    /// Reads these documents from the segments from now on. Documents that were added meanwhile go on waiting.
    pub(super) fn have_stored(&mut self, additions: &[Addition], view: View) {
        self.view = view;
        for addition in additions {
            if let Some(log) = self.logs.get_mut(&addition.tenant) {
                log.waiting.drain(..addition.documents.len());
            }
        }
    }

    /// Removes waiting documents.
    pub(super) fn forget(&mut self, tenant: &TenantId, seqs: &BTreeSet<i64>) {
        if let Some(log) = self.logs.get_mut(tenant) {
            log.waiting.retain(|document| !seqs.contains(&document.seq()));
        }
    }

    /// The numbers of the newest waiting documents that are wanted; `None` if the index does not hold the log up to entry `to`.
    pub(super) fn newest(&self, tenant: &TenantId, to: i64, wanted: &Wanted) -> Option<Vec<i64>> {
        let log = self.logs.get(tenant);
        if !self.is_open || log.map_or(0, |log| log.end.seq) < to {
            return None;
        }
        let waiting = log.map_or(&[][..], |log| &log.waiting);
        let newest = waiting.iter().rev().filter(|document| wanted.admits(document));
        Some(newest.take(wanted.limit).map(|document| document.seq()).collect())
    }
}
