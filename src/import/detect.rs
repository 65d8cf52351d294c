//! Detects the format of a file.

mod outline;
mod unread;

#[cfg(test)]
mod tests;

pub(super) use unread::{before, binary, unread};

use super::{Format, MAX_BYTES, encoding, sarif, xml};
use outline::Outline;

/// Detects the format by content, because file names mislead (mobsfscan writes SARIF to `.json`). A damaged file is
/// recognised by its beginning, so that [`super::read`] can say what is wrong.
pub fn detect(bytes: &[u8]) -> Option<Format> {
    match encoding::decode(bytes) {
        Ok(text) => format(&text),
        Err(_) => format(&String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_BYTES)])),
    }
}

/// The format of a text.
pub(super) fn format(text: &str) -> Option<Format> {
    if text.trim_start().starts_with('<') {
        return match xml::root(text)?.as_str() {
            "testsuites" | "testsuite" => Some(Format::JUnit),
            "TestRun" => Some(Format::Trx),
            "bom" => Some(Format::CycloneDx),
            _ => None,
        };
    }
    let outline = Outline::parse(text);
    json_format(text, &outline)
}

fn json_format(text: &str, outline: &Outline) -> Option<Format> {
    let has = |name: &str| outline.has(name);
    let object = outline.lists == 0;
    let begins = |name: &str, with: &str| outline.text(name).is_some_and(|text| text.starts_with(with));
    if has("bomFormat") {
        Some(Format::CycloneDx)
    } else if object && super::oscal::DOCUMENTS.iter().any(|(name, _)| has(name)) {
        Some(Format::Oscal)
    } else if object && begins("@context", "https://openvex.dev/ns") {
        Some(Format::OpenVex)
    } else if object && (has("spdxVersion") || begins("@context", "https://spdx.org/rdf/3")) {
        Some(Format::Spdx)
    } else if object && outline.inside("document", "csaf_version") {
        Some(Format::Csaf)
    } else if is_github(outline) {
        Some(Format::GitHub)
    } else if object && has("vulnerabilities") && has("version") && outline.inside("scan", "scanner") {
        Some(Format::GitLab)
    } else if sarif::looks_like(text) {
        Some(Format::Sarif)
    } else {
        is_osv(outline).then_some(Format::Osv)
    }
}

/// Alerts of code scanning and of Dependabot have a number and what they are about.
fn is_github(outline: &Outline) -> bool {
    let has = |name: &str| outline.has(name);
    let code_scanning = has("most_recent_instance") && has("rule");
    let dependabot = has("security_advisory") && has("dependency");
    has("number") && (code_scanning || dependabot)
}

/// Many tools write `results`. Those of osv-scanner list `packages`; an empty list of osv-scanner has
/// `experimental_config` next to it, or, in version 1, nothing.
fn is_osv(outline: &Outline) -> bool {
    let has = |name: &str| outline.has(name);
    let record = has("id") && ["affected", "modified", "schema_version"].into_iter().any(has);
    let scanner = outline.nested("results").is_some_and(|results| {
        let alone = outline.names() == ["results"];
        results.list
            && (results.names.iter().any(|name| name == "packages")
                || (results.names.iter().all(|name| name == "source") && !results.names.is_empty())
                || (results.empty && (alone || has("experimental_config"))))
    });
    (record && outline.lists < 2) || (outline.lists == 0 && scanner)
}
