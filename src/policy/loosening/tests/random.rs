//! Random policies of few tools, teams, people and conditions, so that their rules overlap.

use crate::domain::*;
use crate::policy::loosening::outcomes::RISKS;
use crate::policy::loosening::*;
use crate::policy::rules::{Condition, DecideRule, Group, RiskRule, StepUpRules};
use crate::policy::{Decider, Policy, PolicyInput, RiskInput};
use proptest::prelude::*;
use serde_json::{Value, json};

const TOOLS: [&str; 3] = ["a", "b", "c"];
const TEAMS: [&str; 2] = ["p", "q"];

fn condition() -> impl Strategy<Value = Condition> {
    let of = |at: &str, is: Vec<Value>, at_least| Condition {
        at: at.to_owned(),
        is,
        at_least,
    };
    prop_oneof![
        (0..4i64).prop_map(move |n| of("/n", vec![], Some(n))),
        prop::collection::vec((0..3i64).prop_map(Value::from), 1..3).prop_map(move |is| of("/s", is, None)),
        prop::collection::vec((0..3i64).prop_map(Value::from), 1..3).prop_map(move |is| of("/l/*", is, None)),
    ]
}

fn some<T: Clone + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = Vec<T>> {
    prop_oneof![2 => Just(Vec::new()), 3 => prop::sample::subsequence(all, 1..=all.len())]
}

fn risk() -> impl Strategy<Value = Risk> {
    prop::sample::select(&RISKS[..])
}

fn texts(all: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    some(all).prop_map(|some| some.into_iter().map(str::to_owned).collect())
}

fn group() -> impl Strategy<Value = Group> {
    let people: &[&str] = &["p0@x.example", "P1@x.example", "per_00000000000000000000000002"];
    let roles: &[Role] = &[Role::Reviewer, Role::Lead];
    (some(roles), texts(&TEAMS), texts(people), 1..3usize).prop_map(|(roles, teams, people, approvals)| Group {
        name: "g".to_owned(),
        roles,
        teams,
        people,
        approvals,
    })
}

fn decide_rule() -> impl Strategy<Value = DecideRule> {
    let conditions = prop::collection::vec(condition(), 0..2);
    (
        texts(&TOOLS),
        some(&RISKS),
        conditions,
        prop::collection::vec(group(), 1..3),
    )
        .prop_map(|(tools, risk, conditions, groups)| DecideRule {
            name: "r".to_owned(),
            tools,
            risk,
            conditions,
            groups,
        })
}

fn risk_rule() -> impl Strategy<Value = RiskRule> {
    let tool = prop::option::of(prop::sample::select(&TOOLS[..]).prop_map(str::to_owned));
    (tool, prop::collection::vec(condition(), 0..2), risk()).prop_map(|(tool, conditions, class)| RiskRule {
        tool,
        conditions,
        class,
    })
}

fn rules() -> impl Strategy<Value = Rules> {
    let rest = prop::collection::vec(group(), 1..3).prop_map(|groups| DecideRule {
        name: "rest".to_owned(),
        tools: Vec::new(),
        risk: Vec::new(),
        conditions: Vec::new(),
        groups,
    });
    let lists = (
        prop::collection::vec(risk_rule(), 0..3),
        prop::collection::vec(decide_rule(), 0..3),
        rest,
    );
    let numbers = (1..4i64, 1..4i64, 1..4i64, 1..4i64, prop::array::uniform3(any::<bool>()));
    let severities = prop::array::uniform2(prop::sample::select(Severity::ALL));
    let meaning = prop::option::of(prop_oneof![Just(VerdictOverride::Warn), Just(VerdictOverride::Block)]);
    let forbidden: &[&[Role]] = &[
        &[Role::Operator, Role::Reviewer],
        &[Role::Operator, Role::Lead],
        &[Role::Operator, Role::Reviewer, Role::Lead],
    ];
    let step_up = (some(&RISKS), 1..4i64, texts(&["x", "y"])).prop_map(|(risk, max_age_minutes, acr)| StepUpRules {
        risk,
        max_age_minutes,
        acr,
    });
    (
        lists,
        numbers,
        severities,
        meaning,
        (some(&RISKS), step_up),
        some(forbidden),
    )
        .prop_map(
            |(
                (risk, mut decide, rest),
                (low, medium, high, days, flags),
                severities,
                meaning,
                (typed_for, step_up),
                forbidden,
            )| {
                decide.push(rest);
                let mut rules = Rules {
                    risk,
                    decide,
                    ..Rules::default()
                };
                (
                    rules.expiry_hours.low,
                    rules.expiry_hours.medium,
                    rules.expiry_hours.high,
                ) = (low, medium, high);
                rules.evidence.max_age_days = days;
                rules.separation.caller_may_decide = flags[0];
                rules.separation.approver_may_execute = flags[1];
                rules.separation.pruner_may_decide = flags[2];
                [rules.severity.high_risk_from, rules.severity.blocker_from] = severities;
                rules.checks.extend(meaning.map(|meaning| (CheckId::Titles, meaning)));
                rules.confirmation.typed_for = typed_for;
                rules.step_up = step_up;
                rules.roles.forbidden = forbidden.into_iter().map(<[Role]>::to_vec).collect();
                rules
            },
        )
}

/// A part of one policy put into another, because most pairs of random policies have nothing in common.
fn pair() -> impl Strategy<Value = (Rules, Rules)> {
    let part = prop::collection::vec(0..18usize, 0..3);
    (rules(), rules(), part, 0..8usize).prop_map(|(old, other, parts, at)| {
        let mut new = old.clone();
        for part in parts {
            let rule = at % new.decide.len();
            let group = at % new.decide[rule].groups.len();
            match part {
                0 => new.risk.clone_from(&other.risk),
                1 => new.risk.extend(other.risk.first().cloned()),
                2 => new.decide.clone_from(&other.decide),
                3 => new.decide.insert(0, other.decide[0].clone()),
                4 => drop((new.decide.len() > 1).then(|| new.decide.remove(0))),
                5 => new.decide[rule].groups.push(other.decide[0].groups[0].clone()),
                6 => new.decide[rule].groups[group].approvals += 1,
                7 => new.decide[rule].groups[group].teams.push("p".to_owned()),
                8 => new.decide[rule].groups[group].roles = vec![Role::Lead],
                9 => new.expiry_hours = other.expiry_hours.clone(),
                10 => new.separation = other.separation.clone(),
                11 => new.severity = other.severity.clone(),
                12 => new.roles = other.roles.clone(),
                13 => new.step_up = other.step_up.clone(),
                14 => new.step_up.risk.clone_from(&other.step_up.risk),
                15 => new.step_up.max_age_minutes = other.step_up.max_age_minutes,
                16 => new.step_up.acr.clone_from(&other.step_up.acr),
                _ => new.confirmation = other.confirmation.clone(),
            }
        }
        (old, new)
    })
}

const NOW: Timestamp = Timestamp(Timestamp::DAY);

/// Ways of authenticating, each with the minutes since.
fn signed_in() -> impl Iterator<Item = (Option<&'static str>, i64)> {
    [None, Some("x"), Some("y"), Some("z")]
        .into_iter()
        .flat_map(|acr| (0..5).map(move |age| (acr, age)))
}

fn sign_in(acr: Option<&str>, age: i64) -> ProviderSignIn {
    ProviderSignIn {
        issuer: "i".to_owned(),
        subject: "s".to_owned(),
        sid: None,
        issued_at: NOW,
        authenticated_at: Some(NOW.plus(-age * Timestamp::MINUTE - PROVIDER_CLOCK_SKEW)),
        prompted: false,
        acr: acr.map(str::to_owned),
        id_token: None,
    }
}

/// People with these roles and teams; the last two accounts belong to one human.
fn people(held: &[(Vec<Role>, Vec<String>)]) -> Vec<Decider> {
    let first = held.len() - 2;
    // As the store loads them: the roles of one linked account count for the other.
    let both: Vec<Role> = held[first..].iter().flat_map(|(roles, _)| roles.clone()).collect();
    let member = |(n, (roles, teams)): (usize, &(Vec<Role>, Vec<String>))| Decider {
        person: Person {
            id: PersonId::from_bits(n as u128),
            email: Email::verified(&format!("p{n}@x.example")),
            name: format!("P{n}").into(),
            roles: roles.clone(),
        },
        human: Human::of_account(PersonId::from_bits(n.min(first) as u128)),
        held: if n < first { roles.clone() } else { both.clone() },
        teams: teams.iter().cloned().collect(),
    };
    held.iter().enumerate().map(member).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, max_global_rejects: 50_000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn what_loosens_nothing_admits_nobody_new(
        (old, new) in pair(),
        held in prop::collection::vec((some(&[Role::Reviewer, Role::Lead, Role::Operator]), texts(&TEAMS)), 5),
        payloads in prop::collection::vec((0..4i64, 0..3i64, prop::collection::vec(0..3i64, 0..3)), 8),
        approving in prop::collection::vec(any::<u8>(), 8),
        tool_risk in risk(), max_severity in prop::option::of(prop::sample::select(Severity::ALL)), tool in prop::sample::select(&["a", "b", "c", "d"][..]),
    ) {
        prop_assume!(loosens(&old, &new).is_empty());
        let (old, new) = (Policy { version: 1, rules: old }, Policy { version: 2, rules: new });
        let members = people(&held);
        for (n, s, l) in payloads {
            let payload = json!({ "n": n, "s": s, "l": l });
            let risk_input = RiskInput { tool, tool_risk, max_severity, payload: &payload };
            let case = PolicyInput { risk_input, caller: &members[0].human, pruner: Some(&members[1].human) };
            let (was, is) = (old.risk_class(&risk_input), new.risk_class(&risk_input));
            prop_assert!(is >= was);
            prop_assert!(new.expiry(is) <= old.expiry(was));
            prop_assert!(new.is_typed(&risk_input) || !old.is_typed(&risk_input));
            for (acr, age) in signed_in() {
                let passes = |policy: &Policy| policy.step_up(&risk_input).is_none_or(|one| one.unmet(Some(&sign_in(acr, age)), NOW).is_none());
                prop_assert!(passes(&old) || !passes(&new), "{acr:?} {age}");
            }
            prop_assert!(new.rules.evidence.max_age_days <= old.rules.evidence.max_age_days);
            prop_assert!(new.is_stale(Timestamp(0), Timestamp(2 * Timestamp::DAY)) || !old.is_stale(Timestamp(0), Timestamp(2 * Timestamp::DAY)));
            let verdict = |policy: &Policy, verdict| {
                let check = Check {
                    id: CheckId::Titles, code: CheckCode::GenericTitle, verdict, message: String::new().into(), facts: Vec::new(), pointers: Vec::new(), unlisted: None, basis: None,
                };
                policy.apply_overrides(vec![check])[0].verdict
            };
            for one in [Verdict::Warn, Verdict::Block] {
                prop_assert!(verdict(&new, one) >= verdict(&old, one));
            }
            for member in &members {
                prop_assert!(old.refuses(member, &case).is_none() || new.refuses(member, &case).is_some(), "{member:?}");
            }
            for chosen in &approving {
                let some: Vec<Decider> = (0..5).filter(|n| chosen & (1 << n) != 0).map(|n| members[n].clone()).collect();
                if new.missing(&some, &case).is_empty() {
                    prop_assert!(old.missing(&some, &case).is_empty(), "{some:?}");
                }
                for member in &members {
                    let runs = |policy: &Policy| policy.refuses_to_run(member, &some, &case).is_none();
                    prop_assert!(runs(&old) || !runs(&new));
                }
            }
        }
    }

    #[test]
    fn nothing_is_looser_than_itself(rules in rules()) {
        prop_assert_eq!(loosens(&rules, &rules), [""; 0]);
    }
}
