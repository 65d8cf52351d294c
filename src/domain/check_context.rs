//! The context of a plan: records and actions that the checks compare it with. The facts of a plan are the records that the payload
//! names; the context has everything else that the checks need.

use crate::domain::*;
use std::collections::{BTreeMap, BTreeSet};

/// What to load for the context of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckContextQuery {
    /// The release that the plan acts in.
    pub release: Option<ReleaseId>,
    /// Owners and the caller, whose teams are loaded.
    pub people: BTreeSet<String>,
    /// Findings whose work items are loaded.
    pub findings: BTreeSet<String>,
    /// Words of the plan's titles ([`title_similarity::significant_words`]); work items that have them are loaded.
    pub words: BTreeSet<String>,
    /// Keys of the plan's titles ([`title_similarity::title_key`]); work items of the release with the same title are loaded.
    pub titles: BTreeSet<String>,
    /// Records that the plan changes or is based on; open actions about the same records are loaded.
    pub targets: BTreeSet<String>,
    /// Whether the open blockers of the release are loaded.
    pub open_blockers: bool,
    /// Cited evidence. The state of its bytes and its newer versions are loaded.
    pub evidence: BTreeSet<String>,
    /// Whether the bytes of the cited evidence are hashed now. Otherwise the stored result of the last time counts.
    pub hash_evidence: bool,
    /// The action itself, if it is stored. Only open actions that were proposed before it are loaded: of two actions about the same
    /// records, the later one gets the warning, and an approval of the earlier one stays valid.
    pub before: Option<ActionId>,
    /// The action that this one supersedes. It does not count as an open action.
    pub supersedes: Option<ActionId>,
    /// The pending action that this one repeats.
    pub repeats: Option<ActionId>,
}

/// The context of a plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CheckContext {
    /// Team members: (team, person).
    pub members: BTreeSet<(String, String)>,
    /// The teams of the release. Empty: the release has no list of teams, and any team may work on it.
    pub release_teams: BTreeSet<String>,
    /// The components of the release. Empty: the release has no list of components, and may have any.
    pub release_components: BTreeSet<String>,
    /// The IDs of work items, by the finding that they are about.
    pub work_items_by_finding: BTreeMap<String, BTreeSet<String>>,
    /// Those work items, and work items with similar titles, by ID.
    pub work_items: BTreeMap<String, WorkItem>,
    /// The pending action that this one repeats.
    pub repeats: Option<ActionId>,
    /// Open actions about the same records.
    pub open_actions: Vec<OpenAction>,
    /// Open blockers of the release, by ID; at most 1,000.
    pub open_blockers: Vec<Blocker>,
    /// Newer evidence of the same release, provider and kind as the cited evidence.
    pub newer_evidence: Vec<Evidence>,
    /// Whether the stored bytes have the recorded SHA-256, by evidence ID: by the stored result, or as hashed now. Evidence without a
    /// stored result has no entry.
    pub file_states: BTreeMap<String, FileState>,
    /// Generic words that the tenant has added to the built-in list.
    pub generic_words: BTreeSet<String>,
}

/// Another action that waits for a decision or for its execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAction {
    /// The action's ID.
    pub id: ActionId,
    /// The action's headline.
    pub headline: String,
    /// The action's state.
    pub state: State,
    /// The targets that both actions have.
    pub shared_targets: BTreeSet<String>,
}

impl CheckContext {
    /// Whether a person is on a team.
    pub fn is_on_team(&self, team: &str, person: &str) -> bool {
        self.members.contains(&(team.to_owned(), person.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_on_their_own_team_alone() {
        let context = CheckContext {
            members: [("checkout".to_owned(), "dana".to_owned())].into(),
            ..CheckContext::default()
        };
        assert!(context.is_on_team("checkout", "dana"));
        assert!(!context.is_on_team("ledger", "dana") && !context.is_on_team("dana", "checkout"));
    }
}
