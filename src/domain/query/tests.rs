use super::*;
use crate::domain::ActionId;

fn vocabulary() -> Vocabulary {
    let known = |name, label| Known { name, label };
    Vocabulary {
        events: vec![
            known("action.approved", "approved"),
            known("action.executed", "executed"),
            known("action.failed", "execution refused"),
            known("access.denied", "access denied"),
            known("session.signed_in", "signed in"),
            known("operator.withdrawn", "operator request withdrawn"),
            known("person.linked", "two accounts linked as one person"),
        ],
        states: vec![
            known("pending_approval", "Pending approval"),
            known("executed", "Executed"),
        ],
        tools: vec![
            known("loopiq_create_work_item", "Create work item"),
            known("loopiq_link_evidence", "Link evidence"),
        ],
    }
}

fn meaning(query: &str) -> String {
    match parse(query, &vocabulary()) {
        Ok(query) => query.expr.to_string(),
        Err(errors) => panic!("{query}: {errors:?}"),
    }
}

/// The errors as `position+length message`.
fn errors(query: &str) -> Vec<String> {
    let errors = parse(query, &vocabulary()).expect_err(query);
    errors
        .iter()
        .map(|error| format!("{}+{} {}", error.at, error.length, error.message))
        .collect()
}

#[test]
fn conditions_are_combined() {
    for (query, expected) in [
        ("", ""),
        ("  \t ", ""),
        ("injection", "\"injection\""),
        ("Injection login", "(\"injection\" \"login\")"),
        ("a AND b", "(\"a\" \"b\")"),
        ("a and b or c", "(\"a\" \"and\" \"b\" \"or\" \"c\")"),
        ("a OR b", "(\"a\" OR \"b\")"),
        ("a b OR c AND d", "((\"a\" \"b\") OR (\"c\" \"d\"))"),
        ("a (b OR c)", "(\"a\" (\"b\" OR \"c\"))"),
        ("a AND(b OR c)", "(\"a\" (\"b\" OR \"c\"))"),
        ("-a", "NOT \"a\""),
        ("NOT a", "NOT \"a\""),
        ("NOT NOT a", "\"a\""),
        ("a -b", "(\"a\" NOT \"b\")"),
        ("-(a b)", "NOT (\"a\" \"b\")"),
        ("NOT(a)", "NOT \"a\""),
        ("-\"a b\"", "NOT \"a b\""),
        ("fix-it AC-2(1)", "(\"fix-it\" \"ac-2(1)\")"),
        ("(AC-2(1))", "\"ac-2(1)\""),
        ("((a))", "\"a\""),
        ("a\"b\"c", "(\"a\" \"b\" \"c\")"),
        ("ORDER ANDROID NOTE", "(\"order\" \"android\" \"note\")"),
        ("\"OR\"", "\"or\""),
        ("x C++ c#", "(\"x\" \"c++\" \"c#\")"),
        ("签名密钥", "\"签名密钥\""),
    ] {
        assert_eq!(meaning(query), expected, "{query}");
    }
}

#[test]
fn fields_and_values_are_read() {
    let id = ActionId::from_bits(7);
    for (query, expected) in [
        ("person:\"Rita  Reviewer\"", "person:\"rita reviewer\""),
        ("PERSON:rita key:a:b", "(person:\"rita\" key:\"a:b\")"),
        ("key:\"a \\\"b\\\" \\\\ c\\d\"", "key:\"a \\\"b\\\" \\\\ c\\\\d\""),
        ("key:\"a \\“b\"", "key:\"a \\“b\""),
        ("key:!!!", "key:\"!!!\""),
        ("“person:rita”", "\"person:rita\""),
        ("\"login.ts:34\"", "\"login.ts:34\""),
        ("-key:k", "NOT key:\"k\""),
        ("event:action.approved", "event:\"action.approved\""),
        ("event:\"signed in\"", "event:\"session.signed_in\""),
        (
            "event:approved state:\"Pending Approval\"",
            "(event:\"action.approved\" state:\"pending_approval\")",
        ),
        ("tool:create_work_item", "tool:\"loopiq_create_work_item\""),
        ("tool:\"link evidence\"", "tool:\"loopiq_link_evidence\""),
        ("after:2026-11-22", "after:2026-11-22T00:00:00Z"),
        ("from:2026-11-22", "after:2026-11-22T00:00:00Z"),
        ("before:2026-11-22", "before:2026-11-22T00:00:00Z"),
        ("to:2026-11-22", "before:2026-11-23T00:00:00Z"),
        ("to:2026-11-22T10:30", "before:2026-11-22T10:31:00Z"),
        ("after:\"2026-11-22 10:30\"", "after:2026-11-22T10:30:00Z"),
        ("NOT after:2026-11-22", "NOT after:2026-11-22T00:00:00Z"),
    ] {
        assert_eq!(meaning(query), expected, "{query}");
    }
    for address in [
        "https://loopiq.example/actions/{}",
        "http://127.0.0.1:8080/actions/{}?tab=all#top",
        "/actions/{}",
        "/actions/{}.",
        "action:https://x.example/actions/{}",
    ] {
        let address = address.replace("{}", id.as_str());
        assert_eq!(meaning(&address), format!("action:\"{id}\""), "{address}");
    }
    let elsewhere = errors(&format!("https://x.example/?to=/actions/{id}"));
    assert!(elsewhere[0].starts_with("0+5 Unknown field \"https\""), "{elsewhere:?}");
}

#[test]
fn an_error_stands_at_its_place_and_says_what_is_allowed() {
    for (query, expected) in [
        (
            "injection perso:rita",
            "10+5 Unknown field \"perso\". Did you mean person:?",
        ),
        (
            "login.ts:34",
            "0+8 Unknown field \"login.ts\". Fields: person, tool, event, state, release, record, action, trace, key, after, before, from, to. To search for the text, put it in quotation marks: \"login.ts:34\".",
        ),
        ("a\u{202E}:", "0+2 Unknown field \"a⟦U+202E⟧\""),
        ("key:", "0+4 key: needs a value"),
        ("Key: k", "0+4 key: needs a value"),
        ("a key:\" \"", "6+3 key: needs a value"),
        (":x", "0+0 Unknown field \"\""),
        ("a \"b", "2+1 This quotation mark is never closed"),
        ("a (b", "2+1 This parenthesis is never closed"),
        ("a (", "2+1 This parenthesis is never closed"),
        ("a b)", "3+1 This parenthesis closes nothing"),
        (")", "0+1 This parenthesis closes nothing"),
        ("()", "1+1 A condition is missing before this parenthesis"),
        ("OR a", "0+2 A condition is missing before OR"),
        ("a OR", "4+0 A condition is missing at the end"),
        ("a AND AND b", "6+3 A condition is missing before AND"),
        ("a NOT OR b", "6+2 A condition is missing before OR"),
        ("NOT", "3+0 A condition is missing at the end"),
        ("a - b", "2+1 A hyphen before a condition"),
        ("--flag", "0+1 A hyphen before a condition"),
        ("a !!!", "2+3 \"!!!\" has no letter and no digit"),
        ("a \"\"", "2+2 There is nothing between"),
        ("🔑 b", "0+1 \"🔑\" has no letter and no digit"),
        (
            "state:pending",
            "6+7 There is no state \"pending\". Did you mean state:pending_approval? Known: pending_approval, executed.",
        ),
        (
            "event:aproved",
            "6+7 There is no event \"aproved\". Did you mean event:action.approved?",
        ),
        (
            "event:zzzzzz",
            "6+6 There is no event \"zzzzzz\". Known, for example: action.approved, action.executed,",
        ),
        (
            "tool:work_item",
            "5+9 There is no tool \"work_item\". Did you mean tool:loopiq_create_work_item?",
        ),
        ("after:yesterday", "6+9 after: needs a day such as 2026-11-22"),
        (
            "after:2026-11-22 before:2026-11-22",
            "17+17 The period ends before it begins",
        ),
        (
            "to:2026-11-20 from:2026-11-21 x",
            "14+15 The period ends before it begins",
        ),
    ] {
        let found = errors(query);
        assert!(found[0].starts_with(expected), "{query}: {found:?}");
    }
    assert_eq!(
        meaning("from:2026-11-22 to:2026-11-22").matches(':').count(),
        6,
        "one day is a period"
    );
    let every = errors("perso:a !!! state:x key:k");
    let places: Vec<&str> = every.iter().filter_map(|error| error.split(' ').next()).collect();
    assert_eq!(places, ["0+5", "8+3", "18+1"]);
    let error = QueryError::new(6..7, "Wrong.");
    assert_eq!(error.to_string(), "Wrong. (at character 7)");
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a duration is measured")]
fn a_large_query_is_refused_quickly() {
    let started = std::time::Instant::now();
    for (query, place) in [
        ("(".repeat(10_000), "4000+1"),
        ("(".repeat(MAX_DEPTH + 1), "16+1"),
        ("-(".repeat(2_000), "33+1"),
        ("NOT ".repeat(1_000), "4000+0"),
        ("a OR ".repeat(800), "160+1"),
        (vec!["key:k"; MAX_CONDITIONS + 1].join("  "), "224+1"),
        (vec!["\"a b c d e\""; 26].join(" "), "300+11"),
        (format!("\"{}", "x".repeat(3_999)), "0+1"),
        (format!("{}\u{202E}:x", "n".repeat(3_000)), "0+3001"),
        ("!!! ".repeat(30), "0+3"),
    ] {
        let found = errors(&query);
        assert!(found[0].starts_with(place), "{place}: {found:?}");
        assert!(found.len() <= MAX_ERRORS);
        assert!(found.iter().all(|error| error.chars().count() < 500), "{found:?}");
    }
    assert!(started.elapsed() < std::time::Duration::from_secs(5));
    assert!(parse(&"a(".repeat(100), &vocabulary()).is_ok(), "one word");
    let most = vec!["key:k"; MAX_CONDITIONS].join("  ");
    assert!(parse(&most, &vocabulary()).is_ok());
    let deepest = format!("{}a{}", "(".repeat(MAX_DEPTH), ")".repeat(MAX_DEPTH));
    assert_eq!(meaning(&deepest), "\"a\"");
}

#[test]
fn a_key_also_stands_for_the_ids_of_its_records() {
    let AuditQuery { expr, keys } =
        parse("-record:WI-2 (wi-2 OR key:wi-2) after:2026-11-22", &vocabulary()).expect("fits");
    assert_eq!(keys, ["WI-2", "wi-2"]);
    let ids = [("wi-2".to_owned(), vec!["wi_a".to_owned(), "wi_b".to_owned()])].into();
    assert_eq!(
        expr.with_record_ids(&ids).to_string(),
        "(NOT (record:\"wi-2\" OR record:\"wi_a\" OR record:\"wi_b\") ((\"wi-2\" OR record:\"wi_a\" OR record:\"wi_b\") OR key:\"wi-2\") after:2026-11-22T00:00:00Z)"
    );
}
