//! Builds findings and scans, for every reader.

use super::number::FindingKey;
use super::{
    ControlReport, ImportError, KeySource, Location, MAX_MESSAGE, MAX_TEXT, Scan, ScanFinding, ScanKind, Severity,
    VexStatement, Vulnerability, shown, shown_line,
};
use crate::domain::Timestamp;
use serde_json::Value;

/// The most characters of a name (rule, tool, version, file, logical name) that are kept; the rest is cut off.
pub(super) const MAX_NAME: usize = 1_000;
/// The most characters of a title; the rest is cut off.
pub(super) const MAX_TITLE: usize = 200;

/// How many more bytes of text the findings of a file may hold.
pub(super) struct Budget {
    limit: usize,
    left: usize,
}

impl Budget {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, left: limit }
    }

    pub(super) fn take(&mut self, bytes: usize) -> Result<(), ImportError> {
        self.left = self
            .left
            .checked_sub(bytes)
            .ok_or(ImportError::Expands { limit: self.limit })?;
        Ok(())
    }
}

/// The bytes of text in a finding, with an allowance for its fixed part.
pub(super) fn size(finding: &ScanFinding) -> usize {
    let place = |place: &Location| {
        place.uri.as_ref().map_or(0, String::len) + place.logical.as_ref().map_or(0, String::len) + 64
    };
    let places: usize = finding.location.iter().chain(&finding.more_locations).map(place).sum();
    let component = finding.component.as_ref().map_or(0, String::len);
    let vulnerability = finding.vulnerability.as_ref().map_or(0, Vulnerability::size);
    // 512 bytes for the struct and its two digests.
    finding.rule.len() + finding.title.len() + finding.message.len() + component + vulnerability + places + 512
}

/// A name in one line; `None` if blank.
pub(super) fn named(text: Option<&str>) -> Option<String> {
    Some(shown_line(text?, MAX_NAME)).filter(|name| !name.is_empty())
}

/// A time in microseconds since 1970. A time without zone is read as UTC.
pub(super) fn utc(text: &str) -> Option<i64> {
    let text = text.trim();
    Timestamp::parse(text)
        .or_else(|| Timestamp::parse(&format!("{text}Z")))
        .map(|at| at.0)
}

/// An address that is safe as a link. A link with another scheme (`javascript:`) could run code.
pub(super) fn safe_link(uri: &str) -> Option<String> {
    let uri = uri.trim();
    if uri.len() > 2_000 {
        return None;
    }
    let scheme = uri.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase())?;
    let plain = uri.chars().all(|c| c.is_ascii_graphic());
    (plain && (scheme == "https" || scheme == "http")).then(|| uri.to_owned())
}

pub(super) fn missing(what: &str) -> ImportError {
    ImportError::Missing { what: what.to_owned() }
}

/// Converts an error of the JSON parser.
pub(super) fn damage(error: serde_json::Error) -> ImportError {
    let (line, column) = (error.line(), error.column());
    if error.is_eof() {
        return ImportError::Truncated { line, column };
    }
    let text = error.to_string();
    let detail = text
        .strip_suffix(&format!(" at line {line} column {column}"))
        .unwrap_or(&text);
    ImportError::Malformed {
        line,
        column,
        detail: shown_line(detail, 200),
    }
}

/// A finding as the file gives it, before its text is made safe to show.
pub(super) struct Draft<'a> {
    pub rule: &'a str,
    /// If blank, the first line of the message is used, or else the rule.
    pub title: &'a str,
    /// If blank, the title is used.
    pub message: &'a str,
    pub severity: Severity,
    pub location: Option<Location>,
    /// Name and version of what is affected.
    pub component: Option<String>,
    pub vulnerability: Option<Vulnerability>,
    pub suppressed: bool,
    pub help: Option<&'a str>,
    /// What identifies the finding, in addition to provider and rule.
    pub key: (KeySource, Value),
}

/// The findings of a file, within a [`Budget`].
pub(super) struct Assembly {
    budget: Budget,
    findings: Vec<ScanFinding>,
    statements: Vec<VexStatement>,
    /// The number of results that are not failures.
    pub not_failures: usize,
}

impl Assembly {
    pub(super) fn new() -> Self {
        Self {
            budget: Budget::new(MAX_TEXT),
            findings: Vec::new(),
            statements: Vec::new(),
            not_failures: 0,
        }
    }

    /// Adds a failure.
    pub(super) fn add(&mut self, draft: Draft<'_>) -> Result<(), ImportError> {
        let blank = |text: &str| text.trim().is_empty();
        let rule = named(Some(draft.rule)).unwrap_or_else(|| "(no rule)".to_owned());
        let title = [
            draft.title,
            draft.message.trim_start().lines().next().unwrap_or_default(),
        ]
        .into_iter()
        .find(|text| !blank(text))
        .unwrap_or(&rule);
        let message = if blank(draft.message) { title } else { draft.message };
        let key = FindingKey::new(draft.key.0, &draft.key.1, message);
        let finding = ScanFinding {
            title: shown_line(title, MAX_TITLE),
            message: shown(message, MAX_MESSAGE),
            severity: draft.severity,
            location: draft.location,
            more_locations: Vec::new(),
            component: draft.component,
            vulnerability: draft.vulnerability,
            suppressed: draft.suppressed,
            help_uri: draft.help.and_then(safe_link),
            identity: String::new(),
            key: key.digest,
            key_source: key.source,
            ordinal: 0,
            rule,
        };
        // The budget counts the whole message: many findings can refer to one long text, and each reads it to its end.
        self.budget.take(size(&finding) + key.weight)?;
        self.findings.push(finding);
        Ok(())
    }

    /// Adds a statement, and the finding that it gives by itself.
    pub(super) fn state(&mut self, mut statement: VexStatement, own: Option<Draft<'_>>) -> Result<(), ImportError> {
        statement.reason = shown(&statement.reason, MAX_MESSAGE);
        // 128 bytes for the struct.
        self.budget
            .take(statement.vulnerability.size() + statement.reason.len() + 128)?;
        statement.finding = own.as_ref().map(|_| self.findings.len());
        let sets_aside = statement.status.sets_aside();
        self.statements.push(statement);
        match own {
            Some(draft) => self.add(Draft {
                suppressed: sets_aside,
                ..draft
            }),
            None => {
                self.not_failures += 1;
                Ok(())
            }
        }
    }

    /// The scan of `component`, whose findings have no identity yet.
    pub(super) fn scan(self, provider: String, kind: ScanKind, component: Option<String>) -> Scan {
        Scan {
            provider,
            provider_version: None,
            kind,
            collected_at: None,
            commit: None,
            component,
            complete: true,
            controls: Vec::<ControlReport>::new(),
            statements: self.statements,
            not_failures: self.not_failures,
            results: self.findings.len() + self.not_failures,
            findings: self.findings,
        }
    }
}
