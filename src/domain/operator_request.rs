//! Requests of operators: changes that loosen something, or that no operator should make alone. A second operator
//! confirms them.

use super::PersonId;
use super::string_enum::string_enum;
use serde::{Deserialize, Serialize};

string_enum! {
    /// The state of an operator's request.
    RequestStatus {
        /// It waits for a second operator.
        Pending = "pending";
        /// A second operator confirmed it, and it was applied.
        Confirmed = "confirmed";
        /// An operator declined it.
        Declined = "declined";
        /// The operator who made it withdrew it.
        Withdrawn = "withdrawn";
        /// No operator confirmed it in time.
        Expired = "expired";
    }
}

/// The change that a request contains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum OperatorChange {
    /// Switches to a policy that loosens the current one.
    Policy {
        /// The policy, as TOML.
        source: String,
        /// Why it should be in force.
        note: String,
        /// The version that it was compared with. If another version is in force at the confirmation, the request is
        /// not applicable.
        base: i64,
        /// What it loosens, in sentences.
        loosens: Vec<String>,
    },
    /// States whether two accounts belong to one person.
    LinkPeople {
        /// One account.
        one: PersonId,
        /// The other account.
        other: PersonId,
        /// Whether they belong to the same person.
        same: bool,
        /// How the operator knows.
        reason: String,
    },
    /// Replaces the key that signs the audit log.
    RotateLogKey {
        /// Why.
        reason: String,
    },
}

impl OperatorChange {
    /// The stable name of the kind, as stored and sent.
    pub fn kind(&self) -> &'static str {
        match self {
            OperatorChange::Policy { .. } => "policy",
            OperatorChange::LinkPeople { .. } => "link_people",
            OperatorChange::RotateLogKey { .. } => "rotate_log_key",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_change_is_what_is_stored() {
        let policy = OperatorChange::Policy {
            source: String::new(),
            note: String::new(),
            base: 1,
            loosens: Vec::new(),
        };
        let link = OperatorChange::LinkPeople {
            one: PersonId::from_bits(1),
            other: PersonId::from_bits(2),
            same: true,
            reason: String::new(),
        };
        for change in [policy, link] {
            assert_eq!(serde_json::to_value(&change).unwrap()["kind"], change.kind());
        }
    }
}
