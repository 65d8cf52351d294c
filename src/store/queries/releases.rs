//! What people decide about releases and certifications, and the counts of the catalog page.

use super::records::certification;
use crate::domain::{BlockerStatus, Certification, CertificationStatus, ControlStatus, ReleaseId, ReleaseStatus};
use crate::store::db::query;
use crate::store::{ReadTx, StoreError, WriteTx};
use std::collections::{BTreeMap, HashMap};

/// Counts of the records of releases and teams, by the ID of the release or team.
#[derive(Debug, Clone, Default)]
pub struct CatalogCounts {
    /// The number of controls of each status.
    pub controls: HashMap<String, BTreeMap<ControlStatus, i64>>,
    /// The number of open blockers.
    pub blockers: HashMap<String, i64>,
    /// The number of members who have signed in.
    pub members: HashMap<String, i64>,
    /// The status of each certification, by its ID.
    pub certifications: HashMap<String, CertificationStatus>,
}

impl ReadTx {
    /// The certification with this key or ID. A key cannot look like an ID.
    pub async fn certification_named(&mut self, key: &str) -> Result<Option<Certification>, StoreError> {
        let row = query("SELECT * FROM certifications WHERE tenant = $1 AND (key = $2 OR id = $2)")
            .bind(self.tenant())
            .bind(key)
            .fetch_optional(&mut self.tx)
            .await?;
        row.as_ref().map(certification).transpose()
    }

    /// Whether the catalog has retired the release.
    pub async fn is_release_retired(&mut self, release: &ReleaseId) -> Result<bool, StoreError> {
        let row = query("SELECT retired_at FROM releases WHERE tenant = $1 AND id = $2")
            .bind(self.tenant())
            .bind(release.as_str())
            .fetch_one(&mut self.tx)
            .await?;
        Ok(row.maybe_int("retired_at")?.is_some())
    }

    /// The counts of the catalog page.
    pub async fn catalog_counts(&mut self) -> Result<CatalogCounts, StoreError> {
        const CONTROLS: &str =
            "SELECT release_id, status, COUNT(*) AS count FROM controls WHERE tenant = $1 GROUP BY release_id, status";
        const BLOCKERS: &str =
            "SELECT release_id, COUNT(*) AS count FROM blockers WHERE tenant = $1 AND status = $2 GROUP BY release_id";
        const MEMBERS: &str = "SELECT team_id, COUNT(*) AS count FROM team_members WHERE tenant = $1 GROUP BY team_id";
        const CERTIFICATIONS: &str = "SELECT id, status FROM certifications WHERE tenant = $1";
        let mut counts = CatalogCounts::default();
        for row in query(CONTROLS).bind(self.tenant()).fetch_all(&mut self.tx).await? {
            let of = counts.controls.entry(row.text("release_id")?).or_default();
            of.insert(row.read("status", ControlStatus::parse)?, row.int("count")?);
        }
        let open = BlockerStatus::Open.as_str();
        let blockers = query(BLOCKERS).bind(self.tenant()).bind(open);
        for row in blockers.fetch_all(&mut self.tx).await? {
            counts.blockers.insert(row.text("release_id")?, row.int("count")?);
        }
        for row in query(MEMBERS).bind(self.tenant()).fetch_all(&mut self.tx).await? {
            counts.members.insert(row.text("team_id")?, row.int("count")?);
        }
        for row in query(CERTIFICATIONS)
            .bind(self.tenant())
            .fetch_all(&mut self.tx)
            .await?
        {
            let status = row.read("status", CertificationStatus::parse)?;
            counts.certifications.insert(row.text("id")?, status);
        }
        Ok(counts)
    }
}

impl WriteTx {
    /// Sets the status of a release that still has this version.
    pub async fn set_release_status(
        &mut self,
        release: &ReleaseId,
        version: i64,
        status: ReleaseStatus,
    ) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE releases SET status = $4, version = version + 1 WHERE tenant = $1 AND id = $2 AND version = $3";
        let done = query(SQL)
            .bind(self.tenant())
            .bind(release.as_str())
            .bind(version)
            .bind(status.as_str())
            .execute(&mut self.read.tx)
            .await?;
        match done {
            1 => Ok(()),
            _ => Err(StoreError::Conflict("the release")),
        }
    }
}
