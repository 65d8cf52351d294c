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

    fn locator(&self) -> &str {
        self.reference_locator.trim()
    }

    fn comment(&self) -> &str {
        self.comment.as_deref().map(str::trim).unwrap_or_default()
    }

    /// The vulnerability that the address or the comment names.
    fn vulnerability(&self) -> Option<&str> {
        id_in(self.locator()).or_else(|| id_in(self.comment()))
    }
}

pub(super) fn read(text: &str) -> Result<Vec<Scan>, ImportError> {
    let document: Document = serde_json::from_str(text).map_err(damage)?;
    let mut found = Assembly::new();
    let mut any = false;
    for package in document.packages.iter().flatten() {
        let affected = Affected::new(package);
        for reference in package.external_refs.iter().flatten() {
            match reference.kind() {
                "advisory" => affected.add_advisory(&mut found, reference)?,
                "fix" => affected.add_fix(&mut found, reference)?,
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

/// The names of a package.
struct Affected {
    names: Vec<String>,
    component: Option<String>,
}

impl Affected {
    fn new(package: &Package) -> Self {
        let references = package.external_refs.iter().flatten();
        let names = references.filter(|reference| matches!(reference.kind(), "purl" | "cpe22Type" | "cpe23Type"));
        let version = named(package.version_info.as_deref());
        let mut names: Vec<String> = names
            .filter_map(|reference| named(Some(&reference.reference_locator)))
            .take(20)
            .map(|name| match purl::is_purl(&name) {
                true => purl::with_version(&name, version.as_deref()),
                false => name,
            })
            .collect();
        names.sort_by_key(|name| !purl::is_purl(name));
        let plain = || {
            let name = named(package.name.as_deref())?;
            Some(version.map_or(name.clone(), |version| format!("{name}@{version}")))
        };
        let component = names.first().cloned().or_else(plain);
        Self {
            component: named(component.as_deref()),
            names,
        }
    }

    fn vulnerability(&self, id: Option<&str>) -> Vulnerability {
        Vulnerability::new(id, self.names.iter().map(|name| name.as_str().into()))
    }

    fn add_advisory(&self, found: &mut Assembly, reference: &Reference) -> Result<(), ImportError> {
        let (locator, comment) = (reference.locator(), reference.comment());
        let id = reference.vulnerability();
        let parts = [comment, locator].into_iter().filter(|text| !text.is_empty());
        let title = comment.lines().next().filter(|line| !line.trim().is_empty());
        found.add(Draft {
            rule: id.unwrap_or(locator),
            title: title.or(id).unwrap_or(locator),
            message: &parts.collect::<Vec<_>>().join("\n\n"),
            severity: Severity::Medium,
            location: None,
            component: self.component.clone(),
            vulnerability: Some(self.vulnerability(id)),
            suppressed: false,
            help: Some(locator),
            key: (KeySource::Component, json!(["advisory", self.component, locator])),
        })
    }

    /// A fix of something unnamed is no statement on a vulnerability.
    fn add_fix(&self, found: &mut Assembly, reference: &Reference) -> Result<(), ImportError> {
        let Some(id) = reference.vulnerability() else {
            found.not_failures += 1;
            return Ok(());
        };
        let statement = VexStatement {
            vulnerability: self.vulnerability(Some(id)),
            status: VexStatus::Fixed,
            reason: reference.locator().to_owned(),
            at: None,
            finding: None,
        };
        found.state(statement, None)
    }
}
