//! `evidence`: it is there, it is what was recorded, it is fresh, and it is about this release.

use crate::checks::CheckInput;
use crate::checks::report::{CheckReport, listed};
use crate::domain::{CheckId, Evidence, Timestamp, Verdict, WorkItemKind};

pub(super) fn check(input: &CheckInput<'_>) -> CheckReport {
    let mut found = CheckReport::of(CheckId::Evidence);
    let cited: Vec<&Evidence> = input
        .plan
        .evidence
        .iter()
        .filter_map(|id| input.facts.evidence(id))
        .collect();
    if cited.is_empty() {
        missing(input, &mut found);
        return found;
    }
    damaged(input, &cited, &mut found);
    stale(input, &cited, &mut found);
    elsewhere(input, &cited, &mut found);
    let facts: Vec<_> = cited
        .iter()
        .filter_map(|one| input.facts.reference(one.id.as_str()))
        .collect();
    let days = input.policy.rules.evidence.max_age_days;
    let words = match cited.len() {
        1 => format!("The evidence is unchanged, younger than {days} days, and about this release."),
        count => {
            format!("All {count} pieces of evidence are unchanged, younger than {days} days, and about this release.")
        }
    };
    found.or_pass(words, facts)
}

/// Work for findings and blockers rests on evidence. A single work item may come from elsewhere.
fn missing(input: &CheckInput<'_>, found: &mut CheckReport) {
    let items = input.items();
    let new: Vec<_> = items.iter().filter(|item| item.is_new).collect();
    if new.is_empty() {
        return;
    }
    let story = new
        .iter()
        .any(|item| item.text("kind") == Some(WorkItemKind::Story.as_str()));
    let package = story && new.len() > 1;
    let (verdict, message) = if package {
        (
            Verdict::Block,
            "It cites no evidence, so nobody can see that there is something to remedy. Cite the evidence that shows the findings.",
        )
    } else {
        (
            Verdict::Warn,
            "It cites no evidence. Judge by other means that there is something to do.",
        )
    };
    found.add(verdict, message, None, None);
}

/// The bytes must still give the hash that was recorded.
fn damaged(input: &CheckInput<'_>, cited: &[&Evidence], found: &mut CheckReport) {
    let intact = |one: &&&Evidence| input.around.intact.get(one.id.as_str()).copied();
    let changed: Vec<_> = cited.iter().filter(|one| intact(one) == Some(false)).copied().collect();
    let gone: Vec<_> = cited.iter().filter(|one| intact(one).is_none()).copied().collect();
    add(input, found, Verdict::Block, &changed, |names| {
        format!(
            "The bytes of {names} are not those that were recorded. Import the file again, and find out who changed it."
        )
    });
    add(input, found, Verdict::Unknown, &gone, |names| {
        format!("The bytes of {names} are not kept here, so nobody can say whether they are those that were recorded.")
    });
}

fn stale(input: &CheckInput<'_>, cited: &[&Evidence], found: &mut CheckReport) {
    // Clocks differ by minutes. What is dated later than tomorrow would stay fresh for ever.
    let early: Vec<_> = cited
        .iter()
        .filter(|one| one.collected_at.since(input.now) > Timestamp::DAY)
        .copied()
        .collect();
    add(input, found, Verdict::Block, &early, |names| {
        format!("{names} is dated in the future. Scan again on a machine whose clock is right, and import the file.")
    });
    let limit = input.policy.rules.evidence.max_age_days;
    let old: Vec<_> = cited
        .iter()
        .filter(|one| input.policy.is_stale(one.collected_at, input.now))
        .copied()
        .collect();
    for one in &old {
        let days = input.now.since(one.collected_at) / Timestamp::DAY;
        let newest = newest(input, one);
        let clears = match newest {
            Some(newer) => format!("Cite {} instead, which is newer.", newer.key),
            None => "Scan again, import the file, and cite the new evidence.".to_owned(),
        };
        let message = format!(
            "{} ({}) is {days} days old; {limit} are allowed. {clears}",
            one.key, one.provider
        );
        let facts = [one.id.as_str()]
            .into_iter()
            .chain(newest.map(|newer| newer.id.as_str()))
            .filter_map(|id| reference(input, id));
        found.add(Verdict::Block, message, facts, places(input, one));
    }
}

/// The newest evidence of the same release, provider and kind that is newer than this.
fn newest<'a>(input: &CheckInput<'a>, than: &Evidence) -> Option<&'a Evidence> {
    input
        .around
        .newer
        .iter()
        .filter(|one| one.release_id == than.release_id && one.provider == than.provider && one.kind == than.kind)
        .filter(|one| one.collected_at > than.collected_at)
        .max_by_key(|one| one.collected_at)
}

/// Of this release, or of the commit that the release is made of.
fn elsewhere(input: &CheckInput<'_>, cited: &[&Evidence], found: &mut CheckReport) {
    let Some(release) = input.release() else { return };
    let foreign: Vec<_> = cited
        .iter()
        .filter(|one| one.release_id != release.id && (one.commit.is_none() || one.commit != release.commit))
        .copied()
        .collect();
    add(input, found, Verdict::Block, &foreign, |names| {
        format!(
            "{names} is about another release and commit than {}. Cite evidence of this release.",
            release.key
        )
    });
}

fn add(
    input: &CheckInput<'_>,
    found: &mut CheckReport,
    verdict: Verdict,
    those: &[&Evidence],
    message: impl FnOnce(String) -> String,
) {
    if those.is_empty() {
        return;
    }
    let names: Vec<String> = those.iter().map(|one| one.key.clone()).collect();
    let facts: Vec<_> = those
        .iter()
        .filter_map(|one| reference(input, one.id.as_str()))
        .collect();
    let places: Vec<String> = those.iter().flat_map(|one| places(input, one)).collect();
    found.add(verdict, message(listed(&names)), facts, places);
}

fn places(input: &CheckInput<'_>, one: &Evidence) -> Vec<String> {
    let of = |(id, pointer): &(String, String)| (id == one.id.as_str()).then(|| pointer.clone());
    input.plan.references.iter().filter_map(of).collect()
}

fn reference(input: &CheckInput<'_>, id: &str) -> Option<crate::domain::FactRef> {
    input.facts.reference(id).or_else(|| {
        let newer = input.around.newer.iter().find(|one| one.id.as_str() == id)?;
        Some(crate::domain::FactRef {
            kind: crate::domain::RecordKind::Evidence,
            id: id.to_owned(),
            key: Some((&newer.key).into()),
        })
    })
}
