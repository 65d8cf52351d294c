//! The meaning of a query.

use super::term::{Term, exact};
use crate::domain::{Timestamp, text};
use std::collections::BTreeMap;
use std::fmt;

/// What a query wants of an entry. The index and the reader of the log both find entries by this expression alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Expr {
    /// Every entry.
    #[default]
    All,
    /// Entries with this value in this field.
    Term(Term),
    /// Entries with this text.
    Text(Text),
    /// Entries from a time on (inclusive) until a time (exclusive).
    Period {
        /// The earliest time.
        from: Option<Timestamp>,
        /// The first time that is too late.
        until: Option<Timestamp>,
    },
    /// Entries that the expression does not want.
    Not(Box<Expr>),
    /// Entries that every expression wants; all entries if there is none.
    And(Vec<Expr>),
    /// Entries that at least one expression wants.
    Or(Vec<Expr>),
}

/// A text without a field: an entry has it if its words contain the text's words in their order, or if the text is the whole value of one of the
/// fields [`OF_TEXT`](super::TermField::OF_TEXT).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    value: String,
    words: Vec<(u32, String)>,
}

impl Text {
    /// The text; `None` if it has no word, so that nothing can be found by it.
    pub fn new(text: &str) -> Option<Self> {
        let value = exact(text);
        let words = text::query_words(&value);
        (!words.is_empty()).then_some(Self { value, words })
    }

    /// The whole text, in the form of a term's value.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The words, each with its place.
    pub fn words(&self) -> &[(u32, String)] {
        &self.words
    }
}

impl Expr {
    /// The same expression, in which the key of a record also finds the entries that name the record by its ID. `ids` has
    /// the IDs by key, in the form of a term's value.
    pub fn with_record_ids(self, ids: &BTreeMap<String, Vec<String>>) -> Self {
        let key = match &self {
            Self::Text(text) => &text.value,
            Self::Term(term) if term.field == super::TermField::Record => &term.value,
            _ => {
                return match self {
                    Self::Not(inner) => Self::Not(Box::new(inner.with_record_ids(ids))),
                    Self::And(all) => Self::And(all.into_iter().map(|one| one.with_record_ids(ids)).collect()),
                    Self::Or(all) => Self::Or(all.into_iter().map(|one| one.with_record_ids(ids)).collect()),
                    leaf => leaf,
                };
            }
        };
        let of_key = ids.get(key).into_iter().flatten();
        let mut any: Vec<Self> = of_key
            .map(|id| Self::Term(Term::new(super::TermField::Record, id)))
            .collect();
        if any.is_empty() {
            return self;
        }
        any.insert(0, self);
        Self::Or(any)
    }
}

/// The expression as a query.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let several = |f: &mut fmt::Formatter<'_>, all: &[Expr], between: &str| {
            f.write_str("(")?;
            for (index, one) in all.iter().enumerate() {
                write!(f, "{}{one}", if index == 0 { "" } else { between })?;
            }
            f.write_str(")")
        };
        match self {
            Self::All => Ok(()),
            Self::Term(term) => write!(f, "{}:{}", term.field.as_str(), super::quoted(&term.value)),
            Self::Text(text) => f.write_str(&super::quoted(&text.value)),
            Self::Period { from, until } => {
                let from = from.map(|from| format!("after:{}", from.rfc3339()));
                let until = until.map(|until| format!("before:{}", until.rfc3339()));
                f.write_str(&from.into_iter().chain(until).collect::<Vec<_>>().join(" "))
            }
            Self::Not(inner) => write!(f, "NOT {inner}"),
            Self::And(all) => several(f, all, " "),
            Self::Or(all) => several(f, all, " OR "),
        }
    }
}
