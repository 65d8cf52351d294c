//! The fields of an audit entry that a condition can name, and their values.

use crate::domain::text::folded;
use serde::{Deserialize, Serialize};

/// The field that a term searches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TermField {
    /// A person, by e-mail address, ID or a word of their name.
    Person,
    /// A tool.
    Tool,
    /// An event.
    Event,
    /// The state of the action after the entry.
    State,
    /// A release, by key or ID.
    Release,
    /// A record, by ID or key.
    Record,
    /// An action, by ID.
    Action,
    /// A trace ID.
    Trace,
    /// An idempotency key.
    Key,
}

impl TermField {
    /// Every field with its name in queries.
    pub const NAMED: [(TermField, &'static str); 9] = [
        (TermField::Person, "person"),
        (TermField::Tool, "tool"),
        (TermField::Event, "event"),
        (TermField::State, "state"),
        (TermField::Release, "release"),
        (TermField::Record, "record"),
        (TermField::Action, "action"),
        (TermField::Trace, "trace"),
        (TermField::Key, "key"),
    ];

    /// The fields that a condition without a field asks beside the words. The state is not among them: every entry after an approval has the
    /// state `approved`, and a search for this word is for the approval.
    pub const OF_TEXT: [TermField; 8] = [
        TermField::Person,
        TermField::Tool,
        TermField::Event,
        TermField::Release,
        TermField::Record,
        TermField::Action,
        TermField::Trace,
        TermField::Key,
    ];

    /// The name in queries and in the index.
    pub fn as_str(self) -> &'static str {
        Self::NAMED
            .iter()
            .find(|(field, _)| *field == self)
            .map_or("", |(_, name)| name)
    }
}

/// A field that has a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Term {
    /// The field that is searched.
    pub field: TermField,
    /// The value to find, as [`exact`] writes it.
    pub value: String,
}

impl Term {
    /// A term; case and forms of letters are ignored.
    pub fn new(field: TermField, value: impl AsRef<str>) -> Self {
        let value = exact(value.as_ref());
        Self { field, value }
    }

    /// The term in the index.
    pub fn indexed(&self) -> String {
        format!("{}:{}", self.field.as_str(), self.value)
    }
}

/// The form in which whole values are compared: folded, and with one space between words.
pub fn exact(value: &str) -> String {
    let folded = folded(value);
    let mut parts = folded.split_whitespace();
    let mut exact = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        exact.push(' ');
        exact.push_str(part);
    }
    exact
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_one_however_it_is_written() {
        assert_eq!(
            Term::new(TermField::Person, " Rita  Re\u{301}viewer ").indexed(),
            "person:rita réviewer"
        );
        for (field, name) in TermField::NAMED {
            assert_eq!(Term::new(field, "X").indexed(), format!("{name}:x"));
        }
    }

    #[test]
    fn a_condition_without_a_field_asks_every_field_but_the_state() {
        let missing = TermField::NAMED
            .iter()
            .filter(|(field, _)| !TermField::OF_TEXT.contains(field));
        assert_eq!(missing.map(|(_, name)| *name).collect::<Vec<_>>(), ["state"]);
    }
}
