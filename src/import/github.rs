//! Reads the alerts of GitHub's code scanning and Dependabot as the REST API lists them
//! (`/repos/OWNER/NAME/code-scanning/alerts`, `/dependabot/alerts`, and the same of an organisation): one alert, a list, or
//! the list of pages that `gh api --paginate --slurp` writes.
//!
//! An alert keeps its number in its repository, so the number identifies the finding. A list can be one page of several,
//! so it is never a complete scan; an alert that is fixed says so.

mod model;

#[cfg(test)]
mod tests;

use super::assemble::{Assembly, Draft, damage, missing, named};
use super::file_name::file_name;
use super::vulnerability::leading_id;
use super::{ImportError, KeySource, Location, Scan, ScanKind, Severity, Vulnerability, purl, severity};
use model::Alert;
use serde_json::json;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A tool and the repository that it scanned.
type Source = (String, Option<String>);

pub(super) fn read(text: &str) -> Result<Vec<Scan>, ImportError> {
    let alerts = alerts(text).map_err(damage)?;
    let mut sources: BTreeMap<Source, Assembly> = BTreeMap::new();
    for alert in &alerts {
        let source = (tool(alert)?, repository(alert));
        let found = sources.entry(source).or_insert_with(Assembly::new);
        add(found, alert)?;
    }
    let scans = sources.into_iter().map(|((tool, repository), found)| {
        let mut scan = found.scan(tool, ScanKind::Scan, repository);
        scan.complete = false;
        scan
    });
    let mut scans: Vec<Scan> = scans.collect();
    // A list without alerts is evidence, too.
    if scans.is_empty() {
        let mut scan = Assembly::new().scan("github".to_owned(), ScanKind::Scan, None);
        scan.complete = false;
        scans.push(scan);
    }
    Ok(scans)
}

fn alerts(text: &str) -> Result<Vec<Alert>, serde_json::Error> {
    let list = text.trim_start().strip_prefix('[');
    match list.map(|rest| rest.trim_start().starts_with('[')) {
        Some(true) => Ok(serde_json::from_str::<Vec<Vec<Alert>>>(text)?
            .into_iter()
            .flatten()
            .collect()),
        Some(false) => serde_json::from_str(text),
        None => serde_json::from_str(text).map(|alert| vec![alert]),
    }
}

fn tool(alert: &Alert) -> Result<String, ImportError> {
    if alert.security_advisory.is_some() {
        return Ok("Dependabot".to_owned());
    }
    let name = alert.tool.as_ref().and_then(|tool| named(tool.name.as_deref()));
    name.ok_or_else(|| missing("tool.name of an alert"))
}

/// The repository's address: what is before `/security/` in the alert's.
fn repository(alert: &Alert) -> Option<String> {
    let named_repository = || alert.repository.as_ref()?.html_url.as_deref();
    let by_alert = || Some(alert.html_url.as_deref()?.split_once("/security/")?.0);
    named(named_repository().or_else(by_alert))
}

fn add(found: &mut Assembly, alert: &Alert) -> Result<(), ImportError> {
    let number = alert.number.ok_or_else(|| missing("number of an alert"))?;
    let state = alert.state.as_deref().map(str::trim).unwrap_or_default();
    if state == "fixed" {
        found.not_failures += 1;
        return Ok(());
    }
    // An unknown state is ignored, so that no finding is lost.
    let dismissed = matches!(state, "dismissed" | "auto_dismissed");
    let said = match (
        dismissed,
        given(&alert.dismissed_reason),
        given(&alert.dismissed_comment),
    ) {
        (false, ..) => None,
        (true, None, None) => Some("Dismissed on GitHub.".to_owned()),
        (true, reason, comment) => {
            let parts: Vec<&str> = reason.into_iter().chain(comment).collect();
            Some(format!(
                "Dismissed on GitHub: {}.",
                parts.join(": ").trim_end_matches('.')
            ))
        }
    };
    let about = match alert.security_advisory {
        Some(_) => dependabot(alert),
        None => code_scanning(alert)?,
    };
    let message = [said.as_deref(), Some(about.message)]
        .into_iter()
        .flatten()
        .filter(|text| !text.is_empty());
    let message = message.collect::<Vec<_>>().join("\n\n");
    found.add(Draft {
        rule: about.rule,
        title: about.title,
        message: &message,
        severity: about.severity,
        location: about.location,
        component: about.component,
        vulnerability: about.vulnerability,
        suppressed: dismissed,
        help: alert.html_url.as_deref(),
        key: (KeySource::Fingerprint, json!(["alert", number])),
    })
}

struct About<'a> {
    rule: &'a str,
    title: &'a str,
    message: &'a str,
    severity: Severity,
    location: Option<Location>,
    component: Option<String>,
    vulnerability: Option<Vulnerability>,
}

fn code_scanning(alert: &Alert) -> Result<About<'_>, ImportError> {
    let rule = alert.rule.as_ref().ok_or_else(|| missing("rule of an alert"))?;
    let id = given(&rule.id).or(given(&rule.name)).unwrap_or("(no rule)");
    let instance = alert.most_recent_instance.as_ref();
    let described = given(&rule.description).or(given(&rule.name));
    let message = instance.and_then(|instance| given(&instance.message.as_ref()?.text));
    let place = instance.and_then(|instance| instance.location.as_ref());
    let level = match rule.severity.as_deref() {
        Some("error") => Severity::High,
        Some("note") => Severity::Low,
        Some("none") => Severity::None,
        _ => Severity::Medium,
    };
    Ok(About {
        rule: id,
        title: described.unwrap_or_default(),
        message: message.or(given(&rule.full_description)).unwrap_or_default(),
        severity: given(&rule.security_severity_level)
            .and_then(severity::word)
            .unwrap_or(level),
        location: place.and_then(|place| {
            Some(Location {
                uri: Some(file_name(place.path.as_deref()?)?),
                line: place.start_line.filter(|line| *line > 0),
                column: place.start_column.filter(|column| *column > 0),
                logical: None,
            })
        }),
        component: None,
        vulnerability: leading_id(id).map(|id| Vulnerability::new([id], [])),
    })
}

fn dependabot(alert: &Alert) -> About<'_> {
    let advisory = alert.security_advisory.as_ref();
    let dependency = alert.dependency.as_ref();
    let package = dependency.and_then(|dependency| dependency.package.as_ref());
    let vulnerable = alert.security_vulnerability.as_ref();
    let text = |field: fn(&model::Advisory) -> &Option<String>| advisory.and_then(|advisory| given(field(advisory)));
    let ids = [text(|one| &one.ghsa_id), text(|one| &one.cve_id)];
    let others = advisory
        .into_iter()
        .flat_map(|advisory| advisory.identifiers.iter().flatten());
    let ids: Vec<&str> = ids
        .into_iter()
        .flatten()
        .chain(others.filter_map(|id| given(&id.value)))
        .collect();
    let name = package.and_then(|package| given(&package.name));
    let ecosystem = package
        .and_then(|package| given(&package.ecosystem))
        .unwrap_or_default();
    // An alert does not name the version.
    let purl = name.and_then(|name| purl::of_package(ecosystem, name, None));
    let word = vulnerable
        .and_then(|one| given(&one.severity))
        .or(text(|one| &one.severity));
    let manifest = dependency.and_then(|dependency| dependency.manifest_path.as_deref());
    About {
        rule: ids.first().copied().unwrap_or("(no ID)"),
        title: text(|one| &one.summary).unwrap_or_default(),
        message: text(|one| &one.description).unwrap_or_default(),
        severity: word.and_then(severity::word).unwrap_or(Severity::Medium),
        location: manifest.and_then(file_name).map(|uri| Location {
            uri: Some(uri),
            line: None,
            column: None,
            logical: None,
        }),
        component: named(purl.as_deref().or(name)),
        vulnerability: Some(Vulnerability::new(ids, purl.clone().map(Cow::Owned))),
    }
}

fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}
