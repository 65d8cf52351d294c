//! The query language of the audit search.
//!
//! `person:reviewer@acme.example (state:executed OR state:failed) -tool:loopiq_link_evidence "sql injection" after:2026-11-01`
//!
//! A query is read in two steps. `syntax` reads conditions, parentheses, `AND`, `OR` and `NOT` (or `-`). `meaning` looks up the fields and their
//! values. The result is an [`Expr`]. Nothing that was written is left out: what cannot be searched is an error at its place.

mod error;
mod expr;
mod meaning;
mod narrow;
mod period;
mod syntax;
mod term;

pub use error::QueryError;
pub use expr::{Expr, Text};
pub use meaning::{Known, Vocabulary};
pub use narrow::{conditions, with, without};
pub use period::period;
pub use term::{Term, TermField, exact};

/// The most characters of a query.
pub const MAX_CHARACTERS: usize = 4_000;
/// The most conditions of a query. Each costs look-ups in every segment of the index.
pub const MAX_CONDITIONS: usize = 32;
/// The most words of all conditions without a field.
pub const MAX_WORDS: usize = 128;
/// The most parentheses inside each other.
pub const MAX_DEPTH: usize = 16;
/// The most errors that are reported at once.
const MAX_ERRORS: usize = 5;

/// A query that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// What it wants.
    pub expr: Expr,
    /// Values that may be keys of records, as they were written. See [`Expr::with_record_ids`].
    pub keys: Vec<String>,
}

/// Reads a query. Values of tools, events and states must be in the vocabulary. An empty query wants every entry.
pub fn parse(text: &str, vocabulary: &Vocabulary) -> Result<AuditQuery, Vec<QueryError>> {
    match syntax::parse(text) {
        Ok(None) => Ok(AuditQuery::default()),
        Ok(Some(node)) => meaning::read(&node, vocabulary),
        Err(error) => Err(vec![error]),
    }
}

/// A value in quotation marks, as a query contains it.
pub fn quoted(value: &str) -> String {
    let mut quoted = String::from("\"");
    for c in value.chars() {
        if c == '\\' || syntax::is_quote(c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests;
