//! Pauses of agents, tools and clients.

use crate::domain::{Client, Pause, PauseTarget, PlainText};
use crate::store::db::{PAUSE_LOCKS, Row, Sql, query};
use crate::store::{ReadTx, StoreError, WriteTx};

fn pause(row: &Row) -> Result<Pause, StoreError> {
    Ok(Pause {
        target: row.read("target", PauseTarget::parse)?,
        client_name: row.maybe_text("client_name")?.map(PlainText::from),
        person_name: row.maybe_text("person_name")?.map(PlainText::from),
        reason: row.text("reason")?.into(),
        since: row.time("paused_at")?,
    })
}

impl ReadTx {
    /// The pauses in force, the oldest first. A person has made each of them, so there are few.
    pub async fn pauses(&mut self) -> Result<Vec<Pause>, StoreError> {
        const SQL: &str = "SELECT p.*, c.name AS client_name, m.name AS person_name FROM pauses p \
             LEFT JOIN clients c ON c.tenant = p.tenant AND c.id = p.client_id \
             LEFT JOIN people m ON m.tenant = p.tenant AND m.id = p.paused_by \
             WHERE p.tenant = $1 ORDER BY p.paused_at, p.target";
        let rows = query(SQL).bind(self.tenant()).fetch_all(&mut self.tx).await?;
        rows.iter().map(pause).collect()
    }

    /// The clients that have been here, by name, at most 500.
    pub async fn all_clients(&mut self) -> Result<Vec<Client>, StoreError> {
        const SQL: &str = "SELECT id, name FROM clients WHERE tenant = $1 ORDER BY name, id LIMIT 500";
        let rows = query(SQL).bind(self.tenant()).fetch_all(&mut self.tx).await?;
        rows.iter().map(super::people::client).collect()
    }
}

impl WriteTx {
    /// Waits for the proposals that other transactions are storing, so that each is stored before the pause or sees it. SQLite has one writer at a
    /// time, and needs no lock.
    pub async fn lock_pauses(&mut self) -> Result<(), StoreError> {
        const SQL: Sql = Sql {
            sqlite: &["SELECT $1 AS tenant, $2 AS lock"],
            postgres: "SELECT pg_advisory_xact_lock(CAST($2 AS INTEGER), hashtext($1))",
        };
        query(SQL)
            .bind(self.tenant())
            .bind(i64::from(PAUSE_LOCKS))
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }

    /// Starts a pause now. Returns `false` if the target is paused already; then nothing changes.
    pub async fn insert_pause(&mut self, target: &PauseTarget, reason: &str) -> Result<bool, StoreError> {
        const SQL: &str = "INSERT INTO pauses (tenant, target, client_id, reason, paused_by, paused_at) \
             VALUES ($1, $2, NULLIF($3, ''), $4, NULLIF($5, ''), $6) ON CONFLICT (tenant, target) DO NOTHING";
        let client = match target {
            PauseTarget::Client(id) => id.to_string(),
            PauseTarget::Agents | PauseTarget::Tool(_) => String::new(),
        };
        let ctx = self.ctx();
        let by = ctx.principal.person().map(|person| person.id.to_string());
        let (by, now) = (by.unwrap_or_default(), ctx.now().0);
        let inserted = query(SQL)
            .bind(self.tenant())
            .bind(target.to_string())
            .bind(client)
            .bind(reason)
            .bind(by)
            .bind(now)
            .execute(&mut self.read.tx)
            .await?;
        Ok(inserted > 0)
    }

    /// Ends a pause. Returns `false` if the target is not paused.
    pub async fn delete_pause(&mut self, target: &PauseTarget) -> Result<bool, StoreError> {
        let deleted = query("DELETE FROM pauses WHERE tenant = $1 AND target = $2")
            .bind(self.tenant())
            .bind(target.to_string())
            .execute(&mut self.read.tx)
            .await?;
        Ok(deleted > 0)
    }
}
