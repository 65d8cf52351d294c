//! Copies a whole installation into an empty database of either kind. The target gets all rows in one transaction, or none.

use super::db::{self, ColumnValue, Query, Row, Tx, Value};
use super::{Store, StoreError};
use crate::domain::TenantId;
use sha2::{Digest, Sha256};

/// The tenants' tables in a copy. Each table comes after the tables that it refers to. `action_counts` is left out, because triggers of the
/// target count again.
pub const COPIED: [&str; 59] = [
    "people",
    "person_addresses",
    "people_apart",
    "operator_requests",
    "teams",
    "team_members",
    "catalog_members",
    "catalog_groups",
    "catalog_roles",
    "person_groups",
    "policies",
    "clients",
    "grants",
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
    "evidence_verifications",
    "evidence",
    "evidence_links",
    "findings",
    "sightings",
    "release_findings",
    "complete_scans",
    "finding_vulnerabilities",
    "vex_statements",
    "blockers",
    "imports",
    "work_items",
    "work_item_references",
    "work_item_words",
    "catalog_work_items",
    "actions",
    "envelopes",
    "action_targets",
    "generic_words",
    "pauses",
    "risk_acceptances",
    "accepted_risks",
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
    "audit_nodes",
    "audit_checkpoints",
    "audit_cosignatures",
    "audit_deliveries",
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
    tx: Tx,
}

impl Side {
    async fn enter(&mut self, tenant: &TenantId) -> Result<(), StoreError> {
        if matches!(self.tx, Tx::Postgres(_)) {
            self.tx.execute_batch(&db::set_tenant(tenant)).await?;
        }
        Ok(())
    }

    async fn count(&mut self, table: &'static str, tenant: Option<&TenantId>) -> Result<u64, StoreError> {
        let sql = format!("SELECT COUNT(*) AS count FROM {table} {}", condition(tenant));
        let row = of_tenant(sql, tenant).fetch_one(&mut self.tx).await?;
        Ok(row.int("count")?.unsigned_abs())
    }

    /// The number of a tenant's audit entries, and SHA-256 over their hashes and contents in order.
    async fn audit_hash(&mut self, tenant: &TenantId) -> Result<(u64, String), StoreError> {
        const SQL: &str = "SELECT e.seq, e.leaf_hash, c.content FROM audit_entries e \
             JOIN audit_contents c ON c.tenant = e.tenant AND c.seq = e.seq WHERE e.tenant = $1 ORDER BY e.seq";
        let (mut hash, mut entries) = (Sha256::new(), 0);
        let query = of_tenant(SQL.to_owned(), Some(tenant));
        query
            .batches(&mut self.tx, VALUES, async |rows| {
                for row in &rows {
                    hash.update(row.text("leaf_hash")?);
                    hash.update(row.text("content")?);
                    entries += 1;
                }
                Ok(())
            })
            .await?;
        Ok((entries, crate::domain::canonical::hex(&hash.finalize())))
    }
}

fn condition(tenant: Option<&TenantId>) -> &'static str {
    if tenant.is_some() { "WHERE tenant = $1" } else { "" }
}

fn of_tenant<'q>(sql: String, tenant: Option<&'q TenantId>) -> Query<'q> {
    let query = db::composed(sql);
    match tenant {
        Some(tenant) => query.bind(tenant.as_str()),
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
            tx: self.database.begin_copy_from().await?,
        };
        let mut to = Side {
            tx: target.database.begin_copy_to().await?,
        };
        let mut there = 0;
        for table in SHARED {
            there += to.count(table, None).await?;
        }
        if there > 0 {
            return Err(StoreError::Copy(
                "the target is not empty; nothing was copied. Copy into a new database".to_owned(),
            ));
        }
        let tenants: Vec<TenantId> = db::query("SELECT id FROM tenants ORDER BY id")
            .fetch_all(&mut from.tx)
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
            if matches!(to.tx, Tx::Postgres(_)) {
                // Deferred triggers and checks run now, while the transaction is still in the tenant whose rows they read.
                let settle = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED";
                to.tx.execute_batch(settle).await?;
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
        Ok(self.database.backup(file).await?)
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
    of_tenant(sql, tenant)
        .batches(&mut from.tx, VALUES, async |rows| {
            if !rows.is_empty() {
                insert(to, table, &rows).await?;
                copied += rows.len() as u64;
                step.done += rows.len() as u64;
                progress(*step);
            }
            Ok(())
        })
        .await?;
    if to.count(table, tenant).await? != copied {
        return Err(differs(table, tenant.map_or("the installation", TenantId::as_str)));
    }
    Ok(())
}

async fn insert(to: &mut Side, table: &str, rows: &[Row]) -> Result<(), StoreError> {
    let Some(first) = rows.first() else { return Ok(()) };
    let names: Vec<&str> = first.names().collect();
    let width = names.len();
    let groups: Vec<String> = (0..rows.len())
        .map(|row| {
            let values: Vec<String> = (1..=width).map(|column| format!("${}", row * width + column)).collect();
            format!("({})", values.join(", "))
        })
        .collect();
    // The SQL consists of names from the database's own schema and of placeholders.
    let mut query = db::composed(format!(
        "INSERT INTO {table} ({}) VALUES {}",
        names.join(", "),
        groups.join(", ")
    ));
    for value in rows.iter().flat_map(Row::values) {
        query = query.bind(match value {
            ColumnValue::Null => Value::Null,
            ColumnValue::Int(number) => number.into(),
            ColumnValue::Text(text) => text.into(),
            ColumnValue::Bytes(bytes) => bytes.into(),
        });
    }
    query.execute(&mut to.tx).await?;
    Ok(())
}
