use super::*;
use crate::domain::CheckId;
use crate::policy::validate::*;

const TOOLS: [&str; 2] = ["loopiq_accept_risk", "loopiq_create_work_item"];

fn mistakes(source: &str) -> Vec<String> {
    read(source, &TOOLS)
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn an_empty_file_is_the_built_in_policy() {
    assert_eq!(read("", &TOOLS).unwrap(), Rules::default());
}

#[test]
fn one_that_is_too_long_is_wrong_at_no_line() {
    let long = "#".repeat(LONGEST + 1);
    assert_eq!(mistakes(&long), ["it has 65537 bytes; at most 65536 fit"]);
}

#[test]
fn a_long_or_hidden_name_is_told_in_short() {
    let long = "n".repeat(30_000);
    let sources = [
        format!("{long} = 1"),
        format!("[checks]\n{long} = \"warn\""),
        format!("[[risk]]\ntool = \"{long}\"\nclass = \"low\""),
        "\"a\\u202E\\nb\" = 1".to_owned(),
    ];
    for told in sources.iter().flat_map(|source| mistakes(source)) {
        assert!(
            told.chars().count() < 900 && !told.contains(['\u{202E}', '\n']),
            "{told}"
        );
    }
}

#[test]
fn of_many_mistakes_the_first_are_told() {
    let tools = "\"a\",".repeat(10_000);
    let source = format!("decide = [{{ name = \"n\", tools = [{tools}], groups = [{{ name = \"g\" }}] }}]");
    let told = mistakes(&source);
    assert_eq!(told.len(), MOST_MISTAKES + 1);
    assert_eq!(told.last().unwrap(), "there are more mistakes; correct these first");
}

#[test]
fn broken_toml_and_unknown_fields_are_named_by_line() {
    assert_eq!(
        mistakes("\n[expiry_hours\nlow = 1"),
        ["line 2: unclosed table, expected `]`"]
    );
    insta::assert_snapshot!(mistakes("[separation]\ncaller_may_decides = true").join("\n"));
    insta::assert_snapshot!(mistakes("[expiry_hours]\nlow = \"long\"").join("\n"));
    insta::assert_snapshot!(mistakes("[checks]\nspelling = \"warn\"").join("\n"));
}

#[test]
fn what_would_lock_people_out_is_refused() {
    let source = r#"
[[risk]]
tool = "loopiq_acept_risk"
where = [{ at = "children" }]
class = "high"

[[decide]]
name = "Waivers"
tools = ["loopiq_accept_risk"]
groups = [
    { name = "A", roles = ["auditor"], approvals = 0 },
    { name = "A" },
]

[expiry_hours]
high = 0

[checks]
evidence = "warn"
duplicates = "warn"
"#;
    insta::assert_snapshot!(mistakes(source).join("\n"));
    insta::assert_snapshot!(mistakes("decide = []").join("\n"));
}

#[test]
fn people_roles_and_limits_are_named_by_line() {
    let source = "[[decide]]\nname = \"x\"\ngroups = [{ name = \"y\", people = [\"Dana\", \"dana@x.example\"] }]\n\
                      [roles]\nforbidden = [[\"operator\", \"lead\"], [\"lead\"]]\n[limits]\npending_per_caller = 0\n";
    assert_eq!(
        mistakes(source),
        [
            "line 3, decide[0].groups[0].people[0]: \"Dana\" is neither a person's ID (per_...) nor an e-mail address",
            "line 7, limits.pending_per_caller: 0 is not between 1 and 1000000 actions",
            "line 5, roles.forbidden[1]: needs two roles or more, each once",
        ]
    );
}

/// What is wrong with a policy; nothing where it can be switched on.
fn wrong(source: &str) -> Vec<String> {
    match read(source, &TOOLS) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes.iter().map(ToString::to_string).collect(),
    }
}

/// A rule with these groups (and, before them, these lines), which is the last one.
fn decide(lines: &str, groups: &str) -> String {
    format!("[[decide]]\nname = \"x\"\n{lines}\ngroups = [{groups}]\n")
}

const ANY: &str = "{ name = \"any\" }";

#[test]
fn a_mistake_is_told_with_what_is_known_of_its_place() {
    let said = |line, field: &str| mistake(line, field, "m").to_string();
    assert_eq!(
        [said(0, ""), said(0, "f"), said(3, ""), said(3, "f")],
        ["m", "f: m", "line 3: m", "line 3, f: m"]
    );
    assert_eq!(wrong("limits = 1")[0].split(':').next(), Some("line 1, limits"));
    assert!(
        wrong("[[decide]]\nname = 1")[0].starts_with("line 2, decide[0].name: "),
        "{:?}",
        wrong("[[decide]]\nname = 1")
    );
    assert!(
        wrong("colour = 1")[0].starts_with("line 1, colour: "),
        "{:?}",
        wrong("colour = 1")
    );
    assert_eq!(shown("abc", 3), "abc");
    assert_eq!(shown("abcd", 3), "abc…");
}

#[test]
fn a_policy_as_long_as_is_allowed_is_read() {
    assert_eq!(wrong(&"#".repeat(LONGEST)), [""; 0]);
}

#[test]
fn numbers_are_bounded_at_both_ends() {
    for (field, most) in [
        ("expiry_hours.low", 720),
        ("expiry_hours.medium", 720),
        ("expiry_hours.high", 720),
        ("evidence.max_age_days", 3650),
        ("step_up.max_age_minutes", 1440),
        ("limits.pending_per_caller", 1_000_000),
        ("limits.pending_per_client", 1_000_000),
    ] {
        for (value, fits) in [(0, false), (1, true), (most, true), (most + 1, false)] {
            let told = wrong(&format!("{field} = {value}"));
            assert_eq!(told.is_empty(), fits, "{field} {value}: {told:?}");
            assert!(told.iter().all(|one| one.contains(field)), "{told:?}");
        }
    }
}

#[test]
fn lists_are_bounded() {
    let list = |item: &str, count: usize| vec![item; count].join(", ");
    let conditions = |count| list("{ at = \"/a\", is = [1] }", count);
    let rule = |lines: String| {
        decide("", ANY).replace("[[decide]]", &format!("[[risk]]\n{lines}\nclass = \"low\"\n[[decide]]"))
    };
    let values = |count| format!("where = [{{ at = \"/a\", is = [{}] }}]", list("1", count));
    let combinations = |count| format!("[roles]\nforbidden = [{}]", list("[\"lead\", \"auditor\"]", count));
    let risks = |count| "[[risk]]\nclass = \"low\"\n".repeat(count);
    let decides = |count| {
        let narrow = |n| decide("tools = [\"loopiq_accept_risk\"]", ANY).replace("\"x\"", &format!("\"{n}\""));
        (1..count).map(narrow).collect::<String>() + &decide("", ANY)
    };
    let bounded: [(&str, usize, &dyn Fn(usize) -> String); 5] = [
        ("conditions", MOST_IN_LIST, &|n| {
            rule(format!("where = [{}]", conditions(n)))
        }),
        ("values", MOST_IN_LIST, &|n| rule(values(n))),
        ("combinations", MOST_IN_LIST, &combinations),
        ("risk", MOST_RULES, &risks),
        ("decide", MOST_RULES, &decides),
    ];
    for (what, most, source) in bounded {
        assert_eq!(wrong(&source(most)), [""; 0], "{what}");
        let told = wrong(&source(most + 1));
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains(what) && told[0].contains("has 101 "), "{told:?}");
    }
}

#[test]
fn as_many_mistakes_as_are_told_are_all_of_them() {
    let tools = |count| {
        decide(&format!("tools = [{}]", vec!["\"a\""; count].join(", ")), ANY)
            + &decide("", ANY).replace("\"x\"", "\"y\"")
    };
    let (all, more) = (wrong(&tools(MOST_MISTAKES)), wrong(&tools(MOST_MISTAKES + 1)));
    assert_eq!((all.len(), more.len()), (MOST_MISTAKES, MOST_MISTAKES + 1));
    assert!(!all.last().unwrap().contains("more mistakes") && more.last().unwrap().contains("more mistakes"));
}

#[test]
fn a_condition_needs_a_pointer_and_one_thing_to_ask() {
    let of = |condition: &str| wrong(&format!("[[risk]]\nclass = \"low\"\nwhere = [{condition}]"));
    for right in [
        "{ at = \"/a\", is = [1] }",
        "{ at = \"/a\", at_least = 1 }",
        "{ at = \"/*/b/*\", is = [1] }",
    ] {
        assert_eq!(of(right), [""; 0], "{right}");
    }
    for (condition, part) in [
        ("{ at = \"a\", is = [1] }", "no JSON pointer"),
        ("{ at = \"/a\" }", "either `is` or `at_least`"),
        ("{ at = \"/a\", is = [1], at_least = 1 }", "either `is` or `at_least`"),
        ("{ at = \"/*/*/*\", is = [1] }", "more than 2 `*`"),
    ] {
        let told = of(condition);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].contains(part) && told[0].starts_with("line 3, risk[0].where[0]"),
            "{told:?}"
        );
    }
}

#[test]
fn the_last_rule_and_no_other_fits_all_actions() {
    let next = decide("", ANY).replace("\"x\"", "\"y\"");
    for narrow in [
        "tools = [\"loopiq_accept_risk\"]",
        "risk = [\"low\"]",
        "where = [{ at = \"/a\", is = [1] }]",
    ] {
        assert_eq!(wrong(&(decide(narrow, ANY) + &next)), [""; 0], "{narrow}");
        assert!(wrong(&decide(narrow, ANY))[0].contains("is the last rule"), "{narrow}");
    }
    let told = wrong(&(decide("", ANY) + &next));
    assert_eq!(
        told,
        ["line 1, decide[0]: fits all actions, so no rule after it would ever count"]
    );
    assert!(wrong(&(decide("", ANY).repeat(2)))[1].contains("decide[1].name: needs a name of its own"));
    assert!(wrong(&decide("", ANY).replace("\"x\"", "\" \""))[0].contains("decide[0].name"));
}

#[test]
fn a_group_can_be_filled() {
    for right in [
        "{ name = \"a\", approvals = 10 }, { name = \"b\", approvals = 10 }",
        "{ name = \"a\", roles = [\"reviewer\", \"lead\"], people = [\"per_00000000000000000000000001\"] }",
    ] {
        assert_eq!(wrong(&decide("", right)), [""; 0], "{right}");
    }
    for (groups, part) in [
        ("", "names no group"),
        ("{ name = \"a\", approvals = 0 }", "0 is not between 1 and 10"),
        ("{ name = \"a\", approvals = 11 }", "11 is not between 1 and 10"),
        (
            "{ name = \"a\", approvals = 10 }, { name = \"b\", approvals = 10 }, { name = \"c\" }",
            "has 21 approvals together; at most 20 fit",
        ),
        ("{ name = \" \" }", "groups[0].name: needs a name"),
        ("{ name = \"a\" }, { name = \"a\" }", "groups[1].name: needs a name"),
        ("{ name = \"a\", roles = [\"operator\"] }", "operator decides nothing"),
    ] {
        let told = wrong(&decide("", groups));
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains(part), "{told:?}");
    }
}

#[test]
fn a_check_that_protects_an_approval_stays_a_block() {
    for check in CheckId::ALL {
        let set = |meaning: &str| wrong(&format!("[checks]\n{} = \"{meaning}\"", check.as_str()));
        assert_eq!(set("block"), [""; 0]);
        assert_eq!(set("warn").is_empty(), SOFT.contains(&check), "{check:?}");
    }
}

#[test]
fn a_combination_of_roles_has_two_or_more_each_once() {
    let of = |roles: &str| wrong(&format!("[roles]\nforbidden = [[{roles}]]")).is_empty();
    assert!(of("\"lead\", \"auditor\"") && of("\"lead\", \"auditor\", \"operator\""));
    assert!(!of("") && !of("\"lead\"") && !of("\"lead\", \"lead\"") && !of("\"lead\", \"auditor\", \"lead\""));
}

#[test]
fn a_nul_is_found_wherever_it_is_written() {
    let told = |source: &str| {
        wrong(source)
            .into_iter()
            .filter(|one| one.contains("U+0000"))
            .collect::<Vec<_>>()
    };
    let source = "[[decide]]\nname = \"a\\u0000\"\ngroups = [{ name = \"b\" }, { name = \"c\\u0000\", teams = [\"d\",\n\"e\\u0000\"] }]\n";
    let lines: Vec<String> = told(source)
        .iter()
        .map(|one| one.split(':').next().unwrap().to_owned())
        .collect();
    assert_eq!(lines, ["line 2", "line 3", "line 4"]);
    assert_eq!(told("[[decide]]\nname = \"a\"\ngroups = [{ name = \"b\" }]\n"), [""; 0]);
    let table = DeTable::parse("\"k\\u0000\" = 1\n[t]\n\"l\\u0000\" = \"x\"").unwrap();
    assert_eq!(
        nul_lines("\"k\\u0000\" = 1\n[t]\n\"l\\u0000\" = \"x\"", table.get_ref()),
        [1, 3]
    );
}

#[test]
fn step_up_names_classes_and_ways_of_signing_in() {
    let source = "[step_up]\nrisk = [\"high\"]\nmax_age_minutes = 5\nacr = [\"phr\", \"urn:example:gold\"]";
    let rules = read(source, &TOOLS).unwrap().step_up;
    assert_eq!((rules.risk.len(), rules.max_age_minutes, rules.acr.len()), (1, 5, 2));
    insta::assert_snapshot!(
        mistakes("[step_up]\nmax_age_minutes = 0\nacr = [\"phr\", \"two words\", \"\", \"gr\u{f6}\u{df}e\"]")
            .join("\n")
    );
    insta::assert_snapshot!(mistakes("[step_up]\nrisk = [\"severe\"]").join("\n"));
    insta::assert_snapshot!(mistakes("[step_up]\nmax_age = 5").join("\n"));
    let acr = |count: usize| format!("[step_up]\nacr = [{}]", vec!["\"a\""; count].join(", "));
    assert_eq!(wrong(&acr(MOST_ACR)), [""; 0]);
    assert_eq!(
        wrong(&acr(MOST_ACR + 1)),
        ["line 2, step_up.acr: has 11 values; at most 10 fit"]
    );
    let long = |count: usize| format!("[step_up]\nacr = [\"{}\"]", "a".repeat(count));
    assert_eq!(wrong(&long(LONGEST_ACR)), [""; 0]);
    assert!(wrong(&long(LONGEST_ACR + 1))[0].contains("step_up.acr[0]"));
}
