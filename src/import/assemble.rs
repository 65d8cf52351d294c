//! What every reader puts findings together with.

use super::{ImportError, Location, ScanFinding, shown_line};
use crate::domain::Timestamp;

/// The most characters of a name that are kept: rule, tool, version, file, logical name.
pub(super) const MAX_NAME: usize = 1_000;
/// The most characters of a title.
pub(super) const MAX_TITLE: usize = 200;

/// How much text the findings of a file may still hold.
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

/// The bytes that a finding takes.
pub(super) fn size(finding: &ScanFinding) -> usize {
    let place = |place: &Location| {
        place.uri.as_ref().map_or(0, String::len) + place.logical.as_ref().map_or(0, String::len) + 64
    };
    let places: usize = finding.location.iter().chain(&finding.more_locations).map(place).sum();
    // The fixed part stands for the struct and its two digests.
    finding.rule.len() + finding.title.len() + finding.message.len() + places + 512
}

/// A name in one line; `None` if blank.
pub(super) fn named(text: Option<&str>) -> Option<String> {
    Some(shown_line(text?, MAX_NAME)).filter(|name| !name.is_empty())
}

/// A time; one without zone is taken to be in UTC.
pub(super) fn utc(text: &str) -> Option<i64> {
    let text = text.trim();
    Timestamp::parse(text)
        .or_else(|| Timestamp::parse(&format!("{text}Z")))
        .map(|at| at.0)
}

/// An address that is safe as a link. Other schemes than the web's (`javascript:`) would be dangerous in one.
pub(super) fn safe_link(uri: &str) -> Option<String> {
    let uri = uri.trim();
    let scheme = uri.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase())?;
    let plain = uri.len() <= 2_000 && uri.chars().all(|c| c.is_ascii_graphic());
    (plain && (scheme == "https" || scheme == "http")).then(|| uri.to_owned())
}

pub(super) fn missing(what: &str) -> ImportError {
    ImportError::Missing { what: what.to_owned() }
}

/// What is wrong with a JSON file.
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
