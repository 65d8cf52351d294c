//! All differences between the databases.
//!
//! Most queries are the same on both databases, because they use only TEXT and BIGINT columns. PostgreSQL's schema adds three names that
//! SQLite has, `json_each(text)`, `text ->> text` and `instr`, so that a list is one JSON parameter on both databases.

use crate::domain::TenantId;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// The databases that an installation can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// A file that one machine uses, with one writer at a time.
    Sqlite,
    /// A database server that several nodes share.
    Postgres,
}

/// One statement in the SQL of each database.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sql {
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

/// Several writes with the same parameters, in one message to the database. No write may depend on the rows of another one. SQLite runs the
/// statements one after the other. PostgreSQL runs one statement, in which all writes but the last are common table expressions.
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

/// The SQL function that makes a JSON object of names and values.
macro_rules! object {
    (sqlite) => {
        "json_object"
    };
    (postgres) => {
        "json_build_object"
    };
}
pub(super) use object;

/// The SQL function that makes a JSON list of rows.
macro_rules! json_agg {
    (sqlite) => {
        "json_group_array"
    };
    (postgres) => {
        "json_agg"
    };
}
pub(super) use json_agg;

/// A condition that a column's value is in a JSON list. PostgreSQL gets an array, because the planner then looks up each value in the
/// column's index. For a sub-query, the planner can read the whole table.
macro_rules! in_list {
    (sqlite, $list:literal) => {
        concat!("IN (SELECT value FROM json_each(", $list, "))")
    };
    (postgres, $list:literal) => {
        concat!("= ANY (ARRAY(SELECT value FROM json_each(", $list, ")))")
    };
}
pub(super) use in_list;

/// The lock that a write transaction takes in its tenant. SQLite ignores the choice, because it has one writer at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TenantLock {
    /// The tenant's writes with this lock run one after the other: data that the transaction reads does not change until it commits.
    Exclusive,
    /// The transaction runs concurrently with others. It may only add rows, or change rows under conditions.
    None,
}

/// The first key of this service's advisory locks ("loop" in ASCII). It separates them from the locks of other programs in the same
/// database.
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
                set_tenant(tenant)
            )),
        }
    }

    /// Begins a transaction that writes in this tenant.
    pub(super) fn begin_write(self, tenant: &TenantId, lock: TenantLock) -> SqlStr {
        match (self, lock) {
            // IMMEDIATE: if a deferred transaction starts to write, SQLite can return a busy error that no timeout retries.
            (Dialect::Sqlite, _) => "BEGIN IMMEDIATE".into_sql_str(),
            (Dialect::Postgres, TenantLock::None) => safe(format!("BEGIN; {}", set_tenant(tenant))),
            (Dialect::Postgres, TenantLock::Exclusive) => safe(format!(
                "BEGIN; {}; SELECT pg_advisory_xact_lock({LOCKS}, hashtext('{tenant}'))",
                set_tenant(tenant)
            )),
        }
    }

    /// Begins a transaction that reads one consistent state of all tenants.
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

    /// Defers the check of foreign keys to the commit, so that a row may refer to a row that is inserted later.
    pub(super) fn defer_references(self) -> &'static str {
        match self {
            Dialect::Sqlite => "PRAGMA defer_foreign_keys = ON",
            Dialect::Postgres => "SET CONSTRAINTS ALL DEFERRED",
        }
    }

    /// Runs deferred triggers and checks now, while the transaction is still in the tenant whose rows they read.
    pub(super) fn settle_deferred(self) -> Option<&'static str> {
        (self == Dialect::Postgres).then_some("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
    }

    /// Enters this tenant for the rest of the transaction, so that row-level security admits its rows.
    pub(super) fn enter(self, tenant: &TenantId) -> Option<SqlStr> {
        (self == Dialect::Postgres).then(|| safe(set_tenant(tenant)))
    }

    /// Makes PostgreSQL plan each statement of this transaction for its actual parameters, instead of using a generic plan.
    pub(super) fn plan_for_values(self) -> Option<&'static str> {
        (self == Dialect::Postgres).then_some("SET LOCAL plan_cache_mode = force_custom_plan")
    }

    /// Discards the connection's statement plans, including the plans of foreign keys. PostgreSQL made them for a small table, and they
    /// would read the whole table after it has grown.
    pub(super) fn forget_plans(self) -> Option<&'static str> {
        (self == Dialect::Postgres).then_some("DISCARD PLANS")
    }

    /// The statements that a new connection runs first.
    pub(super) fn connection_setup(self) -> &'static str {
        match self {
            // WAL: readers never wait for the writer. FULL: acknowledged writes survive a power cut. The busy timeout is in milliseconds:
            // statements wait for locks of other processes.
            Dialect::Sqlite => {
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                 PRAGMA busy_timeout = 10000; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8000;"
            }
            // The lock timeout is the same as on SQLite. The idle timeout releases the locks of a node that hangs. JIT compilation,
            // parallel workers and a new plan for each list would cost more time than the queries of this service take.
            Dialect::Postgres => {
                "SET application_name = 'loopiq'; SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '60s'; \
                 SET search_path = public, pg_temp; SET jit = off; SET max_parallel_workers_per_gather = 0; SET plan_cache_mode = force_generic_plan"
            }
        }
    }
}

fn set_tenant(tenant: &TenantId) -> String {
    format!("SET LOCAL loopiq.tenant = '{tenant}'")
}

/// Marks SQL as safe. The text consists of constants and a tenant's name, and `TenantId` allows only a-z, 0-9 and hyphens.
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
