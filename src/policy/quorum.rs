//! Whether enough people have approved. Each group has a number of slots, and each person fills one.

use super::rules::{DecideRule, Group, RoleRules};
use crate::domain::text::prose::{counted, joined};
use crate::domain::{Human, Person, Role};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A person who may decide, with today's roles and teams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decider {
    /// The account.
    pub person: Person,
    /// The human who owns the account; the same for all accounts that operators have linked.
    pub human: Human,
    /// The roles of all accounts of that human.
    pub held: Vec<Role>,
    /// The keys of the person's teams.
    pub teams: BTreeSet<String>,
}

impl RoleRules {
    /// The forbidden combination of roles that the person holds.
    pub fn held_by(&self, member: &Decider) -> Option<&[Role]> {
        let holds = |combination: &&Vec<Role>| combination.iter().all(|role| member.held.contains(role));
        self.forbidden.iter().find(holds).map(Vec::as_slice)
    }
}

/// Approvals that a group still needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The group's name.
    pub group: String,
    /// The number of approvals.
    pub approvals: usize,
}

/// The roles that may decide; a policy can only narrow them.
const DECIDERS: [Role; 2] = [Role::Reviewer, Role::Lead];

impl Group {
    /// The roles that the group requires.
    pub(super) fn asked(&self) -> &[Role] {
        if self.roles.is_empty() { &DECIDERS } else { &self.roles }
    }

    /// Whether the person belongs to the group.
    pub fn has(&self, member: &Decider) -> bool {
        let person = &member.person;
        let is_named = |known: &String| person.id.as_str() == known || person.email.is(known);
        member.person.has_any(&DECIDERS)
            && member.person.has_any(self.asked())
            && (self.teams.is_empty() || self.teams.iter().any(|team| member.teams.contains(team)))
            && (self.people.is_empty() || self.people.iter().any(is_named))
    }
}

impl DecideRule {
    /// Whether another rule requires the same approvals of the same people; names may differ.
    pub fn asks_the_same(&self, other: &DecideRule) -> bool {
        let same = |(one, other): (&Group, &Group)| {
            let covers = |these: &[Role], those: &[Role]| these.iter().all(|role| those.contains(role));
            one.approvals == other.approvals
                && (&one.teams, &one.people) == (&other.teams, &other.people)
                && covers(one.asked(), other.asked())
                && covers(other.asked(), one.asked())
        };
        self.groups.len() == other.groups.len() && self.groups.iter().zip(&other.groups).all(same)
    }

    /// The approvals that the rule requires: `2 approvals from Reviewers and 1 approval from Checkout`.
    pub fn needs(&self) -> String {
        let group = |group: &Group| format!("{} from {}", counted(group.approvals, "approval"), group.name);
        joined(&self.groups.iter().map(group).collect::<Vec<_>>())
    }

    /// Whether the person belongs to any group of the rule.
    pub fn admits(&self, member: &Decider) -> bool {
        self.groups.iter().any(|group| group.has(member))
    }

    /// The missing approvals, given who approved. Each person counts once; people in several groups are assigned so that the
    /// fewest approvals are missing.
    pub fn missing(&self, approvers: &[Decider]) -> Vec<Missing> {
        let slots: Vec<&Group> = self
            .groups
            .iter()
            .flat_map(|group| std::iter::repeat_n(group, group.approvals))
            .collect();
        let taken = assign(&slots, &distinct(approvers));
        let mut missing: Vec<Missing> = Vec::new();
        for (slot, group) in slots.iter().enumerate() {
            if taken[slot].is_some() {
                continue;
            }
            match missing.iter_mut().find(|known| known.group == group.name) {
                Some(known) => known.approvals += 1,
                None => missing.push(Missing {
                    group: group.name.clone(),
                    approvals: 1,
                }),
            }
        }
        missing
    }

    /// Whether one more approval, by this person, would reduce the missing approvals.
    pub fn would_help(&self, approvers: &[Decider], candidate: &Decider) -> bool {
        let open = |members: &[Decider]| self.missing(members).iter().map(|one| one.approvals).sum::<usize>();
        let mut with = approvers.to_vec();
        with.push(candidate.clone());
        open(&with) < open(approvers)
    }
}

fn distinct(members: &[Decider]) -> Vec<&Decider> {
    let mut seen: BTreeSet<&Human> = BTreeSet::new();
    members.iter().filter(|member| seen.insert(&member.human)).collect()
}

/// Assigns as many members to slots as possible, by augmenting paths (Kuhn's algorithm for bipartite matching). Returns
/// the member of each slot.
fn assign(slots: &[&Group], members: &[&Decider]) -> Vec<Option<usize>> {
    let mut taken = vec![None; slots.len()];
    for member in 0..members.len() {
        find_slot(slots, members, member, &mut vec![false; slots.len()], &mut taken);
    }
    taken
}

fn find_slot(
    slots: &[&Group],
    members: &[&Decider],
    member: usize,
    tried: &mut [bool],
    taken: &mut [Option<usize>],
) -> bool {
    for slot in 0..slots.len() {
        if tried[slot] || !slots[slot].has(members[member]) {
            continue;
        }
        tried[slot] = true;
        let free = match taken[slot] {
            None => true,
            Some(other) => find_slot(slots, members, other, tried, taken),
        };
        if free {
            taken[slot] = Some(member);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Email, PersonId};

    fn member(n: u128, role: Role, teams: &[&str]) -> Decider {
        Decider {
            person: Person {
                id: PersonId::from_bits(n),
                email: Email::verified(&format!("p{n}@x.example")),
                name: format!("P{n}").into(),
                roles: vec![role],
            },
            human: Human::of_account(PersonId::from_bits(n)),
            held: vec![role],
            teams: teams.iter().map(|team| (*team).to_owned()).collect(),
        }
    }

    fn group(name: &str, teams: &[&str], approvals: usize) -> Group {
        Group {
            name: name.to_owned(),
            roles: Vec::new(),
            teams: teams.iter().map(|team| (*team).to_owned()).collect(),
            people: Vec::new(),
            approvals,
        }
    }

    fn rule(groups: Vec<Group>) -> DecideRule {
        DecideRule {
            name: "x".to_owned(),
            tools: Vec::new(),
            risk: Vec::new(),
            conditions: Vec::new(),
            groups,
        }
    }

    #[test]
    fn one_person_counts_once_and_where_they_are_needed_most() {
        let rule = rule(vec![group("A", &["a"], 1), group("B", &["b"], 1)]);
        let both = member(1, Role::Reviewer, &["a", "b"]);
        let only_a = member(2, Role::Reviewer, &["a"]);
        let only_b = member(3, Role::Reviewer, &["b"]);
        assert_eq!(rule.missing(&[]).len(), 2);
        assert_eq!(rule.missing(&[both.clone(), both.clone()]).len(), 1);
        assert!(rule.missing(&[both.clone(), only_a.clone()]).is_empty());
        assert!(rule.missing(&[both.clone(), only_b]).is_empty());
        assert!(rule.would_help(std::slice::from_ref(&both), &only_a));
        assert!(!rule.would_help(std::slice::from_ref(&only_a), &member(4, Role::Lead, &["a"])));
        assert!(!rule.would_help(&[only_a], &member(5, Role::Auditor, &["b"])));
    }

    #[test]
    fn rules_that_ask_for_the_same_people_are_the_same() {
        let said = Group {
            name: "Other words".to_owned(),
            roles: vec![Role::Lead, Role::Reviewer],
            ..group("A", &["a"], 1)
        };
        assert!(rule(vec![said.clone()]).asks_the_same(&rule(vec![group("A", &["a"], 1)])));
        assert!(!rule(vec![said.clone()]).asks_the_same(&rule(vec![group("A", &["a"], 2)])));
        assert!(!rule(vec![said]).asks_the_same(&rule(vec![group("A", &["b"], 1)])));
    }

    #[test]
    fn several_of_many() {
        let rule = rule(vec![group("Any", &[], 2)]);
        let (one, two) = (member(1, Role::Reviewer, &[]), member(2, Role::Lead, &[]));
        assert_eq!(
            rule.missing(std::slice::from_ref(&one)),
            [Missing {
                group: "Any".to_owned(),
                approvals: 1
            }]
        );
        assert!(rule.missing(&[one, two]).is_empty());
    }

    #[test]
    fn a_policy_gives_nobody_a_right_that_their_role_does_not() {
        let named = Group {
            people: vec!["P9@x.example".to_owned()],
            ..group("Named", &[], 1)
        };
        assert!(named.has(&member(9, Role::Lead, &[])));
        let mut claims = member(9, Role::Lead, &[]);
        claims.person.email = Email::claimed("p9@x.example");
        assert!(!named.has(&claims), "nobody has verified it");
        let by_id = Group {
            people: vec![PersonId::from_bits(9).to_string()],
            ..named.clone()
        };
        assert!(by_id.has(&claims) && !by_id.has(&member(8, Role::Lead, &[])));
        assert!(!named.has(&member(9, Role::Auditor, &[])));
        assert!(!named.has(&member(8, Role::Lead, &[])));
    }

    #[test]
    fn linked_accounts_are_one_person() {
        let rule = rule(vec![group("Any", &[], 2)]);
        let one = member(1, Role::Reviewer, &[]);
        let again = Decider {
            human: one.human.clone(),
            ..member(2, Role::Lead, &[])
        };
        assert_eq!(rule.missing(&[one.clone(), again.clone()]).len(), 1);
        assert!(!rule.would_help(std::slice::from_ref(&one), &again));
        assert!(rule.would_help(&[one], &member(3, Role::Lead, &[])));
    }

    #[test]
    fn groups_of_one_name_are_told_together_and_others_apart() {
        let rule = rule(vec![group("A", &["a"], 2), group("B", &[], 1)]);
        let told = |members: &[Decider]| {
            let missing = rule.missing(members);
            missing
                .iter()
                .map(|one| format!("{} {}", one.group, one.approvals))
                .collect::<Vec<_>>()
        };
        assert_eq!(told(&[]), ["A 2", "B 1"]);
        assert_eq!(told(&[member(1, Role::Lead, &[])]), ["A 2"]);
        assert_eq!(
            told(&[member(1, Role::Lead, &["a"]), member(2, Role::Lead, &["a"])]),
            ["B 1"]
        );
    }

    #[test]
    fn a_decider_moves_to_another_place_if_that_seats_one_more() {
        // The first takes A, which the second alone could take; the third sends both on.
        let rule = rule(vec![
            group("A", &["a"], 1),
            group("B", &["b"], 1),
            group("C", &["c"], 1),
        ]);
        let members = [
            member(1, Role::Lead, &["a", "b"]),
            member(2, Role::Lead, &["b", "c", "a"]),
            member(3, Role::Lead, &["a"]),
        ];
        assert!(rule.missing(&members).is_empty());
        assert!(rule.admits(&members[2]) && !rule.admits(&member(4, Role::Lead, &["d"])));
        assert!(!rule.admits(&member(5, Role::Developer, &["a"])));
    }

    #[test]
    fn a_team_of_several_is_enough_and_roles_narrow_a_group() {
        let leads = Group {
            roles: vec![Role::Lead],
            ..group("Leads", &["a", "b"], 1)
        };
        assert!(leads.has(&member(1, Role::Lead, &["b", "x"])));
        assert!(!leads.has(&member(1, Role::Lead, &["x"])) && !leads.has(&member(2, Role::Reviewer, &["a"])));
        let auditors = Group {
            roles: vec![Role::Auditor],
            ..group("Auditors", &[], 1)
        };
        assert!(
            !auditors.has(&member(3, Role::Auditor, &[])),
            "the role decides nothing, whatever the policy says"
        );
    }

    #[test]
    fn each_difference_between_rules_counts() {
        let leads = |roles: &[Role]| Group {
            roles: roles.to_vec(),
            ..group("A", &[], 1)
        };
        let people = Group {
            people: vec!["a@x.example".to_owned()],
            ..group("A", &[], 1)
        };
        let same = |one: Vec<Group>, other: Vec<Group>| rule(one).asks_the_same(&rule(other));
        let (lead, both) = (leads(&[Role::Lead]), leads(&[]));
        assert!(same(vec![lead.clone(), both.clone()], vec![lead.clone(), both.clone()]));
        assert!(!same(vec![lead.clone()], vec![both.clone()]) && !same(vec![both.clone()], vec![lead.clone()]));
        assert!(!same(vec![both.clone()], vec![both.clone(), both.clone()]));
        assert!(!same(vec![people], vec![both]));
    }

    #[test]
    fn all_roles_of_a_combination_must_be_held() {
        let rules = RoleRules::default();
        let mut member = member(1, Role::Operator, &[]);
        assert_eq!(rules.held_by(&member), None);
        member.held = vec![Role::Developer, Role::Lead, Role::Operator];
        assert_eq!(rules.held_by(&member), Some([Role::Operator, Role::Lead].as_slice()));
    }
}
