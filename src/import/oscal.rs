//! Reads OSCAL 1.x documents in JSON: catalogs, assessment results and plans of action and milestones (POA&M).
//!
//! A catalog declares controls and gives no findings. Assessment results say whether controls are met: each objective
//! that is not satisfied and each risk that is not closed is a finding. Each item of a plan of action is a finding
//! until its risks are closed. A risk with an approved deviation is suppressed, like a suppressed result of a scanner.
//!
//! Findings are identified by titles and targets and not by UUIDs, which tools generate for each document. The
//! document's title is the provider, so a title with the month in it starts new findings each month.

mod model;
mod risks;

#[cfg(test)]
mod tests;

use super::assemble::{Assembly, Draft, damage, missing, named, utc};
use super::{ControlReport, ControlStatus, ImportError, KeySource, Location, Scan, ScanKind, Severity, shown_line};
use model::{Assessment, Control, Finding, Group, Metadata, Named, Probe, Risk};
use risks::{Rated, add_risk, by_id};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// The document types of OSCAL; those with a description are not read.
pub(super) const DOCUMENTS: [(&str, &str); 8] = [
    ("catalog", ""),
    ("assessment-results", ""),
    ("plan-of-action-and-milestones", ""),
    ("profile", "an OSCAL profile"),
    ("component-definition", "an OSCAL component definition"),
    ("system-security-plan", "an OSCAL system security plan"),
    ("assessment-plan", "an OSCAL assessment plan"),
    ("mapping-collection", "an OSCAL mapping"),
];

pub(super) fn read(text: &str) -> Result<Vec<Scan>, ImportError> {
    let probe: Probe = serde_json::from_str(text).map_err(damage)?;
    let other = DOCUMENTS
        .iter()
        .find(|(name, what)| !what.is_empty() && probe.names.contains(*name));
    if let Some((_, what)) = other {
        return Err(ImportError::OtherDocument {
            what: (*what).to_owned(),
            instead: "a catalog, assessment results or a plan of action and milestones (of a profile: the resolved catalog)",
        });
    }
    if !DOCUMENTS.iter().any(|(name, _)| probe.names.contains(*name)) {
        return Err(missing(
            "OSCAL document (catalog, assessment-results or plan-of-action-and-milestones)",
        ));
    }
    // The version is checked first: a file of another version has another structure, and its error would be misleading.
    let head: model::Head = serde_json::from_str(text).map_err(damage)?;
    let metadata = head.document.metadata;
    let provider = provider(&metadata)?;
    if probe.names.contains("catalog") {
        let document: model::CatalogFile = serde_json::from_str(text).map_err(damage)?;
        return catalog(&document.catalog, &provider, &metadata).map(|scan| vec![scan]);
    }
    if probe.names.contains("assessment-results") {
        let document: model::ResultsFile = serde_json::from_str(text).map_err(damage)?;
        let assessments = document.results.results.iter();
        return assessments.map(|one| assessment(one, &provider, &metadata)).collect();
    }
    let document: model::PlanFile = serde_json::from_str(text).map_err(damage)?;
    plan(&document.plan, &provider, &metadata).map(|scan| vec![scan])
}

/// The document's title. Refuses other versions.
fn provider(metadata: &Metadata) -> Result<String, ImportError> {
    let version = metadata.oscal_version.as_deref().unwrap_or("none").trim();
    if version.strip_prefix("1.").is_none() {
        return Err(ImportError::WrongVersion {
            found: shown_line(version, 40),
            wanted: "OSCAL 1.x",
        });
    }
    named(metadata.title.as_deref()).ok_or_else(|| missing("metadata.title"))
}

fn finish(found: Assembly, provider: &str, kind: ScanKind, metadata: &Metadata) -> Scan {
    let mut scan = found.scan(provider.to_owned(), kind, None);
    scan.provider_version = named(metadata.version.as_deref());
    scan.collected_at = metadata.last_modified.as_deref().and_then(utc);
    scan
}

fn catalog(catalog: &model::Catalog, provider: &str, metadata: &Metadata) -> Result<Scan, ImportError> {
    let mut reports = Vec::new();
    let mut known = BTreeSet::new();
    let mut groups: Vec<&Group> = Vec::new();
    let mut controls: Vec<&Control> = Vec::new();
    // Document order: the last pushed item is popped next.
    groups.extend(catalog.groups.iter().flatten().rev());
    controls.extend(catalog.controls.iter().flatten().rev());
    loop {
        if let Some(control) = controls.pop() {
            controls.extend(control.controls.iter().flatten().rev());
            let key = control_key(&control.id).ok_or_else(|| missing("ID of a control"))?;
            // A withdrawn control remains in the catalog, but no release has to meet it.
            if !control.is_withdrawn() && known.insert(key.clone()) {
                let title = named(control.title.as_deref()).unwrap_or_else(|| key.clone());
                reports.push(ControlReport::Declared { key, title });
            }
        } else if let Some(group) = groups.pop() {
            groups.extend(group.groups.iter().flatten().rev());
            controls.extend(group.controls.iter().flatten().rev());
        } else {
            break;
        }
    }
    if reports.is_empty() {
        return Err(missing("controls"));
    }
    let mut scan = finish(Assembly::new(), provider, ScanKind::Catalog, metadata);
    scan.controls = reports;
    Ok(scan)
}

/// A control's ID in capitals, as people write it.
fn control_key(id: &str) -> Option<String> {
    named(Some(id)).map(|id| id.to_ascii_uppercase())
}

fn assessment(one: &Assessment, provider: &str, metadata: &Metadata) -> Result<Scan, ImportError> {
    let mut found = Assembly::new();
    let risks = one.risks.as_deref().unwrap_or_default();
    let by_id = by_id(risks);
    let mut controls: BTreeMap<String, ControlStatus> = BTreeMap::new();
    for finding in one.findings.iter().flatten() {
        let status = status(finding);
        if let (Some(key), Some(status)) = (finding.target.control(), status) {
            // One objective that is not satisfied makes the control fail.
            let whole = controls.entry(key).or_insert(status);
            if status == ControlStatus::Failing {
                *whole = status;
            }
        }
        // An unknown state does not count as satisfied.
        if status == Some(ControlStatus::Passing) {
            found.not_failures += 1;
            continue;
        }
        let related = finding.related_risks.iter().flatten();
        let rated = related.filter_map(|risk| by_id.get(risk.uuid.as_str())?.1).max();
        let text = finding.about.text("");
        found.add(Draft {
            rule: &finding.target.id,
            title: finding.about.title(),
            message: &text,
            severity: rated.unwrap_or(Severity::Medium),
            location: named(Some(&finding.target.id)).map(place),
            component: None,
            vulnerability: None,
            suppressed: false,
            help: None,
            key: (
                KeySource::Name,
                json!(["finding", finding.target.id, finding.about.title()]),
            ),
        })?;
    }
    risks.iter().try_for_each(|risk| add_risk(&mut found, risk))?;
    let mut scan = finish(found, provider, ScanKind::Assessment, metadata);
    let ended = one.end.as_deref().or(one.start.as_deref());
    scan.collected_at = ended.and_then(utc).or(scan.collected_at);
    let reports = controls.into_iter();
    scan.controls = reports
        .map(|(key, status)| ControlReport::Assessed { key, status })
        .collect();
    Ok(scan)
}

fn status(finding: &Finding) -> Option<ControlStatus> {
    match finding.target.status.state.trim().to_ascii_lowercase().as_str() {
        "satisfied" => Some(ControlStatus::Passing),
        "not-satisfied" => Some(ControlStatus::Failing),
        _ => None,
    }
}

fn plan(plan: &model::Plan, provider: &str, metadata: &Metadata) -> Result<Scan, ImportError> {
    let mut found = Assembly::new();
    let risks = plan.risks.as_deref().unwrap_or_default();
    let by_id = by_id(risks);
    let mut covered = BTreeSet::new();
    for item in &plan.items {
        let related: Vec<Option<&Rated>> = item
            .related_risks
            .iter()
            .flatten()
            .map(|one| by_id.get(one.uuid.as_str()))
            .collect();
        covered.extend(related.iter().flatten().map(|(risk, _)| risk.uuid.as_str()));
        // A risk that is missing from the document may be open.
        let all = |test: fn(&Risk) -> bool| {
            !related.is_empty() && related.iter().all(|risk| risk.is_some_and(|(risk, _)| test(risk)))
        };
        if all(Risk::is_closed) {
            found.not_failures += 1;
            continue;
        }
        let deadline = related
            .iter()
            .flatten()
            .filter_map(|(risk, _)| risk.deadline.as_deref())
            .min();
        let deadline = deadline.map_or(String::new(), |day| format!("Deadline: {day}."));
        let text = item.about.text(&deadline);
        let rated = related.iter().flatten().filter_map(|(_, rated)| *rated).max();
        found.add(Draft {
            rule: "poam-item",
            title: item.about.title(),
            message: &text,
            severity: rated.unwrap_or(Severity::Medium),
            location: None,
            component: None,
            vulnerability: None,
            suppressed: all(|risk| risk.is_closed() || risk.is_accepted()),
            help: None,
            key: (KeySource::Name, json!(["poam-item", item.about.title()])),
        })?;
    }
    // A risk without an item is a finding as well.
    let others = risks.iter().filter(|risk| !covered.contains(risk.uuid.as_str()));
    others.into_iter().try_for_each(|risk| add_risk(&mut found, risk))?;
    Ok(finish(found, provider, ScanKind::Assessment, metadata))
}

fn place(name: String) -> Location {
    Location {
        uri: None,
        line: None,
        column: None,
        logical: Some(name),
    }
}

impl Named {
    fn title(&self) -> &str {
        self.title.as_deref().unwrap_or_default()
    }

    /// `first`, the description and the statement.
    fn text(&self, first: &str) -> String {
        let parts = [Some(first), self.description.as_deref(), self.statement.as_deref()];
        let parts: Vec<&str> = parts
            .into_iter()
            .flatten()
            .filter(|text| !text.trim().is_empty())
            .collect();
        parts.join("\n\n")
    }
}
