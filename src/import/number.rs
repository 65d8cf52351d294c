//! Numbers the findings of a scan that have the same rule and key.
//!
//! Findings with the same rule and key (a line copied ten times) are numbered in the order of their locations, so that
//! the order in the file does not matter and the next import gives the same numbers. When one of them is fixed, those
//! after it get lower numbers and the last number disappears. The count is right; only the location, which moves with
//! every edit, distinguishes such findings.

use super::{KeySource, ScanFinding};
use crate::domain::canonical;
use serde_json::Value;

/// What identifies a finding, and what orders it among findings with the same key.
pub(super) struct FindingKey {
    source: KeySource,
    digest: String,
    message: String,
    /// The bytes of the whole message, of which the finding may keep only the beginning, and of the identifying parts.
    /// Many findings may refer to one long text.
    pub weight: usize,
}

impl FindingKey {
    /// Hashes the identifying parts: a JSON array, in which different parts never give the same text.
    pub(super) fn new(source: KeySource, parts: &Value, message: &str) -> Self {
        let digest = |text: &str| canonical::digest(text.as_bytes());
        let parts = parts.to_string();
        Self {
            source,
            digest: digest(&parts),
            message: digest(message),
            weight: message.len() + parts.len(),
        }
    }
}

/// Sets each finding's key and its number among those with the same rule and key.
pub(super) fn number(findings: &mut [ScanFinding], keys: &[FindingKey]) {
    let mut order: Vec<usize> = (0..findings.len().min(keys.len())).collect();
    order.sort_by(|a, b| {
        let sorted = |at: usize| {
            let (finding, key) = (&findings[at], &keys[at]);
            let place = finding.location.as_ref();
            let place = place.map(|place| (&place.uri, place.line, place.column, &place.logical));
            (
                &finding.rule,
                &key.digest,
                place,
                &key.message,
                finding.severity,
                finding.suppressed,
                at,
            )
        };
        sorted(*a).cmp(&sorted(*b))
    });
    let mut before: Option<usize> = None;
    for at in order {
        let ordinal = match before {
            Some(previous)
                if findings[previous].rule == findings[at].rule && keys[previous].digest == keys[at].digest =>
            {
                findings[previous].ordinal.saturating_add(1)
            }
            _ => 0,
        };
        let finding = &mut findings[at];
        finding.ordinal = ordinal;
        finding.key.clone_from(&keys[at].digest);
        finding.key_source = keys[at].source;
        before = Some(at);
    }
}
