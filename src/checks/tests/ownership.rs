//! `ownership`: owners of other teams, and one owner for all tasks.

use super::*;

#[test]
fn owners_of_other_teams_and_of_everything() {
    let tasks = |owners: [&str; 5]| {
        package(|c| {
            let words = ["query", "cookie", "session", "redirect", "password"];
            let child = |(n, owner): (usize, &&str)| {
                json!({ "clientRef": format!("{n}"), "title": format!("Harden the {} of the login", words[n]), "description": "d",
                        "owner": owner, "findingIds": [], "evidenceIds": [EvidenceId::from_bits(1)] })
            };
            c.payload["children"] = owners.iter().enumerate().map(child).collect();
            c.context
                .members
                .insert((TeamId::from_bits(1).to_string(), PersonId::from_bits(2).to_string()));
        })
    };
    let (dana, lee) = ("dana@acme.example", "lee@acme.example");
    check_all(vec![
        (
            "an owner of another team",
            package(|c| c.payload["parent"]["owner"] = json!(lee)),
            &["ownership.owner_not_on_team warn"],
        ),
        (
            "nobody",
            package(|c| drop(c.payload["parent"].as_object_mut().unwrap().remove("owner"))),
            &[],
        ),
        (
            "all tasks are one person's",
            tasks([dana; 5]),
            &["ownership.one_owner_for_all warn"],
        ),
        ("shared out", tasks([dana, dana, dana, dana, lee]), &[]),
        (
            "an update that sets an owner of another team",
            Case::update().with(|c| c.payload["changes"] = json!({ "owner": lee })),
            &["ownership.owner_not_on_team warn"],
        ),
    ]);
}
