//! The catalog page.

use super::When;
use crate::domain::{CertificationStatus, PlainText, ReleaseStatus};
use serde::{Deserialize, Serialize};

/// A list that is cut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed<T> {
    /// The first records.
    pub shown: Vec<T>,
    /// The number of all records.
    pub total: usize,
}

/// A team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogTeam {
    /// The key.
    pub key: PlainText,
    /// The name.
    pub name: PlainText,
    /// The declared members, by e-mail address.
    pub members: Vec<PlainText>,
    /// The groups of the identity provider.
    pub groups: Vec<PlainText>,
    /// The number of people who have signed in and are members.
    pub people: i64,
    /// Whether it is retired.
    pub is_retired: bool,
}

/// An application, module, repository or service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogComponent {
    /// The kind.
    pub kind: String,
    /// The key.
    pub key: PlainText,
    /// The name.
    pub name: PlainText,
    /// The key of its team.
    pub team: PlainText,
    /// Whether it is retired.
    pub is_retired: bool,
}

/// The last decision of a person about a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogDecision {
    /// The person; empty for a decision at the console.
    pub by: PlainText,
    /// When.
    pub when: When,
    /// The reason; empty without one.
    pub because: PlainText,
}

/// A certification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogCertification {
    /// The ID, which no other tenant has. A form that was opened in another tenant finds nothing.
    pub id: String,
    /// The key.
    pub key: PlainText,
    /// The name.
    pub name: PlainText,
    /// The status.
    pub status: CertificationStatus,
    /// Who decided it.
    pub decision: Option<CatalogDecision>,
}

/// A release with its records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogRelease {
    /// The ID, which no other tenant has. A form that was opened in another tenant finds nothing.
    pub id: String,
    /// The key.
    pub key: PlainText,
    /// The name.
    pub name: PlainText,
    /// The status.
    pub status: ReleaseStatus,
    /// Who set the status, if a person did.
    pub decision: Option<CatalogDecision>,
    /// Commit, threshold, teams and components, each with its label.
    pub lines: Vec<(String, PlainText)>,
    /// The certifications.
    pub certifications: Vec<CatalogCertification>,
    /// The number of controls of each status, in a sentence.
    pub controls: String,
    /// The number of open blockers.
    pub blockers: i64,
    /// Whether it is retired.
    pub is_retired: bool,
}

/// Roles that the catalog gives to an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogPerson {
    /// The e-mail address.
    pub address: PlainText,
    /// The roles.
    pub roles: String,
}

/// The catalog page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogPage {
    /// The text that the shown records contain; empty for all.
    pub text: PlainText,
    /// Releases, those in use first.
    pub releases: Listed<CatalogRelease>,
    /// Teams.
    pub teams: Listed<CatalogTeam>,
    /// Components.
    pub components: Listed<CatalogComponent>,
    /// Roles of people.
    pub people: Listed<CatalogPerson>,
    /// Whether this person may apply a catalog.
    pub may_change: bool,
    /// Whether this person may set the status of releases, and grant and refuse certifications.
    pub may_certify: bool,
    /// Why the person cannot do that now, although the role allows it; empty otherwise.
    pub why_not_certify: PlainText,
}

/// What a catalog would change, or why it cannot be applied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogPreview {
    /// Mistakes, with line and field.
    pub mistakes: Vec<PlainText>,
    /// The number of records of each kind and effect, in a sentence.
    pub summary: String,
    /// The number of records that are retired.
    pub retires: usize,
    /// What happens to each record, retirements first: the effect, the record, and its fields.
    pub steps: Vec<(String, PlainText, Vec<PlainText>)>,
    /// The number of further records.
    pub more: usize,
    /// The number of records that stay as they are.
    pub left: usize,
    /// Entries that are not read, and why.
    pub skipped: Vec<PlainText>,
    /// What the form that applies the catalog carries; empty if nothing can be applied.
    pub digest: String,
}
