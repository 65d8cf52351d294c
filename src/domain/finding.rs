//! Findings of scans, and what holds for them in one release.

use super::{EvidenceId, FindingId, FindingStatus, ReleaseId, Severity, Timestamp};
use serde::Serialize;

/// A finding. A new scan that reports the same finding keeps its ID.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Finding {
    pub id: FindingId,
    pub key: String,
    pub provider: String,
    pub rule: String,
    pub title: String,
    pub message: String,
    pub severity: Severity,
    pub status: FindingStatus,
    /// Why the finding has this status, if a person set the status.
    pub justification: Option<String>,
    /// Until when, as the proposal wrote the date: RFC 3339.
    pub status_expires_at: Option<String>,
    /// The path or address of the finding, as the scanner wrote it.
    pub location: Option<String>,
    pub line: Option<i64>,
    pub component: Option<String>,
    pub first_seen_at: Timestamp,
    pub last_seen_at: Timestamp,
    /// When a person's decision set the status; `None` if a scan did.
    pub decided_at: Option<Timestamp>,
    /// Whether a newer scan shows the finding, although people have decided that it is no problem.
    pub seen_again: bool,
    /// Since when no scan shows the finding: in every release, a complete newer scan of the same does not contain it.
    pub not_seen_since: Option<Timestamp>,
    pub version: i64,
    /// The releases in which a scan reported the finding, and what holds in each.
    pub releases: Vec<FindingInRelease>,
    /// The releases in which a scan reported the finding.
    pub release_ids: Vec<ReleaseId>,
    /// The evidence that reports the finding, newest first.
    pub evidence_ids: Vec<EvidenceId>,
}

/// A finding in one release.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct FindingInRelease {
    pub release_id: ReleaseId,
    pub release_key: String,
    /// When the newest scan of the release that shows the finding was made.
    pub last_seen_at: Timestamp,
    /// When the first complete newer scan of the same without the finding was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_seen_since: Option<Timestamp>,
    /// Until when the risk is accepted in this release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_until: Option<Timestamp>,
    /// Whether the newest scan of this release suppresses the finding.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub suppressed: bool,
    /// What a statement on the vulnerability (VEX) says that sets the finding aside in this release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
}

impl Finding {
    /// The status in a release: an open finding whose risk is accepted there is accepted there, and one that a scan or a statement sets aside there is
    /// suppressed there.
    pub fn status_in(&self, release: &ReleaseId) -> FindingStatus {
        let is_set_aside =
            |one: &FindingInRelease| one.release_id == *release && (one.suppressed || one.verdict.is_some());
        match self.status {
            FindingStatus::Open if self.is_accepted_in(release) => FindingStatus::Accepted,
            FindingStatus::Open if self.decided_at.is_none() && self.releases.iter().any(is_set_aside) => {
                FindingStatus::Suppressed
            }
            status => status,
        }
    }

    /// Whether the finding's risk is accepted in a release.
    pub fn is_accepted_in(&self, release: &ReleaseId) -> bool {
        let in_release = self.releases.iter().find(|one| one.release_id == *release);
        in_release.is_some_and(|one| one.accepted_until.is_some())
    }

    /// Adds what holds in a release, and computes what follows for the finding.
    pub fn add_release(&mut self, release: FindingInRelease) {
        self.release_ids.push(release.release_id.clone());
        self.releases.push(release);
        let gone = self.releases.iter().map(|one| one.not_seen_since);
        self.not_seen_since = gone
            .min_by_key(|since| since.map(|since| std::cmp::Reverse(since.0)))
            .flatten();
    }
}
