//! The document's decision on a vulnerability in one version of a product.

use super::given;
use super::model::{Analysis, Version, Vulnerability};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A finding.
    Open,
    /// A finding that the document's author calls harmless for this product.
    SetAside,
    /// Not a finding: fixed, or this version was never affected.
    NoFailure,
}

impl Verdict {
    /// An unknown state is ignored, so that no finding is lost. `affected` does not contradict `not_affected`: the
    /// first is about the component, the second about the product that contains it.
    pub(super) fn new(analysis: Option<&Analysis>, version: Option<&Version>) -> Self {
        let state = analysis.and_then(|analysis| given(&analysis.state)).unwrap_or_default();
        let unaffected = version.and_then(|version| given(&version.status)) == Some("unaffected");
        match state {
            "not_affected" | "false_positive" => Verdict::SetAside,
            "resolved" | "resolved_with_pedigree" => Verdict::NoFailure,
            _ if unaffected => Verdict::NoFailure,
            _ => Verdict::Open,
        }
    }
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
