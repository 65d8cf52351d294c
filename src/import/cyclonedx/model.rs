//! The used parts of a CycloneDX document. Lists of vulnerabilities and of what they affect, and their analysis, must
//! have the right type; any smaller value of a wrong type is ignored.

use super::super::lenient::{lenient, whole};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// The format's name and version.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Probe {
    #[serde(deserialize_with = "lenient")]
    pub bom_format: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub spec_version: Option<Value>,
    pub vulnerabilities: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bom {
    /// `urn:uuid:` and a UUID, which with the version names the document.
    #[serde(default, deserialize_with = "lenient")]
    pub serial_number: Option<String>,
    #[serde(default, deserialize_with = "whole")]
    pub version: Option<usize>,
    #[serde(default, deserialize_with = "lenient")]
    pub metadata: Option<Metadata>,
    #[serde(default)]
    pub components: Option<Vec<Component>>,
    #[serde(default)]
    pub services: Option<Vec<Component>>,
    pub vulnerabilities: Vec<Vulnerability>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Metadata {
    #[serde(deserialize_with = "lenient")]
    pub timestamp: Option<String>,
    /// A list in 1.4; an object with components and services from 1.5.
    #[serde(deserialize_with = "lenient")]
    pub tools: Option<Tools>,
    #[serde(deserialize_with = "lenient")]
    pub component: Option<Component>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Tools {
    List(Vec<Component>),
    Parts {
        #[serde(default)]
        components: Vec<Component>,
        #[serde(default)]
        services: Vec<Component>,
    },
}

impl Tools {
    /// The first tool with a name.
    pub(super) fn first(&self) -> Option<&Component> {
        let all: Box<dyn Iterator<Item = &Component>> = match self {
            Tools::List(tools) => Box::new(tools.iter()),
            Tools::Parts { components, services } => Box::new(components.iter().chain(services)),
        };
        let mut named = all.filter(|tool| tool.name.as_deref().is_some_and(|name| !name.trim().is_empty()));
        named.next()
    }
}

/// A component, a service or a tool.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Component {
    #[serde(deserialize_with = "lenient")]
    pub bom_ref: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub group: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub version: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub purl: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub cpe: Option<String>,
    pub components: Option<Vec<Component>>,
    pub services: Option<Vec<Component>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Vulnerability {
    #[serde(rename = "bom-ref", deserialize_with = "lenient")]
    pub bom_ref: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub source: Option<Source>,
    #[serde(deserialize_with = "lenient")]
    pub references: Option<Vec<Reference>>,
    #[serde(deserialize_with = "lenient")]
    pub ratings: Option<Vec<Rating>>,
    #[serde(deserialize_with = "lenient")]
    pub description: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub detail: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub recommendation: Option<String>,
    pub analysis: Option<Analysis>,
    pub affects: Option<Vec<Affects>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Source {
    #[serde(deserialize_with = "lenient")]
    pub url: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Reference {
    #[serde(deserialize_with = "lenient")]
    pub id: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Rating {
    #[serde(deserialize_with = "lenient")]
    pub score: Option<f64>,
    #[serde(deserialize_with = "lenient")]
    pub severity: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub method: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub vector: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Analysis {
    #[serde(deserialize_with = "lenient")]
    pub state: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub justification: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub detail: Option<String>,
}

/// A component that a vulnerability affects.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Affects {
    #[serde(rename = "ref")]
    pub target: String,
    pub versions: Option<Vec<Version>>,
}

/// A version or a range of versions.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Version {
    pub version: Option<String>,
    pub range: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub status: Option<String>,
}
