//! What a search wants: an expression with the keys of the index. Both readers work from it: [`Condition::holds`] decides on a document
//! in memory, and [`Matches`](super::matches::Matches) finds the stored documents.

use super::document::{Document, key};
use crate::domain::query::Expr;
use crate::domain::{TenantId, Term, TermField, Timestamp};

/// The wanted entries of one tenant.
pub struct Wanted {
    pub(super) condition: Condition,
    /// Entries with a smaller number.
    pub(super) before: i64,
    /// The most entries.
    pub(super) limit: usize,
    /// Entries of this period. The condition implies it. Parts of the index with other times are not read.
    pub(super) from: i64,
    pub(super) until: i64,
}

impl Wanted {
    /// Every entry that the expression wants, whatever its number.
    pub fn new(tenant: &TenantId, expr: &Expr) -> Self {
        Self::newest(tenant, expr, i64::MAX, usize::MAX)
    }

    /// The newest entries with a smaller number than `before`.
    pub(super) fn newest(tenant: &TenantId, expr: &Expr, before: i64, limit: usize) -> Self {
        let (from, until) = period(expr);
        Self {
            condition: Condition::new(tenant, expr),
            before,
            limit,
            from,
            until,
        }
    }

    /// Whether a document is wanted.
    pub fn admits(&self, document: &Document) -> bool {
        document.seq() < self.before && self.condition.holds(document)
    }
}

/// The period outside of which nothing is wanted.
fn period(expr: &Expr) -> (i64, i64) {
    match expr {
        Expr::Period { from, until } => (
            from.map_or(i64::MIN, |time| time.0),
            until.map_or(i64::MAX, |time| time.0),
        ),
        Expr::And(all) => all.iter().map(period).fold((i64::MIN, i64::MAX), |(from, until), one| {
            (from.max(one.0), until.min(one.1))
        }),
        _ => (i64::MIN, i64::MAX),
    }
}

/// An expression with keys, each of which begins with the tenant's name.
pub(super) enum Condition {
    /// A field has this value. The tenant itself is a value that all its entries have.
    Value(Vec<u8>),
    /// A text has these words at these distances.
    Words(Vec<(u32, Vec<u8>)>),
    Period {
        from: i64,
        until: i64,
    },
    Not(Box<Condition>),
    /// All of at least one.
    And(Vec<Condition>),
    Or(Vec<Condition>),
}

impl Condition {
    /// The expression in a tenant. Only entries of this tenant fulfil the condition.
    fn new(tenant: &TenantId, expr: &Expr) -> Self {
        let condition = Self::part(tenant, expr);
        if condition.names_tenant() {
            return condition;
        }
        Self::And(vec![Self::Value(key(tenant, "")), condition])
    }

    /// Whether it can hold only for entries with a key of the tenant.
    fn names_tenant(&self) -> bool {
        match self {
            Self::Value(_) | Self::Words(_) => true,
            Self::Period { .. } | Self::Not(_) => false,
            Self::And(all) => all.iter().any(Self::names_tenant),
            Self::Or(any) => any.iter().all(Self::names_tenant),
        }
    }

    fn part(tenant: &TenantId, expr: &Expr) -> Self {
        let value = |term: &Term| Self::Value(key(tenant, &term.indexed()));
        let parts = |all: &[Expr]| all.iter().map(|one| Self::part(tenant, one)).collect();
        match expr {
            Expr::All => Self::Value(key(tenant, "")),
            Expr::Term(term) => value(term),
            Expr::Text(text) => {
                let words = text.words().iter().map(|(at, word)| (*at, key(tenant, word)));
                let whole = TermField::OF_TEXT.map(|field| value(&Term::new(field, text.value())));
                Self::Or(std::iter::once(Self::Words(words.collect())).chain(whole).collect())
            }
            Expr::Period { from, until } => Self::Period {
                from: from.map_or(i64::MIN, |Timestamp(time)| time),
                until: until.map_or(i64::MAX, |Timestamp(time)| time),
            },
            Expr::Not(inner) => Self::Not(Box::new(Self::part(tenant, inner))),
            Expr::And(all) if all.is_empty() => Self::Value(key(tenant, "")),
            Expr::And(all) => Self::And(parts(all)),
            Expr::Or(all) => Self::Or(parts(all)),
        }
    }

    /// Whether a document fulfils the condition.
    pub(super) fn holds(&self, document: &Document) -> bool {
        match self {
            Self::Value(value) => document.has_value(value),
            Self::Words(words) => document.has_words(words),
            Self::Period { from, until } => (*from..*until).contains(&document.at().0),
            Self::Not(inner) => !inner.holds(document),
            Self::And(all) => all.iter().all(|one| one.holds(document)),
            Self::Or(any) => any.iter().any(|one| one.holds(document)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Terms;

    fn tenant(name: &str) -> TenantId {
        TenantId::parse(name).unwrap()
    }

    fn document(of: &str, seq: i64, at: i64) -> Document {
        let terms = Terms {
            values: vec!["key:a".to_owned()],
            words: vec![(0, "sql".to_owned()), (1, "injection".to_owned())],
        };
        Document::new(&tenant(of), seq, Timestamp(at), &terms)
    }

    #[test]
    fn only_entries_of_the_tenant_are_wanted() {
        let key = |value: &str| Expr::Term(Term::new(TermField::Key, value));
        for (expr, is_wanted) in [
            (Expr::All, true),
            (key("A"), true),
            (Expr::Not(Box::new(key("b"))), true),
            (Expr::Or(vec![key("a"), Expr::Not(Box::new(key("a")))]), true),
            (Expr::And(Vec::new()), true),
            (Expr::Or(Vec::new()), false),
            (key("b"), false),
        ] {
            let wanted = Wanted::new(&tenant("acme"), &expr);
            assert_eq!(wanted.admits(&document("acme", 1, 1)), is_wanted, "{expr:?}");
            assert!(!wanted.admits(&document("globex", 1, 1)), "{expr:?}");
        }
    }

    #[test]
    fn a_period_includes_its_start_and_not_its_end() {
        let period = |from, until| Expr::Period {
            from: Some(Timestamp(from)),
            until: Some(Timestamp(until)),
        };
        let expr = Expr::And(vec![period(10, 25), period(5, 20), Expr::Not(Box::new(period(12, 13)))]);
        let wanted = Wanted::newest(&tenant("acme"), &expr, 5, 1);
        assert_eq!((wanted.from, wanted.until), (10, 20));
        let admitted = |seq, at| wanted.admits(&document("acme", seq, at));
        assert_eq!(
            [9, 10, 12, 19, 20].map(|at| admitted(1, at)),
            [false, true, false, true, false]
        );
        assert_eq!([4, 5].map(|seq| admitted(seq, 10)), [true, false]);
    }
}
