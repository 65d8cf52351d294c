//! Finds the newest matching entries in the stored part of the index.

use super::SearchError;
use super::matches::{Lists, Matches};
use super::segments::{AT, SEQ, VALUES, WORDS};
use super::wanted::Wanted;
use std::sync::Arc;
use tantivy::columnar::ColumnValues;
use tantivy::index::SegmentReader;
use tantivy::{DocId, Searcher, TERMINATED};

/// The segments at one moment, those with the newest entries first. A view never changes.
#[derive(Clone, Default)]
pub(super) struct View(Arc<[Arc<Segment>]>);

/// A segment that is open.
struct Segment {
    reader: SegmentReader,
    seqs: Arc<dyn ColumnValues<i64>>,
    lists: Lists,
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
        let inverted = |name: &str| Ok::<_, SearchError>(reader.inverted_index(reader.schema().get_field(name)?)?);
        let segment = Self {
            reader: reader.clone(),
            seqs: column(SEQ)?,
            lists: Lists {
                values: inverted(VALUES)?,
                words: inverted(WORDS)?,
                times: column(AT)?,
                end: reader.max_doc(),
            },
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
        let times = &self.lists.times;
        let first = self.first_before(wanted.before);
        let is_outside = times.max_value() < wanted.from || times.min_value() >= wanted.until;
        if is_outside || first >= self.reader.max_doc() {
            return Ok(());
        }
        let mut matches = Matches::new(&wanted.condition, &self.lists)?;
        let alive = self.reader.alive_bitset();
        let (mut doc, mut left) = (matches.first_from(first), wanted.limit);
        while doc != TERMINATED && left > 0 {
            if alive.is_none_or(|alive| alive.is_alive(doc)) {
                found.push(self.seq(doc));
                left -= 1;
            }
            doc = matches.first_from(doc + 1);
        }
        Ok(())
    }
}
