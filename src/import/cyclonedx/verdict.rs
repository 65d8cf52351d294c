//! What a document decides about a vulnerability in one version of a product.

use super::given;
use super::model::{Analysis, Version, Vulnerability};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is a finding.
    Open,
    /// It is one, and somebody says that it does no harm here.
    SetAside,
    /// It is none: mended, or this version never had it.
    NoFailure,
}

impl Verdict {
    /// An unknown state counts as none at all, since that loses nothing. `affected` is no contradiction of `not_affected`:
    /// the one is said of the component, the other of the product that has it.
    pub(super) fn of(analysis: Option<&Analysis>, version: Option<&Version>) -> Self {
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

/// Other names first, then the verdict and its reasons, then the vulnerability's own words: a long text is cut at its end.
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
        let words: Vec<&str> = [&analysis.state, &analysis.justification]
            .into_iter()
            .filter_map(given)
            .collect();
        if !words.is_empty() {
            parts.push(format!("Analysis: {}.", words.join(", ")));
        }
        parts.extend(given(&analysis.detail).map(str::to_owned));
    }
    let own = [&of.description, &of.detail, &of.recommendation];
    parts.extend(own.into_iter().filter_map(given).map(str::to_owned));
    parts.join("\n\n")
}
