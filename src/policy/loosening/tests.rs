//! What counts as looser: examples.

mod random;

use super::*;
use crate::policy::parse;

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
        ("", "[step_up]\nrisk = [\"high\"]"),
        (
            "[step_up]\nrisk = [\"high\"]",
            "[step_up]\nrisk = [\"high\", \"low\"]\nmax_age_minutes = 9\nacr = [\"a\"]",
        ),
        (
            "[step_up]\nrisk = [\"high\"]\nacr = [\"a\", \"b\"]",
            "[step_up]\nrisk = [\"high\"]\nacr = [\"b\"]",
        ),
        // Without a class of risk the other fields have no effect.
        ("[step_up]\nmax_age_minutes = 1\nacr = [\"a\"]", ""),
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
            "[step_up]\nrisk = [\"high\"]",
            "",
            "risk high are approved without a recent sign-in",
        ),
        (
            "[step_up]\nrisk = [\"high\", \"low\"]",
            "[step_up]\nrisk = [\"high\"]",
            "risk low are approved without a recent sign-in",
        ),
        (
            "[step_up]\nrisk = [\"high\"]",
            "[step_up]\nrisk = [\"high\"]\nmax_age_minutes = 11",
            "up to 11 minutes after the sign-in, not 10",
        ),
        (
            "[step_up]\nrisk = [\"high\"]\nacr = [\"a\"]",
            "[step_up]\nrisk = [\"high\"]",
            "after every kind of sign-in",
        ),
        (
            "[step_up]\nrisk = [\"high\"]\nacr = [\"a\"]",
            "[step_up]\nrisk = [\"high\"]\nacr = [\"a\", \"b\"]",
            "of the kind b (acr) too",
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
