//! Which findings of a scan have one key, and which number each of them bears.
//!
//! Findings with one rule and key (a line copied ten times) are numbered in the order of their places, so that the
//! order in the file does not matter and reading it again gives the same. Fixing one of them renumbers those after
//! it, and it is the last number that disappears: the count is right, and nothing tells such findings apart but the
//! place that moves.

use super::{KeySource, ScanFinding};
use crate::domain::canonical;
use serde_json::Value;

/// What a finding is known by, and where it comes among findings with the same key.
pub(super) struct Mark {
    source: KeySource,
    key: String,
    message: String,
    /// The bytes of the whole message, of which the finding may keep only the beginning, and of what stands for the finding: many
    /// findings may refer to one long text.
    pub weight: usize,
}

impl Mark {
    /// A mark from what stands for the finding: a JSON array, so that no two lists of parts have one text.
    pub(super) fn new(source: KeySource, parts: &Value, message: &str) -> Self {
        let digest = |text: &str| canonical::digest(text.as_bytes());
        let parts = parts.to_string();
        Self {
            source,
            key: digest(&parts),
            message: digest(message),
            weight: message.len() + parts.len(),
        }
    }
}

/// Gives each finding its key, and its number among those with the same rule and key.
pub(super) fn number(findings: &mut [ScanFinding], marks: &[Mark]) {
    let mut order: Vec<usize> = (0..findings.len().min(marks.len())).collect();
    order.sort_by(|a, b| {
        let sorted = |at: usize| {
            let (finding, mark) = (&findings[at], &marks[at]);
            let place = finding.location.as_ref();
            let place = place.map(|place| (&place.uri, place.line, place.column, &place.logical));
            (
                &finding.rule,
                &mark.key,
                place,
                &mark.message,
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
            Some(previous) if findings[previous].rule == findings[at].rule && marks[previous].key == marks[at].key => {
                findings[previous].ordinal.saturating_add(1)
            }
            _ => 0,
        };
        let finding = &mut findings[at];
        finding.ordinal = ordinal;
        finding.key.clone_from(&marks[at].key);
        finding.key_source = marks[at].source;
        before = Some(at);
    }
}
