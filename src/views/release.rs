//! The page of a release: what prevents its certification, what scans found, and the evidence.

use super::{Listed, When};
use crate::domain::{PlainText, ReleaseStatus};
use serde::{Deserialize, Serialize};

/// A blocker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseBlocker {
    /// The key.
    pub key: PlainText,
    /// The title of the finding or control that blocks.
    pub title: PlainText,
    /// The key of that finding or control.
    pub of: PlainText,
    /// The severity, as a label.
    pub severity: String,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseFinding {
    /// The key.
    pub key: PlainText,
    /// The title.
    pub title: PlainText,
    /// The scanner, and its name of the rule.
    pub source: PlainText,
    /// The place in the code, or the address; empty if the scan names none.
    pub place: PlainText,
    /// The severity, as a label.
    pub severity: String,
    /// The status in the release, with its dates, for people.
    pub status: String,
}

/// A file of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseEvidence {
    /// The key.
    pub key: PlainText,
    /// The file's name.
    pub name: PlainText,
    /// The program that made it, and its format.
    pub source: PlainText,
    /// When it was made.
    pub collected: When,
    /// SHA-256 of the bytes, in hex.
    pub sha256: String,
}

/// A part of a list, and where the next part begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part<T> {
    /// The records.
    pub shown: Vec<T>,
    /// The ID of the last record, if more follow.
    pub next: Option<String>,
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self {
            shown: Vec::new(),
            next: None,
        }
    }
}

/// The page of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasePage {
    /// The key.
    pub key: PlainText,
    /// The name.
    pub name: PlainText,
    /// The status.
    pub status: ReleaseStatus,
    /// The certifications, each with its status.
    pub certifications: Listed<(PlainText, String)>,
    /// The text that titles and names contain; empty for all.
    pub text: PlainText,
    /// Whether the page continues one list. Then the others are empty.
    pub is_continued: bool,
    /// The open blockers.
    pub blockers: Part<ReleaseBlocker>,
    /// The findings.
    pub findings: Part<ReleaseFinding>,
    /// The evidence.
    pub evidence: Part<ReleaseEvidence>,
    /// Whether the person may search the audit trail.
    pub may_search: bool,
}
