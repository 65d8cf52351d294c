//! The report of an import.

use crate::domain::text::prose::counted;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The result of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ImportReport {
    /// The release's key.
    pub release: String,
    /// The detected format.
    pub format: String,
    /// Runs in the file.
    pub runs: usize,
    /// Keys of the stored evidence.
    pub evidence_ids: Vec<String>,
    /// Results in the file.
    pub results: usize,
    /// Results that are not failures.
    pub not_failures: usize,
    /// Findings that the tenant did not have before.
    pub new_findings: usize,
    /// Findings that the tenant had before.
    pub known_findings: usize,
    /// Known findings that are open again, because the scan is newer than what closed them.
    pub reopened: usize,
    /// Known findings that people have set to false positive or accepted, and that a newer scan shows again. They stay so.
    pub seen_again: usize,
    /// Findings that a complete newer scan of the same does not show any more. Closing them is a person's decision.
    pub gone: usize,
    /// Findings of scans about which the file's statements (VEX) say something else than before.
    pub judged: usize,
    /// Findings that the scanner's user has suppressed.
    pub suppressed: usize,
    /// Controls that the release did not have before.
    pub new_controls: u64,
    /// Controls whose status changed.
    pub changed_controls: u64,
    /// Blockers that were opened: new ones, and closed ones that are open again.
    pub blockers: i64,
    /// Whether the file is dated in the future. It counts as made now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dated_in_future: bool,
    /// Whether the tenant had everything in the file, so that nothing was written.
    pub unchanged: bool,
    /// Whether the stored bytes of the file were damaged, and the import has stored them again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub restored: bool,
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.runs == 0 {
            return write!(f, "The file is valid and contains no runs; nothing was written.");
        }
        if self.restored {
            write!(f, "The stored bytes of the file were damaged and are restored. ")?;
        }
        if self.dated_in_future {
            write!(
                f,
                "The file is dated in the future and counts as made now; check the clock of the machine that wrote it. "
            )?;
        }
        if self.unchanged && self.restored {
            return write!(
                f,
                "The file is already evidence of {}; nothing else was written.",
                self.release
            );
        }
        if self.unchanged {
            return write!(
                f,
                "The file is already evidence of {}{}; nothing was written. If the tool ran again with the same result, import the file with \
                 the time of that run (--collected-at).",
                self.release,
                if self.evidence_ids.is_empty() {
                    String::new()
                } else {
                    format!(" ({})", self.evidence_ids.join(", "))
                }
            );
        }
        write!(
            f,
            "{}: {} new {}, {} known, from {}{}",
            self.release,
            self.new_findings,
            if self.new_findings == 1 { "finding" } else { "findings" },
            self.known_findings,
            counted(self.results, "result"),
            if self.runs == 1 {
                String::new()
            } else {
                format!(" in {} runs", self.runs)
            },
        )?;
        for (count, what) in [
            (self.not_failures, "without failure"),
            (self.suppressed, "suppressed in the file"),
            (self.reopened, "reopened"),
            (self.seen_again, "decided to be no problem and seen again"),
            (self.gone, "not seen any more"),
            (
                self.judged,
                "found by scanners and judged by the statements of the file",
            ),
        ] {
            if count > 0 {
                write!(f, "; {count} {what}")?;
            }
        }
        write!(f, "; ")?;
        if self.new_controls + self.changed_controls > 0 {
            write!(
                f,
                "{} new controls, {} with another status; ",
                self.new_controls, self.changed_controls
            )?;
        }
        write!(
            f,
            "{} opened. Evidence {}.",
            counted(usize::try_from(self.blockers).unwrap_or_default(), "blocker"),
            self.evidence_ids.join(", ")
        )
    }
}
