//! Converts the rows of each kind to records.

use super::people;
use crate::domain::*;
use crate::store::StoreError;
use crate::store::db::Row;

/// Converts a row to a record. The prefix of the ID determines the kind.
pub(super) fn record(row: &Row) -> Result<Record, StoreError> {
    Ok(match row.read("id", RecordKind::of)? {
        RecordKind::Release => release(row)?.into(),
        RecordKind::Certification => certification(row)?.into(),
        RecordKind::Team => team(row)?.into(),
        RecordKind::Person => people::person(row)?.into(),
        RecordKind::Component => component(row)?.into(),
        RecordKind::Control => control(row)?.into(),
        RecordKind::Evidence => evidence(row)?.into(),
        RecordKind::Finding => finding(row)?.into(),
        RecordKind::Blocker => blocker(row)?.into(),
        RecordKind::WorkItem => work_item(row)?.into(),
        RecordKind::Action => action_ref(row)?.into(),
        RecordKind::CurrentEvidence => current_evidence(row)?.into(),
        kind => {
            return Err(StoreError::damaged("a record", format!("no facts hold {kind:?}")));
        }
    })
}

/// Adds a sighting to its finding.
pub(super) fn attach_sighting(finding: &mut Finding, row: &Row) -> Result<(), StoreError> {
    finding
        .evidence_ids
        .push(row.read("evidence_id", |t| EvidenceId::parse(t).ok())?);
    Ok(())
}

/// Adds a release to a finding that was seen in it.
pub(super) fn attach_release(finding: &mut Finding, row: &Row) -> Result<(), StoreError> {
    finding.add_release(FindingInRelease {
        release_id: row.read("release_id", |t| ReleaseId::parse(t).ok())?,
        release_key: row.text("release_key")?,
        last_seen_at: row.time("last_seen_at")?,
        not_seen_since: row.maybe_time("not_seen_since")?,
        accepted_until: row.maybe_time("ends_at")?,
        suppressed: row.int("suppressed")? == 1,
        verdict: row.maybe_text("verdict")?,
    });
    Ok(())
}

/// Adds a reference to a work item. The prefix of the ID determines the list.
pub(super) fn attach_reference(item: &mut WorkItem, record: String) {
    match RecordKind::of(&record) {
        Some(RecordKind::Finding) => item.finding_ids.push(record),
        Some(RecordKind::Control) => item.control_ids.push(record),
        Some(RecordKind::Evidence) => item.evidence_ids.push(record),
        Some(RecordKind::Blocker) => item.blocker_ids.push(record),
        _ => {}
    }
}

pub(super) fn release(row: &Row) -> Result<Release, StoreError> {
    Ok(Release {
        id: row.read("id", |t| ReleaseId::parse(t).ok())?,
        key: row.text("key")?,
        name: row.text("name")?,
        status: row.read("status", ReleaseStatus::parse)?,
        severity_threshold: row.read("severity_threshold", Severity::parse)?,
        commit: row.maybe_text("commit_id")?,
        version: row.int("version")?,
    })
}

pub(super) fn certification(row: &Row) -> Result<Certification, StoreError> {
    Ok(Certification {
        id: row.read("id", |t| CertificationId::parse(t).ok())?,
        key: row.text("key")?,
        name: row.text("name")?,
        release_id: row.read("release_id", |t| ReleaseId::parse(t).ok())?,
        status: row.read("status", CertificationStatus::parse)?,
        statement: row.maybe_text("statement")?,
        version: row.int("version")?,
    })
}

pub(super) fn team(row: &Row) -> Result<Team, StoreError> {
    Ok(Team {
        id: row.read("id", |t| TeamId::parse(t).ok())?,
        key: row.text("key")?,
        name: row.text("name")?,
    })
}

pub(super) fn component(row: &Row) -> Result<Component, StoreError> {
    Ok(Component {
        id: row.read("id", |t| ComponentId::parse(t).ok())?,
        kind: row.read("kind", ComponentKind::parse)?,
        key: row.text("key")?,
        name: row.text("name")?,
        team_id: row.read("team_id", |t| TeamId::parse(t).ok())?,
    })
}

pub(super) fn control(row: &Row) -> Result<Control, StoreError> {
    Ok(Control {
        id: row.read("id", |t| ControlId::parse(t).ok())?,
        key: row.text("key")?,
        title: row.text("title")?,
        release_id: row.read("release_id", |t| ReleaseId::parse(t).ok())?,
        status: row.read("status", ControlStatus::parse)?,
        version: row.int("version")?,
    })
}

pub(super) fn evidence(row: &Row) -> Result<Evidence, StoreError> {
    Ok(Evidence {
        id: row.read("id", |t| EvidenceId::parse(t).ok())?,
        key: row.text("key")?,
        release_id: row.read("release_id", |t| ReleaseId::parse(t).ok())?,
        provider: row.text("provider")?,
        kind: row.text("kind")?,
        name: row.text("name")?,
        sha256: row.text("sha256")?,
        size: row.int("size")?,
        collected_at: row.time("collected_at")?,
        collected_from: row.read("collected_from", CollectedFrom::parse)?,
        imported_at: row.time("imported_at")?,
        commit: row.maybe_text("commit_id")?,
        component: row.maybe_text("component")?.filter(|component| !component.is_empty()),
    })
}

pub(super) fn finding(row: &Row) -> Result<Finding, StoreError> {
    let (last_seen_at, decided_at) = (row.time("last_seen_at")?, row.maybe_time("decided_at")?);
    let status = row.read("status", FindingStatus::parse)?;
    let is_no_problem = matches!(status, FindingStatus::FalsePositive | FindingStatus::Accepted);
    Ok(Finding {
        id: row.read("id", |t| FindingId::parse(t).ok())?,
        key: row.text("key")?,
        provider: row.text("provider")?,
        rule: row.text("rule")?,
        title: row.text("title")?,
        message: row.text("message")?,
        severity: row.read("severity", Severity::parse)?,
        status,
        justification: row.maybe_text("justification")?,
        status_expires_at: row.maybe_text("status_expires_at")?,
        location: row.maybe_text("location")?,
        line: row.maybe_int("line")?,
        component: row.maybe_text("component")?,
        first_seen_at: row.time("first_seen_at")?,
        last_seen_at,
        decided_at,
        seen_again: is_no_problem && decided_at.is_some_and(|decided| last_seen_at > decided),
        not_seen_since: None,
        version: row.int("version")?,
        releases: Vec::new(),
        release_ids: Vec::new(),
        evidence_ids: Vec::new(),
    })
}

pub(super) fn blocker(row: &Row) -> Result<Blocker, StoreError> {
    Ok(Blocker {
        id: row.read("id", |t| BlockerId::parse(t).ok())?,
        key: row.text("key")?,
        release_id: row.read("release_id", |t| ReleaseId::parse(t).ok())?,
        finding_id: row.maybe("finding_id", |t| FindingId::parse(t).ok())?,
        control_id: row.maybe("control_id", |t| ControlId::parse(t).ok())?,
        status: row.read("status", BlockerStatus::parse)?,
        version: row.int("version")?,
        title: row.text("title")?,
        severity: row.read("severity", Severity::parse)?,
    })
}

pub(super) fn current_evidence(row: &Row) -> Result<CurrentEvidence, StoreError> {
    Ok(CurrentEvidence {
        id: row.read("id", |t| CurrentEvidenceId::parse(t).ok())?,
        release_id: row.read("release_id", |t| ReleaseId::parse(t).ok())?,
        provider: row.text("provider")?,
        kind: row.text("kind")?,
        evidence_id: row.read("evidence_id", |t| EvidenceId::parse(t).ok())?,
        version: row.int("version")?,
    })
}

pub(super) fn risk_acceptance(row: &Row) -> Result<RiskAcceptance, StoreError> {
    Ok(RiskAcceptance {
        id: row.read("id", |t| RiskAcceptanceId::parse(t).ok())?,
        release_id: row.read("release_id", |t| ReleaseId::parse(t).ok())?,
        owner_id: row.read("owner_id", |t| PersonId::parse(t).ok())?,
        finding_ids: row.json("finding_ids")?,
        control_ids: row.json("control_ids")?,
        justification: row.text("justification")?,
        compensating_controls: row.json("compensating_controls")?,
        expires_at: row.text("expires_at")?,
    })
}

pub(super) fn action_ref(row: &Row) -> Result<ActionRef, StoreError> {
    Ok(ActionRef {
        id: row.read("id", |t| ActionId::parse(t).ok())?,
        headline: row.text("headline")?,
        release_id: row.maybe("release_id", |t| ReleaseId::parse(t).ok())?,
        team_id: row.maybe("team_id", |t| TeamId::parse(t).ok())?,
    })
}

pub(super) fn work_item(row: &Row) -> Result<WorkItem, StoreError> {
    Ok(WorkItem {
        id: row.read("id", |t| WorkItemId::parse(t).ok())?,
        key: WorkItem::key_of(row.int("number")?),
        kind: row.read("kind", WorkItemKind::parse)?,
        release_id: row.read("release_id", |t| ReleaseId::parse(t).ok())?,
        parent_id: row.maybe("parent_id", |t| WorkItemId::parse(t).ok())?,
        team_id: row.read("team_id", |t| TeamId::parse(t).ok())?,
        owner_id: row.maybe("owner_id", |t| PersonId::parse(t).ok())?,
        title: row.text("title")?,
        description: row.text("description")?,
        status: row.read("status", WorkItemStatus::parse)?,
        priority: row.read("priority", Priority::parse)?,
        estimate: row.maybe_text("estimate")?,
        acceptance_criteria: row.json("acceptance_criteria")?,
        version: row.int("version")?,
        finding_ids: Vec::new(),
        control_ids: Vec::new(),
        evidence_ids: Vec::new(),
        blocker_ids: Vec::new(),
    })
}
