//! The used parts of a CSAF document. Lists of vulnerabilities, statuses and products must have the right type; any
//! smaller value of a wrong type is ignored.

use super::super::VexStatus;
use super::super::lenient::lenient;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// The head of a document.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Probe {
    #[serde(deserialize_with = "lenient")]
    pub document: Option<Head>,
    pub vulnerabilities: Option<IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Head {
    #[serde(deserialize_with = "lenient")]
    pub csaf_version: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub publisher: Option<Publisher>,
    #[serde(deserialize_with = "lenient")]
    pub tracking: Option<Tracking>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Publisher {
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Tracking {
    #[serde(deserialize_with = "lenient")]
    pub current_release_date: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Document {
    pub product_tree: Option<ProductTree>,
    pub vulnerabilities: Vec<Vulnerability>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ProductTree {
    pub branches: Option<Vec<Branch>>,
    pub full_product_names: Option<Vec<FullName>>,
    pub relationships: Option<Vec<Relationship>>,
    pub product_groups: Option<Vec<Group>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Branch {
    pub branches: Option<Vec<Branch>>,
    pub product: Option<FullName>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct FullName {
    pub product_id: String,
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub product_identification_helper: Option<Helper>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Helper {
    #[serde(deserialize_with = "lenient")]
    pub purl: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub cpe: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Relationship {
    pub product_reference: String,
    pub full_product_name: FullName,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Group {
    pub group_id: String,
    pub product_ids: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Vulnerability {
    #[serde(deserialize_with = "lenient")]
    pub cve: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub ids: Option<Vec<Id>>,
    #[serde(deserialize_with = "lenient")]
    pub title: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub notes: Option<Vec<Note>>,
    pub product_status: Option<ProductStatus>,
    #[serde(deserialize_with = "lenient")]
    pub scores: Option<Vec<Score>>,
    #[serde(deserialize_with = "lenient")]
    pub flags: Option<Vec<About>>,
    #[serde(deserialize_with = "lenient")]
    pub threats: Option<Vec<About>>,
    #[serde(deserialize_with = "lenient")]
    pub references: Option<Vec<Reference>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Id {
    #[serde(deserialize_with = "lenient")]
    pub text: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Note {
    #[serde(deserialize_with = "lenient")]
    pub category: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub text: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Reference {
    #[serde(deserialize_with = "lenient")]
    pub url: Option<String>,
}

type List = Option<Vec<String>>;

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ProductStatus {
    first_affected: List,
    known_affected: List,
    last_affected: List,
    known_not_affected: List,
    first_fixed: List,
    fixed: List,
    under_investigation: List,
}

impl ProductStatus {
    /// What each list says. Recommended versions are no statement.
    pub(super) fn lists(&self) -> Vec<(VexStatus, &List)> {
        vec![
            (VexStatus::Affected, &self.first_affected),
            (VexStatus::Affected, &self.known_affected),
            (VexStatus::Affected, &self.last_affected),
            (VexStatus::NotAffected, &self.known_not_affected),
            (VexStatus::Fixed, &self.first_fixed),
            (VexStatus::Fixed, &self.fixed),
            (VexStatus::UnderInvestigation, &self.under_investigation),
        ]
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Score {
    #[serde(deserialize_with = "lenient")]
    pub cvss_v2: Option<Cvss>,
    #[serde(deserialize_with = "lenient")]
    pub cvss_v3: Option<Cvss>,
    #[serde(deserialize_with = "lenient")]
    pub cvss_v4: Option<Cvss>,
    #[serde(deserialize_with = "lenient")]
    pub products: Option<Vec<String>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Cvss {
    #[serde(deserialize_with = "lenient")]
    pub base_score: Option<f64>,
    #[serde(deserialize_with = "lenient")]
    pub base_severity: Option<String>,
}

/// A flag (a justification) or a threat (an impact statement) for products and groups of products.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct About {
    #[serde(deserialize_with = "lenient")]
    pub label: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub category: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub details: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub product_ids: Option<Vec<String>>,
    #[serde(deserialize_with = "lenient")]
    pub group_ids: Option<Vec<String>>,
}
