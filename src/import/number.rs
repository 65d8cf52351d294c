//! Numbers the findings of a file that have the same rule and key, and gives each its identity.
//!
//! Findings with the same rule and key (a line copied ten times) are numbered in the order of their locations, so that
//! the order in the file does not matter and the next import gives the same numbers. When one of them is fixed, those
//! after it get lower numbers and the last number disappears. The count is right; only the location, which moves with
//! every edit, distinguishes such findings.
//!
//! Runs of one tool in one file that scan the same component, as far as the file says, are numbered together: each
//! result is a finding. The assessments of an OSCAL document are not, because they follow each other in time.

use super::{KeySource, Scan, ScanFinding, ScanKind};
use crate::domain::canonical;
use serde_json::Value;
use std::collections::BTreeMap;

/// What identifies a finding.
pub(super) struct FindingKey {
    pub source: KeySource,
    pub digest: String,
    /// The bytes of the whole message, of which the finding may keep only the beginning, and of the identifying parts.
    /// Many findings may refer to one long text.
    pub weight: usize,
}

impl FindingKey {
    /// Hashes the identifying parts: a JSON array, in which different parts never give the same text.
    pub(super) fn new(source: KeySource, parts: &Value, message: &str) -> Self {
        let parts = parts.to_string();
        Self {
            source,
            digest: canonical::digest(parts.as_bytes()),
            weight: message.len() + parts.len(),
        }
    }
}

/// Computes the identities of the findings of a file for the components that the scans name.
pub(super) fn identify(scans: &mut [Scan]) {
    let mut together: BTreeMap<(&str, Option<&str>, usize), Vec<&mut ScanFinding>> = BTreeMap::new();
    for (index, scan) in scans.iter_mut().enumerate() {
        let alone = if scan.kind == ScanKind::Assessment { index } else { 0 };
        let group = (scan.provider.as_str(), scan.component.as_deref(), alone);
        together.entry(group).or_default().extend(&mut scan.findings);
    }
    for ((provider, component, _), mut findings) in together {
        number(&mut findings);
        for finding in findings {
            finding.identity = identity(provider, component, finding);
        }
    }
}

/// Hashes provider, rule, key, component and number as a JSON array, in which different parts never give the same text.
fn identity(provider: &str, component: Option<&str>, finding: &ScanFinding) -> String {
    let (rule, key, ordinal) = (&finding.rule, &finding.key, finding.ordinal);
    let parts = serde_json::json!(["loopiq-finding-1", provider, rule, key, component, ordinal]);
    canonical::digest(parts.to_string().as_bytes())
}

/// Sets each finding's number among those with the same rule and key.
fn number(findings: &mut [&mut ScanFinding]) {
    let mut order: Vec<usize> = (0..findings.len()).collect();
    order.sort_by(|a, b| {
        let sorted = |at: usize| {
            let finding = &*findings[at];
            let place = finding.location.as_ref();
            let place = place.map(|place| (&place.uri, place.line, place.column, &place.logical));
            (
                &finding.rule,
                &finding.key,
                place,
                &finding.message,
                finding.severity,
                finding.suppressed,
                at,
            )
        };
        sorted(*a).cmp(&sorted(*b))
    });
    let mut before: Option<usize> = None;
    for at in order {
        let same = |other: usize| findings[other].rule == findings[at].rule && findings[other].key == findings[at].key;
        findings[at].ordinal = match before {
            Some(previous) if same(previous) => findings[previous].ordinal.saturating_add(1),
            _ => 0,
        };
        before = Some(at);
    }
}
