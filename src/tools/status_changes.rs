//! What the tools share that change how a finding, control or blocker stands.

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

/// Brings a finding to a status, with why and until when.
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

/// Brings blockers to a status; those that have it stay as they are.
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

/// A moment that the arguments name, where it can be read.
pub(super) fn moment(at: &'static str, text: Option<&String>) -> Vec<(&'static str, Timestamp)> {
    text.and_then(|text| Timestamp::parse(text))
        .map(|moment| (at, moment))
        .into_iter()
        .collect()
}

impl FieldErrors {
    /// A moment must be one. Whether it lies ahead is for the engine to say, which has a clock.
    pub(super) fn moment(&mut self, at: &str, text: Option<&String>) {
        if text.is_some_and(|text| Timestamp::parse(text).is_none()) {
            self.add(at, "must be RFC 3339, such as 2027-03-31T00:00:00Z, or a date");
        }
    }

    /// Somebody may have changed the record since it was read.
    pub(super) fn version(&mut self, at: &str, what: &str, is: i64, expected: i64) {
        if is != expected {
            self.add(
                at,
                format!("the {what} has version {is} by now; read it again and propose anew"),
            );
        }
    }
}
