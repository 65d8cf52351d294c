//! The documents of a segment that fulfil a condition, in the order of the segment.
//!
//! The library's own queries are not used: in version 0.27 a phrase that is excluded is asked for documents behind which it already is, against its
//! contract, and misses some.

use super::SearchError;
use super::wanted::Condition;
use std::sync::Arc;
use tantivy::columnar::ColumnValues;
use tantivy::index::InvertedIndexReader;
use tantivy::postings::{Postings, SegmentPostings};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, TERMINATED};

/// What a segment has to find documents by.
pub(super) struct Lists {
    pub(super) values: Arc<InvertedIndexReader>,
    pub(super) words: Arc<InvertedIndexReader>,
    pub(super) times: Arc<dyn ColumnValues<i64>>,
    /// The number of documents, of whatever tenant.
    pub(super) end: DocId,
}

/// The documents that fulfil a condition.
pub(super) struct Matches {
    kind: Kind,
    /// The last answer of [`Matches::first_from`].
    at: Option<DocId>,
}

enum Kind {
    Nothing,
    List(Box<SegmentPostings>),
    Phrase(Vec<Word>),
    Period {
        times: Arc<dyn ColumnValues<i64>>,
        from: i64,
        until: i64,
        end: DocId,
    },
    Not {
        inner: Box<Matches>,
        end: DocId,
    },
    And(Vec<Matches>),
    Or(Vec<Matches>),
}

/// A word of a phrase.
struct Word {
    list: SegmentPostings,
    /// The distance from the first word.
    distance: u32,
    /// The places in the document at which the list stands.
    places: Vec<u32>,
}

impl Matches {
    /// The documents of a segment that fulfil the condition.
    pub(super) fn new(condition: &Condition, lists: &Lists) -> Result<Self, SearchError> {
        let all = |conditions: &[Condition]| -> Result<Vec<Self>, SearchError> {
            conditions.iter().map(|one| Self::new(one, lists)).collect()
        };
        let kind = match condition {
            Condition::Value(value) => match list(&lists.values, value, IndexRecordOption::Basic)? {
                Some(list) => Kind::List(Box::new(list)),
                None => Kind::Nothing,
            },
            Condition::Words(words) => phrase(words, lists)?,
            Condition::Period { from, until } => Kind::Period {
                times: lists.times.clone(),
                from: *from,
                until: *until,
                end: lists.end,
            },
            Condition::Not(inner) => Kind::Not {
                inner: Box::new(Self::new(inner, lists)?),
                end: lists.end,
            },
            Condition::And(conditions) => {
                let mut parts = all(conditions)?;
                // The rarest leads, the others only confirm.
                parts.sort_by_key(Self::cost);
                Kind::And(parts)
            }
            Condition::Or(conditions) => {
                let mut parts = all(conditions)?;
                parts.retain(|part| !matches!(part.kind, Kind::Nothing));
                match parts.pop() {
                    None => Kind::Nothing,
                    Some(only) if parts.is_empty() => only.kind,
                    Some(last) => {
                        parts.push(last);
                        Kind::Or(parts)
                    }
                }
            }
        };
        Ok(Self { kind, at: None })
    }

    /// About how many documents there are.
    fn cost(&self) -> u32 {
        match &self.kind {
            Kind::Nothing => 0,
            Kind::List(list) => list.doc_freq(),
            Kind::Phrase(words) => words.iter().map(|word| word.list.doc_freq()).min().unwrap_or(0),
            Kind::Period { .. } => u32::MAX - 1,
            Kind::Not { .. } => u32::MAX,
            Kind::And(parts) => parts.iter().map(Self::cost).min().unwrap_or(0),
            Kind::Or(parts) => parts.iter().map(Self::cost).fold(0, u32::saturating_add),
        }
    }

    /// The first document from `doc` on; [`TERMINATED`] if there is none. Callers ask with growing numbers.
    pub(super) fn first_from(&mut self, doc: DocId) -> DocId {
        if let Some(at) = self.at.filter(|at| *at >= doc) {
            return at;
        }
        let at = match &mut self.kind {
            Kind::Nothing => TERMINATED,
            Kind::List(list) => advance_to(list, doc),
            Kind::Phrase(words) => first_phrase(words, doc),
            Kind::Period {
                times,
                from,
                until,
                end,
            } => {
                let is_in = |doc: &DocId| (*from..*until).contains(&times.get_val(*doc));
                (doc..*end).find(is_in).unwrap_or(TERMINATED)
            }
            Kind::Not { inner, end } => (doc..*end)
                .find(|doc| inner.first_from(*doc) != *doc)
                .unwrap_or(TERMINATED),
            Kind::And(parts) => first_common(parts, doc),
            Kind::Or(parts) => parts
                .iter_mut()
                .map(|part| part.first_from(doc))
                .min()
                .unwrap_or(TERMINATED),
        };
        self.at = Some(at);
        at
    }
}

/// The first document from `doc` on that all parts have. There is at least one part.
fn first_common(parts: &mut [Matches], mut doc: DocId) -> DocId {
    while doc != TERMINATED {
        match parts.iter_mut().map(|part| part.first_from(doc)).find(|at| *at != doc) {
            Some(next) => doc = next,
            None => return doc,
        }
    }
    TERMINATED
}

/// The first document from `doc` on that has all words at their distances.
fn first_phrase(words: &mut [Word], mut doc: DocId) -> DocId {
    while doc != TERMINATED {
        match words
            .iter_mut()
            .map(|word| advance_to(&mut word.list, doc))
            .find(|at| *at != doc)
        {
            Some(next) => doc = next,
            None if is_phrase(words) => return doc,
            None => doc += 1,
        }
    }
    TERMINATED
}

/// Whether the document at which all lists stand has the words at their distances.
fn is_phrase(words: &mut [Word]) -> bool {
    for word in words.iter_mut() {
        word.list.positions(&mut word.places);
    }
    let Some((first, others)) = words.split_first() else {
        return false;
    };
    let follows = |start: &u32| {
        let has = |word: &Word| word.places.binary_search(&(start + word.distance)).is_ok();
        others.iter().all(has)
    };
    first.places.iter().any(follows)
}

fn phrase(words: &[(u32, Vec<u8>)], lists: &Lists) -> Result<Kind, SearchError> {
    let option = match words {
        [] | [_] => IndexRecordOption::Basic,
        _ => IndexRecordOption::WithFreqsAndPositions,
    };
    let mut found = Vec::with_capacity(words.len());
    for (at, word) in words {
        let Some(list) = list(&lists.words, word, option)? else {
            return Ok(Kind::Nothing);
        };
        found.push(Word {
            list,
            distance: at - words.first().map_or(0, |(first, _)| *first),
            places: Vec::new(),
        });
    }
    Ok(match found.pop() {
        None => Kind::Nothing,
        Some(only) if found.is_empty() => Kind::List(Box::new(only.list)),
        Some(last) => {
            found.push(last);
            Kind::Phrase(found)
        }
    })
}

fn list(
    reader: &InvertedIndexReader,
    key: &[u8],
    option: IndexRecordOption,
) -> Result<Option<SegmentPostings>, SearchError> {
    let Some(term) = reader.terms().get(key)? else {
        return Ok(None);
    };
    Ok(Some(reader.read_postings_from_terminfo(&term, option)?))
}

/// The first document of the list from `doc` on.
fn advance_to(list: &mut SegmentPostings, doc: DocId) -> DocId {
    if list.doc() < doc { list.seek(doc) } else { list.doc() }
}
