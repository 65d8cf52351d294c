//! The document's decision on a vulnerability in one version of a product.

use super::super::VexStatus;
use super::given;
use super::model::{Analysis, Version, Vulnerability};

/// What the document decides on one version, and whether that gives a finding. An unknown state is ignored, so that no
/// finding is lost. A version that never had the vulnerability, or has it no more, gives none.
pub(super) fn status(analysis: Option<&Analysis>, version: Option<&Version>) -> Option<(VexStatus, bool)> {
    let state = analysis.and_then(|analysis| given(&analysis.state)).unwrap_or_default();
    let unaffected = version.and_then(|version| given(&version.status)) == Some("unaffected");
    match state {
        "not_affected" | "false_positive" => Some((VexStatus::NotAffected, true)),
        "resolved" | "resolved_with_pedigree" => Some((VexStatus::Fixed, false)),
        // `affected` does not contradict `not_affected`: the first is about the component, the second about the product
        // that contains it.
        _ if unaffected => Some((VexStatus::NotAffected, false)),
        "exploitable" => Some((VexStatus::Affected, true)),
        "in_triage" => Some((VexStatus::UnderInvestigation, true)),
        _ => None,
    }
}

/// Justification and explanation of a decision.
pub(super) fn reason(analysis: Option<&Analysis>) -> String {
    let parts = analysis.map(|analysis| [given(&analysis.justification), given(&analysis.detail)]);
    let parts: Vec<&str> = parts.into_iter().flatten().flatten().collect();
    parts.join("\n")
}

/// Aliases first, then the verdict and its reasons, then the vulnerability's description, because a long text is cut at
/// its end.
pub(super) fn message(of: &Vulnerability, rule: &str) -> String {
    let mut parts = Vec::new();
    let names: Vec<&str> = of
        .references
        .iter()
        .flatten()
        .filter_map(|one| given(&one.id))
        .filter(|id| *id != rule)
        .collect();
    if !names.is_empty() {
        parts.push(format!("Also known as {}.", names.join(", ")));
    }
    if let Some(analysis) = &of.analysis {
        let verdict: Vec<&str> = [&analysis.state, &analysis.justification]
            .into_iter()
            .filter_map(given)
            .collect();
        if !verdict.is_empty() {
            parts.push(format!("Analysis: {}.", verdict.join(", ")));
        }
        parts.extend(given(&analysis.detail).map(str::to_owned));
    }
    let own = [&of.description, &of.detail, &of.recommendation];
    parts.extend(own.into_iter().filter_map(given).map(str::to_owned));
    parts.join("\n\n")
}
