//! The used parts of a SARIF log.
//!
//! The types of the crate `serde-sarif` are generated from the JSON schema. They read all sample files, but they refuse
//! a whole file for one deviation, also in fields that are not used here: nested fingerprints, a result without
//! message, a level `critical`, an invocation without `executionSuccessful`, a fix without changes. Scanners write all
//! of these.
//!
//! Lists of runs, results and rules must have the right type; any smaller value of a wrong type is ignored.

use super::super::lenient::{lenient, whole};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Decides whether a file is SARIF, and of which version.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Probe {
    #[serde(rename = "$schema", deserialize_with = "lenient")]
    pub schema: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub version: Option<Value>,
    pub runs: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Log {
    pub runs: Vec<Run>,
    #[serde(default, deserialize_with = "lenient")]
    pub inline_external_properties: Option<Vec<ExternalFiles>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Run {
    pub tool: Tool,
    pub results: Option<Vec<Outcome>>,
    #[serde(deserialize_with = "lenient")]
    pub invocations: Option<Vec<Invocation>>,
    #[serde(deserialize_with = "lenient")]
    pub version_control_provenance: Option<Vec<VersionControl>>,
    #[serde(deserialize_with = "lenient")]
    pub automation_details: Option<AutomationDetails>,
    #[serde(deserialize_with = "lenient")]
    pub artifacts: Option<Vec<Artifact>>,
    #[serde(deserialize_with = "lenient")]
    pub logical_locations: Option<Vec<LogicalLocation>>,
    #[serde(deserialize_with = "lenient")]
    pub original_uri_base_ids: Option<BTreeMap<String, ArtifactLocation>>,
    #[serde(deserialize_with = "lenient")]
    pub external_property_file_references: Option<ExternalFiles>,
}

/// Results, or references to results, outside their run.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ExternalFiles {
    #[serde(deserialize_with = "lenient")]
    results: Option<Vec<Value>>,
}

impl ExternalFiles {
    pub(super) fn holds_results(&self) -> bool {
        self.results.as_ref().is_some_and(|results| !results.is_empty())
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Tool {
    pub driver: Component,
    pub extensions: Option<Vec<Component>>,
}

/// A driver or an extension of a tool (SARIF 3.19).
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Component {
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub guid: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub version: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub semantic_version: Option<String>,
    pub rules: Option<Vec<Rule>>,
    #[serde(deserialize_with = "lenient")]
    pub global_message_strings: Option<BTreeMap<String, Text>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Rule {
    #[serde(deserialize_with = "lenient")]
    pub id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub guid: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub short_description: Option<Text>,
    #[serde(deserialize_with = "lenient")]
    pub full_description: Option<Text>,
    #[serde(deserialize_with = "lenient")]
    pub help_uri: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub message_strings: Option<BTreeMap<String, Text>>,
    #[serde(deserialize_with = "lenient")]
    pub default_configuration: Option<Configuration>,
    #[serde(deserialize_with = "lenient")]
    pub properties: Option<Properties>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Configuration {
    #[serde(deserialize_with = "lenient")]
    pub level: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Properties {
    #[serde(rename = "security-severity", deserialize_with = "lenient")]
    pub security_severity: Option<Value>,
    /// The packages that a vulnerability is in (Grype).
    #[serde(deserialize_with = "lenient")]
    pub purls: Option<Vec<String>>,
}

/// A `message` or `multiformatMessageString`. Some tools write a plain string instead.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Text {
    Plain(String),
    Message(Message),
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Message {
    #[serde(deserialize_with = "lenient")]
    pub text: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub markdown: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub arguments: Option<Vec<String>>,
}

impl Text {
    /// The text, or else the Markdown source; `None` if both are blank.
    pub(super) fn plain(&self) -> Option<&str> {
        let text = match self {
            Text::Plain(text) => Some(text),
            Text::Message(message) => message.text.as_ref().or(message.markdown.as_ref()),
        };
        text.map(String::as_str).filter(|text| !text.trim().is_empty())
    }
}

/// A SARIF `result`; the other name keeps `Result` visible.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Outcome {
    #[serde(deserialize_with = "lenient")]
    pub rule_id: Option<String>,
    #[serde(deserialize_with = "whole")]
    pub rule_index: Option<usize>,
    #[serde(deserialize_with = "lenient")]
    pub rule: Option<RuleReference>,
    #[serde(deserialize_with = "lenient")]
    pub kind: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub level: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub baseline_state: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub message: Option<Text>,
    #[serde(deserialize_with = "lenient")]
    pub locations: Option<Vec<Place>>,
    #[serde(deserialize_with = "lenient")]
    pub fingerprints: Option<BTreeMap<String, Print>>,
    #[serde(deserialize_with = "lenient")]
    pub partial_fingerprints: Option<BTreeMap<String, Print>>,
    #[serde(deserialize_with = "lenient")]
    pub suppressions: Option<Vec<Suppression>>,
    #[serde(deserialize_with = "lenient")]
    pub provenance: Option<Provenance>,
    #[serde(deserialize_with = "lenient")]
    pub properties: Option<Properties>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Provenance {
    #[serde(deserialize_with = "whole")]
    pub invocation_index: Option<usize>,
}

/// The value of a fingerprint. The standard requires a string, but some tools nest values. Keys are sorted when the
/// value is hashed, whatever features `serde_json` is built with.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
pub(super) enum Print {
    Text(String),
    Map(BTreeMap<String, Print>),
    List(Vec<Print>),
    Other(Value),
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RuleReference {
    #[serde(deserialize_with = "lenient")]
    pub id: Option<String>,
    #[serde(deserialize_with = "whole")]
    pub index: Option<usize>,
    #[serde(deserialize_with = "lenient")]
    pub guid: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub tool_component: Option<ComponentReference>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ComponentReference {
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub guid: Option<String>,
    #[serde(deserialize_with = "whole")]
    pub index: Option<usize>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Suppression {
    pub status: Option<Value>,
}

/// A SARIF `location`.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Place {
    #[serde(deserialize_with = "lenient")]
    pub physical_location: Option<PhysicalLocation>,
    #[serde(deserialize_with = "lenient")]
    pub logical_locations: Option<Vec<LogicalLocation>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PhysicalLocation {
    #[serde(deserialize_with = "lenient")]
    pub artifact_location: Option<ArtifactLocation>,
    #[serde(deserialize_with = "lenient")]
    pub region: Option<Region>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ArtifactLocation {
    #[serde(deserialize_with = "lenient")]
    pub uri: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub uri_base_id: Option<String>,
    #[serde(deserialize_with = "whole")]
    pub index: Option<usize>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Artifact {
    #[serde(deserialize_with = "lenient")]
    pub location: Option<ArtifactLocation>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Region {
    #[serde(deserialize_with = "whole")]
    pub start_line: Option<usize>,
    #[serde(deserialize_with = "whole")]
    pub start_column: Option<usize>,
    #[serde(deserialize_with = "lenient")]
    pub snippet: Option<Text>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct LogicalLocation {
    #[serde(deserialize_with = "lenient")]
    pub fully_qualified_name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    #[serde(deserialize_with = "whole")]
    pub index: Option<usize>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Invocation {
    #[serde(deserialize_with = "lenient")]
    pub start_time_utc: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub end_time_utc: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub execution_successful: Option<bool>,
    #[serde(deserialize_with = "lenient")]
    pub rule_configuration_overrides: Option<Vec<ConfigurationOverride>>,
}

/// A configuration that an invocation used for a rule instead of the rule's default (3.51).
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ConfigurationOverride {
    #[serde(deserialize_with = "lenient")]
    pub descriptor: Option<RuleReference>,
    #[serde(deserialize_with = "lenient")]
    pub configuration: Option<Configuration>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct VersionControl {
    #[serde(deserialize_with = "lenient")]
    pub repository_uri: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub revision_id: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct AutomationDetails {
    #[serde(deserialize_with = "lenient")]
    pub id: Option<String>,
}
