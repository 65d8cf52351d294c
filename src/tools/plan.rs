//! The result of planning, and what planning gets: IDs for new records, and a collector for errors.

use crate::context::{Runtime, TypedId};
use crate::domain::*;
use std::collections::{BTreeSet, VecDeque};

/// What a tool would do.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The records that the action would create and change.
    pub change_set: ChangeSet,
    /// What the action would do, for the inbox: `Create work package: "Remove injection findings in login"`.
    pub headline: String,
    /// How much could go wrong.
    pub risk: Risk,
    /// Where the action takes effect.
    pub scope: Scope,
    /// The cited evidence.
    pub evidence: Vec<EvidenceId>,
    /// Every record that the payload refers to: its ID, and the pointer in the payload.
    pub references: Vec<(String, String)>,
    /// The work items that the payload describes; see [`Tool::items`](super::Tool::items).
    pub items: Vec<PlannedItem>,
    /// Fields of the payload that the client gets back with the result of an execution, where the payload has them.
    pub result_references: &'static [&'static str],
}

impl Plan {
    /// The records that the action changes or rests on: open actions with a target in common are shown to the reviewer, and are marked when
    /// one of them is executed. A blocker's finding is a target too.
    pub fn targets(&self, facts: &Facts) -> BTreeSet<String> {
        let mut targets: BTreeSet<String> = self.change_set.updated_ids().into_iter().collect();
        for (id, _) in &self.references {
            match RecordKind::of(id) {
                Some(RecordKind::Finding) => drop(targets.insert(id.clone())),
                Some(RecordKind::Blocker) => {
                    let finding = facts.blocker(id).and_then(|blocker| blocker.finding_id.as_ref());
                    targets.extend(finding.map(ToString::to_string));
                    targets.insert(id.clone());
                }
                _ => {}
            }
        }
        targets
    }
}

/// A work item that a payload describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedItem {
    /// The object in the payload that has the item's fields.
    pub pointer: String,
    /// The place in the change set of the change that creates or updates the item.
    pub change: usize,
    /// The client's own name for the item.
    pub client_ref: Option<String>,
    /// The title in the payload.
    pub title: String,
    /// Whether a reviewer may leave the item out: the payload without the value at `pointer` is a valid payload too.
    pub can_be_left_out: bool,
}

impl PlannedItem {
    /// The item's change in the plan's change set.
    pub fn change<'p>(&self, change_set: &'p ChangeSet) -> Option<&'p Change> {
        change_set.0.get(self.change)
    }

    /// Whether a pointer into the payload leads into the item.
    pub fn contains(&self, pointer: &str) -> bool {
        pointer
            .strip_prefix(&self.pointer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Where an action takes effect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// The release.
    pub release: Option<ReleaseId>,
    /// The certification.
    pub certification: Option<CertificationId>,
    /// The team.
    pub team: Option<TeamId>,
    /// Application, module, repository, service.
    pub components: Vec<ComponentId>,
}

impl Scope {
    /// `PAY-2026.11, team Checkout`, without the parts that are unknown.
    pub fn label(&self, facts: &Facts) -> String {
        let release = self.release.as_ref().and_then(|id| facts.release(id));
        let team = self.team.as_ref().and_then(|id| facts.team(id));
        let parts = [
            release.map(|release| release.key.clone()),
            team.map(|team| format!("team {}", team.name)),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// Where the IDs of new records come from.
pub enum NewIds<'a> {
    /// A proposal: IDs are generated.
    Fresh(&'a Runtime),
    /// A stored action is planned again: its own IDs, in order, so that an unchanged plan is equal to the stored one.
    Stored(VecDeque<String>),
}

impl NewIds<'_> {
    /// The IDs of a stored change set.
    pub fn from_change_set(change_set: &ChangeSet) -> Self {
        NewIds::Stored(change_set.created_ids().into())
    }

    /// The next ID.
    pub fn next_id<T: TypedId>(&mut self) -> T {
        match self {
            NewIds::Fresh(runtime) => runtime.id(),
            // A stored set that has too few IDs, or IDs of other kinds, cannot be equal to the new one, whatever this ID is.
            NewIds::Stored(ids) => ids
                .pop_front()
                .and_then(|id| T::parse(&id))
                .unwrap_or_else(|| T::from_bits(0)),
        }
    }
}

/// The errors in a payload, collected so that the client gets all of them at once.
#[derive(Debug, Default)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// Adds an error.
    pub fn add(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.0.push(FieldError::new(pointer, message));
    }

    /// Passes a record on; a missing one is an error.
    pub fn require<T>(&mut self, pointer: &str, what: &str, record: Option<T>) -> Option<T> {
        if record.is_none() {
            self.add(pointer, format!("there is no such {what}"));
        }
        record
    }

    /// Each ID of a list must exist, and be in the list once.
    pub fn require_all<'a, T: AsRef<str> + 'a>(
        &mut self,
        pointer: &str,
        what: &str,
        ids: impl IntoIterator<Item = &'a T>,
        facts: &Facts,
    ) {
        let mut seen = BTreeSet::new();
        for (index, id) in ids.into_iter().enumerate() {
            if !facts.contains(id.as_ref()) {
                self.add(format!("{pointer}/{index}"), format!("there is no such {what}"));
            } else if !seen.insert(id.as_ref()) {
                self.add(format!("{pointer}/{index}"), "is in this list twice");
            }
        }
    }

    /// `Ok` without errors, otherwise every error.
    pub fn finish(self) -> Result<(), Vec<FieldError>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}
