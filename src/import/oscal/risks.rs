//! What a document says of risks: whether they are open, how bad they are, and which findings they make.

use super::super::assemble::{Assembly, Draft};
use super::super::{ImportError, KeySource, Severity, severity};
use super::model::Risk;
use serde_json::json;
use std::collections::BTreeMap;

/// A risk, and how bad it is.
pub(super) type Rated<'a> = (&'a Risk, Option<Severity>);

/// Risks by their UUIDs. Of two with one UUID, one that is open counts.
pub(super) fn by_id(risks: &[Risk]) -> BTreeMap<&str, Rated<'_>> {
    let closed_first = [true, false]
        .into_iter()
        .flat_map(|closed| risks.iter().filter(move |one| one.is_closed() == closed));
    closed_first
        .map(|risk| (risk.uuid.as_str(), (risk, risk.rated())))
        .collect()
}

/// Adds a risk that is not closed.
pub(super) fn add_risk(found: &mut Assembly, risk: &Risk) -> Result<(), ImportError> {
    if risk.is_closed() {
        found.not_failures += 1;
        return Ok(());
    }
    let deadline = risk.deadline.as_deref().map(|day| format!(" Deadline: {day}."));
    let words = risk.about.words(&format!(
        "Status: {}.{}",
        risk.status.trim(),
        deadline.unwrap_or_default()
    ));
    found.add(Draft {
        rule: "risk",
        title: risk.about.title(),
        message: &words,
        severity: risk.rated().unwrap_or(Severity::Medium),
        location: None,
        component: None,
        suppressed: risk.is_accepted(),
        help: None,
        key: (KeySource::Name, json!(["risk", risk.about.title()])),
    })
}

impl Risk {
    pub(super) fn is_closed(&self) -> bool {
        self.has_status("closed")
    }

    pub(super) fn is_accepted(&self) -> bool {
        self.has_status("deviation-approved")
    }

    /// A text that is much longer is no status; many items may refer to one risk.
    fn has_status(&self, word: &str) -> bool {
        self.status.len() <= 200 && self.status.trim().eq_ignore_ascii_case(word)
    }

    /// The worst that is said of it. How likely it is says nothing on how bad it would be.
    pub(super) fn rated(&self) -> Option<Severity> {
        let facets = self.characterizations.iter().flatten();
        let facets = facets.flat_map(|one| one.facets.iter().flatten());
        let telling = facets.filter(|facet| {
            let name = facet.name.as_deref().unwrap_or_default().to_ascii_lowercase();
            ["severity", "risk", "impact", "cvss", "score"]
                .iter()
                .any(|word| name.contains(word))
        });
        telling.filter_map(|facet| severity::any(facet.value.as_deref()?)).max()
    }
}
