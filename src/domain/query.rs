//! The query language of the audit search: words, and `field:value` terms, all of which must match.
//!
//! `person:reviewer@acme.example tool:loopiq_link_evidence event:action.executed state:executed release:SHOP-2026.12
//! record:wi_… trace:… key:… after:2026-11-01 before:2026-12-01 injection`; a value with spaces is in quotes.

use super::Timestamp;
use super::text;
use serde::{Deserialize, Serialize};

/// The field that a term searches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TermField {
    /// A word of the text.
    Word,
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
    /// Every named field with its name in queries; words have no name.
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

    /// The name in queries and in the index.
    pub fn as_str(self) -> &'static str {
        Self::NAMED
            .iter()
            .find(|(field, _)| *field == self)
            .map_or("word", |(_, name)| name)
    }
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Term {
    /// The field that is searched.
    pub field: TermField,
    /// The value to find.
    pub value: String,
}

impl Term {
    /// A term; case is ignored.
    pub fn new(field: TermField, value: impl AsRef<str>) -> Self {
        Self {
            field,
            value: value.as_ref().trim().to_lowercase(),
        }
    }

    /// The term in the index.
    pub fn indexed(&self) -> String {
        format!("{}:{}", self.field.as_str(), self.value)
    }
}

/// A parsed query. An empty query matches every entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditQuery {
    /// The terms, all of which must match.
    pub terms: Vec<Term>,
    /// The earliest time.
    pub after: Option<Timestamp>,
    /// The end of the period, exclusive.
    pub before: Option<Timestamp>,
}

/// A mistake in a query, and its position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message} (at character {})", .at + 1)]
pub struct QueryError {
    /// The position in characters, from 0.
    pub at: u32,
    /// What is wrong, and what is allowed.
    pub message: String,
}

impl AuditQuery {
    /// The most terms in a query, each of which costs an index lookup.
    pub const MAX_TERMS: usize = 12;

    /// Parses a query.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let mut query = Self::default();
        for (at, token) in tokens(text)? {
            query.add(at, &token)?;
        }
        if query.terms.len() > Self::MAX_TERMS {
            return Err(QueryError {
                at: 0,
                message: format!("at most {} conditions in one query", Self::MAX_TERMS),
            });
        }
        Ok(query)
    }

    fn add(&mut self, at: u32, token: &str) -> Result<(), QueryError> {
        let error = |message: String| Err(QueryError { at, message });
        let Some((name, value)) = token.split_once(':') else {
            self.terms.extend(
                text::words(token)
                    .into_iter()
                    .map(|word| Term::new(TermField::Word, word)),
            );
            return Ok(());
        };
        if value.trim().is_empty() {
            return error(format!("{}: needs a value after the colon", shown(name)));
        }
        if let Some((field, _)) = TermField::NAMED.iter().find(|(_, known)| *known == name) {
            self.terms.push(Term::new(*field, value));
            return Ok(());
        }
        if !matches!(name, "after" | "before") {
            let known: Vec<&str> = TermField::NAMED.iter().map(|(_, name)| *name).collect();
            return error(format!(
                "Unknown field \"{}\". Fields: {}, after, before.",
                shown(name),
                known.join(", ")
            ));
        }
        let Some(time) = Timestamp::parse(value) else {
            return error(format!("{name}: needs a date such as 2026-11-22"));
        };
        if name == "after" {
            self.after = Some(time)
        } else {
            self.before = Some(time)
        }
        Ok(())
    }
}

/// An unknown name for an error message, shortened, because the name may be the whole input.
fn shown(name: &str) -> String {
    const MOST: usize = 40;
    let head: String = name.chars().take(MOST).collect();
    let more = if name.chars().nth(MOST).is_some() { "…" } else { "" };
    text::visible(&head) + more
}

/// Splits at spaces outside quotes. A word or a value may be quoted.
fn tokens(text: &str) -> Result<Vec<(u32, String)>, QueryError> {
    let mut found = Vec::new();
    let mut token = String::new();
    let (mut start, mut quoted_at) = (0, None);
    for (at, c) in (0u32..).zip(text.chars()) {
        match c {
            '"' => quoted_at = if quoted_at.is_some() { None } else { Some(at) },
            c if c.is_whitespace() && quoted_at.is_none() => {
                if !token.is_empty() {
                    found.push((start, std::mem::take(&mut token)));
                }
                start = at + 1;
            }
            c => token.push(c),
        }
    }
    if let Some(at) = quoted_at {
        return Err(QueryError {
            at,
            message: "This quotation mark is never closed.".to_owned(),
        });
    }
    if !token.is_empty() {
        found.push((start, token));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_reads_into_terms_and_times() {
        let query = AuditQuery::parse(r#"person:"Rita Reviewer" injection after:2026-11-01 trace:ABC"#).expect("fits");
        assert_eq!(
            query.terms,
            vec![
                Term::new(TermField::Person, "rita reviewer"),
                Term::new(TermField::Word, "injection"),
                Term::new(TermField::Trace, "abc"),
            ]
        );
        assert_eq!(query.after, Timestamp::parse("2026-11-01"));
    }

    #[test]
    fn an_error_points_at_the_character() {
        let error = AuditQuery::parse("injection perso:rita").expect_err("no such field");
        assert_eq!(error.at, 10);
        assert!(error.message.contains("Unknown field \"perso\""));
        assert_eq!(AuditQuery::parse("a \"b").expect_err("open").at, 2);
        let long = AuditQuery::parse(&format!("{}\u{202E}:x", "n".repeat(30_000))).expect_err("no such field");
        assert!(long.message.chars().count() < 200, "{long}");
        let hidden = AuditQuery::parse("a\u{202E}:").expect_err("no value").message;
        assert_eq!(hidden, "a⟦U+202E⟧: needs a value after the colon");
        assert!(AuditQuery::parse("after:yesterday").is_err());
        assert!(AuditQuery::parse("key:").is_err());
        assert!(AuditQuery::parse("key:\" \"").is_err(), "nothing but a space");
    }

    #[test]
    fn every_field_is_read_and_written_by_its_name() {
        for (field, name) in TermField::NAMED {
            let query = AuditQuery::parse(&format!("{name}:X")).expect(name);
            assert_eq!(query.terms, [Term::new(field, "x")]);
            assert_eq!(query.terms[0].indexed(), format!("{name}:x"));
        }
        assert_eq!(Term::new(TermField::Word, " Fix ").indexed(), "word:fix");
    }

    #[test]
    fn both_ends_of_a_time_are_read() {
        let query = AuditQuery::parse("after:2026-11-01 before:2026-12-01").expect("fits");
        assert_eq!(query.after, Timestamp::parse("2026-11-01"));
        assert_eq!(query.before, Timestamp::parse("2026-12-01"));
    }

    #[test]
    fn as_many_conditions_as_are_allowed_fit() {
        let query = |count: usize| vec!["key:k"; count].join("  ");
        let most = AuditQuery::MAX_TERMS;
        assert_eq!(AuditQuery::parse(&query(most)).expect("fits").terms.len(), most);
        assert!(AuditQuery::parse(&query(most + 1)).is_err());
    }

    #[test]
    fn an_error_counts_characters_from_one() {
        let error = AuditQuery::parse("  ab  x:y").unwrap_err();
        assert_eq!(error.at, 6);
        assert!(error.to_string().ends_with("(at character 7)"), "{error}");
        let longest = format!("{}:y", "x".repeat(40));
        assert!(!AuditQuery::parse(&longest).unwrap_err().message.contains('…'));
        assert!(
            AuditQuery::parse(&format!("x{longest}"))
                .unwrap_err()
                .message
                .contains('…')
        );
    }
}
