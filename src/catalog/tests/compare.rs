//! What a catalog creates, changes and retires.

use super::*;

#[test]
fn a_catalog_is_created_and_then_left() {
    let steps = planned(COMPANY, &Stored::default(), false);
    assert_eq!(
        steps,
        [
            "Create person olga@acme.example",
            "Create team payments",
            "Create application payments",
            "Create service refunds",
            "Create release 2026.10",
            "Create certification PCI-2026.10",
            "Create control AC-3 of 2026.10",
            "Create work item ledger of 2026.10",
            "Create work item prepared of 2026.10",
        ]
    );
    let stored = stored_after(COMPANY);
    let release = stored.get(&Ident::new(Kind::Release, "2026.10")).unwrap();
    let text = |field: &str| release.fields[field].text();
    assert_eq!(
        (text("status"), text("severityThreshold"), text("commit")),
        (Some("planned"), Some("high"), Some("9f1c2e7"))
    );
    let team = stored.get(&Ident::new(Kind::Team, "payments")).unwrap();
    assert_eq!(team.fields["members"].items(), ["dana@acme.example"]);
    let task = stored
        .get(&Ident::within(Kind::WorkItem, "2026.10", "prepared"))
        .unwrap();
    assert_eq!(
        (task.fields["kind"].text(), task.fields["team"].text()),
        (Some("task"), Some("payments"))
    );
    assert_eq!(planned(COMPANY, &stored, true), [""; 0]);
}

#[test]
fn what_changes_is_named_and_what_a_file_leaves_out_stays() {
    let stored = stored_after(COMPANY);
    let next = "
teams: [{ key: payments, members: [eli@acme.example] }]
releases:
  - key: 2026.10
    commit:
    controls: [{ key: ac-3, status: passing }]
    backlog: [{ key: ledger, title: Another title }]
";
    let catalog = read_one(next).unwrap();
    let plan = plan(&catalog, &stored, false).unwrap();
    let changes: Vec<String> = plan
        .steps
        .iter()
        .flat_map(|step| step.fields.iter().map(move |change| (step, change)))
        .map(|(step, change)| {
            format!(
                "{} {}: {:?} → {:?}",
                step.ident, change.field, change.before, change.after
            )
        })
        .collect();
    assert_eq!(
        changes,
        [
            "team payments members: List([\"dana@acme.example\"]) → List([\"eli@acme.example\"])",
            "release 2026.10 commit: Text(\"9f1c2e7\") → None",
            "control AC-3 of 2026.10 status: Text(\"failing\") → Text(\"passing\")",
        ]
    );
    assert_eq!(plan.left, 1, "the work item");
}

#[test]
fn prune_retires_what_no_file_declares_and_a_declared_record_is_restored() {
    let mut stored = stored_after(COMPANY);
    let next = "
teams: [{ key: payments }]
releases: [{ key: 2026.10, services: [] }]
";
    assert_eq!(
        planned(next, &stored, true),
        [
            "Change release 2026.10",
            "Retire person olga@acme.example",
            "Retire application payments",
            "Retire service refunds",
        ]
    );
    stored
        .get_mut(&Ident::new(Kind::Service, "refunds"))
        .unwrap()
        .is_retired = true;
    let again = "services: [{ key: refunds, team: payments }]";
    assert_eq!(planned(again, &stored, false), ["Restore service refunds"]);
}

#[test]
fn a_plan_is_a_sentence_with_retirements_first() {
    let stored =
        stored_after("people: [{ email: a@acme.example, roles: [lead] }]\nteams: [{ key: a }, { key: b }, { key: c }]");
    let of = |text: &str, prune| plan(&read_one(text).unwrap(), &stored, prune).unwrap();
    let next = of(
        "teams: [{ key: a, name: A }, { key: d }]\nrepositories: [{ key: r, team: a }, { key: s, team: a }]",
        true,
    );
    assert_eq!(
        next.summary(Tense::Present),
        "Retires 2 teams, the roles of 1 person; creates 2 repositories, 1 team; changes 1 team"
    );
    assert!(next.summary(Tense::Past).starts_with("Retired 2 teams"), "{next:?}");
    assert_eq!(of("teams: [{ key: a }]", false).summary(Tense::Past), "Changed nothing");
}

#[test]
fn values_are_quoted_in_every_script() {
    for name in ["हिन्दी भाषा", "ภาษาไทยที่ดี", "السَّلامُ عَلَيْكُم", "Zoë \\ \"x\""]
    {
        let text = serde_json::json!({ "teams": [{ "key": "a", "name": name }] }).to_string();
        let plan = plan(&read_one(&text).unwrap(), &Stored::default(), false).unwrap();
        assert_eq!(plan.steps[0].to_string(), format!("create team a: name \"{name}\""));
    }
}
