//! The impact of a policy: how a past action would have been decided under another policy.

use crate::domain::{Check, Timestamp, Verdict};
use crate::policy::{Decider, Policy, PolicyInput};
use std::collections::BTreeSet;

/// A past action and its decisions.
pub struct PastAction<'a> {
    /// The action.
    pub case: PolicyInput<'a>,
    /// The results of its checks, as stored when it was proposed or decided.
    pub checks: &'a [Check],
    /// The people who approved it, with their roles and teams of today.
    pub approvers: &'a [Decider],
    /// The people who rejected it, with their roles and teams of today.
    pub rejecters: &'a [Decider],
    /// When it was proposed.
    pub proposed: Timestamp,
    /// When it was decided.
    pub decided: Option<Timestamp>,
    /// The person who executed it, with the roles and teams of today.
    pub runner: Option<&'a Decider>,
    /// When the oldest evidence that it cites was collected.
    pub oldest_evidence: Option<Timestamp>,
}

impl Policy {
    /// The differences for this action, as sentences, if this policy had been in force instead of `other`.
    pub fn impact_on(&self, other: &Policy, past: &PastAction<'_>) -> Vec<String> {
        let mut words = Vec::new();
        let case = &past.case;
        let (risk, was) = (self.risk_class(&case.risk_input), other.risk_class(&case.risk_input));
        if risk != was {
            words.push(format!("its risk would be {}, not {}", risk.as_str(), was.as_str()));
        }
        let (rule, old_rule) = (
            self.decide_rule(&case.risk_input).1,
            other.decide_rule(&case.risk_input).1,
        );
        if !rule.asks_the_same(old_rule) {
            let (needs, needed) = (rule.needs(), old_rule.needs());
            words.push(if needs == needed {
                format!("it would need {needs} of other people, by the rule \"{}\"", rule.name)
            } else {
                format!("it would need {needs} by the rule \"{}\", not {needed}", rule.name)
            });
        }
        for (people, what) in [(past.approvers, "approved"), (past.rejecters, "rejected")] {
            for member in people {
                if self.refuses(member, case).is_some() && other.refuses(member, case).is_none() {
                    words.push(format!("{} could not have {what} it", member.person.name));
                }
            }
        }
        if self.is_typed(&case.risk_input) && !other.is_typed(&case.risk_input) {
            words.push("it would be approved by typing a word".to_owned());
        }
        match (self.step_up(&case.risk_input), other.step_up(&case.risk_input)) {
            (Some(_), None) => words.push("it would be approved only after a recent sign-in".to_owned()),
            (None, Some(_)) => words.push("it would be approved without a recent sign-in".to_owned()),
            _ => {}
        }
        if !past.approvers.is_empty() {
            let open = |policy: &Policy| {
                policy
                    .missing(past.approvers, case)
                    .iter()
                    .map(|one| one.approvals)
                    .sum::<usize>()
            };
            match (open(self), open(other)) {
                (more, less) if more > less => words.push(match more {
                    1 => "it would have waited for 1 more approval".to_owned(),
                    _ => format!("it would have waited for {more} more approvals"),
                }),
                (less, more) if less < more => words.push("it would have needed fewer approvals".to_owned()),
                _ => {}
            }
        }
        if let Some(decided) = past.decided {
            let late = |policy: &Policy, risk| decided.since(past.proposed) > policy.expiry(risk);
            if late(self, risk) && !late(other, was) {
                words.push("it would have expired before it was decided".to_owned());
            }
        }
        if let Some(runner) = past.runner {
            let refuses = |policy: &Policy| policy.refuses_to_run(runner, past.approvers, case).is_some();
            if refuses(self) && !refuses(other) {
                words.push(format!("{} could not have run it", runner.person.name));
            }
        }
        if let Some(collected) = past.oldest_evidence {
            let judged = past.decided.unwrap_or(past.proposed);
            let stale = |policy: &Policy| policy.is_stale(collected, judged);
            match (stale(self), stale(other)) {
                (true, false) => words.push("evidence that it cites would have been too old".to_owned()),
                (false, true) => words.push("evidence that it cites would not have been too old".to_owned()),
                _ => {}
            }
        }
        words.extend(self.weighs_otherwise(other, past.checks));
        words
    }

    /// Differences in the verdicts of checks. The stored verdicts already contain the overrides of their time, so a
    /// verdict that a policy had softened counts as soft.
    fn weighs_otherwise(&self, other: &Policy, checks: &[Check]) -> Vec<String> {
        let (weighed, was) = (
            self.apply_overrides(checks.to_vec()),
            other.apply_overrides(checks.to_vec()),
        );
        let changed = was.iter().zip(&weighed).filter(|(was, is)| was.verdict != is.verdict);
        let words: BTreeSet<String> = changed
            .map(|(_, is)| match is.verdict {
                Verdict::Block => format!("the check {} would have blocked it", is.id.as_str()),
                _ => format!("the check {} would only have warned", is.id.as_str()),
            })
            .collect();
        words.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CheckId, Human, PersonId, Role};
    use crate::policy::tests::{case, check, member, policy};
    use serde_json::json;

    /// What each policy would have changed if it had been in force instead of the other one.
    fn told(one: &str, other: &str, past: &PastAction<'_>) -> [Vec<String>; 2] {
        let (one, other) = (policy(1, one), policy(2, other));
        [one.impact_on(&other, past), other.impact_on(&one, past)]
    }

    const DAY: i64 = Timestamp::DAY;
    const HOUR: i64 = Timestamp::HOUR;

    fn past<'a>(case: PolicyInput<'a>, approvers: &'a [Decider], rejecters: &'a [Decider]) -> PastAction<'a> {
        PastAction {
            case,
            checks: &[],
            approvers,
            rejecters,
            proposed: Timestamp(0),
            decided: None,
            runner: None,
            oldest_evidence: None,
        }
    }

    #[test]
    fn every_difference_is_told_from_both_sides() {
        let (caller, payload) = (Human::of_account(PersonId::from_bits(9)), json!({}));
        let [one, two] = [1, 2].map(|n| member(n, &[Role::Reviewer]));
        let (approvers, rejecters) = ([one.clone()], [two.clone()]);
        let plain = || past(case(&caller, &payload), &approvers, &rejecters);
        let none = || Vec::<String>::new();
        let said = |sentence: &str| vec![sentence.to_owned()];

        assert_eq!(told("", "", &plain()), [none(), none()]);
        assert_eq!(
            told(
                "[[risk]]\nclass = \"high\"\n[confirmation]\ntyped_for = []",
                "",
                &plain()
            ),
            [
                said("its risk would be high, not low"),
                said("its risk would be low, not high")
            ]
        );
        assert_eq!(
            told("[confirmation]\ntyped_for = [\"low\"]", "", &plain()),
            [said("it would be approved by typing a word"), none()]
        );
        assert_eq!(
            told("[step_up]\nrisk = [\"low\"]", "", &plain()),
            [
                said("it would be approved only after a recent sign-in"),
                said("it would be approved without a recent sign-in")
            ]
        );
        let leads = "[[decide]]\nname = \"Leads\"\ngroups = [{ name = \"Leads\", roles = [\"lead\"] }]";
        assert_eq!(
            told(leads, "", &plain()),
            [
                vec![
                    "it would need 1 approval from Leads by the rule \"Leads\", not 1 approval from Reviewers".to_owned(),
                    "P1 could not have approved it".to_owned(),
                    "P2 could not have rejected it".to_owned(),
                    "it would have waited for 1 more approval".to_owned(),
                ],
                vec![
                    "it would need 1 approval from Reviewers by the rule \"One reviewer or lead\", not 1 approval from Leads".to_owned(),
                    "it would have needed fewer approvals".to_owned(),
                ]
            ]
        );
        let many = "[[decide]]\nname = \"Three\"\ngroups = [{ name = \"Any\", approvals = 3 }]";
        assert_eq!(
            told(many, "", &plain())[0][1],
            "it would have waited for 2 more approvals"
        );
        let undecided = past(case(&caller, &payload), &[], &[]);
        assert_eq!(
            told(many, "", &undecided)[0].len(),
            1,
            "without an approval nothing is said of them"
        );
    }

    #[test]
    fn times_and_people_are_held_against_both_policies() {
        let (caller, payload) = (Human::of_account(PersonId::from_bits(9)), json!({}));
        let approvers = [member(1, &[Role::Reviewer])];
        let plain = || past(case(&caller, &payload), &approvers, &[]);
        let none = || Vec::<String>::new();
        let said = |sentence: &str| vec![sentence.to_owned()];

        let short = "[expiry_hours]\nlow = 2";
        let decided = |after: i64| PastAction {
            decided: Some(Timestamp(after)),
            ..plain()
        };
        let late = "it would have expired before it was decided";
        assert_eq!(told(short, "", &decided(2 * HOUR)), [none(), none()]);
        assert_eq!(told(short, "", &decided(2 * HOUR + 1)), [said(late), none()]);
        assert_eq!(
            told(short, "", &decided(100 * HOUR)),
            [none(), none()],
            "by both it was late"
        );

        let apart = "[separation]\napprover_may_execute = false";
        let (another, refused) = (member(2, &[Role::Lead]), member(3, &[Role::Lead, Role::Operator]));
        let ran = |runner| PastAction {
            runner: Some(runner),
            ..plain()
        };
        assert_eq!(
            told(apart, "", &ran(&approvers[0])),
            [said("P1 could not have run it"), none()]
        );
        assert_eq!(told(apart, "", &ran(&another)), [none(), none()]);
        assert_eq!(told(apart, "", &ran(&refused)), [none(), none()], "both refuse");

        let fresh = "[evidence]\nmax_age_days = 2";
        let cited = |decided| PastAction {
            proposed: Timestamp(3 * DAY),
            decided,
            oldest_evidence: Some(Timestamp(0)),
            ..plain()
        };
        let (old, not_old) = (
            "evidence that it cites would have been too old",
            "evidence that it cites would not have been too old",
        );
        assert_eq!(
            told(fresh, "", &cited(None)),
            [said(old), said(not_old)],
            "when it was proposed"
        );
        assert_eq!(
            told(fresh, "", &cited(Some(Timestamp(4 * DAY)))),
            [said(old), said(not_old)]
        );
        assert_eq!(told(fresh, "", &cited(Some(Timestamp(2 * DAY)))), [none(), none()]);
    }

    #[test]
    fn a_check_that_is_weighed_otherwise_is_told_once() {
        let (caller, payload) = (Human::of_account(PersonId::from_bits(9)), json!({}));
        let checks = [
            check(CheckId::Titles, Verdict::Warn),
            check(CheckId::Titles, Verdict::Warn),
            check(CheckId::Evidence, Verdict::Block),
        ];
        let found = PastAction {
            checks: &checks,
            ..past(case(&caller, &payload), &[], &[])
        };
        let [strict, soft] = told("[checks]\ntitles = \"block\"", "[checks]\ntitles = \"warn\"", &found);
        assert_eq!(strict, ["the check titles would have blocked it"]);
        assert_eq!(soft, ["the check titles would only have warned"]);
    }
}
