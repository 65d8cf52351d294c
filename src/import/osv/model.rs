//! The used parts of OSV records and of osv-scanner's results. Lists of results, packages and vulnerabilities must have
//! the right type; any smaller value of a wrong type is ignored.

use super::super::lenient::lenient;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use std::collections::BTreeMap;

/// Distinguishes a record from a scanner's results.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Probe {
    pub results: Option<IgnoredAny>,
    pub id: Option<IgnoredAny>,
}

/// The file that osv-scanner writes.
#[derive(Deserialize)]
pub(super) struct Report {
    pub results: Vec<Source>,
}

/// A lockfile, a manifest or a git folder, and the packages in it.
#[derive(Deserialize)]
pub(super) struct Source {
    #[serde(default, deserialize_with = "lenient")]
    pub source: Option<Place>,
    pub packages: Vec<Package>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Place {
    #[serde(deserialize_with = "lenient")]
    pub path: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Package {
    #[serde(deserialize_with = "lenient")]
    pub package: Option<Name>,
    pub vulnerabilities: Option<Vec<Record>>,
    pub groups: Option<Vec<Group>>,
}

/// A package by name; a git folder has only a commit.
#[derive(Deserialize, Default, Clone, PartialEq)]
#[serde(default)]
pub(super) struct Name {
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub version: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub ecosystem: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub commit: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub purl: Option<String>,
}

/// Records that name one vulnerability.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Group {
    pub ids: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    pub max_severity: Option<String>,
    /// Whether the code with the vulnerability is called, for some of the records. Version 1 of osv-scanner writes the
    /// name in camel case.
    #[serde(
        alias = "experimentalAnalysis",
        alias = "experimental_analysis",
        deserialize_with = "lenient"
    )]
    pub analysis: Option<BTreeMap<String, CallAnalysis>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct CallAnalysis {
    #[serde(deserialize_with = "lenient")]
    pub called: Option<bool>,
}

/// An OSV record.
#[derive(Deserialize)]
pub(super) struct Record {
    pub id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub schema_version: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub summary: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub details: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub aliases: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient")]
    pub withdrawn: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub severity: Option<Vec<Score>>,
    #[serde(default)]
    pub affected: Option<Vec<Affected>>,
    #[serde(default, deserialize_with = "lenient")]
    pub references: Option<Vec<Reference>>,
    #[serde(default, deserialize_with = "lenient")]
    pub database_specific: Option<Specific>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Score {
    #[serde(deserialize_with = "lenient")]
    pub score: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Affected {
    #[serde(deserialize_with = "lenient")]
    pub package: Option<Name>,
    #[serde(deserialize_with = "lenient")]
    pub severity: Option<Vec<Score>>,
    #[serde(deserialize_with = "lenient")]
    pub ecosystem_specific: Option<Specific>,
    #[serde(deserialize_with = "lenient")]
    pub database_specific: Option<Specific>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Specific {
    /// A word, a score or a vector; some databases write other values.
    pub severity: Option<Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Reference {
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub url: Option<String>,
}
