//! Readers of the files that scanners write. Each is pure: bytes in, [`Scan`]s out; no I/O, no clock, no randomness.
//!
//! A reader is tolerant in what decides nothing (a line number written as text) and strict in what could lose a
//! finding: a file that is cut off, refers to results in another file or does not name its tool is refused, never
//! read as "nothing found".

mod assemble;
mod cyclonedx;
mod detect;
mod error;
mod junit;
mod lenient;
mod number;
mod oscal;
mod osv;
mod sarif;
mod severity;

#[cfg(test)]
mod cost;
#[cfg(test)]
mod tests;

pub use detect::detect;
pub use error::ImportError;

use crate::domain::{canonical, text::visible};

pub use crate::domain::{ControlStatus, Severity};
use serde::{Deserialize, Serialize};

/// The largest file that is read, in bytes (64 MiB). GitHub takes 10 MB compressed.
pub const MAX_BYTES: usize = 64 << 20;

/// The most text, in bytes (256 MiB), that one file may grow to when its references are followed: a short file can
/// point at one long message a million times.
pub const MAX_TEXT: usize = 256 << 20;

/// The most findings that one file may hold. Scanners whose files hold more are asked to write one for each part; GitHub takes 25,000 results of
/// a run.
pub const MAX_FINDINGS: usize = 100_000;

/// The most statements on controls that one file may hold. NIST's catalog of all controls holds 1,200.
pub const MAX_CONTROLS: usize = 50_000;

/// The most runs that one file may hold: each becomes evidence of its own. GitHub takes 20.
pub const MAX_RUNS: usize = 100;

/// A file format that can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Static Analysis Results Interchange Format, version 2.1.0 (OASIS).
    Sarif,
    /// Open Source Vulnerabilities: records (ossf.github.io/osv-schema), or the results of osv-scanner.
    Osv,
    /// CycloneDX JSON 1.4 and later (OWASP): vulnerabilities, and what is said of them (VEX).
    CycloneDx,
    /// The XML that test runners write, as JUnit's tasks for Ant and Maven do.
    JUnit,
    /// Open Security Controls Assessment Language 1.x in JSON (NIST): catalogs, assessment results, plans of action.
    Oscal,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 5] = [
        Format::Sarif,
        Format::Osv,
        Format::CycloneDx,
        Format::JUnit,
        Format::Oscal,
    ];

    /// Its name, as commands and evidence records write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Sarif => "sarif",
            Format::Osv => "osv",
            Format::CycloneDx => "cyclonedx",
            Format::JUnit => "junit",
            Format::Oscal => "oscal",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.as_str() == name)
    }
}

/// Reads a file of a known format. SARIF gives one [`Scan`] for each run and OSCAL one for each assessment; a file
/// without either gives none. Each other file is one.
pub fn read(format: Format, bytes: &[u8]) -> Result<Vec<Scan>, ImportError> {
    let text = checked(bytes)?;
    let scans = match format {
        Format::Sarif => sarif::read(text),
        Format::Osv => osv::read(text),
        Format::CycloneDx => cyclonedx::read(text),
        Format::JUnit => junit::read(text),
        Format::Oscal => oscal::read(text),
    }?;
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
    ] {
        if found > limit {
            return Err(ImportError::TooMany { what, found, limit });
        }
    }
    Ok(scans)
}

/// [`detect`] and [`read`] in one, with the errors that come before a format is known (size, encoding).
pub fn read_any(bytes: &[u8]) -> Result<(Format, Vec<Scan>), ImportError> {
    checked(bytes)?;
    let format = detect(bytes).ok_or(ImportError::Unrecognised)?;
    Ok((format, read(format, bytes)?))
}

fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

/// The text of a file: small enough and UTF-8, which RFC 8259 asks of JSON (a byte order mark is skipped).
fn checked(bytes: &[u8]) -> Result<&str, ImportError> {
    if bytes.len() > MAX_BYTES {
        return Err(ImportError::TooLarge { limit: MAX_BYTES });
    }
    // With or without a byte order mark: the second or the first byte of ASCII in UTF-16 is zero.
    if matches!(bytes, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, _, ..] | [_, 0, ..]) {
        return Err(ImportError::Utf16);
    }
    let body = without_bom(bytes);
    std::str::from_utf8(body).map_err(|error| {
        let valid = error.valid_up_to();
        if error.error_len().is_some() {
            return ImportError::NotUtf8 {
                offset: bytes.len() - body.len() + valid,
            };
        }
        // The file ends within a character: it was cut off, and is otherwise sound.
        let head = &body[..valid];
        let line = head.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = head.iter().rev().take_while(|byte| **byte != b'\n').count();
        ImportError::Truncated { line, column }
    })
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
    /// Controls that are to hold.
    Catalog,
    /// What assessors found.
    Assessment,
}

/// One run of a scanner.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// The tool's name, trimmed: the key that findings are told apart by.
    pub provider: String,
    /// The tool's version, if the file says it.
    pub provider_version: Option<String>,
    /// What kind of evidence this is.
    pub kind: ScanKind,
    /// When the run ended (else started), in microseconds since 1970 in UTC; `None` if the file does not say.
    pub collected_at: Option<i64>,
    /// The revision that was scanned.
    pub commit: Option<String>,
    /// What was scanned, as the file names it: its repository (without credentials), else the category of the run.
    /// `None` if it does not say; see [`Scan::identify`].
    pub component: Option<String>,
    /// False if the run says that it failed, or gives no list of results at all (SARIF 3.14.23). Such a run shows
    /// what is there, and must not close a finding that it does not hold.
    pub complete: bool,
    /// The failures, in the order of the file, suppressed ones too.
    pub findings: Vec<ScanFinding>,
    /// Results that are no finding of this run: `kind` other than `fail`, or gone since the baseline (`baselineState:
    /// absent`).
    pub not_failures: usize,
    /// Raw results in the file: `findings` and `not_failures`.
    pub results: usize,
    /// What the file says of controls (OSCAL).
    pub controls: Vec<ControlReport>,
}

/// What a file says of a control of the release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlReport {
    /// It is to hold. Whether it does is not said.
    Declared {
        /// Its ID in capitals, as people write it (`AC-2.1`).
        key: String,
        /// What it is about.
        title: String,
    },
    /// Somebody has looked.
    Assessed {
        /// Its ID in capitals.
        key: String,
        /// What was found.
        status: ControlStatus,
    },
}

impl Scan {
    /// Binds the identities to another component than the file names, for an importer that was told what was scanned.
    /// A file's own name for it is a guess, and often missing.
    pub fn identify(&mut self, component: Option<&str>) {
        self.component = component.map(str::to_owned);
        for finding in &mut self.findings {
            finding.identity = identity(&self.provider, &finding.rule, &finding.key, finding.ordinal, component);
        }
    }
}

/// Provider, rule, key, component and occurrence as a JSON array, so that no two lists of parts have one text.
fn identity(provider: &str, rule: &str, key: &str, ordinal: u32, component: Option<&str>) -> String {
    let parts = serde_json::json!(["loopiq-finding-1", provider, rule, key, component, ordinal]);
    canonical::digest(parts.to_string().as_bytes())
}

/// A failure that a scanner reports. All text is plain text, whatever it looks like: show it escaped.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanFinding {
    /// The ID of the rule as the result gives it, a sub-rule (`CA1000/1`) included.
    pub rule: String,
    /// One line of at most 200 characters.
    pub title: String,
    /// The message, at most [`MAX_MESSAGE`] characters; line breaks are kept.
    pub message: String,
    /// How bad it is, by the scanner's own account.
    pub severity: Severity,
    /// Where it is; `None` for a finding on the whole (an image, a project).
    pub location: Option<Location>,
    /// Further places that must be changed too.
    pub more_locations: Vec<Location>,
    /// What is affected, by name and version, where the format tells findings apart by it (a package, a product).
    pub component: Option<String>,
    /// Whether the scanner's user has set it aside. It is still a finding.
    pub suppressed: bool,
    /// Where the rule is explained: `http` or `https` only, so that it is safe as a link.
    pub help_uri: Option<String>,
    /// `sha256:` and hex over provider, rule, [`ScanFinding::key`], component and [`ScanFinding::ordinal`]. Unique in
    /// its scan, and equal for the same finding in the next one.
    pub identity: String,
    /// `sha256:` and hex over the fingerprint or what stands in for it.
    pub key: String,
    /// What the key rests on.
    pub key_source: KeySource,
    /// Tells findings with one rule and key apart: 0, 1, ... in the order of their places, whatever their order in
    /// the file.
    pub ordinal: u32,
}

/// The most characters of a message that are kept.
pub const MAX_MESSAGE: usize = 8_000;

/// What a finding is recognised by, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// The scanner's `fingerprints`: survive moved lines and renamed files.
    Fingerprint,
    /// `partialFingerprints` with the file: survive moved lines.
    PartialFingerprint,
    /// The file and the text of the code: survive moved lines.
    Snippet,
    /// The file, or the named thing in it, and the line: a moved line is a new finding.
    Location,
    /// The package or product in question with its version, and the file that names it.
    Component,
    /// The name of the thing in question: a test, a control.
    Name,
    /// The message alone: a changed message is a new finding.
    Message,
}

/// A place in what was scanned. Never opened or followed: it is only shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Location {
    /// The file, relative to what was scanned where the file says so; still percent-encoded.
    pub uri: Option<String>,
    /// Line from 1.
    pub line: Option<u32>,
    /// Column from 1.
    pub column: Option<u32>,
    /// A name inside it: `Namespace.Type.method`.
    pub logical: Option<String>,
}

/// Text as it is shown: hidden characters made visible, line breaks as `\n`, at most `max` characters.
fn shown(text: &str, max: usize) -> String {
    // Cut first, so that a huge text is not copied; `visible` only makes it longer.
    let head: String = text.chars().take(max + 1).collect();
    shorten(visible(&head.replace("\r\n", "\n").replace('\r', "\n")).trim(), max)
}

/// The same in one line.
fn shown_line(text: &str, max: usize) -> String {
    let head: String = text.trim_start().chars().take(max * 4).collect();
    let line: Vec<&str> = head.split_whitespace().collect();
    shorten(&visible(&line.join(" ")), max)
}

fn shorten(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(max.saturating_sub(1)).chain(['…']).collect(),
    }
}
