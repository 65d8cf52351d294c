//! What the page of operators' requests shows.

use crate::domain::RequestStatus;
use crate::domain::text::PlainText;
use crate::views::{DiffLine, When};
use serde::{Deserialize, Serialize};

/// The page of operators' requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestsPage {
    /// Requests that wait, the newest first.
    pub waiting: Vec<RequestView>,
    /// Requests that were settled, the newest first.
    pub history: Vec<RequestView>,
    /// Accounts that came to an address which another account had before, and that do not decide until operators have said whose they are.
    pub resemblances: Vec<ResemblanceView>,
    /// What a tenant with fewer than two operators is told.
    pub alone: Option<PlainText>,
}

/// A request of an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestView {
    /// Its ID.
    pub id: String,
    /// The stable name of its kind.
    pub kind: String,
    /// What it would change, in one sentence.
    pub summary: PlainText,
    /// What it would change.
    pub change: ChangeView,
    /// Who made it.
    pub by: PlainText,
    /// When.
    pub at: When,
    /// Until when it can be confirmed, while it waits.
    pub expires: Option<When>,
    /// Where it stands.
    pub status: RequestStatus,
    /// Who settled it, when, and what came of it.
    pub settled: Option<(PlainText, When, PlainText)>,
    /// The value that the form which confirms it carries for whoever looks; nothing at the console.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
    /// Whether whoever looks may confirm it.
    pub may_confirm: bool,
    /// Whether whoever looks may decline it.
    pub may_decline: bool,
    /// Whether whoever looks may withdraw it: they made it.
    pub may_withdraw: bool,
    /// Why whoever looks may not confirm it.
    pub why_not: Option<PlainText>,
    /// Who could confirm it: names and addresses.
    pub confirmers: Vec<PlainText>,
}

/// What a request would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ChangeView {
    /// The policy.
    Policy {
        /// The version that it was compared with.
        base: i64,
        /// Why it should be in force.
        note: PlainText,
        /// What it loosens.
        loosens: Vec<PlainText>,
        /// How it differs from that version.
        difference: Vec<DiffLine>,
    },
    /// Whose two accounts are.
    LinkPeople {
        /// One account.
        one: Box<AccountView>,
        /// The other account.
        other: Box<AccountView>,
        /// Whether they would be one person.
        same: bool,
        /// How the operator knows.
        reason: PlainText,
    },
}

/// An account, with what tells it from another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountView {
    /// Its ID.
    pub id: String,
    /// The name.
    pub name: PlainText,
    /// The address, which says if it is not verified.
    pub email: PlainText,
    /// The identity provider.
    pub issuer: PlainText,
    /// The person there.
    pub subject: PlainText,
    /// The roles.
    pub roles: Vec<PlainText>,
    /// The last sign-in.
    pub last_sign_in: When,
}

/// Two accounts that have had the same address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResemblanceView {
    /// The address.
    pub address: PlainText,
    /// The account that came later and cannot decide.
    pub newcomer: AccountView,
    /// The account that had the address before.
    pub known: AccountView,
    /// The request about both that waits already.
    pub request: Option<PlainText>,
}
