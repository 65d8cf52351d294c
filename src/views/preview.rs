//! The preview of a change set. Agent, inbox and page show the same sentence.

use super::Label;
use crate::domain::text::prose::{counted, joined};
use crate::domain::{ChangeSet, Create, RecordKind, Update};
use serde::Serialize;
use serde_json::Value;

/// A change set as an agent receives it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// The effect, in one sentence.
    pub summary: String,
    /// Records that would be created.
    pub creates: Vec<Create>,
    /// Records that would be changed, before and after.
    pub updates: Vec<Update>,
}

impl Preview {
    /// Builds the preview. `scope` says where the changes apply: `R, team T`.
    pub fn new(change_set: &ChangeSet, scope: &str) -> Self {
        Self {
            summary: summary(change_set, scope),
            creates: change_set.creates().cloned().collect(),
            updates: change_set.updates().cloned().collect(),
        }
    }
}

/// The noun for counting created records of this kind.
fn noun(create: &Create) -> &str {
    match create.kind {
        RecordKind::WorkItem => create.fields.get("kind").and_then(Value::as_str).unwrap_or("work item"),
        RecordKind::CurrentEvidence => "current evidence record",
        kind => kind.label(),
    }
}

/// `1 story and 12 tasks`.
fn counted_by_noun(nouns: Vec<&str>) -> String {
    let mut kinds: Vec<(&str, usize)> = Vec::new();
    for noun in nouns {
        match kinds.iter_mut().find(|(known, _)| *known == noun) {
            Some((_, count)) => *count += 1,
            None => kinds.push((noun, 1)),
        }
    }
    let parts: Vec<String> = kinds.into_iter().map(|(noun, count)| counted(count, noun)).collect();
    joined(&parts)
}

/// `Creates 1 story and 12 tasks (R, team T).`
pub fn summary(change_set: &ChangeSet, scope: &str) -> String {
    let (created, updated) = counts(change_set);
    let scope = match scope {
        "" => String::new(),
        scope => format!(" ({scope})"),
    };
    match (created.is_empty(), updated.is_empty()) {
        (true, true) => "Changes nothing.".to_owned(),
        (false, true) => format!("Creates {created}{scope}."),
        (true, false) => format!("Updates {updated}{scope}."),
        (false, false) => format!("Creates {created} and updates {updated}{scope}."),
    }
}

/// `Executed: created 1 story and 12 tasks.`
pub fn executed_summary(change_set: &ChangeSet) -> String {
    let (created, updated) = counts(change_set);
    match (created.is_empty(), updated.is_empty()) {
        (true, true) => "Executed: changed nothing.".to_owned(),
        (false, true) => format!("Executed: created {created}."),
        (true, false) => format!("Executed: updated {updated}."),
        (false, false) => format!("Executed: created {created} and updated {updated}."),
    }
}

/// The records that are created and those that are updated, counted by kind.
fn counts(change_set: &ChangeSet) -> (String, String) {
    (
        counted_by_noun(change_set.creates().map(noun).collect()),
        counted_by_noun(change_set.updates().map(|update| update.kind.label()).collect()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Change;
    use serde_json::json;

    #[test]
    fn the_summary_is_one_sentence_that_counts() {
        let item = |kind: &str| {
            Change::Create(Create {
                kind: RecordKind::WorkItem,
                id: String::new(),
                client_ref: None,
                fields: json!({ "kind": kind }).as_object().cloned().unwrap_or_default(),
            })
        };
        let set = ChangeSet(vec![item("story"), item("task"), item("task")]);
        assert_eq!(summary(&set, "R, team T"), "Creates 1 story and 2 tasks (R, team T).");
        assert_eq!(summary(&ChangeSet::default(), ""), "Changes nothing.");
        assert_eq!(executed_summary(&set), "Executed: created 1 story and 2 tasks.");
        assert_eq!(executed_summary(&ChangeSet::default()), "Executed: changed nothing.");
    }

    #[test]
    fn each_kind_is_counted_with_its_plural() {
        let create = |kind: RecordKind| {
            Change::Create(Create {
                kind,
                id: String::new(),
                client_ref: None,
                fields: Default::default(),
            })
        };
        let update = |kind: RecordKind| {
            Change::Update(Update {
                kind,
                id: String::new(),
                expected_version: 1,
                fields: Vec::new(),
            })
        };
        let (item, note) = (RecordKind::WorkItem, RecordKind::AuditNote);
        let said = |changes: Vec<Change>, place: &str| Preview::new(&ChangeSet(changes), place).summary;
        assert_eq!(
            said(
                vec![
                    create(item),
                    create(note),
                    create(RecordKind::Blocker),
                    update(RecordKind::Finding)
                ],
                ""
            ),
            "Creates 1 work item, 1 audit note and 1 blocker and updates 1 finding."
        );
        assert_eq!(
            said(
                vec![update(RecordKind::Finding), update(RecordKind::Finding)],
                "in release R"
            ),
            "Updates 2 findings (in release R)."
        );
        assert_eq!(
            (counted(1, "story"), counted(2, "story")),
            ("1 story".to_owned(), "2 stories".to_owned())
        );
        let preview = Preview::new(&ChangeSet(vec![create(item), update(note)]), "");
        assert_eq!((preview.creates.len(), preview.updates.len()), (1, 1));
    }
}
