//! The seam between the two databases: whatever knows which of them it talks to stands here or asks here.
//!
//! Most queries need no seam: they keep to what both understand, over TEXT and BIGINT columns. PostgreSQL's schema adds three words
//! that SQLite has, `json_each(text)`, `text ->> text` and `instr`, so that lists travel as one JSON parameter on both.

use crate::domain::TenantId;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// The databases that an installation can live in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Embedded: one machine, one writer at a time.
    Sqlite,
    /// A server that many nodes share.
    Postgres,
}

/// One statement, as each database takes it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sql {
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

/// Several writes over the same parameters, in one message to the database. None of them sees what the others write. SQLite takes
/// statements one after the other; PostgreSQL takes one, in which the others are common table expressions.
macro_rules! multi_write {
    ($name:ident: $first:literal, $($more:ident: $next:literal,)* => $last:literal) => {
        crate::store::dialect::Sql {
            sqlite: concat!($first, "; ", $($next, "; ",)* $last),
            postgres: concat!(
                "WITH ", stringify!($name), " AS (", $first, ")", $(", ", stringify!($more), " AS (", $next, ")",)* " ", $last
            ),
        }
    };
}
pub(super) use multi_write;

/// A row as JSON: the function that makes an object of names and values.
macro_rules! object {
    (sqlite) => {
        "json_object"
    };
    (postgres) => {
        "json_build_object"
    };
}
pub(super) use object;

/// Rows as a JSON list: the function that gathers them.
macro_rules! gather {
    (sqlite) => {
        "json_group_array"
    };
    (postgres) => {
        "json_agg"
    };
}
pub(super) use gather;

/// Whether a column is among the values of a JSON list. For PostgreSQL an array: it looks each value up in the column's index, whatever it
/// thinks of the list's length; for a sub-query it would sooner read the whole table.
macro_rules! in_list {
    (sqlite, $list:literal) => {
        concat!("IN (SELECT value FROM json_each(", $list, "))")
    };
    (postgres, $list:literal) => {
        concat!("= ANY (ARRAY(SELECT value FROM json_each(", $list, ")))")
    };
}
pub(super) use in_list;

/// Whether a transaction that writes waits for its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TenantLock {
    /// One after the other within a tenant: what it reads stays true until it commits.
    Exclusive,
    /// Beside others: it adds rows, and what it changes it changes under conditions.
    None,
}

/// Names this service's advisory locks among those of other programs in the database.
const LOCKS: i32 = 0x6c6f_6f70;

impl Dialect {
    /// The database that a URL names.
    pub(super) fn of(url: &str) -> Option<Self> {
        match url.split_once(':')?.0 {
            "sqlite" => Some(Dialect::Sqlite),
            "postgres" | "postgresql" => Some(Dialect::Postgres),
            _ => None,
        }
    }

    /// The statement for this database.
    pub(super) fn sql(self, sql: &Sql) -> &'static str {
        match self {
            Dialect::Sqlite => sql.sqlite,
            Dialect::Postgres => sql.postgres,
        }
    }

    /// Begins a transaction that reads one consistent state of this tenant.
    pub(super) fn begin_read(self, tenant: &TenantId) -> SqlStr {
        match self {
            Dialect::Sqlite => "BEGIN".into_sql_str(),
            Dialect::Postgres => safe(format!(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {}",
                within(tenant)
            )),
        }
    }

    /// Begins a transaction that writes in this tenant.
    pub(super) fn begin_write(self, tenant: &TenantId, lock: TenantLock) -> SqlStr {
        match (self, lock) {
            // IMMEDIATE: a deferred transaction that turns writer gets a busy error that no timeout retries. It is everybody's turn.
            (Dialect::Sqlite, _) => "BEGIN IMMEDIATE".into_sql_str(),
            (Dialect::Postgres, TenantLock::None) => safe(format!("BEGIN; {}", within(tenant))),
            (Dialect::Postgres, TenantLock::Exclusive) => safe(format!(
                "BEGIN; {}; SELECT pg_advisory_xact_lock({LOCKS}, hashtext('{tenant}'))",
                within(tenant)
            )),
        }
    }

    /// Begins a transaction that reads one consistent state of everything.
    pub(super) fn begin_copy_from(self) -> &'static str {
        match self {
            Dialect::Sqlite => "BEGIN",
            Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// Begins a transaction that fills an empty database.
    pub(super) fn begin_copy_to(self) -> &'static str {
        match self {
            Dialect::Sqlite => "BEGIN IMMEDIATE",
            Dialect::Postgres => "BEGIN",
        }
    }

    /// References between rows of one table need not point backwards until the transaction commits.
    pub(super) fn defer_references(self) -> &'static str {
        match self {
            Dialect::Sqlite => "PRAGMA defer_foreign_keys = ON",
            Dialect::Postgres => "SET CONSTRAINTS ALL DEFERRED",
        }
    }

    /// What was deferred is done now, while the transaction is still in the tenant that it belongs to.
    pub(super) fn settle_deferred(self) -> Option<&'static str> {
        (self == Dialect::Postgres).then_some("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
    }

    /// Puts the rest of the transaction into this tenant, for row-level security.
    pub(super) fn enter(self, tenant: &TenantId) -> Option<SqlStr> {
        (self == Dialect::Postgres).then(|| safe(within(tenant)))
    }

    /// Plans the statements of this transaction for the values that they are given, and not once for any.
    pub(super) fn plan_for_values(self) -> Option<&'static str> {
        (self == Dialect::Postgres).then_some("SET LOCAL plan_cache_mode = force_custom_plan")
    }

    /// Plans the statements of this connection anew, for tables as they are now. PostgreSQL made its plans when a table was small, those of
    /// its foreign keys too, and would read the whole table by them once it has grown.
    pub(super) fn forget_plans(self) -> Option<&'static str> {
        (self == Dialect::Postgres).then_some("DISCARD PLANS")
    }

    /// What a new connection is told first.
    pub(super) fn connection_setup(self) -> &'static str {
        match self {
            // Durable and safe beside other processes. WAL: readers never wait for the writer. FULL: what was acknowledged
            // survives a power cut.
            Dialect::Sqlite => {
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                 PRAGMA busy_timeout = 10000; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8000;"
            }
            // A lock is waited for as long as SQLite would; a node that hangs does not hold its locks for ever. No query here runs for
            // as long as compiling it would take, or starting helpers for it, or planning it anew for each list.
            Dialect::Postgres => {
                "SET application_name = 'loopiq'; SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '60s'; \
                 SET search_path = public, pg_temp; SET jit = off; SET max_parallel_workers_per_gather = 0; SET plan_cache_mode = force_generic_plan"
            }
        }
    }
}

fn within(tenant: &TenantId) -> String {
    format!("SET LOCAL loopiq.tenant = '{tenant}'")
}

/// Made of constants and a tenant's name, which is a-z, 0-9 and hyphens: `TenantId` lets nothing else in.
fn safe(sql: String) -> SqlStr {
    AssertSqlSafe(sql).into_sql_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_go_together_in_both_dialects() {
        const SQL: Sql = multi_write!(a: "INSERT 1", b: "INSERT 2", => "INSERT 3");
        assert_eq!(SQL.sqlite, "INSERT 1; INSERT 2; INSERT 3");
        assert_eq!(SQL.postgres, "WITH a AS (INSERT 1), b AS (INSERT 2) INSERT 3");
    }

    #[test]
    fn a_url_tells_the_database() {
        assert_eq!(Dialect::of("sqlite:///x.db"), Some(Dialect::Sqlite));
        assert_eq!(Dialect::of("postgres://h/d"), Some(Dialect::Postgres));
        assert_eq!(Dialect::of("postgresql:///d?host=/run"), Some(Dialect::Postgres));
        assert_eq!(Dialect::of("mysql://h/d"), None);
        assert_eq!(Dialect::of("/a/file"), None);
    }
}
