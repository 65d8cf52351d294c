//! What counts as looser: examples, and random policies on random actions and people.

use super::outcomes::RISKS;
use super::*;
use crate::domain::{Check, CheckCode, Email, Human, Person, PersonId, Severity, Timestamp, Verdict};
use crate::policy::rules::{Condition, DecideRule, Group, RiskRule};
use crate::policy::{Decider, Policy, PolicyInput, RiskInput, parse};
use proptest::prelude::*;
use serde_json::{Value, json};

fn loosened(old: &str, new: &str) -> Vec<String> {
    let rules = |source: &str| parse(source).unwrap_or_else(|mistakes| panic!("{source}: {mistakes:?}"));
    loosens(&rules(old), &rules(new))
}

const TEAM: &str =
    "[[decide]]\nname = \"Team\"\ngroups = [{ name = \"Payments\", teams = [\"payments\"], approvals = 2 }]\n";
const WIDE: &str = "[[decide]]\nname = \"Wide\"\nwhere = [{ at = \"/children\", at_least = 2 }]\n\
                    groups = [{ name = \"Leads\", roles = [\"lead\"] }]\n\
                    [[decide]]\nname = \"Rest\"\ngroups = [{ name = \"Any\" }]\n";

#[test]
fn what_is_as_strict_or_stricter_loosens_nothing() {
    for (old, new) in [
        ("", ""),
        ("", "# Other words."),
        ("", TEAM),
        ("", WIDE),
        (
            "",
            "[separation]\napprover_may_execute = false\npruner_may_decide = false",
        ),
        ("[separation]\ncaller_may_decide = true", ""),
        ("", "[expiry_hours]\nlow = 1\nmedium = 1\nhigh = 1"),
        ("", "[evidence]\nmax_age_days = 13"),
        ("", "[severity]\nhigh_risk_from = \"medium\"\nblocker_from = \"high\""),
        ("", "[checks]\ngrounding = \"block\""),
        ("[checks]\ntitles = \"warn\"", ""),
        ("", "[confirmation]\ntyped_for = [\"high\", \"low\"]"),
        ("", "[limits]\npending_per_caller = 10\npending_per_client = 20"),
        (
            "",
            "[roles]\nforbidden = [[\"operator\", \"reviewer\"], [\"operator\", \"lead\"], [\"developer\", \"lead\"]]",
        ),
        // A smaller combination forbids more.
        ("[roles]\nforbidden = [[\"operator\", \"lead\", \"auditor\"]]", ""),
        ("", "[[risk]]\ntool = \"a\"\nclass = \"high\""),
        // A higher class expires sooner.
        (
            "",
            "[[risk]]\nclass = \"high\"\n[expiry_hours]\nmedium = 500\nlow = 500",
        ),
        // Two teams instead of one group: the second team is part of the first group.
        (
            "[[decide]]\nname = \"x\"\ngroups = [{ name = \"a\" }]",
            "[[decide]]\nname = \"x\"\ngroups = [{ name = \"p\", teams = [\"p\"] }, { name = \"c\", teams = [\"c\"] }]",
        ),
        // The same address in another spelling.
        (
            "[[decide]]\nname = \"x\"\ngroups = [{ name = \"a\", people = [\"Dana@x.example\", \"b@x.example\"] }]",
            "[[decide]]\nname = \"x\"\ngroups = [{ name = \"a\", people = [\"dana@X.example\"] }]",
        ),
        // More children, more approvals; the narrower condition comes first.
        (
            WIDE,
            "[[decide]]\nname = \"Very wide\"\nwhere = [{ at = \"/children\", at_least = 9 }]\n\
             groups = [{ name = \"Leads\", roles = [\"lead\"], approvals = 2 }]\n\
             [[decide]]\nname = \"Wide\"\nwhere = [{ at = \"/children\", at_least = 2 }]\n\
             groups = [{ name = \"Leads\", roles = [\"lead\"] }]\n\
             [[decide]]\nname = \"Rest\"\ngroups = [{ name = \"Any\" }]\n",
        ),
    ] {
        assert_eq!(loosened(old, new), [""; 0], "from {old:?} to {new:?}");
    }
}

#[test]
fn what_is_looser_is_said() {
    for (old, new, part) in [
        (
            "",
            "[separation]\ncaller_may_decide = true",
            "proposed for may decide it",
        ),
        (
            "[separation]\napprover_may_execute = false",
            "",
            "approved an action may run it",
        ),
        ("[separation]\npruner_may_decide = false", "", "may decide what is left"),
        (
            "",
            "[expiry_hours]\nlow = 73",
            "Actions of risk low wait 73 hours, not 72",
        ),
        (
            "",
            "[[risk]]\nclass = \"high\"\n[expiry_hours]\nhigh = 100",
            "risk high (until now low) wait 100 hours",
        ),
        ("", "[evidence]\nmax_age_days = 15", "15 days old, not 14"),
        (
            "",
            "[severity]\nblocker_from = \"high\"\nhigh_risk_from = \"critical\"",
            "can be of risk low where they were of risk high",
        ),
        (
            "[severity]\nblocker_from = \"high\"",
            "",
            "block releases from severity critical on",
        ),
        ("", "[checks]\ntitles = \"warn\"", "The check titles only warns"),
        (
            "[checks]\ngrounding = \"block\"",
            "",
            "The check grounding no longer blocks",
        ),
        (
            "",
            "[confirmation]\ntyped_for = []",
            "risk high are approved without typing",
        ),
        (
            "",
            "[limits]\npending_per_caller = 201",
            "201 actions of one caller may wait, not 200",
        ),
        ("", "[limits]\npending_per_client = 1001", "1001 actions of one client"),
        (
            "",
            "[roles]\nforbidden = [[\"operator\", \"lead\"]]",
            "holds the roles operator and reviewer may decide",
        ),
        (
            "",
            "[roles]\nforbidden = [[\"operator\", \"reviewer\", \"lead\"]]",
            "operator and reviewer",
        ),
        (
            "[[risk]]\ntool = \"a\"\nclass = \"high\"",
            "",
            "Actions of a can be of risk low where they were of risk high",
        ),
        (
            "",
            "[[risk]]\ntool = \"a\"\nclass = \"medium\"",
            "Actions of a can be of risk medium where they were of risk high",
        ),
        // Fewer approvals, other people, another team, another role.
        (
            TEAM,
            &TEAM.replace("approvals = 2", "approvals = 1"),
            "needs fewer approvals of the group \"Payments\"",
        ),
        (
            TEAM,
            &TEAM.replace("[\"payments\"]", "[\"payments\", \"checkout\"]"),
            "lets people of the group \"Payments\" decide",
        ),
        (TEAM, "", "where \"Team\" decided until now,"),
        (
            WIDE,
            &WIDE.replace("[\"lead\"]", "[\"lead\", \"reviewer\"]"),
            "The rule \"Wide\" lets people",
        ),
        (
            WIDE,
            &WIDE.replace("at_least = 2", "at_least = 3"),
            "The rule \"Rest\", where \"Wide\" decided until now,",
        ),
        (WIDE, "", "where \"Wide\" decided until now,"),
        // An earlier rule takes actions from a stricter rule.
        (
            TEAM,
            &format!("[[decide]]\nname = \"First\"\ntools = [\"a\"]\ngroups = [{{ name = \"Any\" }}]\n{TEAM}"),
            "The rule \"First\", where \"Team\" decided",
        ),
        // A removed group.
        (
            "[[decide]]\nname = \"x\"\ngroups = [{ name = \"p\", teams = [\"p\"] }, { name = \"c\", teams = [\"c\"] }]",
            "[[decide]]\nname = \"x\"\ngroups = [{ name = \"p\", teams = [\"p\"] }]",
            "fewer approvals of the group \"c\"",
        ),
        // The same number of people, but the members of one group may now fill the slots of the other.
        (
            "[[decide]]\nname = \"x\"\ngroups = [{ name = \"p\", teams = [\"p\"] }, { name = \"c\", teams = [\"c\"] }]",
            "[[decide]]\nname = \"x\"\ngroups = [{ name = \"both\", teams = [\"p\", \"c\"], approvals = 2 }]",
            "fewer approvals of the group",
        ),
        // A raised class can lead to a rule with fewer approvals.
        (
            "[[decide]]\nname = \"Not high\"\nrisk = [\"low\", \"medium\"]\ngroups = [{ name = \"Any\", approvals = 2 }]\n\
             [[decide]]\nname = \"Rest\"\ngroups = [{ name = \"Any\" }]",
            "[[risk]]\nclass = \"high\"\n\
             [[decide]]\nname = \"Not high\"\nrisk = [\"low\", \"medium\"]\ngroups = [{ name = \"Any\", approvals = 2 }]\n\
             [[decide]]\nname = \"Rest\"\ngroups = [{ name = \"Any\" }]",
            "The rule \"Rest\", where \"Not high\" decided",
        ),
        // An ID and an address may name the same person; the policy alone cannot show that.
        (
            "[[decide]]\nname = \"x\"\ngroups = [{ name = \"d\", people = [\"dana@x.example\"] }]",
            "[[decide]]\nname = \"x\"\ngroups = [{ name = \"d\", people = [\"per_00000000000000000000000001\"] }]",
            "lets people of the group \"d\"",
        ),
    ] {
        let sentences = loosened(old, new);
        assert!(
            sentences.iter().any(|one| one.contains(part)),
            "{part:?} from {old:?} to {new:?}: {sentences:?}"
        );
    }
}

/// A policy with too many conditions to try all combinations.
fn many_conditions(approvals: usize) -> String {
    let rule = |n: usize| {
        format!(
            "[[decide]]\nname = \"r{n}\"\nwhere = [{{ at = \"/f{n}\", is = [1] }}]\ngroups = [{{ name = \"Any\", approvals = {approvals} }}]\n"
        )
    };
    let rules: String = (0..20).map(rule).collect();
    format!("{rules}[[decide]]\nname = \"Rest\"\ngroups = [{{ name = \"Any\" }}]\n")
}

#[test]
fn too_many_conditions_count_as_looser_unless_the_rules_choose_the_same() {
    let (one, two) = (many_conditions(1), many_conditions(2));
    assert_eq!(loosened(&one, &one), [""; 0]);
    assert_eq!(loosened(&one, &two), [""; 0]);
    assert!(loosened(&two, &one)[0].contains("needs fewer approvals"));
    let moved = one.replacen("\"/f0\"", "\"/f00\"", 1);
    assert!(
        loosened(&one, &moved)[0].contains("cannot be shown"),
        "{:?}",
        loosened(&one, &moved)
    );
}

#[test]
fn as_many_conditions_as_are_gone_through_are_compared_in_all_combinations() {
    let moved = |count: usize| {
        let rule = |n: usize| {
            format!(
                "[[decide]]\nname = \"r{n}\"\nwhere = [{{ at = \"/f{n}\", is = [1] }}]\ngroups = [{{ name = \"Any\" }}]\n"
            )
        };
        let rules: String = (0..count).map(rule).collect();
        let old = format!("{rules}[[decide]]\nname = \"Rest\"\ngroups = [{{ name = \"Any\" }}]\n");
        loosened(&old, &old.replacen("\"/f0\"", "\"/f00\"", 1))
    };
    assert_eq!(
        moved(11),
        [""; 0],
        "with the new one they are 12, as many as are allowed"
    );
    assert!(moved(12)[0].contains("cannot be shown"));
}

#[test]
fn a_condition_that_is_written_twice_is_one() {
    let condition = "{ at = \"/children\", at_least = 2 }";
    let twice = WIDE.replace(condition, &format!("{condition}, {condition}"));
    assert_eq!(loosened(WIDE, &twice), [""; 0]);
    assert_eq!(loosened(&twice, WIDE), [""; 0]);
}

#[test]
fn a_rule_holds_where_all_of_its_conditions_do() {
    let leads_where = |conditions: &str| WIDE.replace("{ at = \"/children\", at_least = 2 }", conditions);
    let (one, other) = ("{ at = \"/a\", is = [1] }", "{ at = \"/b\", is = [1] }");
    let both = leads_where(&format!("{one}, {other}"));
    assert_ne!(loosened(&leads_where(one), &both), [""; 0]);
    assert_eq!(loosened(&both, &leads_where(one)), [""; 0]);
    // The conditions that imply each other come after one that has nothing to do with them.
    let first =
        |rest: &str| format!("[[decide]]\nname = \"First\"\nwhere = [{one}]\ngroups = [{{ name = \"Any\" }}]\n{rest}");
    let wider = WIDE.replace("at_least = 2", "at_least = 1");
    assert_eq!(loosened(&first(WIDE), &first(&wider)), [""; 0]);
}

#[test]
fn another_address_is_another_person() {
    let decided_by =
        |person: &str| format!("[[decide]]\nname = \"x\"\ngroups = [{{ name = \"a\", people = [\"{person}\"] }}]");
    let told = loosened(&decided_by("dana@x.example"), &decided_by("lee@x.example"));
    assert!(
        told.iter().any(|one| one.contains("decide who did not before")),
        "{told:?}"
    );
}

/// Rules for nine children or more, for two or more, and for all others, with as many approvals.
fn by_children(nine: usize, two: usize, others: usize) -> String {
    let rule = |name: &str, lines: &str, approvals: usize| {
        format!("[[decide]]\nname = \"{name}\"\n{lines}\ngroups = [{{ name = \"Any\", approvals = {approvals} }}]\n")
    };
    let least = |count: usize| format!("where = [{{ at = \"/children\", at_least = {count} }}]");
    rule("Nine", &least(9), nine) + &rule("Two", &least(2), two) + &rule("Others", "", others)
}

#[test]
fn every_combination_that_arguments_can_bring_about_is_compared() {
    let old = by_children(2, 2, 2);
    for (new, rule) in [
        (by_children(1, 2, 2), "\"Nine\""),
        (by_children(2, 1, 2), "\"Two\""),
        (by_children(2, 2, 1), "\"Others\""),
    ] {
        let told = loosened(&old, &new);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].contains(rule) && told[0].contains("needs fewer approvals"),
            "{told:?}"
        );
    }
}

#[test]
fn a_combination_that_arguments_cannot_bring_about_is_not_compared() {
    let leads_where = |condition: &str| WIDE.replace("{ at = \"/children\", at_least = 2 }", condition);
    let (size, values) = ("{ at = \"/n\", at_least = 2 }", "{ at = \"/n\", is = [\"a\", \"b\"] }");
    for (old, wider) in [
        (size, "{ at = \"/n\", at_least = 1 }"),
        (values, "{ at = \"/n\", is = [\"b\", \"c\", \"a\"] }"),
    ] {
        assert_eq!(loosened(&leads_where(old), &leads_where(wider)), [""; 0], "{wider}");
    }
    for (old, other) in [
        (size, "{ at = \"/n\", at_least = 3 }"),
        (size, "{ at = \"/m\", at_least = 1 }"),
        (size, values),
        (values, size),
        (values, "{ at = \"/n\", is = [\"a\"] }"),
        (values, "{ at = \"/m\", is = [\"a\", \"b\"] }"),
    ] {
        assert_ne!(loosened(&leads_where(old), &leads_where(other)), [""; 0], "{other}");
    }
}

#[test]
fn what_is_said_is_bounded() {
    let rule = |n: usize| {
        format!("[[decide]]\nname = \"r{n}\"\ntools = [\"t{n}\"]\ngroups = [{{ name = \"g\", approvals = 2 }}]\n")
    };
    let rules: String = (0..90).map(rule).collect();
    let old = format!("{rules}[[decide]]\nname = \"Rest\"\ngroups = [{{ name = \"Any\" }}]\n");
    let sentences = loosened(&old, "");
    assert_eq!(sentences.len(), MAX_SENTENCES + 1);
    assert_eq!(sentences[MAX_SENTENCES], "There is more that it loosens.");
}

// Random policies of few tools, teams, people and conditions, so that their rules overlap.

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
    (lists, numbers, severities, meaning, some(&RISKS), some(forbidden)).prop_map(
        |((risk, mut decide, rest), (low, medium, high, days, flags), severities, meaning, typed_for, forbidden)| {
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
            rules.roles.forbidden = forbidden.into_iter().map(<[Role]>::to_vec).collect();
            rules
        },
    )
}

/// A part of one policy put into another, because most pairs of random policies have nothing in common.
fn pair() -> impl Strategy<Value = (Rules, Rules)> {
    let part = prop::collection::vec(0..14usize, 0..3);
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
                _ => new.confirmation = other.confirmation.clone(),
            }
        }
        (old, new)
    })
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
