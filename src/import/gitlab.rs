//! Reads the security reports of GitLab's analysers (gitlab.com/gitlab-org/security-products/security-report-schemas,
//! schemas 14 and 15): SAST, secret detection, dependency scanning and container scanning.
//!
//! A finding in code is identified by the analyser's tracking signature, which survives moved lines, or else by file and
//! line; a finding in a package by the package with its version and the file that lists it.

mod model;

#[cfg(test)]
mod tests;

use super::assemble::{Assembly, Draft, damage, missing, named, utc};
use super::file_name::file_name;
use super::vulnerability::leading_id;
use super::{ImportError, KeySource, Location, Scan, ScanKind, Severity, Vulnerability, purl, severity, shown_line};
use model::{Place, Probe, Report, Vulnerability as Entry};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The kinds of reports that are read.
const KINDS: [&str; 5] = [
    "sast",
    "secret_detection",
    "dependency_scanning",
    "container_scanning",
    "cluster_image_scanning",
];

/// The tracking signatures, best first.
const SIGNATURES: [&str; 3] = ["scope_offset_compressed", "scope_offset", "location"];

pub(super) fn read(text: &str) -> Result<Vec<Scan>, ImportError> {
    let probe: Probe = serde_json::from_str(text).map_err(damage)?;
    let version = probe.version.as_deref().unwrap_or("none").trim();
    if !matches!(version.split('.').next(), Some("14" | "15")) {
        return Err(ImportError::WrongVersion {
            found: shown_line(version, 40),
            wanted: "schema 14 or 15 of GitLab's security reports",
        });
    }
    let scan = probe.scan.ok_or_else(|| missing("scan"))?;
    let kind = scan.kind.as_deref().unwrap_or_default().trim();
    if !KINDS.contains(&kind) {
        return Err(ImportError::OtherDocument {
            what: format!("a report of GitLab of the type {}", shown_line(kind, 40)),
            instead: "a report of SAST, secret detection, dependency scanning or container scanning",
        });
    }
    if probe.vulnerabilities.is_none() {
        return Err(missing("vulnerabilities"));
    }
    let scanner = scan.scanner.unwrap_or_default();
    let provider = named(scanner.name.as_deref()).or_else(|| named(scanner.id.as_deref()));
    let provider = provider.ok_or_else(|| missing("scan.scanner.name"))?;
    let report: Report = serde_json::from_str(text).map_err(damage)?;
    let files = report.dependency_files.iter().flatten();
    let managers: BTreeMap<&str, &str> = files
        .filter_map(|file| Some((file.path.as_deref()?, file.package_manager.as_deref()?)))
        .collect();
    let mut found = Assembly::new();
    for entry in &report.vulnerabilities {
        add(&mut found, entry, &managers)?;
    }
    let mut read = found.scan(provider, ScanKind::Scan, None);
    read.provider_version = named(scanner.version.as_deref());
    read.collected_at = [scan.end_time, scan.start_time]
        .iter()
        .find_map(|time| utc(time.as_deref()?));
    read.complete = scan.status.as_deref().is_none_or(|status| status.trim() == "success");
    Ok(vec![read])
}

fn add(found: &mut Assembly, entry: &Entry, managers: &BTreeMap<&str, &str>) -> Result<(), ImportError> {
    let identifiers = entry.identifiers.as_deref().unwrap_or_default();
    let first = identifiers
        .iter()
        .find_map(|one| given(&one.value).or(given(&one.name)));
    let ids: Vec<&str> = identifiers
        .iter()
        .filter_map(|one| given(&one.value).or(given(&one.name)))
        .filter_map(leading_id)
        .collect();
    let bare = Place::default();
    let place = entry.location.as_ref().unwrap_or(&bare);
    let file = place.file.as_deref();
    let dependency = place.dependency.as_ref();
    let package = dependency.and_then(|one| given(&one.package.as_ref()?.name));
    let version = dependency.and_then(|one| given(&one.version));
    let manager = file.and_then(|file| managers.get(file)).copied().unwrap_or_default();
    let purl = package.and_then(|package| purl::of_package(manager, package, version));
    let plain = || package.map(|package| version.map_or(package.to_owned(), |version| format!("{package}@{version}")));
    let component = purl.clone().or_else(plain);
    let description = given(&entry.description).or(given(&entry.message)).unwrap_or_default();
    let mut message: Vec<String> = Vec::new();
    for flag in entry.flags.iter().flatten() {
        if given(&flag.kind) == Some("flagged-as-likely-false-positive") {
            let who = shown_line(flag.origin.as_deref().unwrap_or("the analyser"), 100);
            message.push(format!("Likely a false positive, says {who}."));
        }
    }
    if ids.len() > 1 || ids.first().copied() != first {
        message.extend((!ids.is_empty()).then(|| {
            format!(
                "Also known as {}.",
                ids.iter().take(20).copied().collect::<Vec<_>>().join(", ")
            )
        }));
    }
    message.extend((!description.is_empty()).then(|| description.to_owned()));
    message.extend(given(&entry.solution).map(|solution| format!("Solution: {solution}")));
    let name = given(&entry.name).or(given(&entry.message)).unwrap_or_default();
    let logical: Vec<&str> = [given(&place.class), given(&place.method)]
        .into_iter()
        .flatten()
        .collect();
    let logical = named(Some(&logical.join("."))).or_else(|| named(given(&place.image)));
    let uri = file.and_then(file_name);
    let key = key(entry, package, version, uri.as_deref(), logical.as_deref(), place, name);
    let links = entry
        .links
        .iter()
        .flatten()
        .chain(identifiers.iter().map(|one| &one.link));
    found.add(Draft {
        rule: first.unwrap_or("(no rule)"),
        title: name,
        message: &message.join("\n\n"),
        severity: given(&entry.severity)
            .and_then(severity::word)
            .unwrap_or(Severity::Medium),
        location: (uri.is_some() || logical.is_some()).then_some(Location {
            uri,
            line: place.start_line.filter(|line| *line > 0),
            column: None,
            logical,
        }),
        component: named(component.as_deref()),
        vulnerability: (!ids.is_empty()).then(|| Vulnerability::new(ids, purl.map(Cow::Owned))),
        suppressed: false,
        help: links.filter_map(|link| given(&link.url)).next(),
        key,
    })
}

fn key(
    entry: &Entry,
    package: Option<&str>,
    version: Option<&str>,
    uri: Option<&str>,
    logical: Option<&str>,
    place: &Place,
    name: &str,
) -> (KeySource, Value) {
    if let Some(package) = package {
        return (KeySource::Component, json!(["package", package, version, uri, logical]));
    }
    let tracked = entry
        .tracking
        .iter()
        .flat_map(|tracking| tracking.items.iter().flatten());
    let signatures: Vec<_> = tracked
        .flat_map(|item| item.signatures.iter().flatten())
        .take(100)
        .collect();
    for algorithm in SIGNATURES {
        let found = signatures
            .iter()
            .find(|one| one.algorithm.as_deref() == Some(algorithm));
        if let Some(value) = found.and_then(|one| given(&one.value)) {
            return (
                KeySource::PartialFingerprint,
                json!(["signature", algorithm, value, uri]),
            );
        }
    }
    match (uri, logical) {
        (None, None) => (KeySource::Message, json!(["message", name, entry.description])),
        _ => (KeySource::Location, json!(["location", uri, logical, place.start_line])),
    }
}

fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}
