//! What the index holds of an audit entry.

use crate::audit::Terms;
use crate::domain::{TenantId, Timestamp, canonical};
use std::ops::Range;

/// The searchable part of an audit entry.
///
/// Thousands of documents wait in memory, so the keys of one are in one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    seq: i64,
    at: Timestamp,
    /// The tenant, and the values of fields in this tenant.
    values: Keys,
    /// The words of the texts in this tenant.
    words: Keys,
    /// The place of each word.
    places: Box<[u32]>,
}

/// Sorted keys in one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Keys {
    bytes: Box<[u8]>,
    /// Where each key ends.
    ends: Box<[u32]>,
}

impl Keys {
    fn new<'a>(keys: impl Iterator<Item = &'a [u8]>) -> Self {
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for key in keys {
            bytes.extend_from_slice(key);
            ends.push(bytes.len() as u32);
        }
        let (bytes, ends) = (bytes.into(), ends.into());
        Self { bytes, ends }
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, index: usize) -> &[u8] {
        let end_of = |index: usize| self.ends.get(index).map_or(0, |end| *end as usize);
        let start = index.checked_sub(1).map_or(0, end_of);
        self.bytes.get(start..end_of(index)).unwrap_or_default()
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// Where a key stands.
    fn find(&self, key: &[u8]) -> Range<usize> {
        let first_with = |is_before: fn(&[u8], &[u8]) -> bool| {
            let (mut low, mut high) = (0, self.len());
            while low < high {
                let middle = low + (high - low) / 2;
                if is_before(self.get(middle), key) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            low
        };
        first_with(|one, key| one < key)..first_with(|one, key| one <= key)
    }
}

impl Document {
    /// The document of an entry with these terms.
    pub fn new(tenant: &TenantId, seq: i64, at: Timestamp, terms: &Terms) -> Self {
        let mut values: Vec<Vec<u8>> = terms.values.iter().map(|value| key(tenant, value)).collect();
        values.push(key(tenant, ""));
        values.sort_unstable();
        values.dedup();
        let words = terms.words.iter().map(|(place, word)| (key(tenant, word), *place));
        let mut words: Vec<(Vec<u8>, u32)> = words.collect();
        words.sort_unstable();
        words.dedup();
        Self {
            seq,
            at,
            values: Keys::new(values.iter().map(Vec::as_slice)),
            words: Keys::new(words.iter().map(|(word, _)| word.as_slice())),
            places: words.iter().map(|(_, place)| *place).collect(),
        }
    }

    /// The number of the entry.
    pub(super) fn seq(&self) -> i64 {
        self.seq
    }

    /// The time of the entry.
    pub(super) fn at(&self) -> Timestamp {
        self.at
    }

    /// The number of keys, which is what the document costs.
    pub(super) fn size(&self) -> usize {
        self.values.len() + self.words.len()
    }

    /// The document's tenant, and the values of its fields in this tenant.
    pub(super) fn values(&self) -> impl Iterator<Item = &[u8]> {
        self.values.iter()
    }

    /// The words with their places. The places of one word are in their order.
    pub(super) fn words(&self) -> impl Iterator<Item = (&[u8], u32)> {
        self.words.iter().zip(self.places.iter().copied())
    }

    /// Whether a field has this value.
    pub(super) fn has_value(&self, value: &[u8]) -> bool {
        !self.values.find(value).is_empty()
    }

    /// Whether a text has these words at these distances.
    pub(super) fn has_words(&self, words: &[(u32, Vec<u8>)]) -> bool {
        let Some(((first_at, first), others)) = words.split_first() else {
            return false;
        };
        let has = |word: &[u8], place: u32| {
            self.places
                .get(self.words.find(word))
                .is_some_and(|places| places.binary_search(&place).is_ok())
        };
        let starts = self.places.get(self.words.find(first)).unwrap_or_default();
        starts
            .iter()
            .any(|start| others.iter().all(|(at, word)| has(word, start + (at - first_at))))
    }
}

/// Longer terms are replaced by their hash, because the index refuses very long keys.
const LONGEST: usize = 512;

/// A tenant's key for a term. The tenant's name consists of a-z, 0-9 and hyphens, so the first separator ends it.
pub(super) fn key(tenant: &TenantId, term: &str) -> Vec<u8> {
    const SEPARATOR: u8 = b'/';
    let hash;
    let term = if term.len() > LONGEST {
        hash = canonical::sha256_hex(term.as_bytes());
        &hash
    } else {
        term
    };
    [tenant.as_str().as_bytes(), &[SEPARATOR], term.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::parse(name).unwrap()
    }

    #[test]
    fn a_key_belongs_to_one_tenant_and_stays_short() {
        assert_eq!(key(&tenant("acme"), "key:a/b"), b"acme/key:a/b");
        assert_ne!(key(&tenant("acme"), "key:x"), key(&tenant("acme-2"), "key:x"));
        let long = |end: &str| key(&tenant("acme"), &format!("key:{}{end}", "k".repeat(100_000)));
        assert_ne!(long("a"), long("b"));
        assert!(long("a").len() < LONGEST);
    }

    #[test]
    fn a_document_has_its_tenant_and_each_value_once() {
        let terms = Terms {
            values: ["key:b", "key:a", "key:b"].map(str::to_owned).to_vec(),
            words: Vec::new(),
        };
        let document = Document::new(&tenant("acme"), 1, Timestamp(1), &terms);
        let values: Vec<&[u8]> = document.values().collect();
        assert_eq!(values, [&b"acme/"[..], b"acme/key:a", b"acme/key:b"]);
        assert_eq!(document.size(), 3);
        assert!(document.has_value(b"acme/key:a") && !document.has_value(b"acme/key:"));
        assert!(!document.has_value(b"globex/key:a"));
    }

    #[test]
    fn words_are_found_at_their_distances() {
        let words = [(0, "to"), (1, "be"), (2, "or"), (4, "to"), (5, "be"), (7, "x")];
        let terms = Terms {
            values: Vec::new(),
            words: words.map(|(at, word)| (at, word.to_owned())).to_vec(),
        };
        let acme = tenant("acme");
        let document = Document::new(&acme, 1, Timestamp(1), &terms);
        let has = |words: &[(u32, &str)]| {
            let words: Vec<(u32, Vec<u8>)> = words.iter().map(|(at, word)| (*at, key(&acme, word))).collect();
            document.has_words(&words)
        };
        assert!(has(&[(0, "be")]) && has(&[(0, "to"), (1, "be"), (2, "or")]) && has(&[(3, "be"), (5, "x")]));
        assert!(!has(&[(0, "be"), (1, "to")]) && !has(&[(0, "or"), (1, "to")]) && !has(&[(0, "not")]) && !has(&[]));
    }
}
