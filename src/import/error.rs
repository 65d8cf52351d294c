//! Why a file was not read, with what its owner can do about it.

/// Why a file was refused. Nothing of a refused file is imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file is larger than [`super::MAX_BYTES`].
    #[error("the file is larger than {} MiB; split it by tool or folder and import the parts", limit >> 20)]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The findings hold more text than [`super::MAX_TEXT`] once the file's references are followed.
    #[error(
        "the file's findings hold more than {} MiB of text once its references are followed; import it in parts",
        limit >> 20
    )]
    Expands {
        /// The limit in bytes.
        limit: usize,
    },
    /// The file holds more records than one import takes; see [`super::MAX_FINDINGS`].
    #[error(
        "the file holds {found} {what}, and at most {limit} are imported from one file; split it by tool or folder and import the parts"
    )]
    TooMany {
        /// The kind of record that exceeds the limit.
        what: &'static str,
        /// How many the file holds.
        found: usize,
        /// The most that are imported.
        limit: usize,
    },
    /// The text is larger than [`super::MAX_BYTES`] in UTF-8.
    #[error("the file is larger than {} MiB in UTF-8; split it by tool or folder and import the parts", limit >> 20)]
    DecodesTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The file has an encoding that is not read.
    #[error("the file is in the encoding {name}, which is not read; save it again as UTF-8")]
    OtherEncoding {
        /// The encoding as the file names it.
        name: String,
    },
    /// The file has another encoding than it says, or is not text.
    #[error("the file is not {encoding} at byte {offset}; save it again as UTF-8, and do not import a compressed file")]
    NotText {
        /// The encoding that the file is read in.
        encoding: &'static str,
        /// The first byte that is not in the encoding, from 0.
        offset: usize,
    },
    /// A file of a known format that is not read.
    #[error("the file is {what}, which is not read; give {instead}")]
    NotRead {
        /// What the file is.
        what: String,
        /// What to give instead.
        instead: String,
    },
    /// A log, or another text, is before the report.
    #[error(
        "text stands before the {what}, line {line} ({text}); let the tool write its report into a file of its own, without its log"
    )]
    TextBefore {
        /// `JSON` or `XML`.
        what: &'static str,
        /// The line of the text, from 1.
        line: usize,
        /// The beginning of the text.
        text: String,
    },
    /// The file has none of the known formats.
    #[error(
        "the format of the file is unknown; give a file in SARIF 2.1.0, OSV, CycloneDX, OpenVEX, CSAF, SPDX, JUnit, TRX or OSCAL, a security report of GitLab or alerts of GitHub, or name its format (--format, or format= of the API)"
    )]
    Unrecognised,
    /// The file is cut off.
    #[error(
        "the file ends too early, at line {line}, column {column}; it was cut off, so let the scanner write it again"
    )]
    Truncated {
        /// The line, from 1.
        line: usize,
        /// The column; 0 before the line's first character.
        column: usize,
    },
    /// The file violates its format.
    #[error("the file is damaged at line {line}, column {column}: {detail}; let the scanner write it again")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// The column; 0 before the line's first character.
        column: usize,
        /// What is wrong there.
        detail: String,
    },
    /// A part is missing, without which a finding could be lost or attributed to another tool.
    #[error(
        "the file has no {what}; check the log of the tool that wrote it for why it is incomplete, and run it again"
    )]
    Missing {
        /// The missing part, as a path in the file.
        what: String,
    },
    /// Results are outside their run (SARIF 3.14.2 and 3.13.5).
    #[error("results are outside their run ({place}); let the scanner write one file with the results in it")]
    ExternalResults {
        /// The property that refers to them.
        place: String,
    },
    /// The file has a version that is not read.
    #[error(
        "the file says version {found}; only {wanted} is read, so configure the tool to write that version, or convert the file"
    )]
    WrongVersion {
        /// The version in the file, or `none`.
        found: String,
        /// The versions that are read.
        wanted: &'static str,
    },
    /// A document of the format that holds neither findings nor controls.
    #[error("the file is {what}, which holds no findings; give {instead}")]
    OtherDocument {
        /// The kind of document.
        what: String,
        /// The documents that are read.
        instead: &'static str,
    },
    /// XML with a document type. Its entities could hide or multiply the file's content.
    #[error(
        "the file declares a document type at line {line}; entities are not read, so let the tool write plain XML without DOCTYPE"
    )]
    DocumentType {
        /// The line, from 1.
        line: usize,
    },
}
