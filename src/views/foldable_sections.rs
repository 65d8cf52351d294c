//! The foldable sections of an action's page, with titles. The domain decides which sections an approval of high risk needs
//! ([`sections_to_open`](crate::domain::sections_to_open)); the page folds these, and shows all other content in full.

use super::Label;
use crate::domain::{ChangeSet, Facts, PlainText, RecordKind, Section};
use serde_json::Value;
use std::collections::HashMap;

/// The sections with these IDs, with titles for people. Several sections may have the same title.
pub fn titled_sections(ids: Vec<String>, change_set: &ChangeSet, facts: &Facts) -> Vec<Section> {
    let title = |id: &str| -> PlainText {
        let Some(record) = id.strip_prefix(Section::RECORD) else {
            return "what the agent read".into();
        };
        match change_set.creates().find(|create| create.id == record) {
            Some(create) if create.kind == RecordKind::WorkItem => create
                .fields
                .get("title")
                .and_then(Value::as_str)
                .unwrap_or(record)
                .into(),
            Some(create) => format!("New {}", create.kind.label()).into(),
            None => facts
                .name_of(record)
                .map_or(record, |(key, name)| key.unwrap_or(name))
                .into(),
        }
    };
    ids.into_iter().map(|id| Section { title: title(&id), id }).collect()
}

/// The sections of a page by ID.
#[derive(Debug, Clone, Default)]
pub struct FoldableSections(HashMap<String, Section>);

impl FoldableSections {
    /// Indexes the sections.
    pub fn new(sections: &[Section]) -> Self {
        Self(
            sections
                .iter()
                .map(|section| (section.id.clone(), section.clone()))
                .collect(),
        )
    }

    /// The section with the details of a record, or with the description of a work item to create.
    pub fn of_record(&self, record: &str) -> Option<Section> {
        self.0.get(&Section::record_id(record)).cloned()
    }

    /// The section with the agent's reads.
    pub fn of_reads(&self) -> Option<Section> {
        self.0.get(Section::READS).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Change, Create, Team, TeamId, WorkItemId};
    use serde_json::json;

    #[test]
    fn sections_have_whole_titles_and_are_found_by_record() {
        let create = |kind: RecordKind, id: String, title: &str| {
            Change::Create(Create {
                kind,
                id,
                client_ref: None,
                fields: json!({ "title": title }).as_object().cloned().unwrap_or_default(),
            })
        };
        let (item, note) = (WorkItemId::from_bits(1).to_string(), "note_1".to_owned());
        let title = format!("{} one", "y".repeat(60));
        let change_set = ChangeSet(vec![
            create(RecordKind::WorkItem, item.clone(), &title),
            create(RecordKind::Evidence, note.clone(), ""),
        ]);
        let team = Team {
            id: TeamId::from_bits(1),
            key: "checkout".into(),
            name: "Checkout".into(),
        };
        let facts = Facts::from_iter([team.clone()]);
        let mut ids: Vec<String> = [item.as_str(), &note, team.id.as_str()].map(Section::record_id).into();
        ids.push(Section::READS.to_owned());
        let sections = titled_sections(ids, &change_set, &facts);
        let titles: Vec<&str> = sections.iter().map(|section| section.title.as_str()).collect();
        assert_eq!(
            titles,
            [title.as_str(), "New evidence", "checkout", "what the agent read"]
        );
        let sections = FoldableSections::new(&sections);
        assert_eq!(sections.of_record(&item).expect("a section").title, title.as_str());
        assert!(sections.of_reads().is_some() && sections.of_record("other").is_none());
    }
}
