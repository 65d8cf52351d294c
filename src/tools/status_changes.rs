//! Changes of the status of findings and blockers, for the tools that make them.

use crate::domain::*;
use crate::tools::plan::FieldErrors;
use serde_json::{Value, json};

/// A field that changes; `None` if it does not.
pub(super) fn change(field: &str, before: Value, after: Value) -> Option<FieldChange> {
    (before != after).then(|| FieldChange {
        field: field.to_owned(),
        before,
        after,
    })
}

/// Sets the status of a finding, with its justification and expiry.
pub(super) fn finding_change(finding: &Finding, to: FindingStatus, why: &str, until: Option<&String>) -> Change {
    Change::Update(Update {
        kind: RecordKind::Finding,
        id: finding.id.to_string(),
        expected_version: finding.version,
        fields: [
            change("status", json!(finding.status), json!(to)),
            change("justification", json!(finding.justification), json!(why)),
            change("statusExpiresAt", json!(finding.status_expires_at), json!(until)),
        ]
        .into_iter()
        .flatten()
        .collect(),
    })
}

/// Sets the status of blockers; a blocker that has the status already is not changed.
pub(super) fn blocker_changes<'f>(blockers: impl Iterator<Item = &'f Blocker>, to: BlockerStatus) -> Vec<Change> {
    blockers
        .filter_map(|blocker| {
            let status = change("status", json!(blocker.status), json!(to))?;
            Some(Change::Update(Update {
                kind: RecordKind::Blocker,
                id: blocker.id.to_string(),
                expected_version: blocker.version,
                fields: vec![status],
            }))
        })
        .collect()
}

/// The date in an argument, if it is one; see [`super::Tool::dates`].
pub(super) fn dates_in(at: &'static str, text: Option<&String>) -> Vec<(&'static str, Timestamp)> {
    text.and_then(|text| Timestamp::parse(text))
        .map(|date| (at, date))
        .into_iter()
        .collect()
}

impl FieldErrors {
    /// The text must be a date. The engine, which has a clock, refuses dates in the past.
    pub(super) fn check_date(&mut self, at: &str, text: Option<&String>) {
        if text.is_some_and(|text| Timestamp::parse(text).is_none()) {
            self.add(at, "must be RFC 3339, such as 2027-03-31T00:00:00Z, or a date");
        }
    }

    /// The record must have the version that the agent read.
    pub(super) fn check_version(&mut self, at: &str, what: &str, is: i64, expected: i64) {
        if is != expected {
            self.add(
                at,
                format!("the {what} has version {is} now; read it again and propose again"),
            );
        }
    }
}
