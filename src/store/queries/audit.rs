//! The audit log. A transaction appends its entries before it commits, and numbers them from a head row. Entries never change.

use crate::audit::{Content, Event, Leaf, content_hash};
use crate::context::Ctx;
use crate::domain::{ActionId, AuditQuery, Timestamp, canonical};
use crate::store::db::{self, Row, Sql, Tx, multi_write};
use crate::store::row::{json, list};
use crate::store::{ReadTx, StoreError, WriteTx};

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
    pub salt: String,
    /// The stored text of the content, which the hashes cover.
    pub content_json: String,
    pub content: Content,
}

fn record(row: &Row) -> Result<AuditRecord, StoreError> {
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
    /// Whether content and leaf still have the hashes that were stored with them.
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

/// All columns of an entry and its content.
macro_rules! select {
    ($from:literal, $rest:literal) => {
        concat!(
            "SELECT e.seq, e.at, e.event, e.action_id, e.content_hash, e.leaf_hash, c.salt, c.content ",
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
            let count = of_tenant.len() as i64;
            let row = db::query(HEAD)
                .bind(of_tenant[0].0.tenant().as_str())
                .bind(count)
                .fetch_one(&mut self.read.tx)
                .await?;
            let before = row.int("last_seq")? - count;
            let rows = (before + 1..)
                .zip(of_tenant)
                .map(|(seq, (ctx, entry))| row_of(seq, ctx, entry));
            let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
            db::query(APPEND)
                .bind(of_tenant[0].0.tenant().as_str())
                .bind(json(&rows)?)
                .execute(&mut self.read.tx)
                .await?;
        }
        Ok(())
    }
}

/// An entry as a JSON parameter of `APPEND`.
fn row_of(seq: i64, ctx: &Ctx, entry: &Entry) -> Result<serde_json::Value, StoreError> {
    let damaged = |error: canonical::NotCanonical| StoreError::damaged("an audit entry", error);
    let (now, tenant) = (ctx.now(), ctx.tenant());
    let salt = canonical::hex(&ctx.runtime.random::<16>());
    let content = canonical::to_string(&entry.content).map_err(damaged)?;
    let hash = content_hash(&salt, &content);
    let leaf = Leaf::new(tenant, seq, now, entry.event.as_str(), entry.action_id.as_ref(), &hash);
    let leaf_hash = leaf.hash().map_err(damaged)?;
    Ok(serde_json::json!({
        "seq": seq, "at": now.0, "event": entry.event.as_str(), "action": entry.action_id, "hash": hash, "leaf": leaf_hash,
        "salt": salt, "content": content,
    }))
}

const APPEND: Sql = multi_write!(
    entry: "INSERT INTO audit_entries (tenant, seq, at, event, action_id, content_hash, leaf_hash) \
            SELECT $1, CAST(value ->> 'seq' AS BIGINT), CAST(value ->> 'at' AS BIGINT), value ->> 'event', value ->> 'action', \
            value ->> 'hash', value ->> 'leaf' FROM json_each($2)",
    => "INSERT INTO audit_contents (tenant, seq, salt, content) \
        SELECT $1, CAST(value ->> 'seq' AS BIGINT), value ->> 'salt', value ->> 'content' FROM json_each($2)"
);

impl WriteTx {
    /// Indexes the entries after `after` up to `to` for the search, if the index still ends at `after`. Returns `false` if another task has
    /// indexed them first.
    pub async fn index_audit(&mut self, after: i64, to: i64, records: &[AuditRecord]) -> Result<bool, StoreError> {
        const CLAIM: &str = "INSERT INTO audit_indexed (tenant, seq) VALUES ($1, $3) \
             ON CONFLICT (tenant) DO UPDATE SET seq = $3 WHERE audit_indexed.seq = $2";
        const TERMS: &str = "INSERT INTO audit_terms (tenant, term, seq) \
             SELECT $1, value ->> 'term', CAST(value ->> 'seq' AS BIGINT) FROM json_each($2)";
        let claimed = db::query(CLAIM)
            .bind(self.tenant())
            .bind(after)
            .bind(to)
            .execute(&mut self.read.tx)
            .await?;
        if claimed == 0 {
            return Ok(false);
        }
        let mut terms: Vec<(String, i64)> = Vec::new();
        for record in records {
            let action = record.action_id.as_ref().map(ActionId::as_str);
            let found = record.content.terms(&record.event, action);
            terms.extend(found.into_iter().map(|term| (term, record.seq)));
        }
        // The terms are sorted like the index, so that the database writes each page of the index once.
        terms.sort();
        let rows: Vec<_> = terms
            .iter()
            .map(|(term, seq)| serde_json::json!({ "term": term, "seq": seq }))
            .collect();
        db::query(TERMS)
            .bind(self.tenant())
            .bind(json(&rows)?)
            .execute(&mut self.read.tx)
            .await?;
        Ok(true)
    }
}

impl ReadTx {
    /// The number of the last entry that is indexed for the search.
    pub async fn audit_indexed(&mut self) -> Result<i64, StoreError> {
        let row = db::query("SELECT seq FROM audit_indexed WHERE tenant = $1")
            .bind(self.tenant())
            .fetch_optional(&mut self.tx)
            .await?;
        row.map_or(Ok(0), |row| row.int("seq"))
    }

    /// A page of entries that match the query, newest first. The page begins below `before`.
    pub async fn search_audit(
        &mut self,
        query: &AuditQuery,
        before: i64,
        limit: i64,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        const ALL: &str = select!(
            "FROM audit_entries e JOIN audit_contents c ON c.tenant = e.tenant AND c.seq = e.seq ",
            "WHERE e.tenant = $1 AND e.seq < $2 AND e.at >= $3 AND e.at < $4 ORDER BY e.seq DESC LIMIT 0 + $5"
        );
        // The statement reads the entries of the rarest term in index order, and looks up each other term in the index. CROSS JOIN makes
        // SQLite use this order of tables.
        const BY_TERMS: &str = select!(
            "FROM audit_terms t CROSS JOIN audit_entries e CROSS JOIN audit_contents c ",
            "WHERE t.tenant = $1 AND t.term = $7 AND t.seq < $2 AND NOT EXISTS (SELECT 1 FROM json_each($6) wanted \
             WHERE NOT EXISTS (SELECT 1 FROM audit_terms o WHERE o.tenant = $1 AND o.term = wanted.value AND o.seq = t.seq)) \
             AND e.tenant = $1 AND e.seq = t.seq AND e.at >= $3 AND e.at < $4 AND c.tenant = $1 AND c.seq = t.seq \
             ORDER BY t.seq DESC LIMIT 0 + $5"
        );
        // With a generic plan, PostgreSQL would read the whole log.
        if matches!(self.tx, Tx::Postgres(_)) {
            self.tx
                .execute_batch("SET LOCAL plan_cache_mode = force_custom_plan")
                .await?;
        }
        let mut terms: Vec<String> = query.terms.iter().map(crate::domain::Term::indexed).collect();
        let rarest = self.rarest(&terms).await?;
        terms.retain(|term| Some(term) != rarest.as_ref());
        let after = query.after.unwrap_or(Timestamp(i64::MIN));
        let until = query.before.unwrap_or(Timestamp(i64::MAX));
        let mut statement = db::query(if rarest.is_some() { BY_TERMS } else { ALL })
            .bind(self.tenant())
            .bind(before)
            .bind(after.0)
            .bind(until.0)
            .bind(limit);
        if let Some(rarest) = rarest {
            statement = statement.bind(list(terms)).bind(rarest);
        }
        let rows = statement.fetch_all(&mut self.tx).await?;
        rows.iter().map(record).collect()
    }

    /// The term with the fewest entries. Counting stops at 2,000 entries; a term with more is common.
    async fn rarest(&mut self, terms: &[String]) -> Result<Option<String>, StoreError> {
        const SQL: &str = "SELECT wanted.value AS term, (SELECT COUNT(*) FROM (SELECT 1 FROM audit_terms t \
             WHERE t.tenant = $1 AND t.term = wanted.value LIMIT 2000) AS counted) AS entries \
             FROM json_each($2) wanted ORDER BY entries LIMIT 1";
        if let [] | [_] = terms {
            return Ok(terms.first().cloned());
        }
        let row = db::query(SQL)
            .bind(self.tenant())
            .bind(list(terms))
            .fetch_one(&mut self.tx)
            .await?;
        Ok(Some(row.text("term")?))
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

    /// The entries that define an action and its decisions, oldest first: all except page views, questions and denials.
    pub async fn lifecycle_of_action(&mut self, id: &ActionId) -> Result<Vec<AuditRecord>, StoreError> {
        const SQL: &str = select!(
            "WHERE e.tenant = $1 AND e.action_id = $2 AND e.event NOT IN \
             ('action.viewed', 'action.asked', 'action.answered', 'action.attempt_failed', 'access.denied') ORDER BY e.seq LIMIT 1000"
        );
        let rows = db::query(SQL)
            .bind(self.tenant())
            .bind(id.as_str())
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(record).collect()
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
