//! `blockers`: a certification is requested for a release without open blockers.

use crate::checks::CheckInput;
use crate::checks::report::CheckReport;
use crate::domain::text::prose::{counted, joined, quoted};
use crate::domain::{Certification, CertificationStatus, Change, CheckCode, FactRef, Facts, RecordKind, Verdict};
use crate::tools::Plan;
use serde_json::json;

/// The most blockers that the message names. The result refers to more of them, and an acknowledgement covers all.
const MAX_NAMED: usize = 5;

pub(super) fn check(input: &CheckInput<'_>) -> CheckReport {
    let mut report = CheckReport::new();
    let Some(certification) = requested(input.plan, input.facts) else {
        return report;
    };
    let release = match input.release() {
        Some(release) => format!("Release {}", release.key),
        None => "The release".to_owned(),
    };
    let open = &input.context.open_blockers;
    if !open.is_empty() {
        let named = open.iter().take(MAX_NAMED);
        let mut names: Vec<String> = named.map(|one| format!("{} {}", one.key, quoted(&one.title))).collect();
        if open.len() > MAX_NAMED {
            names.push(format!("{} more", open.len() - MAX_NAMED));
        }
        report.add(
            CheckCode::OpenBlockers,
            Verdict::Block,
            format!(
                "{release} has {}, which certification {} would pass over: {}. Resolve them, or accept their risk first.",
                counted(open.len(), "open blocker"),
                certification.key,
                joined(&names)
            ),
            open.iter().map(|one| FactRef {
                kind: RecordKind::Blocker,
                id: one.id.to_string(),
                key: Some((&one.key).into()),
            }),
            ["/certificationId".to_owned()],
        );
    }
    report.or_pass(
        CheckCode::BlockersPassed,
        format!("{release} has no open blocker."),
        input.facts.reference(certification.id.as_str()),
    )
}

/// The certification that the plan requests.
pub(super) fn requested<'f>(plan: &Plan, facts: &'f Facts) -> Option<&'f Certification> {
    let requests = plan.change_set.0.iter().any(|change| match change {
        Change::Update(update) => {
            update.kind == RecordKind::Certification
                && update
                    .fields
                    .iter()
                    .any(|one| one.field == "status" && one.after == json!(CertificationStatus::Requested))
        }
        Change::Create(_) => false,
    });
    plan.scope
        .certification
        .as_ref()
        .filter(|_| requests)
        .and_then(|id| facts.certification(id))
}
