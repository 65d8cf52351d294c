//! `context`: release, certification, team and components.

use super::*;

#[test]
fn scopes_that_do_not_belong_together() {
    let id = |n: u128| json!(CertificationId::from_bits(n));
    check_all(vec![
        (
            "another release's certification",
            package(|c| c.payload["certificationId"] = id(2)),
            &["context.certification_of_other_release block"],
        ),
        (
            "no certification",
            package(|c| drop(c.payload.as_object_mut().unwrap().remove("certificationId"))),
            &[],
        ),
        (
            "a team that does not work on it",
            package(|c| {
                c.payload["teamId"] = json!(TeamId::from_bits(2));
                c.context
                    .members
                    .insert((TeamId::from_bits(2).to_string(), PersonId::from_bits(1).to_string()));
                c.payload["application"] = json!("kiosk");
            }),
            &["context.team_not_on_release block"],
        ),
        (
            "the caller is not on the team",
            package(|c| c.caller = PersonId::from_bits(2)),
            &["context.caller_not_on_team warn"],
        ),
        (
            "a component of no part of it",
            package(|c| c.payload["application"] = json!("ledger")),
            &["context.component_not_in_release block"],
        ),
        (
            "a component of another team",
            package(|c| c.payload["application"] = json!("kiosk")),
            &["context.component_of_other_team warn"],
        ),
        (
            "nobody ever said which teams and components",
            package(|c| {
                c.context.release_teams.clear();
                c.context.release_components.clear();
            }),
            &[],
        ),
        (
            "the release is out",
            package(|c| {
                let mut changed = c.facts.release(&ReleaseId::from_bits(1)).unwrap().clone();
                changed.status = ReleaseStatus::Released;
                c.facts.insert(changed);
            }),
            &["context.release_already_released warn"],
        ),
    ]);
}
