//! What an import changes about findings that the tenant has already: counts in the report, blockers, audit entries, and findings that a
//! complete scan does not show any more.

use crate::domain::ReopenCause;
use crate::engine::Error;
use crate::engine::admin::import::ImportReport;
use crate::engine::admin::import::plan::{Held, Plan};
use crate::engine::policy_cache::PolicyCache;
use crate::engine::reopened_findings::{self, Named, Occasion};
use crate::store::{ImportedFinding, WriteTx};

/// Counts what a scan changed, records it, and opens or closes blockers.
pub(super) async fn follow_up(
    tx: &mut WriteTx,
    policies: &PolicyCache,
    plan: &Plan,
    held: &Held,
    seen: &[ImportedFinding],
    report: &mut ImportReport,
) -> Result<(), Error> {
    let known = seen.iter().filter_map(|finding| finding.revision.as_ref());
    let (mut count, mut seen_again) = (0, 0);
    for revision in known {
        count += 1;
        seen_again += usize::from(revision.seen_again);
    }
    report.known_findings += count;
    report.new_findings += seen.len() - count;
    report.seen_again += seen_again;
    let occasion = Occasion {
        release: Some(plan.place()),
        evidence: Some(held.key.clone()),
    };
    let mut reopened = Vec::new();
    for cause in ReopenCause::ALL {
        let findings = named(seen, |finding| finding.reopened() == Some(*cause));
        reopened_findings::record_reopened(tx, *cause, &findings, &occasion);
        reopened.extend(findings);
    }
    report.reopened += reopened.len();
    let ids: Vec<&str> = reopened.iter().map(|(id, _)| id.as_str()).collect();
    report.blockers += reopened_findings::raise_blockers_elsewhere(tx, policies, &ids, &plan.key.release).await?;
    let suppressed = named(seen, |finding| {
        finding.change().is_some() && finding.reopened().is_none()
    });
    reopened_findings::record_suppressed(tx, &suppressed, &occasion);
    let ids: Vec<&str> = suppressed.iter().map(|(id, _)| id.as_str()).collect();
    if !ids.is_empty() {
        tx.resolve_blockers(&ids).await?;
    }
    let here = named(seen, |finding| {
        finding.revision.is_some_and(|revision| revision.set_aside_here)
    });
    let ids: Vec<&str> = here.iter().map(|(id, _)| id.as_str()).collect();
    if !ids.is_empty() {
        tx.resolve_blockers_in(&plan.key.release, &ids).await?;
    }
    // A finding that is worse than before may need a blocker in the other releases that show it, too.
    let worse = named(seen, |finding| {
        finding.revision.is_some_and(|revision| revision.is_worse)
    });
    let ids: Vec<&str> = worse.iter().map(|(id, _)| id.as_str()).collect();
    report.blockers += reopened_findings::raise_blockers_elsewhere(tx, policies, &ids, &plan.key.release).await?;
    Ok(())
}

fn named(seen: &[ImportedFinding], select: impl Fn(&ImportedFinding) -> bool) -> Vec<Named> {
    let selected = seen.iter().filter(|finding| select(finding));
    selected
        .map(|finding| (finding.id.to_string(), finding.key.clone()))
        .collect()
}

/// Marks the findings that the complete runs of the file do not show any more.
pub(super) async fn miss_findings(
    tx: &mut WriteTx,
    plan: &Plan,
    held: &[Option<Held>],
    report: &mut ImportReport,
) -> Result<(), Error> {
    for (held, scopes) in held.iter().zip(&plan.complete_scopes) {
        let Some(held) = held else { continue };
        for scope in scopes {
            let missed = tx.miss_findings(&plan.key.release, scope, held.collected_at).await?;
            report.gone += usize::try_from(missed).unwrap_or_default();
        }
    }
    Ok(())
}
