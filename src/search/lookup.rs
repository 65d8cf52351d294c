//! Finds the newest matching entries in the stored part of the index.

use super::SearchError;
use super::document::Wanted;
use super::segments::{AT, KEYS, SEQ};
use std::sync::Arc;
use tantivy::columnar::ColumnValues;
use tantivy::index::{InvertedIndexReader, SegmentReader};
use tantivy::postings::SegmentPostings;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet, Searcher, TERMINATED};

/// The segments at one moment, those with the newest entries first. A view never changes.
#[derive(Clone, Default)]
pub(super) struct View(Arc<[Arc<Segment>]>);

/// A segment that is open.
struct Segment {
    reader: SegmentReader,
    keys: Arc<InvertedIndexReader>,
    seqs: Arc<dyn ColumnValues<i64>>,
    times: Arc<dyn ColumnValues<i64>>,
}

impl View {
    /// The segments of a searcher. Segments that were open before stay open.
    pub(super) fn reloaded(&self, searcher: &Searcher) -> Result<Self, SearchError> {
        let mut segments = Vec::with_capacity(searcher.segment_readers().len());
        for reader in searcher.segment_readers() {
            let same = |known: &&Arc<Segment>| {
                known.reader.segment_id() == reader.segment_id()
                    && known.reader.num_deleted_docs() == reader.num_deleted_docs()
            };
            segments.push(match self.0.iter().find(same) {
                Some(known) => known.clone(),
                None => Arc::new(Segment::open(reader)?),
            });
        }
        segments.sort_by_key(|segment| std::cmp::Reverse(segment.newest()));
        Ok(Self(segments.into()))
    }

    /// The numbers of the newest entries that are wanted, newest first.
    pub(super) fn newest(&self, wanted: &Wanted) -> Result<Vec<i64>, SearchError> {
        let mut found: Vec<i64> = Vec::new();
        for segment in self.0.iter() {
            // The following segments have only older entries.
            if found.len() >= wanted.limit && found.last().is_some_and(|oldest| *oldest > segment.newest()) {
                break;
            }
            segment.find(wanted, &mut found)?;
            found.sort_unstable_by(|one, two| two.cmp(one));
            found.dedup();
            found.truncate(wanted.limit);
        }
        Ok(found)
    }

    /// The number of stored documents.
    pub(super) fn documents(&self) -> u64 {
        self.0.iter().map(|segment| u64::from(segment.reader.num_docs())).sum()
    }

    /// The number of segments.
    pub(super) fn segments(&self) -> usize {
        self.0.len()
    }
}

impl Segment {
    fn open(reader: &SegmentReader) -> Result<Self, SearchError> {
        let column = |name: &str| Ok::<_, SearchError>(reader.fast_fields().i64(name)?.first_or_default_col(0));
        let keys: Field = reader.schema().get_field(KEYS)?;
        let segment = Self {
            reader: reader.clone(),
            keys: reader.inverted_index(keys)?,
            seqs: column(SEQ)?,
            times: column(AT)?,
        };
        // Searches rely on the order. Without this check, they would miss entries of a segment that is not sorted.
        let docs = 0..reader.max_doc();
        if docs.clone().skip(1).any(|doc| segment.seq(doc) > segment.seq(doc - 1)) {
            return Err(SearchError::Unsound("a segment is not sorted".to_owned()));
        }
        Ok(segment)
    }

    fn seq(&self, doc: DocId) -> i64 {
        self.seqs.get_val(doc)
    }

    /// The number of the newest entry, of whatever tenant.
    fn newest(&self) -> i64 {
        match self.reader.max_doc() {
            0 => 0,
            _ => self.seq(0),
        }
    }

    /// The first document whose entry has a number smaller than `before`.
    fn first_before(&self, before: i64) -> DocId {
        let (mut low, mut high) = (0, self.reader.max_doc());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.seq(middle) < before {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// Adds the numbers of the newest wanted entries of this segment.
    fn find(&self, wanted: &Wanted, found: &mut Vec<i64>) -> Result<(), SearchError> {
        let (from, until) = (self.times.min_value(), self.times.max_value());
        let first = self.first_before(wanted.before);
        if until < wanted.from || from >= wanted.until || first >= self.reader.max_doc() {
            return Ok(());
        }
        let mut terms = Vec::with_capacity(wanted.keys.len());
        for key in &wanted.keys {
            match self.keys.terms().get(key)? {
                Some(term) => terms.push(term),
                None => return Ok(()),
            }
        }
        // The rarest term leads, the others only confirm.
        terms.sort_by_key(|term| term.doc_freq);
        let mut lists = Vec::with_capacity(terms.len());
        for term in &terms {
            lists.push(self.keys.read_postings_from_terminfo(term, IndexRecordOption::Basic)?);
        }
        let Some((lead, others)) = lists.split_first_mut() else {
            return Ok(());
        };
        let alive = self.reader.alive_bitset();
        let (mut doc, mut left) = (advance_to(lead, first), wanted.limit);
        while doc != TERMINATED && left > 0 {
            if let Some(next) = others
                .iter_mut()
                .map(|other| advance_to(other, doc))
                .find(|at| *at != doc)
            {
                doc = if next == TERMINATED {
                    next
                } else {
                    advance_to(lead, next)
                };
                continue;
            }
            let is_alive = alive.is_none_or(|alive| alive.is_alive(doc));
            if is_alive && wanted.admits_time(self.times.get_val(doc)) {
                found.push(self.seq(doc));
                left -= 1;
            }
            doc = lead.advance();
        }
        Ok(())
    }
}

/// The first document of the list from `doc` on.
fn advance_to(list: &mut SegmentPostings, doc: DocId) -> DocId {
    if list.doc() < doc { list.seek(doc) } else { list.doc() }
}
