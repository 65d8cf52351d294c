//! What an import says of what it did.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ImportReport {
    /// The release's key.
    pub release: String,
    /// The format that was read.
    pub format: String,
    /// Runs in the file.
    pub runs: usize,
    /// Keys of the evidence that was kept.
    pub evidence_ids: Vec<String>,
    /// Results in the file, raw.
    pub results: usize,
    /// Results that are no failures.
    pub not_failures: usize,
    /// Findings that nobody had seen before.
    pub new_findings: usize,
    /// Findings that were known.
    pub known_findings: usize,
    /// Findings that were suppressed where they were found.
    pub suppressed: usize,
    /// Controls that the release did not have before.
    pub new_controls: u64,
    /// Controls that have another status than before.
    pub changed_controls: u64,
    /// Blockers that were made.
    pub blockers: i64,
    /// Whether everything in the file was known: nothing was written.
    pub unchanged: bool,
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.runs == 0 {
            return write!(f, "The file is valid and holds no runs: nothing was written.");
        }
        if self.unchanged {
            return write!(
                f,
                "These bytes are evidence of {} already: nothing was written.",
                self.release
            );
        }
        write!(
            f,
            "{}: {} new findings, {} known, {} suppressed, from {} results in {} run(s); ",
            self.release, self.new_findings, self.known_findings, self.suppressed, self.results, self.runs
        )?;
        if self.new_controls + self.changed_controls > 0 {
            write!(
                f,
                "{} new controls, {} with another status; ",
                self.new_controls, self.changed_controls
            )?;
        }
        write!(
            f,
            "{} new blockers. Evidence {}.",
            self.blockers,
            self.evidence_ids.join(", ")
        )
    }
}
