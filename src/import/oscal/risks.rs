//! The risks of a document: whether they are open, their severity, and the findings they give.

use super::super::assemble::{Assembly, Draft};
use super::super::{ImportError, KeySource, Severity, severity};
use super::model::Risk;
use serde_json::json;
use std::collections::BTreeMap;

/// A risk and its severity.
pub(super) type Rated<'a> = (&'a Risk, Option<Severity>);

/// Risks by UUID. If several have one UUID, an open one is kept.
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
    let text = risk.about.text(&format!(
        "Status: {}.{}",
        risk.status.trim(),
        deadline.unwrap_or_default()
    ));
    found.add(Draft {
        rule: "risk",
        title: risk.about.title(),
        message: &text,
        severity: risk.rated().unwrap_or(Severity::Medium),
        location: None,
        component: None,
        vulnerability: None,
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

    /// A status is short. The length is checked first, because many items may refer to one risk.
    fn has_status(&self, word: &str) -> bool {
        self.status.len() <= 200 && self.status.trim().eq_ignore_ascii_case(word)
    }

    /// The highest severity of the risk's facets. The likelihood is ignored.
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
