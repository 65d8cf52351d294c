//! What planning gives, and what it is given.

use crate::context::{Runtime, TypedId};
use crate::domain::*;
use std::collections::{BTreeSet, VecDeque};

/// What a tool would do.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What would be written.
    pub change_set: ChangeSet,
    /// What it would do, for the inbox: `Create work package: "Remove injection findings in login"`.
    pub headline: String,
    /// How much could go wrong.
    pub risk: Risk,
    /// Where it acts.
    pub place: PlanPlace,
    /// The evidence it cites.
    pub evidence: Vec<EvidenceId>,
    /// Every record that the payload refers to, with where it does.
    pub references: Vec<(String, String)>,
}

/// Where a plan acts, by ID.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanPlace {
    /// The release.
    pub release: Option<ReleaseId>,
    /// The certification.
    pub certification: Option<CertificationId>,
    /// The team.
    pub team: Option<TeamId>,
    /// Application, module, repository, service.
    pub components: Vec<ComponentId>,
}

impl PlanPlace {
    /// `in release Payments 2026.11 for team Checkout`, as far as it is known.
    pub fn words(&self, facts: &Facts) -> String {
        let mut words = Vec::new();
        if let Some(release) = self.release.as_ref().and_then(|id| facts.releases.get(id.as_str())) {
            words.push(format!("in release {}", release.key));
        }
        if let Some(team) = self.team.as_ref().and_then(|id| facts.teams.get(id.as_str())) {
            words.push(format!("for team {}", team.name));
        }
        words.join(" ")
    }
}

/// Where IDs of new records come from.
pub enum NewIds<'a> {
    /// Given out now: a proposal.
    Fresh(&'a Runtime),
    /// Those of a stored change set, in order: planning again must come out equal.
    Again(VecDeque<String>),
}

impl NewIds<'_> {
    /// The IDs of a change set, to plan it again.
    pub fn again(change_set: &ChangeSet) -> Self {
        NewIds::Again(change_set.created_ids().into())
    }

    /// The next ID.
    pub fn give<T: TypedId>(&mut self) -> T {
        match self {
            NewIds::Fresh(runtime) => runtime.id(),
            // A stored set that is too short, or of other kinds, can't come out equal: any ID serves.
            NewIds::Again(ids) => ids
                .pop_front()
                .and_then(|id| T::read(&id))
                .unwrap_or_else(|| T::from_bits(0)),
        }
    }
}

/// What is wrong with a payload, gathered so that the agent hears it all at once.
#[derive(Debug, Default)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// Adds one.
    pub fn add(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.0.push(FieldError::new(pointer, message));
    }

    /// Keeps what exists; a missing one is a problem that says which.
    pub fn found<T>(&mut self, pointer: &str, what: &str, record: Option<T>) -> Option<T> {
        if record.is_none() {
            self.add(pointer, format!("there is no such {what}"));
        }
        record
    }

    /// Each ID of a list must exist, and stand in it once.
    pub fn all_found<'a, T: AsRef<str> + 'a>(
        &mut self,
        pointer: &str,
        what: &str,
        ids: impl IntoIterator<Item = &'a T>,
        exists: impl Fn(&str) -> bool,
    ) {
        let mut seen = BTreeSet::new();
        for (index, id) in ids.into_iter().enumerate() {
            if !exists(id.as_ref()) {
                self.add(format!("{pointer}/{index}"), format!("there is no such {what}"));
            } else if !seen.insert(id.as_ref()) {
                self.add(format!("{pointer}/{index}"), "stands twice in this list");
            }
        }
    }

    /// Nothing wrong, or everything that is.
    pub fn end(self) -> Result<(), Vec<FieldError>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}
