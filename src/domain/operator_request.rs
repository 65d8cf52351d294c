//! What one operator asks for and a second operator confirms: a change that loosens something, or that nobody should make alone.

use super::PersonId;
use super::string_enum::string_enum;
use serde::{Deserialize, Serialize};

string_enum! {
    /// Where an operator's request stands.
    RequestStatus {
        /// It waits for a second operator.
        Pending = "pending", "Waits for a second operator";
        /// A second operator confirmed it, and it was carried out.
        Confirmed = "confirmed", "Confirmed";
        /// An operator declined it.
        Declined = "declined", "Declined";
        /// Whoever made it took it back.
        Withdrawn = "withdrawn", "Withdrawn";
        /// Nobody confirmed it in time.
        Expired = "expired", "Expired";
    }
}

/// The change that a request holds until it is confirmed. Other kinds (rotation of keys, purging, lifting a hold) become variants of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum OperatorChange {
    /// Switches a policy on that loosens the one in force.
    Policy {
        /// The policy, as TOML.
        source: String,
        /// Why it should be in force.
        note: String,
        /// The version that it was compared with. If another one is in force by then, the request no longer applies.
        base: i64,
        /// What it loosens, in sentences.
        loosens: Vec<String>,
    },
    /// Says whether two accounts belong to one human being.
    LinkPeople {
        /// One account.
        one: PersonId,
        /// The other account.
        other: PersonId,
        /// Whether they are the same human being.
        same: bool,
        /// How the operator knows.
        reason: String,
    },
}

impl OperatorChange {
    /// The stable name of its kind, as stored and sent.
    pub fn kind(&self) -> &'static str {
        match self {
            OperatorChange::Policy { .. } => "policy",
            OperatorChange::LinkPeople { .. } => "link_people",
        }
    }
}
