//! Copies a whole installation into an empty database of either kind. The target gets all rows in one transaction, or none.

use super::row::Columns;
use super::{Store, StoreError};
use crate::domain::TenantId;
use futures::TryStreamExt;
use sha2::{Digest, Sha256};
use sqlx::any::{AnyArguments, AnyRow, AnyTypeInfoKind};
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, Column, Executor, Row, ValueRef};

/// The tenants' tables in a copy. Each table comes after the tables that it refers to. `action_counts` is left out, because triggers of the
/// target count again.
pub const COPIED: [&str; 43] = [
    "people",
    "person_addresses",
    "people_apart",
    "operator_requests",
    "teams",
    "team_members",
    "policies",
    "clients",
    "tokens",
    "counters",
    "releases",
    "release_teams",
    "components",
    "release_components",
    "certifications",
    "controls",
    "evidence_files",
    "evidence_parts",
    "evidence",
    "evidence_links",
    "findings",
    "sightings",
    "blockers",
    "imports",
    "work_items",
    "work_item_references",
    "work_item_words",
    "actions",
    "action_targets",
    "generic_words",
    "risk_acceptances",
    "audit_notes",
    "current_evidence",
    "decisions",
    "questions",
    "attempts",
    "page_views",
    "read_journal",
    "audit_heads",
    "audit_entries",
    "audit_contents",
    "audit_terms",
    "audit_indexed",
];

/// The tables in a copy that belong to no tenant. `tenants` comes first, because the tenants' tables refer to it.
const SHARED: [&str; 3] = ["tenants", "installation", "sessions"];

/// The most values in one INSERT. SQLite accepts 32,766 and PostgreSQL 65,535.
const VALUES: usize = 4_000;

/// The progress of a copy.
#[derive(Debug, Clone, Copy)]
pub struct CopyStep {
    /// The table that is being copied.
    pub table: &'static str,
    /// The number of copied rows.
    pub done: u64,
    /// The number of rows to copy.
    pub total: u64,
}

/// The rows that were copied, and the audit hashes that are equal on both sides.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CopyReport {
    /// The number of rows in all tables.
    pub rows: u64,
    /// For each tenant: the name, the number of audit entries, and SHA-256 over their hashes in order.
    pub audit: Vec<(TenantId, u64, String)>,
}

/// One side of a copy.
struct Side {
    tx: super::Tx,
    dialect: super::Dialect,
}

impl Side {
    async fn enter(&mut self, tenant: &TenantId) -> Result<(), StoreError> {
        if let Some(sql) = self.dialect.enter(tenant) {
            self.tx.execute(sql).await?;
        }
        Ok(())
    }

    async fn count(&mut self, table: &'static str, tenant: Option<&TenantId>) -> Result<u64, StoreError> {
        let sql = format!("SELECT COUNT(*) AS count FROM {table} {}", condition(tenant));
        let row = bound(AssertSqlSafe(sql), tenant).fetch_one(&mut *self.tx).await?;
        Ok(row.int("count")?.unsigned_abs())
    }

    /// The number of a tenant's audit entries, and SHA-256 over their hashes and contents in order.
    async fn audit_hash(&mut self, tenant: &TenantId) -> Result<(u64, String), StoreError> {
        const SQL: &str = "SELECT e.seq, e.leaf_hash, c.content FROM audit_entries e \
             JOIN audit_contents c ON c.tenant = e.tenant AND c.seq = e.seq WHERE e.tenant = $1 ORDER BY e.seq";
        let (mut hash, mut entries) = (Sha256::new(), 0);
        let mut rows = bound(SQL, Some(tenant)).fetch(&mut *self.tx);
        while let Some(row) = rows.try_next().await? {
            hash.update(row.text("leaf_hash")?);
            hash.update(row.text("content")?);
            entries += 1;
        }
        Ok((entries, crate::domain::canonical::hex(&hash.finalize())))
    }
}

fn condition(tenant: Option<&TenantId>) -> &'static str {
    if tenant.is_some() { "WHERE tenant = $1" } else { "" }
}

fn bound<'q>(sql: impl sqlx::SqlSafeStr, tenant: Option<&TenantId>) -> Query<'q, Any, AnyArguments> {
    let query = sqlx::query(sql);
    match tenant {
        Some(tenant) => query.bind(tenant.as_str().to_owned()),
        None => query,
    }
}

impl Store {
    /// Copies everything into `target`, which must be empty, and compares rows and audit hashes before the commit. The copy reads one
    /// consistent state; rows that clients write to the source meanwhile are not copied.
    pub async fn copy_into(
        &self,
        target: &Store,
        mut progress: impl FnMut(CopyStep) + Send,
    ) -> Result<CopyReport, StoreError> {
        let mut from = Side {
            tx: self.readers.begin_with(self.dialect.begin_copy_from()).await?,
            dialect: self.dialect,
        };
        let mut to = Side {
            tx: target.writers.begin_with(target.dialect.begin_copy_to()).await?,
            dialect: target.dialect,
        };
        to.tx.execute(target.dialect.defer_references()).await?;
        let mut there = 0;
        for table in SHARED {
            there += to.count(table, None).await?;
        }
        if there > 0 {
            return Err(StoreError::Copy(
                "the target is not empty; nothing was copied. Copy into a new database".to_owned(),
            ));
        }
        let tenants: Vec<TenantId> = sqlx::query("SELECT id FROM tenants ORDER BY id")
            .fetch_all(&mut *from.tx)
            .await?
            .iter()
            .map(|row| row.read("id", |t| TenantId::parse(t).ok()))
            .collect::<Result<_, _>>()?;
        let mut step = CopyStep {
            table: SHARED[0],
            done: 0,
            total: total(&mut from, &tenants).await?,
        };
        copy(&mut from, &mut to, None, &mut step, &mut progress).await?;
        let mut audit = Vec::new();
        for tenant in &tenants {
            from.enter(tenant).await?;
            to.enter(tenant).await?;
            for table in COPIED {
                step.table = table;
                copy(&mut from, &mut to, Some(tenant), &mut step, &mut progress).await?;
            }
            if let Some(sql) = to.dialect.settle_deferred() {
                to.tx.execute(sql).await?;
            }
            let (theirs, ours) = (from.audit_hash(tenant).await?, to.audit_hash(tenant).await?);
            if theirs != ours {
                return Err(differs("the audit log", tenant.as_str()));
            }
            audit.push((tenant.clone(), ours.0, ours.1));
        }
        for table in SHARED.into_iter().skip(1) {
            step.table = table;
            copy(&mut from, &mut to, None, &mut step, &mut progress).await?;
        }
        to.tx.commit().await?;
        Ok(CopyReport { rows: step.done, audit })
    }

    /// Makes a consistent copy of a SQLite database in a new file. The database can be in use.
    pub async fn backup(&self, file: &str) -> Result<(), StoreError> {
        if self.is_shared() {
            return Err(StoreError::Copy(
                "PostgreSQL has a tool of its own for this: pg_dump, as the owner of the database".to_owned(),
            ));
        }
        sqlx::query("VACUUM INTO $1")
            .bind(file.to_owned())
            .execute(&self.readers)
            .await?;
        Ok(())
    }
}

fn differs(what: &str, of: &str) -> StoreError {
    StoreError::Copy(format!(
        "{what} of {of} came out different in the target; nothing was kept there"
    ))
}

async fn total(from: &mut Side, tenants: &[TenantId]) -> Result<u64, StoreError> {
    let mut total = 0;
    for table in SHARED {
        total += from.count(table, None).await?;
    }
    for tenant in tenants {
        from.enter(tenant).await?;
        for table in COPIED {
            total += from.count(table, Some(tenant)).await?;
        }
    }
    Ok(total)
}

async fn copy(
    from: &mut Side,
    to: &mut Side,
    tenant: Option<&TenantId>,
    step: &mut CopyStep,
    progress: &mut (impl FnMut(CopyStep) + Send),
) -> Result<(), StoreError> {
    let table = step.table;
    let sql = format!("SELECT * FROM {table} {}", condition(tenant));
    let mut copied = 0;
    {
        let mut rows = bound(AssertSqlSafe(sql), tenant).fetch(&mut *from.tx);
        let mut batch: Vec<AnyRow> = Vec::new();
        loop {
            let row = rows.try_next().await?;
            let ended = row.is_none();
            batch.extend(row);
            let full = batch.first().is_some_and(|row| (batch.len() + 1) * row.len() > VALUES);
            if !batch.is_empty() && (ended || full) {
                insert(to, table, &batch).await?;
                copied += batch.len() as u64;
                step.done += batch.len() as u64;
                progress(*step);
                batch.clear();
            }
            if ended {
                break;
            }
        }
    }
    if to.count(table, tenant).await? != copied {
        return Err(differs(table, tenant.map_or("the installation", TenantId::as_str)));
    }
    Ok(())
}

async fn insert(to: &mut Side, table: &str, rows: &[AnyRow]) -> Result<(), StoreError> {
    let Some(first) = rows.first() else { return Ok(()) };
    let names: Vec<&str> = first.columns().iter().map(Column::name).collect();
    let width = names.len();
    let groups: Vec<String> = (0..rows.len())
        .map(|row| {
            let values: Vec<String> = (1..=width).map(|column| format!("${}", row * width + column)).collect();
            format!("({})", values.join(", "))
        })
        .collect();
    let sql = format!(
        "INSERT INTO {table} ({}) VALUES {}",
        names.join(", "),
        groups.join(", ")
    );
    // The SQL consists of names from the database's own schema and of placeholders.
    let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
    for row in rows {
        for column in row.columns() {
            query = bind(query, row, column)?;
        }
    }
    query.execute(&mut *to.tx).await?;
    Ok(())
}

/// Binds a column's value. Columns contain only text, integers or bytes.
fn bind<'q>(
    query: Query<'q, Any, AnyArguments>,
    row: &AnyRow,
    column: &<Any as sqlx::Database>::Column,
) -> Result<Query<'q, Any, AnyArguments>, StoreError> {
    let at = column.ordinal();
    Ok(match column.type_info().kind() {
        AnyTypeInfoKind::Text => query.bind(row.try_get::<Option<String>, _>(at)?),
        AnyTypeInfoKind::SmallInt | AnyTypeInfoKind::Integer | AnyTypeInfoKind::BigInt => {
            query.bind(row.try_get::<Option<i64>, _>(at)?)
        }
        AnyTypeInfoKind::Blob => query.bind(row.try_get::<Option<Vec<u8>>, _>(at)?),
        other => {
            let null = row.try_get_raw(at)?.is_null();
            return Err(StoreError::damaged(
                column.name(),
                format!("{other:?} (null: {null}) is no type of this schema"),
            ));
        }
    })
}
