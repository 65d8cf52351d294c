//! Statements in the SQL of each database.
//!
//! Most statements are the same on both databases, because they use only TEXT and BIGINT columns. PostgreSQL's schema adds three names that
//! SQLite has, `json_each(text)`, `text ->> text` and `instr`, so that a list is one JSON parameter on both databases.

/// One statement in the SQL of each database. SQLite runs several statements one after the other, with the same parameters; the last one
/// returns the rows.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Sql {
    pub(in crate::store) sqlite: &'static [&'static str],
    pub(in crate::store) postgres: &'static str,
}

/// The text of a statement.
#[derive(Debug, Clone)]
pub(in crate::store) enum Text {
    /// The service's own text, the same on both databases.
    Same(&'static str),
    /// A text for each database.
    Each(Sql),
    /// A text that is composed of names of the schema, constants and placeholders.
    Composed(String),
}

impl From<&'static str> for Text {
    fn from(sql: &'static str) -> Self {
        Text::Same(sql)
    }
}

impl From<Sql> for Text {
    fn from(sql: Sql) -> Self {
        Text::Each(sql)
    }
}

/// Several writes with the same parameters, in one message to the database. No write may depend on the rows of another one. SQLite runs the
/// statements one after the other. PostgreSQL runs one statement, in which all writes but the last are common table expressions.
macro_rules! multi_write {
    ($name:ident: $first:literal, $($more:ident: $next:literal,)* => $last:literal) => {
        crate::store::db::Sql {
            sqlite: &[$first, $($next,)* $last],
            postgres: concat!(
                "WITH ", stringify!($name), " AS (", $first, ")", $(", ", stringify!($more), " AS (", $next, ")",)* " ", $last
            ),
        }
    };
}
pub(in crate::store) use multi_write;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_go_together_in_both_dialects() {
        const SQL: Sql = multi_write!(a: "INSERT 1", b: "INSERT 2", => "INSERT 3");
        assert_eq!(SQL.sqlite, ["INSERT 1", "INSERT 2", "INSERT 3"]);
        assert_eq!(SQL.postgres, "WITH a AS (INSERT 1), b AS (INSERT 2) INSERT 3");
    }
}
