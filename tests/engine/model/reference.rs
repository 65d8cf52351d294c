//! The model: what people and clients may do, in the simplest form. Its only check is that the same work is not done twice, and it tries
//! every person in every group instead of matching.

use loopiq::domain::State;
use std::collections::BTreeSet;

/// The people of the model. Two of these people also propose.
pub(super) const PEOPLE: [&str; 5] = ["reviewer", "reviewer2", "lead", "auditor", "developer"];
pub(super) const CALLERS: [&str; 2] = ["developer", "lead"];
const RUNNERS: [&str; 3] = ["reviewer", "reviewer2", "lead"];

/// The groups of a policy, each with its people. A group is repeated for each approval that the policy requires of the group.
pub(super) type Groups = &'static [&'static [&'static str]];

#[derive(Clone, Copy)]
pub(super) struct Rules {
    pub(super) source: &'static str,
    groups: Groups,
    caller_may_decide: bool,
    approver_may_execute: bool,
    pruner_may_decide: bool,
}

const fn rules(source: &'static str, groups: Groups, separation: [bool; 3]) -> Rules {
    let [caller_may_decide, approver_may_execute, pruner_may_decide] = separation;
    Rules {
        source,
        groups,
        caller_may_decide,
        approver_may_execute,
        pruner_may_decide,
    }
}

const ANYBODY: Groups = &[&RUNNERS];

/// The policies that a step can switch to. Members of the team payments: reviewer and lead; of the team checkout: lead and reviewer2.
pub(super) const POLICIES: [Rules; 6] = [
    rules("# The built-in one.", ANYBODY, [false, true, true]),
    rules(
        "[[decide]]\nname = \"p\"\ngroups = [{ name = \"a\", teams = [\"payments\"] }, { name = \"c\", teams = [\"checkout\"] }]",
        &[&["reviewer", "lead"], &["lead", "reviewer2"]],
        [false, true, true],
    ),
    rules(
        "[[decide]]\nname = \"p\"\ngroups = [{ name = \"any\", approvals = 2 }]\n[separation]\napprover_may_execute = false",
        &[&RUNNERS, &RUNNERS],
        [false, false, true],
    ),
    rules(
        "[[decide]]\nname = \"p\"\ngroups = [{ name = \"lead\", people = [\"lead@acme.example\"] }]",
        &[&["lead"]],
        [false, true, true],
    ),
    rules("[separation]\ncaller_may_decide = true", ANYBODY, [true, true, true]),
    rules(
        "[separation]\npruner_may_decide = false\napprover_may_execute = false",
        ANYBODY,
        [false, false, false],
    ),
];

/// What a client can propose: three stories, a package of two tasks, and the same package without its second task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Story(usize),
    Package,
    Pruned,
}

impl Shape {
    /// Whether both shapes create work with the same title.
    fn is_alike(self, other: Shape) -> bool {
        let package = |shape| matches!(shape, Shape::Package | Shape::Pruned);
        self == other || (package(self) && package(other))
    }

    fn hours(self) -> i64 {
        if matches!(self, Shape::Story(_)) { 72 } else { 48 }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Action {
    pub(super) state: State,
    shape: Shape,
    caller: &'static str,
    /// The client and its idempotency key; a pruned action has a key that no client knows.
    key: Option<(usize, usize)>,
    supersedes: Option<usize>,
    superseded_by: Option<usize>,
    repeats: Option<usize>,
    pruner: Option<&'static str>,
    policy_at_proposal: usize,
    votes: BTreeSet<&'static str>,
    rejected_by_person: bool,
    hours: i64,
}

/// The outcome of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proposed {
    New,
    Original(usize),
    Conflict,
    DeclinedBefore(usize),
    Invalid,
}

/// A proposal: its caller, client, key and shape, and the action that the proposal replaces.
#[derive(Debug, Clone, Copy)]
pub(super) struct Proposal {
    pub(super) caller: &'static str,
    pub(super) client: usize,
    pub(super) key: usize,
    pub(super) shape: Shape,
    pub(super) supersedes: Option<usize>,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) actions: Vec<Action>,
    pub(super) today: usize,
}

/// The largest number of groups that these people fill, with each person in at most one group.
fn filled(groups: Groups, votes: &BTreeSet<&'static str>) -> usize {
    let Some((first, rest)) = groups.split_first() else {
        return 0;
    };
    let taken = votes.iter().filter(|who| first.contains(*who)).map(|who| {
        let mut others = votes.clone();
        others.remove(who);
        1 + filled(rest, &others)
    });
    taken.max().unwrap_or(0).max(filled(rest, votes))
}

impl Rules {
    fn separates(&self, who: &str, action: &Action) -> bool {
        (!self.caller_may_decide && who == action.caller) || (!self.pruner_may_decide && action.pruner == Some(who))
    }

    fn may(&self, who: &str, action: &Action) -> bool {
        !self.separates(who, action) && self.groups.iter().any(|group| group.contains(&who))
    }

    fn filled(&self, votes: &BTreeSet<&'static str>, action: &Action) -> usize {
        let counted = votes.iter().filter(|who| !self.separates(who, action)).copied();
        filled(self.groups, &counted.collect())
    }
}

impl Model {
    fn policies(&self, action: &Action) -> [Rules; 2] {
        [POLICIES[action.policy_at_proposal], POLICIES[self.today]]
    }

    pub(super) fn may(&self, who: &str, n: usize) -> bool {
        let action = &self.actions[n];
        self.policies(action).iter().all(|rules| rules.may(who, action))
    }

    fn complete(&self, n: usize, votes: &BTreeSet<&'static str>) -> bool {
        let action = &self.actions[n];
        let all = |rules: &Rules| rules.filled(votes, action) == rules.groups.len();
        self.policies(action).iter().all(all)
    }

    /// Whether the same work has been executed already.
    fn is_done(&self, shape: Shape) -> bool {
        let executed = |other: &Action| other.state == State::Executed && other.shape.is_alike(shape);
        self.actions.iter().any(executed)
    }

    /// Closes an action, and with it the actions that repeat it.
    fn end(&mut self, n: usize, to: State) {
        let pending = self.actions[n].state == State::PendingApproval;
        self.actions[n].state = to;
        if pending {
            self.end_repeats(n);
        }
    }

    fn end_repeats(&mut self, n: usize) {
        for other in &mut self.actions {
            if other.repeats == Some(n) && other.state == State::PendingApproval {
                other.state = State::Rejected;
                other.superseded_by = Some(n);
            }
        }
    }

    fn add(&mut self, proposal: Proposal, key: bool, repeats: Option<usize>, pruner: Option<&'static str>) {
        self.actions.push(Action {
            state: State::PendingApproval,
            shape: proposal.shape,
            caller: proposal.caller,
            key: key.then_some((proposal.client, proposal.key)),
            supersedes: proposal.supersedes,
            superseded_by: None,
            repeats,
            pruner,
            policy_at_proposal: self.today,
            votes: BTreeSet::new(),
            rejected_by_person: false,
            hours: 0,
        });
    }

    /// Lets the new action replace the old one; `false` if the old action cannot be replaced.
    fn supersede(&mut self, old: usize, new: usize, caller: &str) -> bool {
        let action = &self.actions[old];
        if action.caller != caller || action.state == State::Executed {
            return false;
        }
        let head = action
            .repeats
            .filter(|head| self.actions[*head].state == State::PendingApproval);
        if let Some(head) = head {
            return self.supersede(head, new, caller);
        }
        if action.superseded_by.is_some() && action.superseded_by != action.repeats {
            return false;
        }
        if matches!(action.state, State::PendingApproval | State::Approved) {
            self.end(old, State::Rejected);
        }
        self.actions[old].superseded_by = Some(new);
        true
    }

    pub(super) fn propose(&mut self, proposal: Proposal) -> Proposed {
        let Proposal { caller, shape, .. } = proposal;
        let same_key = |action: &Action| action.caller == caller && action.key == Some((proposal.client, proposal.key));
        if let Some(known) = self.actions.iter().position(same_key) {
            let action = &self.actions[known];
            let same = action.shape == shape && action.supersedes == proposal.supersedes;
            return if same {
                Proposed::Original(known)
            } else {
                Proposed::Conflict
            };
        }
        let declined = |action: &Action| action.shape == shape && action.rejected_by_person;
        if let Some(declined) = self.actions.iter().rposition(declined) {
            return Proposed::DeclinedBefore(declined);
        }
        if let Some(old) = proposal.supersedes {
            if !self.supersede(old, self.actions.len(), caller) {
                return Proposed::Invalid;
            }
            self.add(proposal, true, None, None);
            return Proposed::New;
        }
        let head = self.actions.iter().position(|action| {
            let pending = action.state == State::PendingApproval && action.repeats.is_none();
            pending && action.shape == shape && action.caller == caller
        });
        self.add(proposal, true, head, None);
        Proposed::New
    }

    /// Prunes a package: the remaining task becomes a new action.
    pub(super) fn prune(&mut self, who: &'static str, n: usize) -> bool {
        let action = &self.actions[n];
        if action.state != State::PendingApproval || action.shape != Shape::Package || !self.may(who, n) {
            return false;
        }
        let proposal = Proposal {
            caller: action.caller,
            client: 0,
            key: 0,
            shape: Shape::Pruned,
            supersedes: Some(n),
        };
        let caller = action.caller;
        let done = self.supersede(n, self.actions.len(), caller);
        if done {
            self.add(proposal, false, None, Some(who));
        }
        done
    }

    pub(super) fn approve(&mut self, who: &'static str, n: usize) -> bool {
        let action = &self.actions[n];
        if action.state != State::PendingApproval || !self.may(who, n) {
            return false;
        }
        let mut with = action.votes.clone();
        let voted = !with.insert(who);
        if !self.complete(n, &action.votes) {
            // After a policy change no approval may be missing, and then the action continues; otherwise this approval must fill a group.
            let helps = |rules: &Rules| rules.filled(&with, action) > rules.filled(&action.votes, action);
            if voted || !self.policies(action).iter().any(helps) {
                return false;
            }
        }
        if self.is_done(action.shape) {
            return false;
        }
        let complete = self.complete(n, &with);
        self.actions[n].votes = with;
        if complete {
            self.actions[n].state = State::Approved;
            self.end_repeats(n);
        }
        true
    }

    pub(super) fn execute(&mut self, who: &str, n: usize) -> bool {
        let action = &self.actions[n];
        let separated =
            |rules: &Rules| rules.separates(who, action) || (!rules.approver_may_execute && action.votes.contains(who));
        if action.state != State::Approved || !RUNNERS.contains(&who) || self.policies(action).iter().any(separated) {
            return false;
        }
        let runs = self.complete(n, &action.votes) && !self.is_done(action.shape);
        self.actions[n].state = if runs { State::Executed } else { State::Failed };
        runs
    }

    pub(super) fn reject(&mut self, who: &str, n: usize) -> bool {
        let may = self.actions[n].state == State::PendingApproval && self.may(who, n);
        if may {
            self.end(n, State::Rejected);
            self.actions[n].rejected_by_person = true;
        }
        may
    }

    pub(super) fn revoke(&mut self, who: &str, n: usize) -> bool {
        let may = self.actions[n].state == State::Approved && self.may(who, n);
        if may {
            self.end(n, State::Rejected);
        }
        may
    }

    pub(super) fn withdraw(&mut self, caller: &str, n: usize) -> bool {
        let may = !self.actions[n].state.is_final() && self.actions[n].caller == caller;
        if may {
            self.end(n, State::Rejected);
        }
        may
    }

    pub(super) fn wait(&mut self, hours: i64) {
        for n in 0..self.actions.len() {
            self.actions[n].hours += hours;
        }
        for n in 0..self.actions.len() {
            let action = &self.actions[n];
            if !action.state.is_final() && action.hours >= action.shape.hours() {
                self.end(n, State::Rejected);
            }
        }
    }
}
