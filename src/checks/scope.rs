//! `context`: release, certification, team and components belong together, and the caller is on the team.

use crate::checks::CheckInput;
use crate::checks::report::CheckReport;
use crate::domain::{Certification, CheckCode, Release, ReleaseStatus, Team, Verdict};

pub(super) fn check(input: &CheckInput<'_>) -> CheckReport {
    let mut report = CheckReport::new();
    let (facts, scope) = (input.facts, &input.plan.scope);
    let Some(release) = input.release() else {
        return report;
    };
    if release.status == ReleaseStatus::Released {
        report.add(
            CheckCode::ReleaseAlreadyReleased,
            Verdict::Warn,
            format!(
                "Release {} is out already. Make sure that this still belongs to it.",
                release.key
            ),
            facts.reference(release.id.as_str()),
            pointer_if_present(input, "/releaseId"),
        );
    }
    let certification = scope.certification.as_ref().and_then(|id| facts.certification(id));
    if let Some(certification) = certification.filter(|certification| certification.release_id != release.id) {
        report.add(
            CheckCode::CertificationOfOtherRelease,
            Verdict::Block,
            format!(
                "Certification {} belongs to another release than {}. Name the certification of this release, or the release of this \
                 certification.",
                certification.key, release.key
            ),
            facts.reference(certification.id.as_str()),
            pointer_if_present(input, "/certificationId"),
        );
    }
    let team = scope.team.as_ref().and_then(|id| facts.team(id));
    if let Some(team) = team {
        check_team(input, release, team, &mut report);
    }
    check_components(input, release, team, &mut report);
    report.or_pass(
        CheckCode::ContextPassed,
        pass_message(release, certification, team),
        facts.reference(release.id.as_str()),
    )
}

fn check_team(input: &CheckInput<'_>, release: &Release, team: &Team, report: &mut CheckReport) {
    let (id, context) = (team.id.as_str(), input.context);
    if !context.release_teams.is_empty() && !context.release_teams.contains(id) {
        report.add(
            CheckCode::TeamNotOnRelease,
            Verdict::Block,
            format!(
                "Team {} does not work on release {}. Name one of the release's teams.",
                team.name, release.key
            ),
            input.facts.reference(id),
            pointer_if_present(input, "/teamId"),
        );
    }
    if !context.is_on_team(id, input.caller.as_str()) {
        report.add(
            CheckCode::CallerNotOnTeam,
            Verdict::Warn,
            format!(
                "{} is not on team {}. Make sure the team knows.",
                input.name(input.caller.as_str()),
                team.name
            ),
            input.facts.reference(id),
            pointer_if_present(input, "/teamId"),
        );
    }
}

fn check_components(input: &CheckInput<'_>, release: &Release, team: Option<&Team>, report: &mut CheckReport) {
    let (facts, context) = (input.facts, input.context);
    for component in input.plan.scope.components.iter().filter_map(|id| facts.component(id)) {
        let (id, kind) = (component.id.as_str(), component.kind.as_str());
        let pointer = pointer_if_present(input, &format!("/{kind}"));
        if !context.release_components.is_empty() && !context.release_components.contains(id) {
            report.add(
                CheckCode::ComponentNotInRelease,
                Verdict::Block,
                format!(
                    "The {kind} {} is not part of release {}. Name one that is.",
                    component.name, release.key
                ),
                facts.reference(id),
                pointer,
            );
        } else if let Some(team) = team.filter(|team| team.id != component.team_id) {
            report.add(
                CheckCode::ComponentOfOtherTeam,
                Verdict::Warn,
                format!(
                    "The {kind} {} belongs to another team than {}.",
                    component.name, team.name
                ),
                facts.reference(id),
                pointer,
            );
        }
    }
}

fn pass_message(release: &Release, certification: Option<&Certification>, team: Option<&Team>) -> String {
    let release = &release.key;
    match (team, certification) {
        (Some(team), Some(certification)) => format!(
            "Release {release}, certification {} and team {} belong together.",
            certification.key, team.name
        ),
        (Some(team), None) => format!("Release {release} and team {} belong together.", team.name),
        (None, Some(certification)) => {
            format!(
                "Release {release} and certification {} belong together.",
                certification.key
            )
        }
        (None, None) => format!("The action is about release {release} only."),
    }
}

/// The pointer, if the payload has the field.
fn pointer_if_present(input: &CheckInput<'_>, pointer: &str) -> Option<String> {
    input.payload.pointer(pointer).map(|_| pointer.to_owned())
}
