//! What the page of operator requests shows.

use crate::domain::RequestStatus;
use crate::domain::text::PlainText;
use crate::views::{DiffLine, When};
use serde::{Deserialize, Serialize};

/// The page of operator requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestsPage {
    /// Pending requests, newest first.
    pub waiting: Vec<RequestView>,
    /// Closed requests, newest first.
    pub history: Vec<RequestView>,
    /// Accounts with an address that an earlier account had. They cannot decide until operators have said whose they are.
    pub resemblances: Vec<ResemblanceView>,
    /// The notice for a tenant with fewer than two operators.
    pub alone: Option<PlainText>,
}

/// An operator request.
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
    /// The operator who made it.
    pub by: PlainText,
    /// When.
    pub at: When,
    /// Until when it can be confirmed, while it is pending.
    pub expires: Option<When>,
    /// Its status.
    pub status: RequestStatus,
    /// Who closed it, when, and the outcome.
    pub settled: Option<(PlainText, When, PlainText)>,
    /// The value that the confirmation form carries for this person; `None` at the console.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
    /// Whether this person may confirm it.
    pub may_confirm: bool,
    /// Whether this person may decline it.
    pub may_decline: bool,
    /// Whether this person may withdraw it, because this person made it.
    pub may_withdraw: bool,
    /// Why this person may not confirm it.
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
        /// The reason for the change.
        note: PlainText,
        /// What it loosens.
        loosens: Vec<PlainText>,
        /// The differences to that version.
        difference: Vec<DiffLine>,
    },
    /// Whether two accounts belong to one person.
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
    /// A new key for the audit log.
    RotateLogKey {
        /// Why.
        reason: PlainText,
    },
}

/// An account with the fields that distinguish it from others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountView {
    /// Its ID.
    pub id: String,
    /// The name.
    pub name: PlainText,
    /// The address, marked if it is not verified.
    pub email: PlainText,
    /// The identity provider.
    pub issuer: PlainText,
    /// The subject at the identity provider.
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
