//! The stored part of the index: segments of tantivy.
//!
//! A segment is sorted by entry number, newest first, so that the newest matches of a common term are its first ones. Small segments are
//! merged, eight at a time, until they hold [`MOST`] entries. Larger segments would make a search of a rare term a little faster, but a merge
//! needs memory in proportion to its result.

use super::SearchError;
use super::document::{Document, key};
use super::files::Files;
use super::lookup::View;
use super::slot::Slot;
use super::stored::{Fields, Stored};
use crate::audit::{LogPosition, terms_fingerprint};
use crate::domain::TenantId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use tantivy::directory::{Directory, RamDirectory};
use tantivy::index::{Index, IndexSettings, IndexSortByField, Order, SegmentId, SegmentMeta};
use tantivy::indexer::{IndexWriterOptions, NoMergePolicy};
use tantivy::query::{BooleanQuery, Query, RangeQuery, TermQuery};
use tantivy::schema::{BytesOptions, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions};
use tantivy::store::Compressor;
use tantivy::{IndexReader, IndexWriter, ReloadPolicy, Term};

/// The version of this module's format. A new one makes every node build its index again.
const FORMAT: u32 = 2;
/// The entries of the largest segments.
const MOST: u32 = 65_536;
/// Segments of about one size that are merged into one.
const TOGETHER: usize = 8;
/// The memory for new entries, in bytes: the least that the library accepts. A batch of entries needs a third of it.
const WRITER_MEMORY: usize = 15_000_000;

/// The name of the field for tenants and values.
pub(super) const VALUES: &str = "values";
/// The name of the field for words.
pub(super) const WORDS: &str = "words";
/// The name of the field for entry numbers, by which segments are sorted.
pub(super) const SEQ: &str = "seq";
/// The name of the field for times.
pub(super) const AT: &str = "at";

fn schema() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let number = || NumericOptions::default().set_fast();
    let words = TextFieldIndexing::default()
        .set_tokenizer("raw")
        .set_fieldnorms(false)
        .set_index_option(IndexRecordOption::WithFreqsAndPositions);
    let fields = Fields {
        values: schema.add_bytes_field(VALUES, BytesOptions::default().set_indexed()),
        words: schema.add_text_field(WORDS, TextOptions::default().set_indexing_options(words)),
        seq: schema.add_i64_field(SEQ, number()),
        at: schema.add_i64_field(AT, number()),
    };
    (schema.build(), fields)
}

fn settings() -> IndexSettings {
    IndexSettings {
        sort_by_field: Some(IndexSortByField {
            field: SEQ.to_owned(),
            order: Order::Desc,
        }),
        docstore_compression: Compressor::None,
        docstore_compress_dedicated_thread: false,
        ..IndexSettings::default()
    }
}

/// What is stored with each commit of the index.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    /// [`version`] when it was written.
    version: String,
    /// The last entry of each tenant's log.
    positions: BTreeMap<TenantId, LogPosition>,
}

/// What must be equal for an index to be used.
fn version() -> String {
    format!("{FORMAT} {}", terms_fingerprint())
}

/// A tenant's new documents, and the last entry of its log that they include.
pub(super) struct Addition {
    pub(super) tenant: TenantId,
    pub(super) documents: Vec<Arc<Document>>,
    pub(super) to: LogPosition,
}

/// An open index that this process alone writes.
pub(super) struct Segments {
    fields: Fields,
    reader: IndexReader,
    writer: IndexWriter<Stored>,
    view: View,
    positions: BTreeMap<TenantId, LogPosition>,
    /// The index's folder; `None` if it is in memory. It is dropped last, because it holds the lock.
    slot: Option<Slot>,
}

impl Segments {
    /// An empty index in memory.
    pub(super) fn in_memory() -> Result<Self, SearchError> {
        Self::with(RamDirectory::create().into(), None)
    }

    /// Opens an index below this folder. An index that is missing, damaged or of another version is replaced by an empty one.
    pub(super) fn open(parent: &Path) -> Result<Self, SearchError> {
        Self::open_slot(Slot::acquire(parent)?)
    }

    /// Whether the index is in files.
    pub(super) fn is_in_folder(&self) -> bool {
        self.slot.is_some()
    }

    /// The same index, empty.
    pub(super) fn emptied(self) -> Result<Self, SearchError> {
        let slot = self.slot;
        // The writer's threads end here.
        drop(self.writer);
        match slot {
            None => Self::in_memory(),
            Some(slot) => Self::empty_slot(slot),
        }
    }

    fn open_slot(slot: Slot) -> Result<Self, SearchError> {
        match Self::with(Files::new(slot.folder().to_owned()).into(), None) {
            Ok(segments) => Ok(Self {
                slot: Some(slot),
                ..segments
            }),
            Err(error) => {
                tracing::warn!(%error, folder = %slot.folder().display(), "the search index is built again");
                Self::empty_slot(slot)
            }
        }
    }

    fn empty_slot(slot: Slot) -> Result<Self, SearchError> {
        slot.clear()?;
        let files = Files::new(slot.folder().to_owned());
        Self::with(files.into(), Some(slot))
    }

    fn with(files: Box<dyn Directory>, slot: Option<Slot>) -> Result<Self, SearchError> {
        let (schema, fields) = schema();
        let index = Index::builder()
            .schema(schema)
            .settings(settings())
            .open_or_create(files)?;
        let positions = sound(&index)?;
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(0)
            .try_into()?;
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .memory_budget_per_thread(WRITER_MEMORY)
            .build();
        let writer: IndexWriter<Stored> = index.writer_with_options(options)?;
        // Merges run when this module asks for them.
        writer.set_merge_policy(Box::new(NoMergePolicy));
        Ok(Self {
            fields,
            view: View::default().reloaded(&reader.searcher())?,
            reader,
            writer,
            positions,
            slot,
        })
    }

    /// What searches read.
    pub(super) fn view(&self) -> View {
        self.view.clone()
    }

    /// The last entry of each tenant's log.
    pub(super) fn positions(&self) -> &BTreeMap<TenantId, LogPosition> {
        &self.positions
    }

    /// Adds documents, all or none.
    pub(super) fn add(&mut self, additions: &[Addition]) -> Result<(), SearchError> {
        let mut positions = self.positions.clone();
        for addition in additions {
            for document in &addition.documents {
                self.writer.add_document(Stored {
                    document: document.clone(),
                    fields: self.fields,
                })?;
            }
            positions.insert(addition.tenant.clone(), addition.to.clone());
        }
        self.commit(positions)
    }

    fn commit(&mut self, positions: BTreeMap<TenantId, LogPosition>) -> Result<(), SearchError> {
        let payload = Payload {
            version: version(),
            positions,
        };
        let text = serde_json::to_string(&payload).map_err(|error| SearchError::Unsound(error.to_string()))?;
        let mut prepared = self.writer.prepare_commit()?;
        prepared.set_payload(&text);
        prepared.commit()?;
        self.positions = payload.positions;
        self.reload()
    }

    fn reload(&mut self) -> Result<(), SearchError> {
        self.reader.reload()?;
        self.view = self.view.reloaded(&self.reader.searcher())?;
        Ok(())
    }

    /// Merges some small segments. Returns `false` if there is nothing to merge.
    pub(super) fn merge(&mut self) -> Result<bool, SearchError> {
        let Some(together) = to_merge(&self.writer.index().searchable_segment_metas()?) else {
            return Ok(false);
        };
        self.writer.merge(&together).wait()?;
        self.reload()?;
        Ok(true)
    }

    /// Removes documents, also from the files: segments with removed documents are written again without them.
    pub(super) fn remove(&mut self, tenant: &TenantId, seqs: &BTreeSet<i64>) -> Result<(), SearchError> {
        for seq in seqs {
            let number = Bound::Included(Term::from_field_i64(self.fields.seq, *seq));
            let of_tenant = Term::from_field_bytes(self.fields.values, &key(tenant, ""));
            let query: [Box<dyn Query>; 2] = [
                Box::new(TermQuery::new(of_tenant, IndexRecordOption::Basic)),
                Box::new(RangeQuery::new(number.clone(), number)),
            ];
            self.writer
                .delete_query(Box::new(BooleanQuery::intersection(query.into())))?;
        }
        self.commit(self.positions.clone())?;
        for segment in self.writer.index().searchable_segment_metas()? {
            if segment.has_deletes() {
                self.writer.merge(&[segment.id()]).wait()?;
            }
        }
        self.reload()?;
        self.writer.garbage_collect_files().wait()?;
        Ok(())
    }
}

/// The positions of an index, if all of its files are complete and of this version.
fn sound(index: &Index) -> Result<BTreeMap<TenantId, LogPosition>, SearchError> {
    let unsound = |why: &str| Err(SearchError::Unsound(why.to_owned()));
    if *index.settings() != settings() {
        return unsound("it has other settings");
    }
    let meta = index.load_metas()?;
    let Some(payload) = meta.payload else {
        return match meta.segments.as_slice() {
            [] => Ok(BTreeMap::new()),
            _ => unsound("nothing says which entries it holds"),
        };
    };
    let Ok(payload) = serde_json::from_str::<Payload>(&payload) else {
        return unsound("it says in another way which entries it holds");
    };
    if payload.version != version() {
        return unsound("it is of another version");
    }
    // The library compares the checksums of files on its list only.
    let listed = index.directory().list_managed_files();
    for segment in &meta.segments {
        let id = segment.id().uuid_string();
        if !listed.iter().any(|path| path.to_string_lossy().starts_with(&id)) {
            return unsound("the list of its files is incomplete");
        }
    }
    let damaged = index.validate_checksum()?;
    if !damaged.is_empty() {
        return unsound(&format!("files are damaged: {damaged:?}"));
    }
    Ok(payload.positions)
}

/// The smallest segments of about one size, if there are enough of them.
fn to_merge(segments: &[SegmentMeta]) -> Option<Vec<SegmentId>> {
    let mut sizes: BTreeMap<u32, Vec<&SegmentMeta>> = BTreeMap::new();
    for segment in segments.iter().filter(|segment| segment.max_doc() < MOST / 2) {
        let size = segment.max_doc().max(1).ilog2() / TOGETHER.ilog2();
        sizes.entry(size).or_default().push(segment);
    }
    let mut group = sizes.into_values().find(|group| group.len() >= TOGETHER)?;
    group.sort_by_key(|segment| segment.max_doc());
    let mut sum = 0;
    let fitting = group.iter().take(TOGETHER).take_while(|segment| {
        sum += segment.max_doc();
        sum <= MOST
    });
    let together: Vec<SegmentId> = fitting.map(|segment| segment.id()).collect();
    (together.len() > 1).then_some(together)
}
