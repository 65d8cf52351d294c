//! The used parts of OSCAL documents. Controls, findings, risks and items must have the right type; any smaller value
//! of a wrong type is ignored.

use super::super::lenient::lenient;
use super::control_key;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};
use std::collections::{BTreeMap, BTreeSet};

/// The names at the top of a file: the document's type, and perhaps `$schema`.
pub(super) struct Probe {
    pub names: BTreeSet<String>,
}

impl<'de> Deserialize<'de> for Probe {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let all = BTreeMap::<String, IgnoredAny>::deserialize(input)?;
        Ok(Self {
            names: all.into_keys().collect(),
        })
    }
}

/// The part that all documents have.
#[derive(Deserialize)]
pub(super) struct Head {
    #[serde(
        alias = "catalog",
        alias = "assessment-results",
        alias = "plan-of-action-and-milestones"
    )]
    pub document: HeadOf,
}

#[derive(Deserialize)]
pub(super) struct HeadOf {
    #[serde(default)]
    pub metadata: Metadata,
}

#[derive(Deserialize)]
pub(super) struct CatalogFile {
    pub catalog: Catalog,
}

#[derive(Deserialize)]
pub(super) struct ResultsFile {
    #[serde(rename = "assessment-results")]
    pub results: Results,
}

#[derive(Deserialize)]
pub(super) struct PlanFile {
    #[serde(rename = "plan-of-action-and-milestones")]
    pub plan: Plan,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Metadata {
    #[serde(deserialize_with = "lenient")]
    pub title: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub last_modified: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub version: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub oscal_version: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Catalog {
    #[serde(default)]
    pub groups: Option<Vec<Group>>,
    #[serde(default)]
    pub controls: Option<Vec<Control>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Group {
    pub groups: Option<Vec<Group>>,
    pub controls: Option<Vec<Control>>,
}

#[derive(Deserialize)]
pub(super) struct Control {
    pub id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub title: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub props: Option<Vec<Property>>,
    #[serde(default)]
    pub controls: Option<Vec<Control>>,
}

impl Control {
    pub(super) fn is_withdrawn(&self) -> bool {
        let mut props = self.props.iter().flatten();
        props.any(|one| one.name.as_deref() == Some("status") && one.value.as_deref() == Some("withdrawn"))
    }
}

/// A property, or a facet of a risk.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Property {
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub value: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Results {
    pub results: Vec<Assessment>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Assessment {
    #[serde(deserialize_with = "lenient")]
    pub start: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub end: Option<String>,
    pub findings: Option<Vec<Finding>>,
    pub risks: Option<Vec<Risk>>,
}

/// The fields that findings, risks and items share.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Named {
    #[serde(deserialize_with = "lenient")]
    pub title: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub description: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub statement: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Finding {
    #[serde(flatten)]
    pub about: Named,
    pub target: Target,
    #[serde(default)]
    pub related_risks: Option<Vec<RiskOf>>,
}

#[derive(Deserialize)]
pub(super) struct Target {
    #[serde(rename = "target-id")]
    pub id: String,
    pub status: TargetStatus,
}

impl Target {
    /// The control of an objective or a statement: `ac-6.1_obj.a` is a part of `ac-6.1` in the naming of NIST and
    /// FedRAMP. Other IDs are returned whole.
    pub(super) fn control(&self) -> Option<String> {
        let parts = ["_obj", "_smt", "_fr"];
        let end = parts.into_iter().filter_map(|part| self.id.find(part)).min();
        control_key(&self.id[..end.unwrap_or(self.id.len())])
    }
}

#[derive(Deserialize)]
pub(super) struct TargetStatus {
    pub state: String,
}

#[derive(Deserialize)]
pub(super) struct RiskOf {
    #[serde(rename = "risk-uuid")]
    pub uuid: String,
}

#[derive(Deserialize)]
pub(super) struct Risk {
    pub uuid: String,
    #[serde(flatten)]
    pub about: Named,
    pub status: String,
    #[serde(default, deserialize_with = "lenient")]
    pub deadline: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub characterizations: Option<Vec<Characterization>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Characterization {
    #[serde(deserialize_with = "lenient")]
    pub facets: Option<Vec<Property>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Plan {
    #[serde(default)]
    pub risks: Option<Vec<Risk>>,
    #[serde(rename = "poam-items")]
    pub items: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Item {
    #[serde(flatten)]
    pub about: Named,
    #[serde(default)]
    pub related_risks: Option<Vec<RiskOf>>,
}
