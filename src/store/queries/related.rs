//! Facts that few tools need: the blockers of records, and the newest evidence of a kind. Each has its own statement.

use super::records;
use crate::domain::{ActionId, Facts, FactsQuery};
use crate::store::db::{self};
use crate::store::{ReadTx, StoreError};

impl ReadTx {
    /// Adds the blockers of the records of a query, and the newest evidence of a kind.
    pub(super) async fn relate(&mut self, query: &FactsQuery, facts: &mut Facts) -> Result<(), StoreError> {
        const NEWEST: &str = "SELECT * FROM evidence WHERE tenant = $1 AND release_id = $2 AND provider = $3 AND kind = $4 \
             AND complete = 1 ORDER BY collected_at DESC, id DESC LIMIT 1";
        const CURRENT: &str =
            "SELECT * FROM current_evidence WHERE tenant = $1 AND release_id = $2 AND provider = $3 AND kind = $4";
        if !query.blockers_of.is_empty() {
            let ids: Vec<&str> = query.blockers_of.iter().map(String::as_str).collect();
            let blockers = self.blockers_of(&ids).await?;
            blockers.into_iter().for_each(|blocker| facts.insert(blocker));
        }
        if let Some((release, provider, kind)) = &query.newest {
            for sql in [NEWEST, CURRENT] {
                let row = db::query(sql)
                    .bind(self.tenant())
                    .bind(release.as_str())
                    .bind(provider)
                    .bind(kind)
                    .fetch_optional(&mut self.tx)
                    .await?;
                if let Some(row) = row {
                    facts.insert(records::record(&row)?);
                }
            }
        }
        Ok(())
    }

    /// The current evidence of a release, by provider and kind.
    pub async fn current_evidence_of(
        &mut self,
        release: &str,
    ) -> Result<Vec<crate::domain::CurrentEvidence>, StoreError> {
        let rows = db::query(
            "SELECT * FROM current_evidence WHERE tenant = $1 AND release_id = $2 ORDER BY provider, kind LIMIT 200",
        )
        .bind(self.tenant())
        .bind(release)
        .fetch_all(&mut self.tx)
        .await?;
        rows.iter().map(records::current_evidence).collect()
    }

    /// The risks that people have accepted in a release, the newest first.
    pub async fn risk_acceptances_of(
        &mut self,
        release: &str,
    ) -> Result<Vec<crate::domain::RiskAcceptance>, StoreError> {
        let rows = db::query(
            "SELECT * FROM risk_acceptances WHERE tenant = $1 AND release_id = $2 ORDER BY id DESC LIMIT 200",
        )
        .bind(self.tenant())
        .bind(release)
        .fetch_all(&mut self.tx)
        .await?;
        rows.iter().map(records::risk_acceptance).collect()
    }

    /// The notes on an action, oldest first: ID and text.
    pub async fn notes_of(&mut self, action: &ActionId) -> Result<Vec<(String, String)>, StoreError> {
        let rows =
            db::query("SELECT id, text FROM audit_notes WHERE tenant = $1 AND action_id = $2 ORDER BY id LIMIT 200")
                .bind(self.tenant())
                .bind(action.as_str())
                .fetch_all(&mut self.tx)
                .await?;
        rows.iter()
            .map(|row| Ok((row.text("id")?, row.text("text")?)))
            .collect()
    }
}
