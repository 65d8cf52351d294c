//! All statements pass this module. It refuses text with U+0000, because PostgreSQL cannot store it and SQLite cannot search it. PostgreSQL
//! accepts an escaped U+0000 in JSON, but cannot read the row afterwards.

use futures::StreamExt;
use futures::future::{self, BoxFuture};
use futures::stream::{self, BoxStream};
use serde::de::IgnoredAny;
use serde_json::Value;
use sqlx::any::{AnyArguments, AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::{Any, AnyPool, Either, Error, Execute, Executor, SqlSafeStr, SqlStr, Transaction};
use sqlx_core::any::AnyValueKind;
use sqlx_core::describe::Describe;
use std::ops::{Deref, DerefMut};

type BoxDynError = Box<dyn std::error::Error + Send + Sync>;

/// A statement has an argument with the character U+0000. The statement was not sent to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a text holds the character U+0000")]
pub(super) struct NulCharacter;

/// A pool of connections that refuses text with U+0000.
#[derive(Debug, Clone)]
pub(super) struct Pool(pub(super) AnyPool);

impl Pool {
    /// Begins a transaction with this statement.
    pub(super) async fn begin_with(&self, statement: impl SqlSafeStr) -> Result<Tx, Error> {
        Ok(Tx(Connection(self.0.begin_with(statement).await?)))
    }

    /// Closes all connections after their transactions have ended.
    pub(super) async fn close(&self) {
        self.0.close().await;
    }
}

/// A transaction. Dropping it without a commit rolls it back.
#[derive(Debug)]
pub(super) struct Tx(Connection);

/// The connection that runs the statements of a transaction.
#[derive(Debug)]
pub(super) struct Connection(Transaction<'static, Any>);

impl Tx {
    pub(super) async fn commit(self) -> Result<(), Error> {
        self.0.0.commit().await
    }
}

impl Deref for Tx {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

/// A statement whose arguments contain no U+0000.
struct Passed<E> {
    statement: E,
    arguments: Option<AnyArguments>,
}

impl<'q, E: Execute<'q, Any>> Execute<'q, Any> for Passed<E> {
    fn sql(self) -> SqlStr {
        self.statement.sql()
    }

    fn statement(&self) -> Option<&AnyStatement> {
        self.statement.statement()
    }

    fn take_arguments(&mut self) -> Result<Option<AnyArguments>, BoxDynError> {
        Ok(self.arguments.take())
    }

    fn persistent(&self) -> bool {
        self.statement.persistent()
    }
}

fn pass<'q, E: Execute<'q, Any>>(mut statement: E) -> Result<Passed<E>, Error> {
    let arguments = statement.take_arguments().map_err(Error::Encode)?;
    let values = arguments.iter().flat_map(|arguments| &arguments.values.0);
    for value in values {
        let text = match value {
            AnyValueKind::Text(text) => text.as_str(),
            AnyValueKind::TextSlice(text) => text,
            _ => continue,
        };
        if holds_nul(text) {
            return Err(Error::Encode(Box::new(NulCharacter)));
        }
    }
    Ok(Passed { statement, arguments })
}

/// Whether a text contains U+0000: directly, escaped in JSON, or in JSON inside a JSON string.
fn holds_nul(text: &str) -> bool {
    if text.contains('\0') {
        return true;
    }
    // This test is cheap, and nearly every text fails it, so that few texts are parsed as JSON.
    text.contains("u0000") && unescaped(text)
}

/// Whether a JSON text contains an escaped U+0000. In any other text a backslash is only a backslash.
fn unescaped(text: &str) -> bool {
    match serde_json::from_str(text) {
        Ok(value) => {
            let mut open: Vec<&Value> = vec![&value];
            while let Some(value) = open.pop() {
                match value {
                    Value::String(text) if holds_nul(text) => return true,
                    Value::Array(items) => open.extend(items),
                    Value::Object(fields) => {
                        if fields.keys().any(|name| holds_nul(name)) {
                            return true;
                        }
                        open.extend(fields.values());
                    }
                    _ => {}
                }
            }
            false
        }
        // JSON that is nested too deep for a `Value` is treated as if it contained U+0000, because its strings cannot be inspected.
        Err(_) => serde_json::from_str::<IgnoredAny>(text).is_ok(),
    }
}

/// The required methods of `Executor`. Each inspects the arguments and calls the inner executor; all other methods of the trait call these.
macro_rules! sends_on {
    ($own:ident => $inner:expr) => {
        type Database = Any;

        fn fetch_many<'e, 'q: 'e, E>($own, query: E) -> BoxStream<'e, Result<Either<AnyQueryResult, AnyRow>, Error>>
        where
            'c: 'e,
            E: 'q + Execute<'q, Any>,
        {
            match pass(query) {
                Ok(query) => $inner.fetch_many(query),
                Err(error) => stream::once(future::ready(Err(error))).boxed(),
            }
        }

        fn fetch_optional<'e, 'q: 'e, E>($own, query: E) -> BoxFuture<'e, Result<Option<AnyRow>, Error>>
        where
            'c: 'e,
            E: 'q + Execute<'q, Any>,
        {
            match pass(query) {
                Ok(query) => $inner.fetch_optional(query),
                Err(error) => Box::pin(future::ready(Err(error))),
            }
        }

        fn prepare_with<'e>($own, sql: SqlStr, parameters: &'e [AnyTypeInfo]) -> BoxFuture<'e, Result<AnyStatement, Error>>
        where
            'c: 'e,
        {
            $inner.prepare_with(sql, parameters)
        }

        fn describe<'e>($own, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Any>, Error>>
        where
            'c: 'e,
        {
            $inner.describe(sql)
        }
    };
}

impl<'c> Executor<'c> for &'c mut Connection {
    sends_on!(self => (&mut *self.0));
}

impl<'c> Executor<'c> for &'c Pool {
    sends_on!(self => (&self.0));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_character_is_found_as_itself_and_escaped_in_json() {
        for text in [
            "\0",
            "a\0b",
            r#"{"a":"\u0000"}"#,
            r#"["\\\u0000"]"#,
            r#""\u0000""#,
            r#"{"\u0000":1}"#,
            // JSON inside a JSON string, as in the content of an audit entry.
            r#"[{"content":"{\"note\":\"\\u0000\"}"}]"#,
        ] {
            assert!(holds_nul(text), "{text:?}");
        }
        for text in [
            "",
            "plain",
            r"the escape \u0000 in prose",
            r#"{"a":"\\u0000"}"#,
            r#"{"a":"\u0001"}"#,
            r"\u0000 {",
            r#"[{"content":"{\"note\":\"\\\\u0000\"}"}]"#,
            r#"["a literal \\u0000 in prose"]"#,
        ] {
            assert!(!holds_nul(text), "{text:?}");
        }
    }
}
