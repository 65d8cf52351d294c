//! The sections of an action's page that a reviewer must open before approving an action of high risk. They follow from the content
//! alone, and their IDs name records, so a page may be laid out in any way.

use super::{ChangeSet, Facts, PlainText, RecordKind, ids};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// A description with more characters than this is a section of its own; the page shows a shorter one in full.
const LONG_DESCRIPTION: usize = 280;
/// The most sections that a reviewer must open. The page has no section for what follows: it shows descriptions in full.
const MAX_SECTIONS: usize = 300;

/// A section that the reviewer must open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// `record:<record ID>`, or `reads`.
    pub id: String,
    /// The title for people. Several sections may have the same title.
    pub title: PlainText,
}

impl Section {
    /// The ID of the section with the agent's reads.
    pub const READS: &str = "reads";
    /// The beginning of the ID of a record's section.
    pub const RECORD: &str = "record:";

    /// The ID of the section with the details of a record, or with the description of a work item to create.
    pub fn record_id(record: &str) -> String {
        format!("{}{record}", Self::RECORD)
    }
}

/// The IDs of an action's sections: long descriptions and other records that it would create, then the records that the payload refers
/// to, then the agent's reads. `facts` has the records of the payload; `has_reads` says whether the agent has read any.
pub fn sections_to_open(change_set: &ChangeSet, payload: &Value, facts: &Facts, has_reads: bool) -> Vec<String> {
    let created = change_set.creates().filter(|create| {
        let description = create
            .fields
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default();
        create.kind != RecordKind::WorkItem || description.chars().nth(LONG_DESCRIPTION).is_some()
    });
    let created = created.map(|create| Section::record_id(&create.id));
    let payload = payload.to_string();
    let mut seen = BTreeSet::new();
    let referred = ids::scan(&payload)
        .into_iter()
        .filter(|id| has_details(id) && facts.contains(id) && seen.insert(id.to_owned()))
        .map(Section::record_id);
    let reads = has_reads.then(|| Section::READS.to_owned());
    created.chain(referred).chain(reads).take(MAX_SECTIONS).collect()
}

/// Whether the page shows the details of a record of this kind.
fn has_details(id: &str) -> bool {
    matches!(
        RecordKind::of(id),
        Some(
            RecordKind::Evidence
                | RecordKind::Finding
                | RecordKind::Control
                | RecordKind::Blocker
                | RecordKind::WorkItem
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Change, Control, ControlId, ControlStatus, Create, Record, ReleaseId, Team, TeamId, WorkItemId,
    };
    use serde_json::json;

    fn item(n: u128, title: &str, description: &str) -> Change {
        Change::Create(Create {
            kind: RecordKind::WorkItem,
            id: WorkItemId::from_bits(n).to_string(),
            client_ref: None,
            fields: json!({ "title": title, "description": description })
                .as_object()
                .cloned()
                .unwrap_or_default(),
        })
    }

    fn of(changes: Vec<Change>) -> Vec<String> {
        sections_to_open(&ChangeSet(changes), &json!({}), &Facts::default(), false)
    }

    #[test]
    fn items_that_begin_alike_are_sections_of_their_own() {
        let (long, beginning) = ("x".repeat(LONG_DESCRIPTION + 1), "y".repeat(60));
        let sections = of(vec![
            item(1, &format!("{beginning} one"), &long),
            item(2, &format!("{beginning} two"), &long),
            item(3, &beginning, &long),
            item(4, &beginning, &long),
        ]);
        let expected = [1, 2, 3, 4].map(|n| format!("record:{}", WorkItemId::from_bits(n)));
        assert_eq!(sections, expected);
    }

    #[test]
    fn a_description_is_a_section_by_its_length_alone() {
        let sections = of(vec![
            item(1, "Short", &"ü".repeat(LONG_DESCRIPTION)),
            item(2, "Long", &"ü".repeat(LONG_DESCRIPTION + 1)),
        ]);
        assert_eq!(sections, [Section::record_id(WorkItemId::from_bits(2).as_str())]);
    }

    #[test]
    fn referred_records_with_details_are_sections_once_and_reads_are_the_last() {
        let control = |n: u128, key: &str| Control {
            id: ControlId::from_bits(n),
            key: key.into(),
            title: "Access enforcement".into(),
            release_id: ReleaseId::from_bits(1),
            status: ControlStatus::Failing,
            version: 1,
        };
        let (shown, missing) = (control(7, "AC-3"), control(8, "AC-4"));
        let team = Team {
            id: TeamId::from_bits(1),
            key: "checkout".into(),
            name: "Checkout".into(),
        };
        let payload = json!({
            "teamId": team.id, "controlIds": [shown.id], "reason": format!("{} again, and {}", shown.id, missing.id),
        });
        let facts = Facts::from_iter([Record::from(team), shown.clone().into()]);
        let sections = sections_to_open(&ChangeSet::default(), &payload, &facts, true);
        assert_eq!(
            sections,
            [Section::record_id(shown.id.as_str()), Section::READS.to_owned()]
        );
    }

    #[test]
    fn what_is_created_comes_before_the_limit() {
        let long = "x".repeat(LONG_DESCRIPTION + 1);
        let items = (0..MAX_SECTIONS as u128).map(|n| item(n, "Title", &long)).collect();
        let sections = sections_to_open(&ChangeSet(items), &json!({}), &Facts::default(), true);
        assert_eq!(sections.len(), MAX_SECTIONS);
        assert!(sections.iter().all(|section| section.starts_with("record:")));
    }
}
