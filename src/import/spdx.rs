//! Reads what SPDX documents in JSON say about vulnerabilities: the references of the category `SECURITY` in SPDX 2.2 and
//! 2.3, and the profile *Security* of SPDX 3.0 with its statements (VEX).
//!
//! A list of packages alone does not say that no vulnerability was found, so such a document is refused.

mod v2;
mod v3;

#[cfg(test)]
mod tests;

use super::assemble::{Assembly, damage, missing};
use super::{ImportError, Scan, shown_line};
use serde::Deserialize;
use serde_json::Value;

/// The version, in each of the two forms.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Probe {
    #[serde(rename = "spdxVersion")]
    version: Option<Value>,
    #[serde(rename = "@context")]
    context: Option<Value>,
}

pub(super) fn read(text: &str) -> Result<Vec<Scan>, ImportError> {
    let probe: Probe = serde_json::from_str(text).map_err(damage)?;
    match (&probe.version, &probe.context) {
        (Some(Value::String(version)), _) if matches!(version.trim(), "SPDX-2.2" | "SPDX-2.3") => v2::read(text),
        (Some(version), _) => Err(ImportError::WrongVersion {
            found: shown_line(version.as_str().unwrap_or("none"), 40),
            wanted: "SPDX 2.2, 2.3 or 3.0",
        }),
        (None, Some(_)) => v3::read(text),
        (None, None) => Err(missing("spdxVersion")),
    }
}

/// The error for a document that names no vulnerability.
fn without_vulnerabilities() -> ImportError {
    ImportError::OtherDocument {
        what: "an SPDX document that names no vulnerability".to_owned(),
        instead: "the report of a scanner on it, such as SARIF of Grype or Trivy, or an SPDX document with references to advisories",
    }
}

fn scan(found: Assembly, tool: Option<String>, created: Option<&str>) -> Scan {
    let mut scan = found.scan(tool.unwrap_or_else(|| "spdx".to_owned()), super::ScanKind::Scan, None);
    scan.collected_at = created.and_then(super::assemble::utc);
    // A document describes one package, and says nothing about the advisories of others.
    scan.complete = false;
    scan
}
