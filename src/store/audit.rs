//! The audit log: entries are appended last in their transaction, numbered from a head row, and never changed.

use super::dialect::{Sql, together};
use super::row::{Columns, list};
use super::{ReadTx, StoreError, WriteTx};
use crate::audit::{Content, Event, Leaf, content_hash};
use crate::domain::{ActionId, AuditQuery, Timestamp, canonical};
use sqlx::any::AnyRow;

/// An entry to append.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What happened.
    pub event: Event,
    /// To which action.
    pub action_id: Option<ActionId>,
    /// What is kept of it.
    pub content: Content,
}

/// A stored entry.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct AuditRecord {
    pub seq: i64,
    pub at: Timestamp,
    pub event: String,
    pub action_id: Option<ActionId>,
    pub content_hash: String,
    pub leaf_hash: String,
    pub salt: String,
    /// The content as it was stored.
    pub content_json: String,
    pub content: Content,
}

fn record(row: &AnyRow) -> Result<AuditRecord, StoreError> {
    Ok(AuditRecord {
        seq: row.int("seq")?,
        at: row.time("at")?,
        event: row.text("event")?,
        action_id: row.maybe("action_id", |t| ActionId::parse(t).ok())?,
        content_hash: row.text("content_hash")?,
        leaf_hash: row.text("leaf_hash")?,
        salt: row.text("salt")?,
        content_json: row.text("content")?,
        content: row.json("content")?,
    })
}

impl AuditRecord {
    /// Whether content and leaf still give the hashes that were stored with them.
    pub fn is_intact(&self, tenant: &crate::domain::TenantId) -> bool {
        let leaf = Leaf::new(
            tenant,
            self.seq,
            self.at,
            &self.event,
            self.action_id.as_ref(),
            &self.content_hash,
        );
        content_hash(&self.salt, &self.content_json) == self.content_hash
            && leaf.hash().is_ok_and(|hash| hash == self.leaf_hash)
    }
}

/// Every column of an entry and its content.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT e.seq, e.at, e.event, e.action_id, e.content_hash, e.leaf_hash, c.salt, c.content ",
            "FROM audit_entries e JOIN audit_contents c ON c.tenant = e.tenant AND c.seq = e.seq ",
            $rest
        )
    };
}

impl WriteTx {
    pub(super) async fn append_entries(&mut self) -> Result<(), StoreError> {
        let entries = std::mem::take(&mut self.entries);
        if entries.is_empty() {
            return Ok(());
        }
        const HEAD: &str = "INSERT INTO audit_heads (tenant, last_seq) VALUES ($1, $2) \
             ON CONFLICT (tenant) DO UPDATE SET last_seq = audit_heads.last_seq + $2 RETURNING last_seq";
        let count = entries.len() as i64;
        let row = sqlx::query(HEAD)
            .bind(self.tenant())
            .bind(count)
            .fetch_one(&mut *self.read.tx)
            .await?;
        let mut seq = row.int("last_seq")? - count;
        for entry in entries {
            seq += 1;
            self.append(seq, &entry).await?;
        }
        Ok(())
    }

    async fn append(&mut self, seq: i64, entry: &Entry) -> Result<(), StoreError> {
        let damaged = |error: canonical::NotCanonical| StoreError::damaged("an audit entry", error);
        let (now, tenant) = (self.ctx.now(), self.ctx.tenant().clone());
        let salt = canonical::hex(&self.ctx.ports.random::<16>());
        let content = canonical::to_string(&entry.content).map_err(damaged)?;
        let hash = content_hash(&salt, &content);
        let leaf = Leaf::new(&tenant, seq, now, entry.event.as_str(), entry.action_id.as_ref(), &hash);
        let leaf_hash = leaf.hash().map_err(damaged)?;
        let terms = entry
            .content
            .terms(entry.event, entry.action_id.as_ref().map(ActionId::as_str));
        sqlx::query(self.pick(&APPEND))
            .bind(self.tenant())
            .bind(seq)
            .bind(now.0)
            .bind(entry.event.as_str().to_owned())
            .bind(entry.action_id.as_ref().map(|id| id.as_str().to_owned()))
            .bind(hash)
            .bind(leaf_hash)
            .bind(salt)
            .bind(content)
            .bind(list(terms))
            .execute(&mut *self.read.tx)
            .await?;
        Ok(())
    }
}

const APPEND: Sql = together!(
    entry: "INSERT INTO audit_entries (tenant, seq, at, event, action_id, content_hash, leaf_hash) \
            VALUES ($1, $2, $3, $4, $5, $6, $7)",
    content: "INSERT INTO audit_contents (tenant, seq, salt, content) VALUES ($1, $2, $8, $9)",
    => "INSERT INTO audit_terms (tenant, term, seq) SELECT $1, value, $2 FROM json_each($10)"
);

impl ReadTx {
    /// A page of entries that the query fits, newest first, from below `before`.
    pub async fn search_audit(
        &mut self,
        query: &AuditQuery,
        before: i64,
        limit: i64,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        const ALL: &str =
            select!("WHERE e.tenant = $1 AND e.seq < $2 AND e.at >= $3 AND e.at < $4 ORDER BY e.seq DESC LIMIT $5");
        // Each term is one look into the index; entries that all of them name are the answer.
        const BY_TERMS: &str = select!(
            "WHERE e.tenant = $1 AND e.seq < $2 AND e.at >= $3 AND e.at < $4 AND NOT EXISTS (SELECT 1 FROM json_each($6) wanted \
             WHERE NOT EXISTS (SELECT 1 FROM audit_terms t WHERE t.tenant = $1 AND t.term = wanted.value AND t.seq = e.seq)) \
             AND e.seq IN (SELECT seq FROM audit_terms WHERE tenant = $1 AND term = $7 AND seq < $2) \
             ORDER BY e.seq DESC LIMIT $5"
        );
        let terms: Vec<String> = query.terms.iter().map(crate::domain::Term::indexed).collect();
        // The longest term is likely the rarest: a trace or a record before a word.
        let rarest = terms.iter().max_by_key(|term| term.len()).cloned();
        let after = query.after.unwrap_or(Timestamp(i64::MIN));
        let until = query.before.unwrap_or(Timestamp(i64::MAX));
        let mut statement = sqlx::query(if rarest.is_some() { BY_TERMS } else { ALL })
            .bind(self.tenant())
            .bind(before)
            .bind(after.0)
            .bind(until.0)
            .bind(limit);
        if let Some(rarest) = rarest {
            statement = statement.bind(list(terms)).bind(rarest);
        }
        statement.fetch_all(&mut *self.tx).await?.iter().map(record).collect()
    }

    /// One entry.
    pub async fn audit_record(&mut self, seq: i64) -> Result<Option<AuditRecord>, StoreError> {
        const SQL: &str = select!("WHERE e.tenant = $1 AND e.seq = $2");
        let row = sqlx::query(SQL)
            .bind(self.tenant())
            .bind(seq)
            .fetch_optional(&mut *self.tx)
            .await?;
        row.as_ref().map(record).transpose()
    }

    /// The entries of an action, in order: the last 500.
    pub async fn audit_of_action(&mut self, id: &ActionId) -> Result<Vec<AuditRecord>, StoreError> {
        const SQL: &str = select!("WHERE e.tenant = $1 AND e.action_id = $2 ORDER BY e.seq DESC LIMIT 500");
        let rows = sqlx::query(SQL)
            .bind(self.tenant())
            .bind(id.as_str().to_owned())
            .fetch_all(&mut *self.tx)
            .await?;
        rows.iter().rev().map(record).collect()
    }

    /// A stretch of the log, oldest first: for verifying.
    pub async fn audit_stretch(&mut self, after: i64, limit: i64) -> Result<Vec<AuditRecord>, StoreError> {
        const SQL: &str = select!("WHERE e.tenant = $1 AND e.seq > $2 ORDER BY e.seq LIMIT $3");
        let rows = sqlx::query(SQL)
            .bind(self.tenant())
            .bind(after)
            .bind(limit)
            .fetch_all(&mut *self.tx)
            .await?;
        rows.iter().map(record).collect()
    }

    /// The number of the log's last entry, 0 for none.
    pub async fn audit_head(&mut self) -> Result<i64, StoreError> {
        let row = sqlx::query("SELECT last_seq FROM audit_heads WHERE tenant = $1")
            .bind(self.tenant())
            .fetch_optional(&mut *self.tx)
            .await?;
        row.map_or(Ok(0), |row| row.int("last_seq"))
    }
}
