//! What the page of clients and tokens shows.

use crate::domain::GrantKind;
use crate::domain::text::PlainText;
use crate::views::When;
use serde::{Deserialize, Serialize};

/// The page of clients and tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientsPage {
    /// Those that act for the signed-in person.
    pub mine: Vec<GrantView>,
    /// All others of the tenant, for operators.
    pub others: Option<Vec<GrantView>>,
}

/// Whether a client has access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GrantState {
    /// Its tokens work.
    Active,
    /// The person for whom it acts has not accepted it yet.
    Offered,
    /// It has expired.
    Ended,
    /// It was revoked.
    Revoked,
}

/// A client or a service token in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GrantView {
    /// The grant's ID.
    pub id: String,
    /// The client, whose ID pauses name.
    pub client: String,
    /// The name.
    pub name: PlainText,
    /// How it came about.
    pub kind: GrantKind,
    /// Name and address of the person for whom it acts.
    pub person: Option<[PlainText; 2]>,
    /// What it may do, as sentences.
    pub scopes: Vec<String>,
    /// Whether it has access.
    pub state: GrantState,
    /// Whether a pause stops it.
    pub is_paused: bool,
    /// Who created it.
    pub created_by: PlainText,
    /// When it was created.
    pub created: When,
    /// About when it was last used.
    pub used: Option<When>,
    /// When it ends or has ended.
    pub ends: When,
    /// Whether the signed-in person can accept it.
    pub may_accept: bool,
    /// Whether it can be revoked.
    pub may_revoke: bool,
}
