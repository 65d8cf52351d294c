//! `context`: release, certification, team and components belong together, and to the caller's teams.

use crate::checks::CheckInput;
use crate::checks::report::CheckReport;
use crate::domain::{CheckId, ReleaseStatus, Verdict};

pub(super) fn check(input: &CheckInput<'_>) -> CheckReport {
    let mut found = CheckReport::of(CheckId::Context);
    let (facts, around, scope) = (input.facts, input.around, &input.plan.scope);
    let Some(release) = input.release() else {
        return found;
    };
    if release.status == ReleaseStatus::Released {
        found.add(
            Verdict::Warn,
            format!(
                "Release {} is out already. Make sure that this still belongs to it.",
                release.key
            ),
            facts.reference(release.id.as_str()),
            at(input, "/releaseId"),
        );
    }
    let certification = scope.certification.as_ref().and_then(|id| facts.certification(id));
    if let Some(certification) = certification.filter(|certification| certification.release_id != release.id) {
        found.add(
            Verdict::Block,
            format!(
                "Certification {} belongs to another release than {}. Name the certification of this release, or the release of this \
                 certification.",
                certification.key, release.key
            ),
            facts.reference(certification.id.as_str()),
            at(input, "/certificationId"),
        );
    }
    let team = scope.team.as_ref().and_then(|id| facts.team(id));
    if let Some(team) = team {
        let id = team.id.as_str();
        if !around.release_teams.is_empty() && !around.release_teams.contains(id) {
            found.add(
                Verdict::Block,
                format!(
                    "Team {} does not work on release {}. Name one of the release's teams.",
                    team.name, release.key
                ),
                facts.reference(id),
                at(input, "/teamId"),
            );
        }
        if !around.is_on(id, input.caller.as_str()) {
            found.add(
                Verdict::Warn,
                format!(
                    "The person it was proposed for is not on team {}. Make sure that the team knows of it.",
                    team.name
                ),
                facts.reference(id),
                at(input, "/teamId"),
            );
        }
    }
    for component in scope.components.iter().filter_map(|id| facts.component(id)) {
        let (id, kind) = (component.id.as_str(), component.kind.as_str());
        let pointer = at(input, &format!("/{kind}"));
        if !around.release_components.is_empty() && !around.release_components.contains(id) {
            found.add(
                Verdict::Block,
                format!(
                    "The {kind} {} is no part of release {}. Name one that is.",
                    component.name, release.key
                ),
                facts.reference(id),
                pointer,
            );
        } else if let Some(team) = team.filter(|team| team.id != component.team_id) {
            found.add(
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
    let what = match (team, certification) {
        (Some(team), Some(certification)) => format!(
            "release {}, certification {} and team {}",
            release.key, certification.key, team.name
        ),
        (Some(team), None) => format!("release {} and team {}", release.key, team.name),
        (None, Some(certification)) => format!("release {} and certification {}", release.key, certification.key),
        (None, None) => {
            return found.or_pass(
                format!("It acts in release {}.", release.key),
                facts.reference(release.id.as_str()),
            );
        }
    };
    found.or_pass(
        format!("It names {what}, which belong together."),
        facts.reference(release.id.as_str()),
    )
}

/// The place, if the payload has it.
fn at(input: &CheckInput<'_>, pointer: &str) -> Option<String> {
    input.payload.pointer(pointer).map(|_| pointer.to_owned())
}
