//! The used parts of a report. The list of vulnerabilities must have the right type; any smaller value of a wrong type is
//! ignored.

use super::super::lenient::lenient;
use serde::Deserialize;
use serde::de::IgnoredAny;

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Probe {
    #[serde(deserialize_with = "lenient")]
    pub version: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub scan: Option<Scan>,
    pub vulnerabilities: Option<IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Scan {
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub scanner: Option<Scanner>,
    #[serde(deserialize_with = "lenient")]
    pub start_time: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub end_time: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub status: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Scanner {
    #[serde(deserialize_with = "lenient")]
    pub id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub version: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Report {
    pub vulnerabilities: Vec<Vulnerability>,
    #[serde(default, deserialize_with = "lenient")]
    pub dependency_files: Option<Vec<DependencyFile>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct DependencyFile {
    #[serde(deserialize_with = "lenient")]
    pub path: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub package_manager: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Vulnerability {
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    /// The name in schema 14.
    #[serde(deserialize_with = "lenient")]
    pub message: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub description: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub severity: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub solution: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub location: Option<Place>,
    #[serde(deserialize_with = "lenient")]
    pub identifiers: Option<Vec<Identifier>>,
    #[serde(deserialize_with = "lenient")]
    pub links: Option<Vec<Link>>,
    #[serde(deserialize_with = "lenient")]
    pub tracking: Option<Tracking>,
    #[serde(deserialize_with = "lenient")]
    pub flags: Option<Vec<Flag>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Place {
    #[serde(deserialize_with = "lenient")]
    pub file: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub start_line: Option<u32>,
    #[serde(deserialize_with = "lenient")]
    pub class: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub method: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub image: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub dependency: Option<Dependency>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Dependency {
    #[serde(deserialize_with = "lenient")]
    pub package: Option<Package>,
    #[serde(deserialize_with = "lenient")]
    pub version: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Package {
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Identifier {
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub value: Option<String>,
    #[serde(flatten)]
    pub link: Link,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Link {
    #[serde(deserialize_with = "lenient")]
    pub url: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Tracking {
    #[serde(deserialize_with = "lenient")]
    pub items: Option<Vec<Item>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Item {
    #[serde(deserialize_with = "lenient")]
    pub signatures: Option<Vec<Signature>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Signature {
    #[serde(deserialize_with = "lenient")]
    pub algorithm: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub value: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Flag {
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub origin: Option<String>,
}
