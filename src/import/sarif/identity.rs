//! By what a finding is known again in the next scan.
//!
//! The key is, best first:
//!
//! 1. `fingerprints`: all of them, sorted by name. Made to be unique and stable (3.27.16), so the file is left out, and a
//!    renamed file keeps its findings.
//! 2. `partialFingerprints` and the file: by the standard they are only a contribution to an identity (3.27.17);
//!    CodeQL's `primaryLocationLineHash` is the same in every copy of a file.
//! 3. The file, the logical name and the code itself (the snippet). The line is left out: it moves with every edit above it.
//! 4. The file, the logical name and the line, where there is no snippet. A moved line is then a new finding, and the old
//!    one looks fixed. Leaving the line out would be worse: a second defect of one kind in a file would pass as the first.
//! 5. The message, where there is no place at all. A new secret in an image must not hide behind an old one's acceptance.
//!
//! Of several locations the first counts, so that a finding stays itself when another place joins it.

use super::super::number::Mark;
use super::super::{KeySource, ScanFinding};
use super::model::{Outcome, Print};
use serde_json::json;
use std::collections::BTreeMap;

pub(super) fn mark(result: &Outcome, finding: &ScanFinding, snippet: Option<&str>, message: &str) -> Mark {
    let place = finding.location.as_ref();
    let uri = place.and_then(|place| place.uri.as_deref());
    let logical = place.and_then(|place| place.logical.as_deref());
    // Indentation and line ends change without the code changing.
    let code = snippet.map(|code| code.split_whitespace().collect::<Vec<_>>().join(" "));

    let (source, parts) = if let Some(prints) = prints(&result.fingerprints) {
        (KeySource::Fingerprint, json!(["fingerprints", prints]))
    } else if let Some(prints) = prints(&result.partial_fingerprints) {
        (
            KeySource::PartialFingerprint,
            json!(["partialFingerprints", prints, uri, logical]),
        )
    } else if let Some(code) = code {
        (KeySource::Snippet, json!(["snippet", uri, logical, code]))
    } else if let Some(place) = place {
        (KeySource::Location, json!(["location", uri, logical, place.line]))
    } else {
        (KeySource::Message, json!(["message", message]))
    };
    Mark::new(source, &parts, message)
}

/// Names and values that say something, as JSON with sorted keys; `None` if there are none.
fn prints(prints: &Option<BTreeMap<String, Print>>) -> Option<String> {
    let telling: BTreeMap<&String, &Print> = prints.iter().flatten().filter(|(_, print)| tells(print)).collect();
    if telling.is_empty() {
        None
    } else {
        serde_json::to_string(&telling).ok()
    }
}

/// Semgrep writes "requires login" in place of every fingerprint when nobody is signed in; taken at its word, all
/// findings of a rule would be one.
fn tells(print: &Print) -> bool {
    match print {
        Print::Text(text) => !text.trim().is_empty() && text != "requires login",
        Print::Map(prints) => prints.values().any(tells),
        Print::List(prints) => prints.iter().any(tells),
        Print::Other(value) => !value.is_null(),
    }
}
