//! What people decide about releases and certifications, and the counts of the catalog page.

use super::records::certification;
use crate::domain::{
    BlockerStatus, Certification, CertificationStatus, ControlStatus, RecordKind, ReleaseId, ReleaseStatus, Timestamp,
};
use crate::store::db::{Row, query};
use crate::store::{ReadTx, StoreError, WriteTx};
use std::collections::{BTreeMap, HashMap};

/// The last decision of a person about the status of a release or certification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusDecision {
    /// The person's name; `None` for a decision at the console.
    pub by: Option<String>,
    /// When.
    pub at: Timestamp,
    /// The reason, if there is one.
    pub because: Option<String>,
}

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
    /// The last decisions about the status of releases and certifications, by the ID of the record.
    pub decisions: HashMap<String, StatusDecision>,
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
        const CERTIFICATIONS: &str = "SELECT c.id, c.status, c.decided_at, c.decided_because, p.name AS decided_by FROM certifications c \
             LEFT JOIN people p ON p.tenant = c.tenant AND p.id = c.decided_by WHERE c.tenant = $1";
        const RELEASES: &str = "SELECT r.id, r.decided_at, r.decided_because, p.name AS decided_by FROM releases r \
             LEFT JOIN people p ON p.tenant = r.tenant AND p.id = r.decided_by WHERE r.tenant = $1 AND r.decided_at IS NOT NULL";
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
            let (id, status) = (row.text("id")?, row.read("status", CertificationStatus::parse)?);
            // A request after the decision has replaced the status.
            if matches!(status, CertificationStatus::Granted | CertificationStatus::Refused) {
                counts
                    .decisions
                    .extend(decision(&row)?.map(|decision| (id.clone(), decision)));
            }
            counts.certifications.insert(id, status);
        }
        for row in query(RELEASES).bind(self.tenant()).fetch_all(&mut self.tx).await? {
            let id = row.text("id")?;
            counts.decisions.extend(decision(&row)?.map(|decision| (id, decision)));
        }
        Ok(counts)
    }
}

fn decision(row: &Row) -> Result<Option<StatusDecision>, StoreError> {
    let Some(at) = row.maybe_int("decided_at")? else {
        return Ok(None);
    };
    Ok(Some(StatusDecision {
        by: row.maybe_text("decided_by")?,
        at: Timestamp(at),
        because: row.maybe_text("decided_because")?,
    }))
}

impl WriteTx {
    /// Keeps who decided about the status of a release or certification, when, and why, for the catalog page.
    pub async fn keep_status_decision(
        &mut self,
        kind: RecordKind,
        id: &str,
        because: Option<&str>,
    ) -> Result<(), StoreError> {
        const RELEASE: &str =
            "UPDATE releases SET decided_by = $3, decided_at = $4, decided_because = $5 WHERE tenant = $1 AND id = $2";
        const CERTIFICATION: &str = "UPDATE certifications SET decided_by = $3, decided_at = $4, decided_because = $5 WHERE tenant = $1 AND id = $2";
        let sql = if kind == RecordKind::Release {
            RELEASE
        } else {
            CERTIFICATION
        };
        let person = self.ctx().principal.person().map(|person| person.id.to_string());
        let now = self.ctx().now();
        let statement = query(sql).bind(self.tenant()).bind(id).bind(person).bind(now.0);
        match statement
            .bind(because.map(str::to_owned))
            .execute(&mut self.read.tx)
            .await?
        {
            1 => Ok(()),
            _ => Err(StoreError::Conflict("the status of a release or certification")),
        }
    }

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
