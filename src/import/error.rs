//! Why a file was not read, in words for whoever has to get another one.

/// Why a file was refused. Nothing of it is imported then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file is larger than [`super::MAX_BYTES`].
    #[error("the file is larger than {} MiB; split it by tool or folder and import the parts", limit >> 20)]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The file is small, but its findings are not: see [`super::MAX_TEXT`].
    #[error(
        "the file's findings hold more than {} MiB of text once its references are followed; import it in parts",
        limit >> 20
    )]
    Expands {
        /// The limit in bytes.
        limit: usize,
    },
    /// The file holds more records than are imported at once; see [`super::MAX_FINDINGS`].
    #[error(
        "the file holds {found} {what}, and at most {limit} are imported from one file; split it by tool or folder and import the parts"
    )]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// The file is UTF-16, as `>` in Windows PowerShell writes it.
    #[error(
        "the file is UTF-16; let the scanner write the file itself, or save it again as UTF-8 (in PowerShell: Out-File -Encoding utf8)"
    )]
    Utf16,
    /// The file is in some other encoding, or not text.
    #[error("the file is not UTF-8 at byte {offset}; save it again as UTF-8, and do not import a compressed file")]
    NotUtf8 {
        /// The first byte that does not fit, from 0.
        offset: usize,
    },
    /// The format is none that is known.
    #[error(
        "the file is in no format that can be imported; give a SARIF 2.1.0, OSV, CycloneDX, JUnit or OSCAL file, or name \
         its format if you know better"
    )]
    Unrecognised,
    /// The file ends in the middle.
    #[error(
        "the file ends too early, at line {line}, column {column}; it was cut off, so let the scanner write it again"
    )]
    Truncated {
        /// Line from 1.
        line: usize,
        /// Column; 0 before the first character.
        column: usize,
    },
    /// The file is not what its format says.
    #[error("the file is damaged at line {line}, column {column}: {detail}; let the scanner write it again")]
    Malformed {
        /// Line from 1.
        line: usize,
        /// Column; 0 before the first character.
        column: usize,
        /// What was found there.
        detail: String,
    },
    /// A part is missing without which a finding could be lost or taken for another's.
    #[error(
        "the file has no {what}; check the log of the tool that wrote it for why it is incomplete, and run it again"
    )]
    Missing {
        /// What is missing, as a path in the file.
        what: String,
    },
    /// Results stand outside their run (SARIF 3.14.2 and 3.13.5).
    #[error("results stand outside their run, by {place}; let the scanner write one file with the results in it")]
    ExternalResults {
        /// The property that says so.
        place: String,
    },
    /// A version of the format that is not read.
    #[error(
        "the file says version {found}; only {wanted} is read, so set the output of the tool that wrote it to that, or convert the file"
    )]
    WrongVersion {
        /// The version that the file names, or `none`.
        found: String,
        /// What is read.
        wanted: &'static str,
    },
    /// A document of the format that holds neither findings nor controls.
    #[error("the file is {what}, which holds no findings; give {instead}")]
    OtherDocument {
        /// What it is.
        what: String,
        /// What is read.
        instead: &'static str,
    },
    /// XML with a document type, whose entities could hide or multiply what stands in the file.
    #[error(
        "the file declares a document type at line {line}; entities are not read, so let the tool write plain XML without DOCTYPE"
    )]
    DocumentType {
        /// Line from 1.
        line: usize,
    },
}
