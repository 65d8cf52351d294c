//! `evidence`: what is cited is fresh enough for the policy.

use super::Subject;
use crate::domain::{Check, CheckId, RecordKind, Timestamp, Verdict};

pub(super) fn check(subject: &Subject<'_>) -> Option<Check> {
    let (plan, facts) = (subject.plan, subject.facts);
    let creates_work = plan
        .change_set
        .creates()
        .any(|create| create.kind == RecordKind::WorkItem);
    if plan.evidence.is_empty() {
        return creates_work.then(|| Check {
            id: CheckId::Evidence,
            verdict: Verdict::Warn,
            message: "It cites no evidence. Judge by other means that there is something to do.".to_owned(),
            facts: Vec::new(),
            pointers: Vec::new(),
        });
    }
    let limit = subject.policy.evidence_max_age_days;
    let cited: Vec<_> = plan
        .evidence
        .iter()
        .filter_map(|id| facts.evidence.get(id.as_str()))
        .collect();
    let stale: Vec<_> = cited
        .iter()
        .filter(|evidence| subject.now.since(evidence.collected_at) > limit * Timestamp::DAY)
        .collect();
    let verdict = if stale.is_empty() { Verdict::Pass } else { Verdict::Warn };
    let message = match stale.iter().min_by_key(|evidence| evidence.collected_at) {
        None => format!("All {} cited is younger than {limit} days.", plural(cited.len())),
        Some(oldest) => {
            let days = subject.now.since(oldest.collected_at) / Timestamp::DAY;
            format!(
                "Evidence is stale: {} ({}) is {days} days old, the policy allows {limit}.",
                oldest.key, oldest.provider
            )
        }
    };
    let shown: Vec<&str> = if stale.is_empty() {
        cited.iter().map(|evidence| evidence.id.as_str()).collect()
    } else {
        stale.iter().map(|evidence| evidence.id.as_str()).collect()
    };
    let pointers = plan
        .references
        .iter()
        .filter(|(id, _)| !stale.is_empty() && shown.contains(&id.as_str()))
        .map(|(_, pointer)| pointer.clone())
        .collect();
    let facts = shown.iter().filter_map(|id| facts.reference(id)).collect();
    Some(Check {
        id: CheckId::Evidence,
        verdict,
        message,
        facts,
        pointers,
    })
}

fn plural(count: usize) -> String {
    if count == 1 {
        "evidence".to_owned()
    } else {
        format!("{count} pieces of evidence")
    }
}
