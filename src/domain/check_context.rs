//! CheckContext: what stands around a plan, for the checks to judge it by. A plan names its own records (the facts); whether they
//! belong together, and what else there is like them, only these tell.

use crate::domain::*;
use std::collections::{BTreeMap, BTreeSet};

/// What the checks want to know beside the plan's own facts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckContextQuery {
    /// The release that it acts in.
    pub release: Option<ReleaseId>,
    /// Owners and the caller: which teams are they on?
    pub people: BTreeSet<String>,
    /// Findings: which work items rest on them already?
    pub findings: BTreeSet<String>,
    /// Words of its titles: which work items have them too?
    pub words: BTreeSet<String>,
    /// Words for its whole titles ([`title_similarity::whole`]): which work items of the release are called the same?
    pub titles: BTreeSet<String>,
    /// Records that it changes or rests on: which open actions do so too?
    pub targets: BTreeSet<String>,
    /// Evidence it cites: are its bytes what they were, and is there newer?
    pub evidence: BTreeSet<String>,
    /// The action itself, if it is stored: only those that were there before it count. Of two about the same, the later one is asked
    /// why; whoever approved the first must not lose it to the second.
    pub before: Option<ActionId>,
    /// The action that it supersedes, which is no other one.
    pub supersedes: Option<ActionId>,
    /// The pending action that it only repeats. Of the others that are open it is not asked: they are that one's to explain.
    pub repeats: Option<ActionId>,
}

/// What there is around a plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CheckContext {
    /// The teams of people: (team, person).
    pub members: BTreeSet<(String, String)>,
    /// The teams of the release. Empty: none was ever said.
    pub release_teams: BTreeSet<String>,
    /// The components of the release. Empty: none was ever said.
    pub release_components: BTreeSet<String>,
    /// Work items by finding.
    pub resting: BTreeMap<String, BTreeSet<String>>,
    /// Those work items, and those whose titles share words that few have, by ID.
    pub items: BTreeMap<String, WorkItem>,
    /// The pending action that this one only repeats.
    pub repeats: Option<ActionId>,
    /// Other actions that are open and were there before, with what they change or rest on.
    pub open_actions: Vec<OpenAction>,
    /// Newer evidence of the same release, provider and kind as what is cited.
    pub newer: Vec<Evidence>,
    /// Whether the bytes of evidence still give the hash that was recorded, by evidence ID. Missing: there are no bytes.
    pub intact: BTreeMap<String, bool>,
    /// What the tenant has added to the words that say nothing.
    pub generic_words: BTreeSet<String>,
}

/// Another action that waits for its decision or execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAction {
    /// Its ID.
    pub id: ActionId,
    /// What it would do.
    pub headline: String,
    /// Where it stands.
    pub state: State,
    /// Which of the targets asked for it shares.
    pub shares: BTreeSet<String>,
}

impl CheckContext {
    /// A word that more work items than this have is common: work is not found by it.
    pub const COMMON: usize = 100;
    /// The most work items that are looked at because of their words.
    pub const CANDIDATES: usize = 200;

    /// Whether somebody is on a team.
    pub fn is_on(&self, team: &str, person: &str) -> bool {
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
        assert!(context.is_on("checkout", "dana"));
        assert!(!context.is_on("ledger", "dana") && !context.is_on("dana", "checkout"));
    }
}
