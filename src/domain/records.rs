//! The records that actions are about.

use super::string_enum::string_enum;
use super::*;
use serde::Serialize;

string_enum! {
    /// What a person may do in their tenant, as the identity provider asserts it.
    Role {
        /// Proposes through a client.
        Developer = "developer";
        /// Decides actions.
        Reviewer = "reviewer";
        /// Decides actions and keeps the inbox short.
        Lead = "lead";
        /// Searches and exports the audit trail.
        Auditor = "auditor";
        /// Keeps policy, clients and tokens; decides nothing.
        Operator = "operator";
    }
    /// How bad a finding is; the last is the worst.
    Severity {
        /// Information only.
        None = "none";
        /// Low.
        Low = "low";
        /// Medium.
        Medium = "medium";
        /// High.
        High = "high";
        /// Critical.
        Critical = "critical";
    }
    /// Where a release stands.
    ReleaseStatus {
        /// Not begun.
        Planned = "planned";
        /// Worked on.
        InProgress = "in_progress";
        /// Its certification was granted.
        Certified = "certified";
        /// With its users.
        Released = "released";
    }
    /// Where a certification stands. People decide it, never an agent.
    CertificationStatus {
        /// Not asked for yet.
        Open = "open";
        /// Asked for.
        Requested = "requested";
        /// Given.
        Granted = "granted";
        /// Not given.
        Refused = "refused";
    }
    /// Whether a control holds.
    ControlStatus {
        /// It holds.
        Passing = "passing";
        /// It does not.
        Failing = "failing";
        /// Nobody has looked.
        Unknown = "unknown";
    }
    /// What has become of a finding.
    FindingStatus {
        /// To be dealt with.
        Open = "open";
        /// Suppressed where it was found.
        Suppressed = "suppressed";
        /// Gone.
        Fixed = "fixed";
        /// Never was one.
        FalsePositive = "false_positive";
        /// Known and borne.
        Accepted = "accepted";
    }
    /// What has become of a blocker.
    BlockerStatus {
        /// In the way.
        Open = "open";
        /// Out of the way.
        Resolved = "resolved";
        /// Known and borne.
        Accepted = "accepted";
    }
    /// Story or task.
    WorkItemKind {
        /// What somebody gains.
        Story = "story";
        /// A step of a story.
        Task = "task";
    }
    /// Where a work item stands.
    WorkItemStatus {
        /// Not begun.
        Open = "open";
        /// Worked on.
        InProgress = "in_progress";
        /// Finished.
        Done = "done";
        /// Dropped.
        Cancelled = "cancelled";
    }
    /// How urgent a work item is.
    Priority {
        /// Low.
        Low = "low";
        /// Medium.
        Medium = "medium";
        /// High.
        High = "high";
        /// Critical.
        Critical = "critical";
    }
    /// What a component is.
    ComponentKind {
        /// What users know by name.
        Application = "application";
        /// A part of an application.
        Module = "module";
        /// Where its source is kept.
        Repository = "repository";
        /// What runs.
        Service = "service";
    }
    /// Where the collection time of evidence comes from.
    CollectedFrom {
        /// The run's own end time.
        Run = "run";
        /// The importer was told.
        Told = "told";
        /// The time of import, for want of a better one.
        Import = "import";
    }
}

/// A release.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Release {
    pub id: ReleaseId,
    pub key: String,
    pub name: String,
    pub status: ReleaseStatus,
    /// An open finding of this severity or a higher one is a blocker.
    pub severity_threshold: Severity,
    /// The commit that the release is built from, if it is known.
    pub commit: Option<String>,
    pub version: i64,
}

/// A certification of a release.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Certification {
    pub id: CertificationId,
    pub key: String,
    pub name: String,
    pub release_id: ReleaseId,
    pub status: CertificationStatus,
    /// The statement of the request.
    pub statement: Option<String>,
    pub version: i64,
}

/// A team.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Team {
    pub id: TeamId,
    pub key: String,
    pub name: String,
}

/// An application, module, repository or service, and the team that answers for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Component {
    pub id: ComponentId,
    pub kind: ComponentKind,
    pub key: String,
    pub name: String,
    pub team_id: TeamId,
}

/// A control of a release.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Control {
    pub id: ControlId,
    pub key: String,
    pub title: String,
    pub release_id: ReleaseId,
    pub status: ControlStatus,
    pub version: i64,
}

/// A file with evidence. The store keeps the bytes under their SHA-256.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Evidence {
    pub id: EvidenceId,
    pub key: String,
    pub release_id: ReleaseId,
    /// The program that made the file, such as `Semgrep OSS`.
    pub provider: String,
    /// The file format, such as `sarif`.
    pub kind: String,
    /// The file's name.
    pub name: String,
    /// SHA-256 of the bytes, in hex.
    pub sha256: String,
    /// The size in bytes.
    pub size: i64,
    pub collected_at: Timestamp,
    pub collected_from: CollectedFrom,
    pub imported_at: Timestamp,
    /// The commit that the file is about, if the file names one.
    pub commit: Option<String>,
    /// What was scanned, if the importer or the file names it.
    pub component: Option<String>,
}

/// A record that prevents the certification of a release: an open finding at or above the threshold, or a failing control.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Blocker {
    pub id: BlockerId,
    pub key: String,
    pub release_id: ReleaseId,
    pub finding_id: Option<FindingId>,
    pub control_id: Option<ControlId>,
    pub status: BlockerStatus,
    pub version: i64,
    /// The finding's or the control's title.
    pub title: String,
    /// The finding's severity; a failing control counts as high.
    pub severity: Severity,
}

/// A story or task.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct WorkItem {
    pub id: WorkItemId,
    pub key: String,
    pub kind: WorkItemKind,
    pub release_id: ReleaseId,
    pub parent_id: Option<WorkItemId>,
    pub team_id: TeamId,
    pub owner_id: Option<PersonId>,
    pub title: String,
    pub description: String,
    pub status: WorkItemStatus,
    pub priority: Priority,
    pub estimate: Option<String>,
    pub acceptance_criteria: Vec<String>,
    pub version: i64,
    pub finding_ids: Vec<String>,
    pub control_ids: Vec<String>,
    pub evidence_ids: Vec<String>,
    pub blocker_ids: Vec<String>,
}

impl WorkItem {
    /// An open story of medium priority that has no number yet.
    pub fn new(id: &WorkItemId, release: &ReleaseId, team: &TeamId, title: &str) -> Self {
        Self {
            id: id.clone(),
            key: String::new(),
            kind: WorkItemKind::Story,
            release_id: release.clone(),
            parent_id: None,
            team_id: team.clone(),
            owner_id: None,
            title: title.to_owned(),
            description: String::new(),
            status: WorkItemStatus::Open,
            priority: Priority::Medium,
            estimate: None,
            acceptance_criteria: Vec::new(),
            version: 1,
            finding_ids: Vec::new(),
            control_ids: Vec::new(),
            evidence_ids: Vec::new(),
            blocker_ids: Vec::new(),
        }
    }

    /// The name people use for the work item of this number: `WI-12`.
    pub fn key_of(number: i64) -> String {
        format!("WI-{number}")
    }
}

/// The evidence of a provider and kind that a release currently uses.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct CurrentEvidence {
    pub id: CurrentEvidenceId,
    pub release_id: ReleaseId,
    pub provider: String,
    pub kind: String,
    pub evidence_id: EvidenceId,
    pub version: i64,
}

/// A risk that a person answers for.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct RiskAcceptance {
    pub id: RiskAcceptanceId,
    pub release_id: ReleaseId,
    pub owner_id: PersonId,
    pub finding_ids: Vec<FindingId>,
    pub control_ids: Vec<ControlId>,
    pub justification: String,
    pub compensating_controls: Vec<String>,
    /// Until when, as the proposal wrote the date: RFC 3339.
    pub expires_at: String,
}

/// The fields of an action that another action needs when it refers to the first.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct ActionRef {
    pub id: ActionId,
    pub headline: String,
    pub release_id: Option<ReleaseId>,
    pub team_id: Option<TeamId>,
}
