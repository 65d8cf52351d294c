//! Queries of the audit search: bounded, errors stand in the query, and a meaning can be written and read again.

use loopiq::domain::query::{self, Expr, MAX_CHARACTERS, MAX_CONDITIONS, Vocabulary};
use loopiq::domain::text::hides;
use loopiq::domain::{QueryError, Term};
use loopiq::engine::audit_vocabulary;
use std::sync::LazyLock;

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(audit_vocabulary);

pub(crate) fn hold(text: &str) {
    let meant = match query::parse(text, &VOCABULARY) {
        Ok(read) => read.expr,
        Err(errors) => {
            assert!(!errors.is_empty());
            errors.iter().for_each(|error| holds_for_error(text, error));
            return;
        }
    };
    let mut conditions = 0;
    each_condition(&meant, &mut |condition| {
        conditions += 1;
        match condition {
            Expr::Term(term) => {
                assert!(!term.value.is_empty(), "a condition on nothing: {text:?}");
                assert_eq!(
                    *term,
                    Term::new(term.field, &term.value),
                    "it is not as the index writes it"
                );
            }
            Expr::Text(text) => assert!(!text.words().is_empty()),
            _ => {}
        }
    });
    assert!(conditions <= MAX_CONDITIONS);
    // The written form has more parentheses and quotation marks, so it can be too long or too deep.
    match query::parse(&meant.to_string(), &VOCABULARY) {
        Ok(again) => assert_eq!(again.expr, meant, "{text:?}"),
        Err(errors) => assert!(
            errors.iter().all(|error| error.message.contains("at most")),
            "{text:?}: {errors:?}"
        ),
    }
    let narrowed = query::with(text, "key:k");
    if narrowed.chars().count() < MAX_CHARACTERS && conditions < MAX_CONDITIONS {
        let narrowed = query::conditions(&narrowed);
        assert!(
            meant == Expr::All || narrowed.iter().any(|one| one == "key:k"),
            "{text:?}: {narrowed:?}"
        );
    }
}

fn holds_for_error(text: &str, error: &QueryError) {
    let characters = text.chars().count();
    let end = error.at as usize + error.length as usize;
    assert!(end <= characters, "at {}+{} of {characters}", error.at, error.length);
    let said = error.to_string();
    assert!(said.chars().count() <= 600 && !hides(&said), "{said}");
}

fn each_condition(expr: &Expr, found: &mut impl FnMut(&Expr)) {
    match expr {
        Expr::Not(inner) => each_condition(inner, found),
        Expr::And(all) | Expr::Or(all) => all.iter().for_each(|one| each_condition(one, found)),
        Expr::All => {}
        condition => found(condition),
    }
}
