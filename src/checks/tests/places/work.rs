//! Titles, parents and owners of work items.

use super::*;

#[test]
fn titles_and_parents() {
    let empty = package(|c| {
        c.payload["children"][0]["title"] = json!("Fix it");
        c.payload["children"][1]["title"] = json!(" To do ");
    });
    names(
        &empty,
        CheckId::Titles,
        &[],
        &["/children/0/title", "/children/1/title"],
        &["\"Fix it\" and \"To do\""],
    );
    let same = package(|c| {
        c.payload["parent"]["title"] = json!("Harden the login");
        c.payload["children"][1]["title"] = json!("the login: harden");
    });
    names(
        &same,
        CheckId::Titles,
        &[],
        &["/parent/title", "/children/1/title"],
        &["2 items", "\"Harden the login\""],
    );
    for (title, says_something) in [
        ("Fix FND-12", false),
        ("Fix (FND-12)", false),
        ("Fix login-12", true),
        ("Fix SQL-injection", true),
        ("Fix 12-34", false),
        ("Fix \u{4FEE}", true),
        ("Fix x1", false),
    ] {
        let case = package(|c| c.payload["children"][0]["title"] = json!(title));
        let checks = case.checks();
        let passed = checks
            .iter()
            .any(|one| one.id == CheckId::Titles && one.verdict == Verdict::Pass);
        assert_eq!(passed, says_something, "{title}");
    }
    passes(&Case::package(), CheckId::Titles, "All 3 titles");
    passes(&Case::task(), CheckId::Titles, "The title is specific.");

    let parent = |n: u128| Case::task().with(|c| c.payload["parentId"] = json!(WorkItemId::from_bits(n)));
    let id = |n: u128| WorkItemId::from_bits(n).to_string();
    names(
        &parent(2),
        CheckId::Hierarchy,
        &[id(2)],
        &["/parentId"],
        &["WI-2 belongs to another release"],
    );
    names(
        &parent(3),
        CheckId::Hierarchy,
        &[id(3)],
        &["/parentId"],
        &["WI-3 is a task"],
    );
    let none = Case::task().with(|c| drop(c.payload.as_object_mut().unwrap().remove("parentId")));
    names(
        &none,
        CheckId::Hierarchy,
        &[],
        &["/parentId"],
        &["needs a parent story"],
    );
    let moved = Case::update().with(|c| c.payload["changes"] = json!({ "parentId": WorkItemId::from_bits(4) }));
    names(
        &moved,
        CheckId::Hierarchy,
        &[id(4)],
        &["/changes/parentId"],
        &["A story has no parent"],
    );
    passes(&Case::package(), CheckId::Hierarchy, "All 2 tasks");
    passes(
        &Case::task(),
        CheckId::Hierarchy,
        "The task has the right parent story.",
    );
    let story = none.with(|c| c.payload["kind"] = json!("story"));
    passes(&story, CheckId::Hierarchy, "A story needs no parent");
    assert!(
        Case::update().checks().iter().all(|one| one.id != CheckId::Hierarchy),
        "its parent stays"
    );
}

#[test]
fn owners() {
    let lee = PersonId::from_bits(2).to_string();
    let other = package(|c| c.payload["parent"]["owner"] = json!("lee@acme.example"));
    names(
        &other,
        CheckId::Ownership,
        &[lee],
        &["/parent/owner"],
        &["lee is not on team Checkout"],
    );
    let tasks = |count: usize| {
        package(|c| {
            let words = ["query", "cookie", "session", "redirect"];
            let child = |n: usize| {
                json!({ "clientRef": format!("{n}"), "title": format!("Harden the {} of the login", words[n]), "description": "d",
                        "owner": "dana@acme.example", "findingIds": [], "evidenceIds": [EvidenceId::from_bits(1)] })
            };
            c.payload["children"] = (0..count).map(child).collect();
        })
    };
    let dana = PersonId::from_bits(1).to_string();
    names(
        &tasks(4),
        CheckId::Ownership,
        &[dana],
        &[
            "/children/0/owner",
            "/children/1/owner",
            "/children/2/owner",
            "/children/3/owner",
        ],
        &["dana owns all 4 tasks"],
    );
    passes(&tasks(3), CheckId::Ownership, "Every owner is on team Checkout");
    let nobody = package(|c| drop(c.payload["parent"].as_object_mut().unwrap().remove("owner")));
    passes(&nobody, CheckId::Ownership, "No owner is named");
    assert!(
        Case::update().checks().iter().all(|one| one.id != CheckId::Ownership),
        "its owner stays"
    );
}

#[test]
fn the_teams_of_the_caller_and_of_the_owners_are_asked_for() {
    let case = package(|c| c.caller = PersonId::from_bits(2));
    let query = crate::checks::context_query(&case.plan(), &case.facts, &case.caller);
    assert_eq!(query.people, [1, 2].map(|n| PersonId::from_bits(n).to_string()).into());
}
