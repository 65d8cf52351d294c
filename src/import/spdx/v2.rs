//! SPDX 2.2 and 2.3. A reference of the type `advisory` names an advisory that may affect the package; one of the type
//! `fix` names a change that contains the fix of a vulnerability (annex F, annex K).

use super::super::assemble::{Assembly, Draft, damage, named};
use super::super::lenient::lenient;
use super::super::vulnerability::id_in;
use super::super::{ImportError, KeySource, Scan, Severity, VexStatement, VexStatus, Vulnerability, purl};
use super::{scan, without_vulnerabilities};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(default, deserialize_with = "lenient")]
    creation_info: Option<CreationInfo>,
    #[serde(default)]
    packages: Option<Vec<Package>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct CreationInfo {
    #[serde(deserialize_with = "lenient")]
    created: Option<String>,
    #[serde(deserialize_with = "lenient")]
    creators: Option<Vec<String>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Package {
    #[serde(deserialize_with = "lenient")]
    name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    version_info: Option<String>,
    external_refs: Option<Vec<Reference>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Reference {
    reference_type: String,
    reference_locator: String,
    #[serde(deserialize_with = "lenient")]
    comment: Option<String>,
}

impl Reference {
    /// The type, which some tools write as an address.
    fn kind(&self) -> &str {
        self.reference_type.rsplit(['/', '#']).next().unwrap_or_default().trim()
    }
}

pub(super) fn read(text: &str) -> Result<Vec<Scan>, ImportError> {
    let document: Document = serde_json::from_str(text).map_err(damage)?;
    let mut found = Assembly::new();
    let mut any = false;
    for package in document.packages.iter().flatten() {
        for reference in package.external_refs.iter().flatten() {
            match reference.kind() {
                "advisory" => add(&mut found, package, reference, None)?,
                "fix" => add(&mut found, package, reference, Some(VexStatus::Fixed))?,
                _ => continue,
            }
            any = true;
        }
    }
    if !any {
        return Err(without_vulnerabilities());
    }
    let info = document.creation_info.unwrap_or_default();
    let tools = info
        .creators
        .iter()
        .flatten()
        .filter_map(|creator| creator.trim().strip_prefix("Tool:"));
    Ok(vec![scan(
        found,
        tools.filter_map(|tool| named(Some(tool))).next(),
        info.created.as_deref(),
    )])
}

fn add(
    found: &mut Assembly,
    package: &Package,
    reference: &Reference,
    status: Option<VexStatus>,
) -> Result<(), ImportError> {
    let locator = reference.reference_locator.trim();
    let comment = reference.comment.as_deref().map(str::trim).unwrap_or_default();
    let id = id_in(locator).or_else(|| id_in(comment));
    // A fix of something unnamed is no statement on a vulnerability.
    if status.is_some() && id.is_none() {
        found.not_failures += 1;
        return Ok(());
    }
    add_named(found, package, locator, comment, id, status)
}

fn add_named(
    found: &mut Assembly,
    package: &Package,
    locator: &str,
    comment: &str,
    id: Option<&str>,
    status: Option<VexStatus>,
) -> Result<(), ImportError> {
    let references = package.external_refs.iter().flatten();
    let names = references.filter(|reference| matches!(reference.kind(), "purl" | "cpe22Type" | "cpe23Type"));
    let version = package
        .version_info
        .as_deref()
        .map(str::trim)
        .filter(|version| !version.is_empty());
    let mut names: Vec<String> = names
        .filter_map(|reference| named(Some(&reference.reference_locator)))
        .take(20)
        .map(|name| {
            if purl::is_purl(&name) {
                purl::with_version(&name, version)
            } else {
                name
            }
        })
        .collect();
    names.sort_by_key(|name| !purl::is_purl(name));
    let vulnerability = Vulnerability::new(id, names.iter().map(|name| name.as_str().into()));
    if let Some(status) = status {
        let statement = VexStatement {
            vulnerability,
            status,
            reason: locator.to_owned(),
            at: None,
            finding: None,
        };
        return found.state(statement, None);
    }
    let plain = || {
        let name = named(package.name.as_deref())?;
        Some(version.map_or(name.clone(), |version| format!("{name}@{version}")))
    };
    let component = names.first().cloned().or_else(plain);
    let message = [comment, locator]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join("\n\n");
    found.add(Draft {
        rule: id.unwrap_or(locator),
        title: comment
            .lines()
            .next()
            .filter(|line| !line.trim().is_empty())
            .or(id)
            .unwrap_or(locator),
        message: &message,
        severity: Severity::Medium,
        location: None,
        component: named(component.as_deref()),
        vulnerability: Some(vulnerability),
        suppressed: false,
        help: Some(locator),
        key: (KeySource::Component, json!(["advisory", component, locator])),
    })
}
