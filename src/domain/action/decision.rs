//! Decisions of reviewers.

use crate::domain::string_enum::string_enum;
use crate::domain::{ActionId, Check, DecisionId, PersonId, ReasonCode, Snapshot, Timestamp};
use std::collections::BTreeMap;

string_enum! {
    /// What a reviewer decided.
    DecisionKind {
        /// The reviewer approved the action; it runs once enough reviewers have.
        Approve = "approve";
        /// The reviewer rejected the pending action.
        Reject = "reject";
        /// The reviewer revoked the approval before the action ran.
        Revoke = "revoke";
    }
}

/// One reviewer's decision about an action, with what it was based on. It never changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The ID.
    pub id: DecisionId,
    /// The action.
    pub action_id: ActionId,
    /// What was decided.
    pub kind: DecisionKind,
    /// The reviewer.
    pub person_id: PersonId,
    /// The digest of the envelope that was decided.
    pub digest: String,
    /// The checks at that time.
    pub verdicts: Vec<Check>,
    /// Fields of the records that the action is about, at that time.
    pub snapshot: Snapshot,
    /// Marks of the warnings that the reviewer acknowledged ([`Check::mark`]).
    pub acknowledged: Vec<String>,
    /// The version of the policy in force.
    pub policy_version: i64,
    /// Why, as codes.
    pub reason_codes: Vec<ReasonCode>,
    /// Why, in the reviewer's text; empty for an approval.
    pub reason: String,
    /// When.
    pub decided_at: Timestamp,
    /// Versions of the records and hashes of the evidence that the plan used, by ID.
    pub record_versions: BTreeMap<String, String>,
    /// When the reviewer had last opened the page, in this session.
    pub opened_at: Option<Timestamp>,
    /// The IDs of the page's sections that the reviewer had opened (see [`Section::id`](crate::domain::Section::id)).
    pub opened_sections: Vec<String>,
    /// The text that the reviewer typed to confirm, where the policy asks for one.
    pub confirmation_text: Option<String>,
}

impl Decision {
    /// Whether this decision acknowledged the warning.
    pub fn acknowledges(&self, warning: &Check) -> bool {
        self.acknowledged.contains(&warning.mark())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CheckCode, CheckId, Verdict};

    #[test]
    fn a_warning_is_acknowledged_by_its_mark_alone() {
        let warning = Check {
            id: CheckId::Titles,
            code: CheckCode::GenericTitle,
            verdict: Verdict::Warn,
            message: "m".into(),
            facts: Vec::new(),
            pointers: vec!["/title".to_owned()],
            unlisted: None,
            basis: None,
        };
        let acknowledges = |known: &str| {
            let decision = Decision {
                id: DecisionId::from_bits(1),
                action_id: ActionId::from_bits(1),
                kind: DecisionKind::Approve,
                person_id: PersonId::from_bits(1),
                digest: String::new(),
                verdicts: Vec::new(),
                snapshot: Snapshot::default(),
                acknowledged: vec!["evidence".to_owned(), known.to_owned()],
                policy_version: 1,
                reason_codes: Vec::new(),
                reason: String::new(),
                decided_at: Timestamp(0),
                record_versions: BTreeMap::new(),
                opened_at: None,
                opened_sections: Vec::new(),
                confirmation_text: None,
            };
            decision.acknowledges(&warning)
        };
        assert!(acknowledges(&warning.mark()));
        assert!(!acknowledges("") && !acknowledges("titles") && !acknowledges("titles:000000000000"));
    }
}
