//! Readers of the files that scanners write. Each is pure: bytes in, [`Scan`]s out; no I/O, no clock, no randomness.
//!
//! A reader ignores a wrong type in a field that decides nothing (a line number written as text). A reader refuses a
//! file that is cut off, refers to results in another file or does not name its tool: reading such a file as "nothing
//! found" would close open findings.

mod assemble;
mod csaf;
mod cyclonedx;
mod detect;
mod encoding;
mod error;
mod file_name;
mod github;
mod gitlab;
mod junit;
mod lenient;
mod number;
mod openvex;
mod oscal;
mod osv;
mod purl;
mod sarif;
mod severity;
mod spdx;
mod trx;
mod vulnerability;
mod xml;

#[cfg(test)]
mod cost;
#[cfg(test)]
mod tests;

pub use detect::detect;
pub use error::ImportError;
pub use vulnerability::{VexStatement, VexStatements, VexStatus, Vulnerability};

use crate::domain::text::visible;

pub use crate::domain::{ControlStatus, Severity};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The largest file that is read, in bytes (64 MiB). GitHub takes 10 MB compressed.
pub const MAX_BYTES: usize = 64 << 20;

/// The most text, in bytes (256 MiB), that the findings of one file may hold after its references are followed. A short
/// file can refer to one long message a million times.
pub const MAX_TEXT: usize = 256 << 20;

/// The most findings in one file; a larger file is refused and has to be split. GitHub takes 25,000 results of a run.
pub const MAX_FINDINGS: usize = 100_000;

/// The most statements on controls in one file; a larger file is refused. NIST's catalog of all controls holds 1,200.
pub const MAX_CONTROLS: usize = 50_000;

/// The most runs in one file, because each run becomes one evidence record. GitHub takes 20.
pub const MAX_RUNS: usize = 100;

/// A file format that can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
#[non_exhaustive]
pub enum Format {
    /// Static Analysis Results Interchange Format, version 2.1.0 (OASIS).
    Sarif,
    /// Open Source Vulnerabilities: records (ossf.github.io/osv-schema), or the results of osv-scanner.
    Osv,
    /// CycloneDX 1.4 and later in JSON or XML (OWASP): vulnerabilities and their analysis (VEX).
    CycloneDx,
    /// The XML of test runners, in the form that JUnit's tasks for Ant and Maven write.
    JUnit,
    /// Open Security Controls Assessment Language 1.x in JSON (NIST): catalogs, assessment results, plans of action.
    Oscal,
    /// OpenVEX 0.2 (OpenSSF): statements on vulnerabilities.
    OpenVex,
    /// Common Security Advisory Framework 2.0 (OASIS): advisories and statements on vulnerabilities.
    Csaf,
    /// System Package Data Exchange 2.3 and 3.0 in JSON (Linux Foundation): vulnerabilities that are named in it.
    Spdx,
    /// The XML of `dotnet test` and Visual Studio.
    Trx,
    /// Alerts of GitHub's code scanning and Dependabot, as its REST API lists them.
    GitHub,
    /// Security reports of GitLab, schema 14 and 15.
    GitLab,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 11] = [
        Format::Sarif,
        Format::Osv,
        Format::CycloneDx,
        Format::JUnit,
        Format::Oscal,
        Format::OpenVex,
        Format::Csaf,
        Format::Spdx,
        Format::Trx,
        Format::GitHub,
        Format::GitLab,
    ];

    /// The format's name in commands and evidence records.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Sarif => "sarif",
            Format::Osv => "osv",
            Format::CycloneDx => "cyclonedx",
            Format::JUnit => "junit",
            Format::Oscal => "oscal",
            Format::OpenVex => "openvex",
            Format::Csaf => "csaf",
            Format::Spdx => "spdx",
            Format::Trx => "trx",
            Format::GitHub => "github",
            Format::GitLab => "gitlab",
        }
    }

    /// Parses the format's name.
    pub fn parse(name: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.as_str() == name)
    }
}

/// Reads a file of a known format. SARIF gives one [`Scan`] for each run and OSCAL assessment results give one for each
/// assessment, so such a file can give none. Every other file gives exactly one.
pub fn read(format: Format, bytes: &[u8]) -> Result<Vec<Scan>, ImportError> {
    read_text(format, &text(bytes)?)
}

/// Runs [`detect`] and [`read`]. Size and encoding are checked first, so that a file of unknown format gets the precise
/// error.
pub fn read_any(bytes: &[u8]) -> Result<(Format, Vec<Scan>), ImportError> {
    let text = text(bytes)?;
    let format = detect::format(&text).ok_or_else(|| detect::unread(&text))?;
    Ok((format, read_text(format, &text)?))
}

/// The text of a file, in UTF-8 and without its byte order mark. Lines and columns in an [`ImportError`] count in it.
pub fn text(bytes: &[u8]) -> Result<Cow<'_, str>, ImportError> {
    match detect::binary(bytes) {
        Some(error) => Err(error),
        None => encoding::decode(bytes),
    }
}

fn read_text(format: Format, text: &str) -> Result<Vec<Scan>, ImportError> {
    let read = match format {
        Format::Sarif => sarif::read(text),
        Format::Osv => osv::read(text),
        Format::CycloneDx => cyclonedx::read(text),
        Format::JUnit => junit::read(text),
        Format::Oscal => oscal::read(text),
        Format::OpenVex => openvex::read(text),
        Format::Csaf => csaf::read(text),
        Format::Spdx => spdx::read(text),
        Format::Trx => trx::read(text),
        Format::GitHub => github::read(text),
        Format::GitLab => gitlab::read(text),
    };
    // The error of the parser points at the text before the report, and does not say that it is one.
    let mut scans = read.map_err(|error| match error {
        ImportError::Malformed { .. } | ImportError::Truncated { .. } => detect::before(text).unwrap_or(error),
        error => error,
    })?;
    number::identify(&mut scans);
    for (what, found, limit) in [
        ("runs", scans.len(), MAX_RUNS),
        (
            "findings",
            scans.iter().map(|scan| scan.findings.len()).sum(),
            MAX_FINDINGS,
        ),
        (
            "controls",
            scans.iter().map(|scan| scan.controls.len()).sum(),
            MAX_CONTROLS,
        ),
        (
            "statements",
            scans.iter().map(|scan| scan.statements.len()).sum(),
            MAX_FINDINGS,
        ),
    ] {
        if found > limit {
            return Err(ImportError::TooMany { what, found, limit });
        }
    }
    Ok(scans)
}

/// What kind of evidence a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ScanKind {
    /// The results of a scanner.
    Scan,
    /// The results of tests.
    Tests,
    /// Controls that a release has to meet.
    Catalog,
    /// The findings of assessors.
    Assessment,
}

/// One run of a scanner.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// The tool's name, trimmed. Findings of different providers never match.
    pub provider: String,
    /// The tool's version, if the file names one.
    pub provider_version: Option<String>,
    /// The kind of evidence.
    pub kind: ScanKind,
    /// When the run ended, or else when it started, in microseconds since 1970 in UTC; `None` if the file gives no
    /// time.
    pub collected_at: Option<i64>,
    /// The scanned revision.
    pub commit: Option<String>,
    /// What was scanned, as the file names it: its repository (without credentials), or else the category of the run.
    /// `None` if the file names neither; see [`identify`].
    pub component: Option<String>,
    /// False if the run reports a failure or has no list of results (SARIF 3.14.23). The findings of such a run are
    /// shown, but the import must not close findings that are missing from it.
    pub complete: bool,
    /// The failures in the file's order, including suppressed ones.
    pub findings: Vec<ScanFinding>,
    /// The number of results that are not findings of this run: `kind` is not `fail`, or `baselineState` is `absent`.
    pub not_failures: usize,
    /// The number of results in the file: `findings` and `not_failures` together.
    pub results: usize,
    /// The file's statements on controls (OSCAL).
    pub controls: Vec<ControlReport>,
    /// The file's statements on vulnerabilities (VEX), in its order.
    pub statements: Vec<VexStatement>,
}

/// A file's statement on a control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlReport {
    /// The release has to meet the control. The file does not say whether it does.
    Declared {
        /// The control's ID in capitals, as people write it (`AC-2.1`).
        key: String,
        /// The control's title.
        title: String,
    },
    /// An assessor has examined the control.
    Assessed {
        /// The control's ID in capitals.
        key: String,
        /// The assessor's result.
        status: ControlStatus,
    },
}

/// Computes the identities of a file's findings for `component` instead of the components that the file names, because an
/// importer that was told what was scanned knows better than the file.
pub fn identify(scans: &mut [Scan], component: Option<&str>) {
    for scan in &mut *scans {
        scan.component = component.map(str::to_owned);
    }
    number::identify(scans);
}

/// A failure that a scanner reports. All text is untrusted plain text: escape it when you show it.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanFinding {
    /// The rule's ID in the result, including a sub-rule (`CA1000/1`).
    pub rule: String,
    /// One line of at most 200 characters.
    pub title: String,
    /// The message, at most [`MAX_MESSAGE`] characters, with its line breaks.
    pub message: String,
    /// The severity that the scanner gives.
    pub severity: Severity,
    /// The first location; `None` for a finding on the whole (an image, a project).
    pub location: Option<Location>,
    /// Further locations that need a change.
    pub more_locations: Vec<Location>,
    /// Name and version of the affected package or product, in formats that identify findings by it.
    pub component: Option<String>,
    /// The vulnerability, and what it affects; `None` if the finding is none that other tools know.
    pub vulnerability: Option<Vulnerability>,
    /// Whether a user of the scanner has suppressed the result. A suppressed result is still a finding.
    pub suppressed: bool,
    /// The page that explains the rule. Only `http` and `https`, so that the link is safe.
    pub help_uri: Option<String>,
    /// `sha256:` and hex over provider, rule, [`ScanFinding::key`], component and [`ScanFinding::ordinal`]. Unique in
    /// its file, or in its assessment of an OSCAL document; the same finding has the same identity in the next scan.
    pub identity: String,
    /// `sha256:` and hex over the fingerprint or its substitute (see [`KeySource`]).
    pub key: String,
    /// What the key is computed from.
    pub key_source: KeySource,
    /// Distinguishes findings with the same rule and key: 0, 1, ... in the order of their locations, independent of the
    /// order in the file.
    pub ordinal: u32,
}

/// The most characters of a message that are kept; the rest is cut off.
pub const MAX_MESSAGE: usize = 8_000;

/// What the key of a finding is computed from, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// The scanner's `fingerprints`, which survive moved lines and renamed files.
    Fingerprint,
    /// `partialFingerprints` and the file, which survive moved lines.
    PartialFingerprint,
    /// The file and the code at the location, which survive moved lines.
    Snippet,
    /// The file, or the logical name in it, and the line: a moved line makes a new finding.
    Location,
    /// The affected package or product with its version, and the file that lists it.
    Component,
    /// The name of the test or control.
    Name,
    /// The message alone: a changed message makes a new finding.
    Message,
}

/// A location in what was scanned. The service shows a location and never opens it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Location {
    /// The file, in one spelling and not percent-encoded; relative to the scanned root if the scan names that root.
    pub uri: Option<String>,
    /// The line, from 1.
    pub line: Option<u32>,
    /// The column, from 1.
    pub column: Option<u32>,
    /// A name inside the file: `Namespace.Type.method`.
    pub logical: Option<String>,
}

/// Text for display: hidden characters are made visible, line breaks become `\n`, at most `max` characters remain.
fn shown(text: &str, max: usize) -> String {
    // Cut first, so that a huge text is not copied. `visible` only lengthens the text.
    let head: String = text.chars().take(max + 1).collect();
    shorten(visible(&head.replace("\r\n", "\n").replace('\r', "\n")).trim(), max)
}

/// [`shown`] for one line: white space becomes one space.
fn shown_line(text: &str, max: usize) -> String {
    let head: String = text.trim_start().chars().take(max * 4).collect();
    let line: Vec<&str> = head.split_whitespace().collect();
    shorten(&visible(&line.join(" ")), max)
}

fn shorten(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some(_) => format!("{}…", crate::domain::text::first_chars(text, max.saturating_sub(1))),
    }
}
