//! The used parts of an OpenVEX document. Lists of statements and products must have the right type; any smaller value of
//! a wrong type is ignored.

use super::super::lenient::lenient;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
pub(super) struct Document {
    #[serde(rename = "@context", default, deserialize_with = "lenient")]
    pub context: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub author: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub timestamp: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub last_updated: Option<String>,
    pub statements: Option<Vec<Statement>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Statement {
    #[serde(deserialize_with = "lenient")]
    pub vulnerability: Option<Subject>,
    #[serde(deserialize_with = "lenient")]
    pub timestamp: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub last_updated: Option<String>,
    pub products: Option<Vec<Product>>,
    pub subcomponents: Option<Vec<Product>>,
    #[serde(deserialize_with = "lenient")]
    pub status: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub status_notes: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub justification: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub impact_statement: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub action_statement: Option<String>,
}

/// A vulnerability; before 0.2 its name.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Subject {
    Name(String),
    Vulnerability(Vulnerability),
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Vulnerability {
    #[serde(rename = "@id", deserialize_with = "lenient")]
    pub id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub description: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub aliases: Option<Vec<String>>,
}

/// A product or a part of one; before 0.2 its name.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Product {
    Name(String),
    Thing(Thing),
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Thing {
    #[serde(rename = "@id", deserialize_with = "lenient")]
    pub id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub identifiers: Option<BTreeMap<String, String>>,
    pub subcomponents: Option<Vec<Product>>,
}

impl Product {
    pub(super) fn subcomponents(&self) -> Option<&[Product]> {
        match self {
            Product::Name(_) => None,
            Product::Thing(thing) => thing.subcomponents.as_deref(),
        }
    }
}
