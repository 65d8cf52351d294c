//! What the index holds of an audit entry, and what a search wants.

use crate::domain::{AuditQuery, TenantId, Term, Timestamp, canonical};

/// The searchable part of an audit entry.
///
/// Thousands of documents wait in memory, so the keys of one are in one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    seq: i64,
    at: Timestamp,
    keys: Box<[u8]>,
    /// Where each key ends.
    ends: Box<[u32]>,
}

impl Document {
    /// The document of an entry with these terms, in the form of [`Term::indexed`].
    pub fn new(tenant: &TenantId, seq: i64, at: Timestamp, mut terms: Vec<String>) -> Self {
        terms.sort_unstable();
        terms.dedup();
        let (mut keys, mut ends) = (key(tenant, ""), Vec::with_capacity(terms.len() + 1));
        ends.push(keys.len() as u32);
        for term in &terms {
            keys.extend(key(tenant, term));
            ends.push(keys.len() as u32);
        }
        let (keys, ends) = (keys.into(), ends.into());
        Self { seq, at, keys, ends }
    }

    /// Whether the document has all terms of the tenant's query and is of its period.
    pub fn matches(&self, tenant: &TenantId, query: &AuditQuery) -> bool {
        Wanted::new(tenant, query, i64::MAX, 0).admits(self)
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
        self.ends.len()
    }

    /// What the index finds the document by: its tenant, and each of its terms in this tenant.
    pub(super) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let key = self.keys.get(start..*end as usize).unwrap_or_default();
            start = *end as usize;
            key
        })
    }
}

/// What a search wants: the documents with all of these keys, limited to the entries before a number.
pub(super) struct Wanted {
    /// Each key begins with the tenant's name, so a search cannot find the entries of another tenant.
    pub(super) keys: Vec<Vec<u8>>,
    /// Entries with a smaller number.
    pub(super) before: i64,
    /// Entries from this time on.
    pub(super) from: i64,
    /// Entries before this time.
    pub(super) until: i64,
    /// The most entries.
    pub(super) limit: usize,
}

impl Wanted {
    /// A query without terms wants every document of the tenant.
    pub(super) fn new(tenant: &TenantId, query: &AuditQuery, before: i64, limit: usize) -> Self {
        let mut keys: Vec<Vec<u8>> = query
            .terms
            .iter()
            .map(|term| key(tenant, &Term::indexed(term)))
            .collect();
        if keys.is_empty() {
            keys.push(key(tenant, ""));
        }
        Self {
            keys,
            before,
            from: query.after.map_or(i64::MIN, |time| time.0),
            until: query.before.map_or(i64::MAX, |time| time.0),
            limit,
        }
    }

    /// Whether a document is wanted.
    pub(super) fn admits(&self, document: &Document) -> bool {
        document.seq < self.before
            && self.admits_time(document.at.0)
            && self.keys.iter().all(|wanted| document.keys().any(|key| key == wanted))
    }

    pub(super) fn admits_time(&self, at: i64) -> bool {
        (self.from..self.until).contains(&at)
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

    #[test]
    fn a_key_belongs_to_one_tenant_and_stays_short() {
        let tenant = |name: &str| TenantId::parse(name).unwrap();
        assert_eq!(key(&tenant("acme"), "word:a/b"), b"acme/word:a/b");
        assert_ne!(key(&tenant("acme"), "word:x"), key(&tenant("acme-2"), "word:x"));
        let long = |end: &str| key(&tenant("acme"), &format!("key:{}{end}", "k".repeat(100_000)));
        assert_ne!(long("a"), long("b"));
        assert!(long("a").len() < LONGEST);
    }

    #[test]
    fn a_document_has_its_tenant_and_each_term_once() {
        let tenant = TenantId::parse("acme").unwrap();
        let terms = ["word:b", "word:a", "word:b"].map(str::to_owned).to_vec();
        let document = Document::new(&tenant, 1, Timestamp(1), terms);
        let keys: Vec<&[u8]> = document.keys().collect();
        assert_eq!(keys, [&b"acme/"[..], b"acme/word:a", b"acme/word:b"]);
        assert_eq!(document.size(), 3);
        let word = |value: &str| AuditQuery {
            terms: vec![Term::new(crate::domain::TermField::Word, value)],
            ..AuditQuery::default()
        };
        let matches = |tenant: &str, word: &AuditQuery| document.matches(&TenantId::parse(tenant).unwrap(), word);
        assert!(matches("acme", &word("A")) && matches("acme", &AuditQuery::default()));
        assert!(
            !matches("acme", &word("c"))
                && !matches("globex", &word("a"))
                && !matches("globex", &AuditQuery::default())
        );
    }

    #[test]
    fn a_period_includes_its_start_and_not_its_end() {
        let query = AuditQuery {
            after: Some(Timestamp(10)),
            before: Some(Timestamp(20)),
            ..AuditQuery::default()
        };
        let tenant = TenantId::parse("acme").unwrap();
        let wanted = Wanted::new(&tenant, &query, 5, 1);
        let admitted = |seq, at| wanted.admits(&Document::new(&tenant, seq, Timestamp(at), Vec::new()));
        assert_eq!([9, 10, 19, 20].map(|at| admitted(1, at)), [false, true, true, false]);
        assert_eq!([4, 5].map(|seq| admitted(seq, 10)), [true, false]);
    }
}
