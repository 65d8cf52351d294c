//! What identifies a finding in the next scan.
//!
//! The key is computed from the first of these that the result has:
//!
//! 1. All `fingerprints`, sorted by name. They are made to be unique and stable (3.27.16), so the file is left out and
//!    a renamed file keeps its findings.
//! 2. `partialFingerprints` and the file. The standard calls them only a contribution to an identity (3.27.17):
//!    CodeQL's `primaryLocationLineHash` is the same in every copy of a file.
//! 3. The file, the logical name and the code (the snippet). The line is left out, because every edit above moves it.
//! 4. The file, the logical name and the line. A moved line makes a new finding, and the old one looks fixed. Without
//!    the line, a second defect of the same kind in the file would be taken for the first.
//! 5. The message, for a result without location. A new secret in an image must not hide behind an accepted old one.
//!
//! Only the first of several locations counts, so that another location does not change the identity.

use super::super::number::FindingKey;
use super::super::{KeySource, ScanFinding};
use super::model::{Outcome, Print};
use serde_json::json;
use std::collections::BTreeMap;

pub(super) fn finding_key(result: &Outcome, finding: &ScanFinding, snippet: Option<&str>, message: &str) -> FindingKey {
    let place = finding.location.as_ref();
    let uri = place.and_then(|place| place.uri.as_deref());
    let logical = place.and_then(|place| place.logical.as_deref());
    // Formatters change indentation and line ends without changing the code.
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
    FindingKey::new(source, &parts, message)
}

/// The informative names and values as JSON with sorted keys; `None` if there are none.
fn prints(prints: &Option<BTreeMap<String, Print>>) -> Option<String> {
    let informative: BTreeMap<&String, &Print> = prints
        .iter()
        .flatten()
        .filter(|(_, print)| is_informative(print))
        .collect();
    if informative.is_empty() {
        None
    } else {
        serde_json::to_string(&informative).ok()
    }
}

/// Semgrep writes "requires login" as every fingerprint when its user is not signed in. Taken as fingerprints, these
/// would merge all findings of a rule.
fn is_informative(print: &Print) -> bool {
    match print {
        Print::Text(text) => !text.trim().is_empty() && text != "requires login",
        Print::Map(prints) => prints.values().any(is_informative),
        Print::List(prints) => prints.iter().any(is_informative),
        Print::Other(value) => !value.is_null(),
    }
}
