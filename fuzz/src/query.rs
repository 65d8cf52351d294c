//! Queries of the audit search: bounded, and a parsed query can be written and parsed again.

use loopiq::domain::text::is_forbidden;
use loopiq::domain::{AuditQuery, Term, TermField};

pub(crate) fn hold(text: &str) {
    let query = match AuditQuery::parse(text) {
        Ok(query) => query,
        Err(error) => {
            let characters = text.chars().count();
            assert!((error.at as usize) <= characters, "at {} of {characters}", error.at);
            let said = error.to_string();
            assert!(said.chars().count() <= 600 && !said.contains(is_forbidden), "{said}");
            return;
        }
    };
    assert!(query.terms.len() <= AuditQuery::MAX_TERMS);
    for term in &query.terms {
        assert!(!term.value.is_empty(), "a condition on nothing: {text:?}");
        assert_eq!(
            *term,
            Term::new(term.field, &term.value),
            "it is not as the index writes it"
        );
    }
    let again = AuditQuery::parse(&written(&query)).expect("what was understood");
    assert_eq!(again, query);
}

/// The text of the query.
fn written(query: &AuditQuery) -> String {
    let term = |term: &Term| match term.field {
        TermField::Word => term.value.clone(),
        field => format!("{}:\"{}\"", field.as_str(), term.value),
    };
    let mut parts: Vec<String> = query.terms.iter().map(term).collect();
    parts.extend(query.after.map(|at| format!("after:{}", at.rfc3339())));
    parts.extend(query.before.map(|at| format!("before:{}", at.rfc3339())));
    parts.join(" ")
}
