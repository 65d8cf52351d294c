//! SPDX 3.0 in JSON-LD: elements that refer to each other. Statements (VEX) are relationships from a vulnerability to
//! packages; scores are relationships as well.

use super::super::assemble::{Assembly, Draft, damage, missing, named, utc};
use super::super::lenient::lenient;
use super::super::vulnerability::{id_in, leading_id};
use super::super::{ImportError, KeySource, Scan, Severity, VexStatement, VexStatus, Vulnerability, purl, severity};
use super::{scan, without_vulnerabilities};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "@graph")]
    graph: Option<Vec<Element>>,
}

/// An element of any type, with the used properties of all types.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Element {
    #[serde(rename = "type")]
    kind: String,
    #[serde(alias = "@id")]
    spdx_id: String,
    #[serde(deserialize_with = "lenient")]
    name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    summary: Option<String>,
    #[serde(deserialize_with = "lenient")]
    description: Option<String>,
    #[serde(deserialize_with = "lenient")]
    created: Option<String>,
    #[serde(deserialize_with = "lenient")]
    external_identifier: Option<Vec<Identifier>>,
    #[serde(rename = "software_packageVersion", deserialize_with = "lenient")]
    version: Option<String>,
    #[serde(rename = "software_packageUrl", deserialize_with = "lenient")]
    purl: Option<String>,
    from: Option<String>,
    to: Option<Vec<String>>,
    #[serde(deserialize_with = "lenient")]
    relationship_type: Option<String>,
    #[serde(rename = "security_assessedElement", deserialize_with = "lenient")]
    assessed: Option<String>,
    #[serde(rename = "security_justificationType", deserialize_with = "lenient")]
    justification: Option<String>,
    #[serde(rename = "security_impactStatement", deserialize_with = "lenient")]
    impact: Option<String>,
    #[serde(rename = "security_actionStatement", deserialize_with = "lenient")]
    action: Option<String>,
    #[serde(rename = "security_statusNotes", deserialize_with = "lenient")]
    notes: Option<String>,
    #[serde(rename = "security_publishedTime", deserialize_with = "lenient")]
    published: Option<String>,
    #[serde(rename = "security_modifiedTime", deserialize_with = "lenient")]
    modified: Option<String>,
    #[serde(rename = "security_severity", deserialize_with = "lenient")]
    severity: Option<String>,
    #[serde(rename = "security_score", deserialize_with = "lenient")]
    score: Option<Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Identifier {
    #[serde(deserialize_with = "lenient")]
    identifier: Option<String>,
}

impl Element {
    /// The type without its profile.
    fn kind(&self) -> &str {
        self.kind
            .trim_start_matches("security_")
            .trim_start_matches("software_")
    }

    fn status(&self) -> Option<VexStatus> {
        match self.kind() {
            "VexAffectedVulnAssessmentRelationship" => Some(VexStatus::Affected),
            "VexNotAffectedVulnAssessmentRelationship" => Some(VexStatus::NotAffected),
            "VexFixedVulnAssessmentRelationship" => Some(VexStatus::Fixed),
            "VexUnderInvestigationVulnAssessmentRelationship" => Some(VexStatus::UnderInvestigation),
            _ => None,
        }
    }

    fn rated(&self) -> Option<Severity> {
        let score = match &self.score {
            Some(Value::Number(number)) => number.as_f64().and_then(severity::score),
            Some(Value::String(text)) => severity::number(text),
            _ => None,
        };
        given(&self.severity)
            .and_then(severity::word)
            .or(score)
            .filter(|_| self.kind().starts_with("Cvss"))
    }

    fn reason(&self) -> String {
        let parts = [&self.justification, &self.impact, &self.action, &self.notes];
        parts.into_iter().filter_map(given).collect::<Vec<_>>().join("\n")
    }
}

pub(super) fn read(text: &str) -> Result<Vec<Scan>, ImportError> {
    let document: Document = serde_json::from_str(text).map_err(damage)?;
    let elements = document.graph.as_deref().ok_or_else(|| missing("@graph"))?;
    let by_id: BTreeMap<&str, &Element> = elements.iter().map(|one| (one.spdx_id.as_str(), one)).collect();
    let of_kind = |kind: &'static str| elements.iter().filter(move |one| one.kind() == kind);
    if of_kind("Vulnerability").next().is_none() {
        return Err(without_vulnerabilities());
    }
    let mut ratings: BTreeMap<&str, Severity> = BTreeMap::new();
    for (of, rated) in elements
        .iter()
        .filter_map(|one| Some((one.from.as_deref()?, one.rated()?)))
    {
        let known = ratings.entry(of).or_insert(rated);
        *known = rated.max(*known);
    }
    let reader = Reader { by_id, ratings };
    let mut found = Assembly::new();
    let mut told: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut related: BTreeSet<&str> = BTreeSet::new();
    for one in elements {
        let (Some(status), Some(from)) = (one.status(), one.from.as_deref()) else {
            continue;
        };
        let assessed = one.assessed.iter().chain(one.to.iter().flatten());
        let assessed: BTreeSet<&str> = assessed.map(String::as_str).collect();
        for target in assessed {
            told.insert((from, target));
            related.insert(from);
            reader.add(&mut found, from, Some(target), Some((one, status)))?;
        }
    }
    // A package may be related to a vulnerability without a statement on it.
    for one in elements {
        let Some(from) = one.from.as_deref() else { continue };
        for to in one.to.iter().flatten() {
            let (vulnerability, target) = match one.relationship_type.as_deref() {
                Some("hasAssociatedVulnerability") => (to.as_str(), from),
                Some("affects") if one.status().is_none() => (from, to.as_str()),
                _ => continue,
            };
            if told.insert((vulnerability, target)) {
                related.insert(vulnerability);
                reader.add(&mut found, vulnerability, Some(target), None)?;
            }
        }
    }
    for one in of_kind("Vulnerability").filter(|one| !related.contains(one.spdx_id.as_str())) {
        reader.add(&mut found, &one.spdx_id, None, None)?;
    }
    let tool = of_kind("Tool").find_map(|tool| named(tool.name.as_deref()));
    let created = elements.iter().filter_map(|one| given(&one.created)).max();
    Ok(vec![scan(found, tool, created)])
}

struct Reader<'a> {
    by_id: BTreeMap<&'a str, &'a Element>,
    /// The highest severity of each vulnerability.
    ratings: BTreeMap<&'a str, Severity>,
}

impl Reader<'_> {
    fn add(
        &self,
        found: &mut Assembly,
        of: &str,
        target: Option<&str>,
        stated: Option<(&Element, VexStatus)>,
    ) -> Result<(), ImportError> {
        let bare = Element::default();
        let vulnerability = self.by_id.get(of).copied().unwrap_or(&bare);
        let identifiers = |element: &Element| {
            let all = element.external_identifier.iter().flatten();
            all.filter_map(|one| given(&one.identifier).map(str::to_owned))
                .take(50)
                .collect::<Vec<String>>()
        };
        let others = identifiers(vulnerability);
        let mut ids: Vec<&str> = others.iter().filter_map(|id| leading_id(id)).collect();
        ids.extend(given(&vulnerability.name).and_then(id_in));
        ids.extend(id_in(of));
        ids.extend(others.first().map(String::as_str).filter(|_| ids.is_empty()));
        let rule = ids.first().copied().or(given(&vulnerability.name)).unwrap_or(of);
        let package = target.and_then(|target| self.by_id.get(target).copied());
        let version = package.and_then(|package| given(&package.version));
        let mut names: Vec<String> = package
            .and_then(|package| given(&package.purl))
            .map(str::to_owned)
            .into_iter()
            .collect();
        names.extend(package.map(identifiers).unwrap_or_default());
        names
            .iter_mut()
            .filter(|name| purl::is_purl(name))
            .for_each(|name| *name = purl::with_version(name, version));
        names.sort_by_key(|name| !purl::is_purl(name));
        let about = Vulnerability::new(ids.iter().copied(), names.iter().map(|name| name.as_str().into()));
        let plain = || {
            let name = given(&package?.name)?;
            Some(version.map_or(name.to_owned(), |version| format!("{name}@{version}")))
        };
        let component = names
            .first()
            .cloned()
            .or_else(plain)
            .or_else(|| target.map(str::to_owned));
        let reason = stated.map(|(one, _)| one.reason()).unwrap_or_default();
        let description = given(&vulnerability.description)
            .or(given(&vulnerability.summary))
            .unwrap_or_default();
        let status = stated
            .map(|(_, status)| format!("Status: {}.", status.as_str()))
            .unwrap_or_default();
        let parts = [status.as_str(), &reason, description]
            .into_iter()
            .filter(|text| !text.is_empty());
        let message = parts.collect::<Vec<_>>().join("\n\n");
        let title = given(&vulnerability.summary).or(description.lines().next());
        let draft = Draft {
            rule,
            title: title.unwrap_or(rule),
            message: &message,
            severity: self.ratings.get(of).copied().unwrap_or(Severity::Medium),
            location: None,
            component: named(component.as_deref()),
            vulnerability: Some(about.clone()),
            suppressed: false,
            help: None,
            key: (KeySource::Component, json!(["package", component])),
        };
        let Some((one, status)) = stated else {
            return found.add(draft);
        };
        let statement = VexStatement {
            vulnerability: about,
            status,
            reason,
            at: given(&one.modified).or(given(&one.published)).and_then(utc),
            finding: None,
        };
        found.state(statement, (status != VexStatus::Fixed).then_some(draft))
    }
}

fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}
