//! The used parts of alerts. What decides whether an alert is open must have the right type; any other value of a wrong
//! type is ignored.

use super::super::lenient::lenient;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Alert {
    pub number: Option<u64>,
    pub state: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub html_url: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub dismissed_reason: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub dismissed_comment: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub repository: Option<Repository>,
    pub tool: Option<Tool>,
    pub rule: Option<Rule>,
    #[serde(default, deserialize_with = "lenient")]
    pub most_recent_instance: Option<Instance>,
    #[serde(default, deserialize_with = "lenient")]
    pub dependency: Option<Dependency>,
    pub security_advisory: Option<Advisory>,
    #[serde(default, deserialize_with = "lenient")]
    pub security_vulnerability: Option<Vulnerable>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Repository {
    #[serde(deserialize_with = "lenient")]
    pub html_url: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Tool {
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Rule {
    #[serde(deserialize_with = "lenient")]
    pub id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub description: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub full_description: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub severity: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub security_severity_level: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Instance {
    #[serde(deserialize_with = "lenient")]
    pub message: Option<Message>,
    #[serde(deserialize_with = "lenient")]
    pub location: Option<Place>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Message {
    #[serde(deserialize_with = "lenient")]
    pub text: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Place {
    #[serde(deserialize_with = "lenient")]
    pub path: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub start_line: Option<u32>,
    #[serde(deserialize_with = "lenient")]
    pub start_column: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Dependency {
    #[serde(deserialize_with = "lenient")]
    pub package: Option<Package>,
    #[serde(deserialize_with = "lenient")]
    pub manifest_path: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Package {
    #[serde(deserialize_with = "lenient")]
    pub ecosystem: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Advisory {
    #[serde(deserialize_with = "lenient")]
    pub ghsa_id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub cve_id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub summary: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub description: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub severity: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub identifiers: Option<Vec<Identifier>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Identifier {
    #[serde(deserialize_with = "lenient")]
    pub value: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Vulnerable {
    #[serde(deserialize_with = "lenient")]
    pub severity: Option<String>,
}
