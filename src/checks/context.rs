//! `context`: release, certification and what is referred to belong together.

use super::Subject;
use crate::domain::{Check, CheckId, FactRef, RecordKind, Verdict};

pub(super) fn check(subject: &Subject<'_>) -> Option<Check> {
    let (plan, facts) = (subject.plan, subject.facts);
    let release = facts.releases.get(plan.place.release.as_ref()?.as_str())?;
    let (mut wrong, mut records, mut pointers): (Vec<String>, Vec<FactRef>, Vec<String>) = Default::default();
    let certification = plan
        .place
        .certification
        .as_ref()
        .and_then(|id| facts.certifications.get(id.as_str()));
    if let Some(certification) = certification.filter(|certification| certification.release_id != release.id) {
        wrong.push(format!(
            "certification {} belongs to another release",
            certification.key
        ));
        records.extend(facts.reference(certification.id.as_str()));
        pointers.push("/certificationId".to_owned());
    }
    for (id, pointer) in &plan.references {
        let elsewhere = match RecordKind::of(id) {
            Some(RecordKind::Blocker) => facts.blockers.get(id).is_some_and(|b| b.release_id != release.id),
            Some(RecordKind::Control) => facts.controls.get(id).is_some_and(|c| c.release_id != release.id),
            Some(RecordKind::Evidence) => facts.evidence.get(id).is_some_and(|e| e.release_id != release.id),
            Some(RecordKind::WorkItem) => facts.work_items.get(id).is_some_and(|w| w.release_id != release.id),
            Some(RecordKind::Finding) => facts
                .findings
                .get(id)
                .is_some_and(|f| !f.release_ids.contains(&release.id)),
            _ => false,
        };
        if elsewhere {
            let (key, _) = facts.name_of(id).unwrap_or((None, id));
            wrong.push(format!(
                "{} {} belongs to another release",
                RecordKind::of(id)?.word(),
                key.unwrap_or(id)
            ));
            records.extend(facts.reference(id));
            pointers.push(pointer.clone());
        }
    }
    let (verdict, message) = match wrong.as_slice() {
        [] => (
            Verdict::Pass,
            format!("Every record it refers to belongs to release {}.", release.key),
        ),
        [one] => (Verdict::Block, format!("For release {}: {one}.", release.key)),
        [first, rest @ ..] => (
            Verdict::Block,
            format!("For release {}: {first}, and {} more like it.", release.key, rest.len()),
        ),
    };
    if records.is_empty() {
        records.extend(facts.reference(release.id.as_str()));
    }
    Some(Check {
        id: CheckId::Context,
        verdict,
        message,
        facts: records,
        pointers,
    })
}
