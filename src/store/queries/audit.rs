//! The audit log. A transaction appends its entries before it commits, and numbers them from a head row. Entries never change.

use super::audit_tree::add_nodes;
use crate::audit::{Content, Event, leaf};
use crate::context::Ctx;
use crate::domain::{ActionId, TenantId, Timestamp, canonical};
use crate::store::db::{self, Row, Sql, multi_write};
use crate::store::row::json;
use crate::store::{ReadTx, StoreError, WriteTx};
use loopiq_audit_log::{Hash, Leaf, content_hash};

/// An entry to append.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What happened.
    pub event: Event,
    /// The action that the event is about.
    pub action_id: Option<ActionId>,
    /// The content of the entry.
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
    /// The code by which the service recognises the entries that it wrote ([`crate::log_keys::LogKeys`]).
    pub seal: String,
    pub salt: String,
    /// The stored text of the content, which the hashes cover.
    pub content_json: String,
    pub content: Content,
}

/// An entry without its content.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct AuditLeaf {
    pub seq: i64,
    pub at: Timestamp,
    pub event: String,
    pub action_id: Option<String>,
    pub content_hash: String,
    pub leaf_hash: String,
    pub seal: String,
}

impl AuditLeaf {
    /// The leaf hash, if the columns still have it.
    pub fn intact_hash(&self, tenant: &TenantId) -> Option<Hash> {
        let leaf = Leaf {
            version: 1,
            tenant: tenant.as_str(),
            seq: self.seq,
            at: self.at.0,
            event: &self.event,
            action_id: self.action_id.as_deref(),
            content_hash: &self.content_hash,
        };
        let hash = leaf.hash().ok()?;
        (hash.to_string() == self.leaf_hash).then_some(hash)
    }

    /// Whether entries of this event say nothing about the state of an action and its decisions: page views, questions, denials, repeated
    /// proposals and changes of the checks.
    pub fn defines_no_state(&self) -> bool {
        matches!(
            self.event.as_str(),
            "action.viewed"
                | "action.asked"
                | "action.answered"
                | "action.attempt_failed"
                | "access.denied"
                | "action.replayed"
                | "checks.changed"
        )
    }
}

fn record(row: &Row) -> Result<AuditRecord, StoreError> {
    Ok(AuditRecord {
        seq: row.int("seq")?,
        at: row.time("at")?,
        event: row.text("event")?,
        action_id: row.maybe("action_id", |t| ActionId::parse(t).ok())?,
        content_hash: row.text("content_hash")?,
        leaf_hash: row.text("leaf_hash")?,
        seal: row.text("seal")?,
        salt: row.text("salt")?,
        content_json: row.text("content")?,
        content: row.json("content")?,
    })
}

fn entry_to_index(row: &Row) -> Result<EntryToIndex, StoreError> {
    let seq = row.int("seq")?;
    let content = match row.maybe_text("content")? {
        None => None,
        // One damaged entry must not keep all later ones out of the search. Verifying the log names it.
        Some(text) => serde_json::from_str(&text)
            .inspect_err(|error| tracing::error!(seq, %error, "the content of an audit entry cannot be read; the search does not find it"))
            .ok(),
    };
    Ok(EntryToIndex {
        seq,
        at: row.time("at")?,
        event: row.text("event")?,
        action_id: row.maybe_text("action_id")?,
        leaf_hash: row.text("leaf_hash")?,
        content,
    })
}

impl AuditRecord {
    /// The leaf.
    pub fn leaf<'a>(&'a self, tenant: &'a TenantId) -> Leaf<'a> {
        leaf(
            tenant,
            self.seq,
            self.at,
            &self.event,
            self.action_id.as_ref(),
            &self.content_hash,
        )
    }

    /// Whether content and leaf still have the hashes that were stored with them.
    pub fn is_intact(&self, tenant: &TenantId) -> bool {
        let leaf = self.leaf(tenant);
        content_hash(&self.salt, &self.content_json).to_string() == self.content_hash
            && leaf.hash().is_ok_and(|hash| hash.to_string() == self.leaf_hash)
    }
}

/// All columns of an entry and its content.
macro_rules! select {
    ($from:literal, $rest:literal) => {
        concat!(
            "SELECT e.seq, e.at, e.event, e.action_id, e.content_hash, e.leaf_hash, e.seal, c.salt, c.content ",
            $from,
            $rest
        )
    };
    ($rest:literal) => {
        select!(
            "FROM audit_entries e JOIN audit_contents c ON c.tenant = e.tenant AND c.seq = e.seq ",
            $rest
        )
    };
}

impl WriteTx {
    pub(in crate::store) async fn append_entries(&mut self) -> Result<(), StoreError> {
        const HEAD: &str = "INSERT INTO audit_heads (tenant, last_seq) VALUES ($1, $2) \
             ON CONFLICT (tenant) DO UPDATE SET last_seq = audit_heads.last_seq + $2 RETURNING last_seq";
        let mut entries = std::mem::take(&mut self.entries);
        entries.sort_by(|one, two| one.0.tenant().cmp(two.0.tenant()));
        for of_tenant in entries.chunk_by(|one, two| one.0.tenant() == two.0.tenant()) {
            let tenant = of_tenant[0].0.tenant();
            let count = of_tenant.len() as i64;
            let row = db::query(HEAD)
                .bind(tenant.as_str())
                .bind(count)
                .fetch_one(&mut self.read.tx)
                .await?;
            let before = row.int("last_seq")? - count;
            let (mut rows, mut leaves) = (Vec::new(), Vec::new());
            for (seq, (ctx, entry)) in (before + 1..).zip(of_tenant) {
                let (row, leaf) = row_of(seq, ctx, entry)?;
                rows.push(row);
                leaves.push(leaf);
            }
            db::query(APPEND)
                .bind(tenant.as_str())
                .bind(json(&rows)?)
                .execute(&mut self.read.tx)
                .await?;
            add_nodes(&mut self.read.tx, tenant, before as u64, leaves).await?;
        }
        Ok(())
    }
}

/// An entry as a JSON parameter of `APPEND`, and its leaf hash.
fn row_of(seq: i64, ctx: &Ctx, entry: &Entry) -> Result<(serde_json::Value, Hash), StoreError> {
    let (now, tenant) = (ctx.now(), ctx.tenant());
    let keys = ctx.runtime.log_keys().ok_or(StoreError::NoLogKeys)?;
    let salt = canonical::hex(&ctx.runtime.random::<16>());
    let content = canonical::to_string(&entry.content).map_err(|error| StoreError::damaged("an audit entry", error))?;
    let hash = content_hash(&salt, &content).to_string();
    let leaf = leaf(tenant, seq, now, entry.event.as_str(), entry.action_id.as_ref(), &hash)
        .hash()
        .map_err(|error| StoreError::damaged("an audit entry", error))?;
    let row = serde_json::json!({
        "seq": seq, "at": now.0, "event": entry.event.as_str(), "action": entry.action_id, "hash": hash, "leaf": leaf,
        "seal": keys.seal(&leaf), "salt": salt, "content": content,
    });
    Ok((row, leaf))
}

const APPEND: Sql = multi_write!(
    entry: "INSERT INTO audit_entries (tenant, seq, at, event, action_id, content_hash, leaf_hash, seal) \
            SELECT $1, CAST(value ->> 'seq' AS BIGINT), CAST(value ->> 'at' AS BIGINT), value ->> 'event', value ->> 'action', \
            value ->> 'hash', value ->> 'leaf', value ->> 'seal' FROM json_each($2)",
    => "INSERT INTO audit_contents (tenant, seq, salt, content) \
        SELECT $1, CAST(value ->> 'seq' AS BIGINT), value ->> 'salt', value ->> 'content' FROM json_each($2)"
);

/// What the search index needs of an entry.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct EntryToIndex {
    pub seq: i64,
    pub at: Timestamp,
    pub event: String,
    pub action_id: Option<String>,
    pub leaf_hash: String,
    /// `None` if the content was purged or cannot be read.
    pub content: Option<Content>,
}

impl ReadTx {
    /// The number of the log's last entry (0 for none), and the hash of entry `seq` if there is such an entry.
    pub async fn audit_end(&mut self, seq: i64) -> Result<(i64, Option<String>), StoreError> {
        const SQL: &str = "SELECT audit_heads.last_seq, e.leaf_hash FROM audit_heads \
             LEFT JOIN audit_entries e ON e.tenant = audit_heads.tenant AND e.seq = $2 WHERE audit_heads.tenant = $1";
        let row = db::query(SQL)
            .bind(self.tenant())
            .bind(seq)
            .fetch_optional(&mut self.tx)
            .await?;
        row.map_or(Ok((0, None)), |row| {
            Ok((row.int("last_seq")?, row.maybe_text("leaf_hash")?))
        })
    }

    /// The entries after `after` for the search index, oldest first. The statement repeats the lower bound for both tables, so that
    /// PostgreSQL merges them from there.
    pub async fn audit_to_index(&mut self, after: i64, limit: i64) -> Result<Vec<EntryToIndex>, StoreError> {
        const SQL: &str = "SELECT e.seq, e.at, e.event, e.action_id, e.leaf_hash, c.content FROM audit_entries e \
             LEFT JOIN audit_contents c ON c.tenant = e.tenant AND c.seq = e.seq AND c.seq > $2 \
             WHERE e.tenant = $1 AND e.seq > $2 ORDER BY e.seq LIMIT 0 + $3";
        let rows = db::query(SQL)
            .bind(self.tenant())
            .bind(after)
            .bind(limit)
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(entry_to_index).collect()
    }

    /// The entries before `below` for a search without the index, newest first.
    pub async fn audit_before(&mut self, below: i64, limit: i64) -> Result<Vec<EntryToIndex>, StoreError> {
        const SQL: &str = "SELECT e.seq, e.at, e.event, e.action_id, e.leaf_hash, c.content FROM audit_entries e \
             LEFT JOIN audit_contents c ON c.tenant = e.tenant AND c.seq = e.seq AND c.seq < $2 \
             WHERE e.tenant = $1 AND e.seq < $2 ORDER BY e.seq DESC LIMIT 0 + $3";
        let rows = db::query(SQL)
            .bind(self.tenant())
            .bind(below)
            .bind(limit)
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(entry_to_index).collect()
    }

    /// A page of the log, newest first. The page begins below `before`.
    pub async fn audit_page(&mut self, before: i64, limit: i64) -> Result<Vec<AuditRecord>, StoreError> {
        const SQL: &str = select!("WHERE e.tenant = $1 AND e.seq < $2 ORDER BY e.seq DESC LIMIT 0 + $3");
        let rows = db::query(SQL)
            .bind(self.tenant())
            .bind(before)
            .bind(limit)
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(record).collect()
    }

    /// The entries with these numbers, newest first. Entries without content are left out.
    pub async fn audit_records(&mut self, seqs: &[i64]) -> Result<Vec<AuditRecord>, StoreError> {
        const SQL: Sql = Sql {
            sqlite: &[select!(
                "WHERE e.tenant = $1 AND e.seq IN (SELECT value FROM json_each($2)) ORDER BY e.seq DESC"
            )],
            postgres: select!(
                "WHERE e.tenant = $1 AND e.seq = ANY (ARRAY(SELECT CAST(value AS BIGINT) FROM json_each($2))) ORDER BY e.seq DESC"
            ),
        };
        if seqs.is_empty() {
            return Ok(Vec::new());
        }
        let rows = db::query(SQL)
            .bind(self.tenant())
            .bind(json(&seqs)?)
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(record).collect()
    }

    /// An entry by number.
    pub async fn audit_record(&mut self, seq: i64) -> Result<Option<AuditRecord>, StoreError> {
        const SQL: &str = select!("WHERE e.tenant = $1 AND e.seq = $2");
        let row = db::query(SQL)
            .bind(self.tenant())
            .bind(seq)
            .fetch_optional(&mut self.tx)
            .await?;
        row.as_ref().map(record).transpose()
    }

    /// The last 500 entries of an action, in order.
    pub async fn audit_of_action(&mut self, id: &ActionId) -> Result<Vec<AuditRecord>, StoreError> {
        const SQL: &str = select!("WHERE e.tenant = $1 AND e.action_id = $2 ORDER BY e.seq DESC LIMIT 500");
        let rows = db::query(SQL)
            .bind(self.tenant())
            .bind(id.as_str())
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().rev().map(record).collect()
    }

    /// The entries that define an action and its decisions, oldest first: all except those of [`AuditLeaf::defines_no_state`].
    pub async fn lifecycle_of_action(&mut self, id: &ActionId) -> Result<Vec<AuditRecord>, StoreError> {
        const SQL: &str = select!(
            "WHERE e.tenant = $1 AND e.action_id = $2 AND e.event NOT IN \
             ('action.viewed', 'action.asked', 'action.answered', 'action.attempt_failed', 'access.denied', \
             'action.replayed', 'checks.changed') ORDER BY e.seq LIMIT 1000"
        );
        let rows = db::query(SQL)
            .bind(self.tenant())
            .bind(id.as_str())
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(record).collect()
    }

    /// The leaves after `after`, oldest first, also of entries without a content.
    pub async fn audit_leaves(&mut self, after: i64, limit: i64) -> Result<Vec<AuditLeaf>, StoreError> {
        const SQL: &str = "SELECT seq, at, event, action_id, content_hash, leaf_hash, seal FROM audit_entries \
             WHERE tenant = $1 AND seq > $2 ORDER BY seq LIMIT 0 + $3";
        let rows = db::query(SQL)
            .bind(self.tenant())
            .bind(after)
            .bind(limit)
            .fetch_all(&mut self.tx)
            .await?;
        let leaf = |row: &Row| {
            Ok(AuditLeaf {
                seq: row.int("seq")?,
                at: row.time("at")?,
                event: row.text("event")?,
                action_id: row.maybe_text("action_id")?,
                content_hash: row.text("content_hash")?,
                leaf_hash: row.text("leaf_hash")?,
                seal: row.text("seal")?,
            })
        };
        rows.iter().map(leaf).collect()
    }

    /// A range of the log for verification, oldest first. The statement repeats the lower bound for both tables, so that PostgreSQL merges
    /// them from there.
    pub async fn audit_stretch(&mut self, after: i64, limit: i64) -> Result<Vec<AuditRecord>, StoreError> {
        const SQL: &str = select!("WHERE e.tenant = $1 AND e.seq > $2 AND c.seq > $2 ORDER BY e.seq LIMIT 0 + $3");
        let rows = db::query(SQL)
            .bind(self.tenant())
            .bind(after)
            .bind(limit)
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(record).collect()
    }

    /// The number of the log's last entry, 0 for none.
    pub async fn audit_head(&mut self) -> Result<i64, StoreError> {
        let row = db::query("SELECT last_seq FROM audit_heads WHERE tenant = $1")
            .bind(self.tenant())
            .fetch_optional(&mut self.tx)
            .await?;
        row.map_or(Ok(0), |row| row.int("last_seq"))
    }
}
