//! A policy asked with values, and two policies asked together.

use super::*;
use crate::domain::test_records::one_of_each;
use crate::domain::{
    CheckCode, CheckId, Create, Email, FieldChange, Finding, FindingId, Person, PersonId, Role, Update, WorkItemId,
};
use crate::tools;
use serde_json::json;

pub(super) fn policy(version: i64, source: &str) -> Policy {
    let rules = parse(source).unwrap_or_else(|mistakes| panic!("{source}: {mistakes:?}"));
    Policy { version, rules }
}

pub(super) fn member(n: u128, roles: &[Role]) -> Decider {
    Decider {
        person: Person {
            id: PersonId::from_bits(n),
            email: Email::verified(&format!("p{n}@acme.example")),
            name: format!("P{n}").into(),
            roles: roles.to_vec(),
        },
        human: Human::of_account(PersonId::from_bits(n)),
        held: roles.to_vec(),
        teams: Default::default(),
    }
}

pub(super) fn risk_input<'a>(tool: &'a str, own: Risk, payload: &'a Value) -> RiskInput<'a> {
    RiskInput {
        tool,
        tool_risk: own,
        max_severity: None,
        payload,
    }
}

pub(super) fn case<'a>(caller: &'a Human, payload: &'a Value) -> PolicyInput<'a> {
    PolicyInput {
        risk_input: risk_input("a", Risk::Low, payload),
        caller,
        pruner: None,
    }
}

pub(super) fn check(id: CheckId, verdict: Verdict) -> Check {
    let mut codes = CheckCode::ALL.iter().filter(|code| code.check() == id);
    Check {
        id,
        code: *codes.find(|code| !code.is_pass()).unwrap(),
        verdict,
        message: "".into(),
        facts: Vec::new(),
        pointers: Vec::new(),
        unlisted: None,
        basis: None,
    }
}

/// Person 9, who decides nothing.
fn caller() -> Human {
    Human::of_account(PersonId::from_bits(9))
}

const TWO_LEADS: &str =
    "[[decide]]\nname = \"Leads\"\ngroups = [{ name = \"Leads\", roles = [\"lead\"], approvals = 2 }]\n";

#[test]
fn the_built_in_file_says_what_the_built_in_policy_is() {
    let names: Vec<&str> = tools::TOOLS.iter().map(|tool| tool.name()).collect();
    assert_eq!(read(BUILT_IN, &names).unwrap(), Rules::default());
}

#[test]
fn an_action_waits_as_long_as_its_class_says() {
    let policy = policy(1, "[expiry_hours]\nlow = 3\nmedium = 2\nhigh = 1");
    assert_eq!(
        [Risk::Low, Risk::Medium, Risk::High].map(|risk| policy.expiry(risk)),
        [3, 2, 1].map(|hours| hours * Timestamp::HOUR)
    );
}

#[test]
fn the_first_risk_rule_that_fits_counts_then_the_severity_then_the_tool() {
    let policy = policy(
        1,
        "[[risk]]\ntool = \"a\"\nwhere = [{ at = \"/n\", at_least = 2 }]\nclass = \"medium\"\n\
         [[risk]]\nwhere = [{ at = \"/n\", at_least = 5 }]\nclass = \"high\"\n[severity]\nhigh_risk_from = \"medium\"",
    );
    let class = |tool: &str, n: i64, max_severity: Option<Severity>| {
        let payload = json!({ "n": n });
        policy.risk_class(&RiskInput {
            max_severity,
            ..risk_input(tool, Risk::Low, &payload)
        })
    };
    assert_eq!(class("a", 2, None), Risk::Medium);
    assert_eq!(class("a", 5, Some(Severity::Critical)), Risk::Medium, "the first rule");
    assert_eq!(class("b", 5, None), Risk::High);
    assert_eq!(class("b", 2, None), Risk::Low);
    assert_eq!(class("a", 1, Some(Severity::Low)), Risk::Low);
    assert_eq!(class("a", 1, Some(Severity::Medium)), Risk::High);
    assert_eq!(class("a", 1, Some(Severity::High)), Risk::High);
}

#[test]
fn the_first_rule_that_fits_says_who_decides() {
    let group = "groups = [{ name = \"g\" }]";
    let source = format!(
        "[[decide]]\nname = \"0\"\ntools = [\"a\"]\nrisk = [\"low\"]\n{group}\n\
         [[decide]]\nname = \"1\"\nrisk = [\"medium\"]\n{group}\n\
         [[decide]]\nname = \"2\"\nwhere = [{{ at = \"/n\", is = [1] }}]\n{group}\n\
         [[decide]]\nname = \"3\"\n{group}"
    );
    let of = |source: &str, tool: &str, own: Risk, n: i64| {
        let payload = json!({ "n": n });
        let policy = policy(1, source);
        let (place, rule) = policy.decide_rule(&risk_input(tool, own, &payload));
        assert_eq!(rule.name, place.to_string());
        place
    };
    assert_eq!(of(&source, "a", Risk::Low, 1), 0);
    assert_eq!(of(&source, "b", Risk::Low, 0), 3);
    assert_eq!(of(&source, "b", Risk::Low, 1), 2);
    assert_eq!(of(&source, "a", Risk::Medium, 1), 1);
    assert_eq!(of(&source, "a", Risk::High, 0), 3);
    let (narrow, _) = source.split_once("[[decide]]\nname = \"2\"").unwrap();
    assert_eq!(of(narrow, "b", Risk::High, 0), 1, "the last rule, where none fits");
}

#[test]
fn only_those_whom_the_rule_names_decide() {
    let policy = policy(1, TWO_LEADS);
    let (caller, payload) = (caller(), json!({}));
    let case = case(&caller, &payload);
    let (lead, reviewer) = (member(1, &[Role::Lead]), member(2, &[Role::Reviewer]));
    assert_eq!(policy.refuses(&lead, &case), None);
    assert!(policy.refuses(&reviewer, &case).unwrap().contains("\"Leads\""));
    assert_eq!(
        policy.separates(&reviewer, &case),
        None,
        "the rule does, not the separation of duties"
    );
}

#[test]
fn duties_are_separated_as_the_policy_says() {
    let payload = json!({});
    let (lead, other) = (member(1, &[Role::Lead]), member(2, &[Role::Lead]));
    let caller = caller();
    let apart = case(&caller, &payload);
    let own = case(&lead.human, &payload);
    let pruned = PolicyInput {
        pruner: Some(&lead.human),
        ..apart
    };
    let strict = policy(
        1,
        "[separation]\napprover_may_execute = false\npruner_may_decide = false",
    );
    let open = policy(1, "[separation]\ncaller_may_decide = true");
    for case in [&own, &pruned] {
        assert!(strict.separates(&lead, case).is_some() && strict.refuses(&lead, case).is_some());
        assert!(strict.refuses_to_run(&lead, &[], case).is_some());
        assert_eq!(open.separates(&lead, case), None);
        assert_eq!(strict.separates(&other, case), None);
    }
    assert_eq!(strict.separates(&lead, &apart), None);
    let approved = [lead.clone()];
    assert!(strict.refuses_to_run(&lead, &approved, &apart).is_some());
    assert_eq!(strict.refuses_to_run(&other, &approved, &apart), None);
    assert_eq!(open.refuses_to_run(&lead, &approved, &apart), None);
    let both = member(3, &[Role::Operator, Role::Lead]);
    assert!(open.separates(&both, &apart).unwrap().contains("operator and lead"));
}

#[test]
fn evidence_is_stale_after_its_last_day() {
    let policy = policy(1, "[evidence]\nmax_age_days = 3");
    let age = |micros: i64| policy.is_stale(Timestamp(0), Timestamp(micros));
    assert!(!age(3 * Timestamp::DAY) && age(3 * Timestamp::DAY + 1));
}

#[test]
fn approvals_count_that_duties_let_count() {
    let policy = policy(1, TWO_LEADS);
    let [one, two, both] = [
        member(1, &[Role::Lead]),
        member(2, &[Role::Lead]),
        member(3, &[Role::Lead, Role::Operator]),
    ];
    let (caller, payload) = (caller(), json!({}));
    let case = case(&caller, &payload);
    let approvers = [one.clone(), both.clone()];
    assert_eq!(policy.counted(&approvers, &case), std::slice::from_ref(&one));
    let missing = policy.missing(&approvers, &case);
    assert_eq!(missing.iter().map(|one| one.approvals).collect::<Vec<_>>(), [1]);
    assert!(policy.would_help(&approvers, &two, &case));
    assert!(!policy.would_help(&approvers, &one, &case));
    assert!(!policy.would_help(&[one.clone(), two.clone()], &member(4, &[Role::Lead]), &case));
    assert!(policy.missing(&[one, two], &case).is_empty());
}

#[test]
fn a_word_is_typed_for_the_classes_that_ask_for_it() {
    let policy = policy(1, "[confirmation]\ntyped_for = [\"medium\"]");
    let payload = json!({});
    let typed = |own| policy.is_typed(&risk_input("a", own, &payload));
    assert_eq!([Risk::Low, Risk::Medium, Risk::High].map(typed), [false, true, false]);
}

#[test]
fn a_finding_means_what_the_policy_says_and_a_pass_stays_a_pass() {
    let policy = policy(1, "[checks]\ntitles = \"warn\"\ngrounding = \"block\"");
    let weighed = |id: CheckId| {
        let verdicts = [Verdict::Pass, Verdict::Unknown, Verdict::Warn, Verdict::Block];
        let checks = policy.apply_overrides(verdicts.map(|verdict| check(id, verdict)).to_vec());
        checks
            .iter()
            .map(|one| one.verdict.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(weighed(CheckId::Titles), "pass unknown warn warn");
    assert_eq!(weighed(CheckId::Grounding), "pass block block block");
    assert_eq!(weighed(CheckId::Evidence), "pass unknown warn block");
}

#[test]
fn the_worst_finding_that_is_closed_counts() {
    let mut facts = one_of_each(1);
    facts.extend(one_of_each(2));
    let low = facts.finding(&FindingId::from_bits(2)).unwrap().clone();
    facts.insert(Finding {
        severity: Severity::Low,
        ..low
    });
    let change = |kind: RecordKind, id: &str, field: &str, after: Value| {
        Change::Update(Update {
            kind,
            id: id.to_owned(),
            expected_version: 1,
            fields: vec![FieldChange {
                field: field.to_owned(),
                before: Value::Null,
                after,
            }],
        })
    };
    let finding = |n: u128, field: &str, after: &str| {
        change(
            RecordKind::Finding,
            FindingId::from_bits(n).as_str(),
            field,
            json!(after),
        )
    };
    let worst = |changes: Vec<Change>| max_severity(&ChangeSet(changes), &facts);
    assert_eq!(worst(vec![finding(2, "status", "fixed")]), Some(Severity::Low));
    assert_eq!(
        worst(vec![finding(2, "status", "fixed"), finding(1, "status", "accepted")]),
        Some(Severity::High)
    );
    assert_eq!(worst(vec![finding(1, "status", "open")]), None, "it is opened again");
    assert_eq!(worst(vec![finding(1, "justification", "fixed")]), None);
    assert_eq!(
        worst(vec![finding(3, "status", "fixed")]),
        None,
        "nothing is known of it"
    );
    let odd = change(
        RecordKind::WorkItem,
        FindingId::from_bits(1).as_str(),
        "status",
        json!("done"),
    );
    assert_eq!(worst(vec![odd]), None, "the kind counts, not the ID");
    let create = Change::Create(Create {
        kind: RecordKind::WorkItem,
        id: WorkItemId::from_bits(1).to_string(),
        client_ref: None,
        fields: Default::default(),
    });
    assert_eq!(worst(vec![create]), None);
}

/// The stricter policy is once that of the day of the proposal and once that of today: either is enough to refuse.
fn both_ways(strict: &str, open: &str, holds: impl Fn(&Policies) -> bool) {
    let (strict, open) = (Arc::new(policy(2, strict)), Arc::new(policy(3, open)));
    for (then, today) in [(&strict, &open), (&open, &strict)] {
        let both = Policies {
            then: then.clone(),
            today: today.clone(),
        };
        assert!(holds(&both), "{both:?}");
    }
    assert!(!holds(&Policies::single(open)));
}

#[test]
fn of_two_policies_either_refuses() {
    let (caller, payload) = (caller(), json!({}));
    let case = case(&caller, &payload);
    let reviewer = member(1, &[Role::Reviewer]);
    both_ways(TWO_LEADS, "", |both| both.refuses(&reviewer, &case).is_some());
    both_ways(TWO_LEADS, "", |both| {
        !both.missing(std::slice::from_ref(&reviewer), &case).is_empty()
    });
    both_ways("", "[confirmation]\ntyped_for = []", |both| {
        both.is_typed(&risk_input("a", Risk::High, &payload))
    });
    both_ways("[[risk]]\nclass = \"high\"", "", |both| {
        both.risk_class(&case.risk_input) == Risk::High
    });
    let alone = "[separation]\napprover_may_execute = false";
    both_ways(alone, "", |both| !both.lets_approvers_run());
    both_ways(alone, "", |both| {
        both.refuses_to_run(&reviewer, std::slice::from_ref(&reviewer), &case)
            .is_some()
    });
}

#[test]
fn of_two_policies_the_larger_number_of_approvals_counts() {
    let (caller, payload) = (caller(), json!({}));
    let case = case(&caller, &payload);
    let [one, two] = [1, 2].map(|n| member(n, &[Role::Lead]));
    let rule = |approvals: usize| {
        let group = format!("{{ name = \"Leads\", roles = [\"lead\"], approvals = {approvals} }}");
        format!("[[decide]]\nname = \"x\"\ngroups = [{group}]")
    };
    both_ways(&rule(2), &rule(1), |both| {
        let missing = both.missing(&[], &case);
        missing.len() == 1 && missing[0].approvals == 2
    });
    both_ways(&rule(2), &rule(1), |both| {
        both.would_help(std::slice::from_ref(&one), &two, &case)
    });
    let reviewer = member(3, &[Role::Reviewer]);
    let any = "[[decide]]\nname = \"x\"\ngroups = [{ name = \"Any\", approvals = 2 }]";
    let both = Policies {
        then: Arc::new(policy(1, any)),
        today: Arc::new(policy(2, &rule(2))),
    };
    assert!(!both.would_help(&[], &reviewer, &case), "today's refuses the reviewer");
    let groups: Vec<String> = both.missing(&[], &case).into_iter().map(|one| one.group).collect();
    assert_eq!(groups, ["Leads", "Any"], "today's first");
    let same = Policies::single(Arc::new(policy(1, any)));
    assert_eq!((same.each().count(), both.each().count()), (1, 2));
}
