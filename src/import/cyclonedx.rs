//! Reads the vulnerabilities of a CycloneDX document (JSON or XML, 1.4 and later) and their analysis (VEX).
//!
//! Each affected component gives a result. If the document has the component's version, the result is for that version,
//! and listed ranges are ignored. Any other component gives one result for each listed version and range.
//!
//! An analysis is a statement on a finding and not a part of its identity: a later document of the same tool that judges
//! the finding, or no longer does, is about the same finding.

mod model;
mod verdict;
mod xml;

#[cfg(test)]
mod tests;

use super::assemble::{Assembly, Draft, damage, missing, named, utc};
use super::{ImportError, KeySource, Scan, ScanKind, Severity, VexStatement, purl, severity, shown_line};
use model::{Affects, Bom, Component, Probe, Rating, Version, Vulnerability};
use serde::Deserialize;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;

const VERSION: &str = "CycloneDX 1.4 or a later 1.x";

pub(super) fn read(text: &str) -> Result<Vec<Scan>, ImportError> {
    if text.trim_start().starts_with('<') {
        let document = xml::to_json(text)?;
        check(&Probe::deserialize(&document).map_err(damage)?)?;
        return Bom::deserialize(document).map_err(damage).and_then(|bom| scan(&bom));
    }
    check(&serde_json::from_str::<Probe>(text).map_err(damage)?)?;
    scan(&serde_json::from_str::<Bom>(text).map_err(damage)?)
}

fn scan(bom: &Bom) -> Result<Vec<Scan>, ImportError> {
    Reader::new(bom).read(bom).map(|scan| vec![scan])
}

/// Refuses another format, another version, and a document that does not say what was found.
fn check(probe: &Probe) -> Result<(), ImportError> {
    if !probe
        .bom_format
        .as_ref()
        .is_some_and(|name| name.eq_ignore_ascii_case("CycloneDX"))
    {
        return Err(missing("bomFormat \"CycloneDX\""));
    }
    let version = match &probe.spec_version {
        Some(Value::String(version)) => version.trim().to_owned(),
        Some(Value::Number(version)) => version.to_string(),
        _ => "none".to_owned(),
    };
    let minor = version.strip_prefix("1.").and_then(|minor| minor.parse::<u32>().ok());
    if minor.is_none_or(|minor| minor < 4) {
        return Err(ImportError::WrongVersion {
            found: shown_line(&version, 40),
            wanted: VERSION,
        });
    }
    if probe.vulnerabilities.is_none() {
        // A list of components without vulnerabilities does not mean that none were found.
        return Err(missing("vulnerabilities"));
    }
    Ok(())
}

struct Reader<'a> {
    /// Components by their references in the document.
    components: BTreeMap<&'a str, &'a Component>,
    product: Option<&'a Component>,
    /// The beginning of a BOM-Link to a component of the document.
    link: Option<String>,
}

impl<'a> Reader<'a> {
    fn new(bom: &'a Bom) -> Self {
        let product = bom.metadata.as_ref().and_then(|metadata| metadata.component.as_ref());
        let mut components = BTreeMap::new();
        // Nested components. The depth is bounded by the JSON parser.
        let mut left: Vec<&Component> = product.into_iter().collect();
        left.extend(bom.components.iter().chain(&bom.services).flatten());
        while let Some(component) = left.pop() {
            if let Some(reference) = component.bom_ref.as_deref() {
                components.entry(reference).or_insert(component);
            }
            left.extend(component.components.iter().chain(&component.services).flatten());
        }
        let link = bom_link(bom);
        Self {
            components,
            product,
            link,
        }
    }

    fn read(&self, bom: &Bom) -> Result<Scan, ImportError> {
        let mut found = Assembly::new();
        for vulnerability in &bom.vulnerabilities {
            let advisory = Advisory::new(vulnerability);
            let affects = vulnerability.affects.as_deref().unwrap_or_default();
            if affects.is_empty() {
                self.add(&mut found, &advisory, None, None)?;
            }
            for one in affects {
                self.affected(&mut found, &advisory, one)?;
            }
        }
        let metadata = bom.metadata.as_ref();
        let tool = metadata.and_then(|metadata| metadata.tools.as_ref()?.first());
        let provider = tool.and_then(|tool| named(tool.name.as_deref()));
        // Without the version, so that a finding in a library keeps its identity in the next version of the product.
        let scanned = self
            .product
            .and_then(full_name)
            .and_then(|name| named(Some(name.as_ref())));
        let mut scan = found.scan(
            provider.unwrap_or_else(|| "cyclonedx".to_owned()),
            ScanKind::Scan,
            scanned,
        );
        scan.provider_version = tool.and_then(|tool| named(tool.version.as_deref()));
        scan.collected_at = metadata.and_then(|metadata| utc(metadata.timestamp.as_deref()?));
        Ok(scan)
    }

    /// Adds the results for one affected component.
    fn affected(&self, found: &mut Assembly, of: &Advisory<'_>, one: &Affects) -> Result<(), ImportError> {
        let own = self.components.get(one.target.as_str()).copied();
        let own_version = own.and_then(|component| component.version.as_deref());
        let versions = one.versions.as_deref().unwrap_or_default();
        let Some(own_version) = own_version else {
            if versions.is_empty() {
                return self.add(found, of, Some((one, own)), None);
            }
            return versions
                .iter()
                .try_for_each(|version| self.add(found, of, Some((one, own)), Some(version)));
        };
        let exact = |version: &&Version| version.version.as_deref() == Some(own_version);
        let mine = Version {
            version: Some(own_version.to_owned()),
            range: None,
            status: versions.iter().find(exact).and_then(|version| version.status.clone()),
        };
        self.add(found, of, Some((one, own)), Some(&mine))?;
        // Further versions that are listed by number are affected as well.
        let others = versions
            .iter()
            .filter(|version| version.version.is_some() && !exact(version));
        for version in others {
            self.add(found, of, Some((one, own)), Some(version))?;
        }
        Ok(())
    }

    fn add(
        &self,
        found: &mut Assembly,
        advisory: &Advisory<'_>,
        affected: Option<(&Affects, Option<&Component>)>,
        version: Option<&Version>,
    ) -> Result<(), ImportError> {
        let number = version.and_then(|version| given(&version.version).or(given(&version.range)));
        let component = affected.map(|(affects, component)| named_version(affects, component, number));
        let thing =
            affected.map(|(affects, component)| component.and_then(full_name).unwrap_or((&affects.target).into()));
        let products = affected.map(|(affects, component)| self.products(affects, component, version));
        let vulnerability = super::Vulnerability::new(advisory.ids.iter().copied(), products.into_iter().flatten());
        let draft = Draft {
            rule: advisory.rule,
            title: advisory.title,
            message: &advisory.message,
            severity: advisory.severity,
            location: None,
            component: component.and_then(|name| named(Some(name.as_ref()))),
            vulnerability: Some(vulnerability.clone()),
            suppressed: false,
            help: advisory.of.source.as_ref().and_then(|source| source.url.as_deref()),
            key: (
                KeySource::Component,
                json!(["affects", thing, number, advisory.nameless]),
            ),
        };
        let analysis = advisory.of.analysis.as_ref();
        let Some((status, is_finding)) = verdict::status(analysis, version) else {
            return found.add(draft);
        };
        let statement = VexStatement {
            vulnerability,
            status,
            reason: advisory.reason.clone(),
            at: None,
            finding: None,
        };
        found.state(statement, is_finding.then_some(draft))
    }

    /// The names of what is affected. A range has none, because nothing tells which versions are in it.
    fn products<'n>(
        &self,
        affects: &'n Affects,
        component: Option<&'n Component>,
        version: Option<&'n Version>,
    ) -> Vec<Cow<'n, str>> {
        let number = version.and_then(|version| given(&version.version));
        if version.is_some() && number.is_none() {
            return Vec::new();
        }
        let own = component.filter(|component| number.is_none() || given(&component.version) == number);
        let mut names: Vec<Cow<'n, str>> = Vec::new();
        if let Some(own) = own {
            names.extend(given(&own.purl).map(|name| purl::with_version(name, number).into()));
            names.extend(given(&own.cpe).map(Cow::from));
            names.extend(
                self.link
                    .as_ref()
                    .map(|link| format!("{link}{}", affects.target).into()),
            );
        } else if let Some(name) = component.and_then(full_name).filter(|name| purl::is_purl(name)) {
            names.push(purl::with_version(&name, number).into());
        } else if purl::is_purl(&affects.target) {
            names.push(purl::with_version(&affects.target, number).into());
        } else if number.is_none() {
            names.push(affects.target.as_str().into());
        }
        names
    }
}

/// The beginning of a BOM-Link (`urn:cdx:SERIAL/VERSION#`); `None` if the document has no serial number.
fn bom_link(bom: &Bom) -> Option<String> {
    let serial = given(&bom.serial_number)?.strip_prefix("urn:uuid:")?;
    Some(format!("{}{serial}/{}#", purl::BOM_LINK, bom.version.unwrap_or(1)))
}

/// The parts of a vulnerability that are the same for all components it affects.
struct Advisory<'v> {
    of: &'v Vulnerability,
    rule: &'v str,
    title: &'v str,
    message: String,
    /// Its ID and its aliases.
    ids: Vec<&'v str>,
    /// Why the document decides as it does.
    reason: String,
    severity: Severity,
    /// The description, which identifies a vulnerability without ID.
    nameless: Option<Option<&'v str>>,
}

impl<'v> Advisory<'v> {
    fn new(of: &'v Vulnerability) -> Self {
        let references = of.references.as_deref().unwrap_or_default();
        let first = references.iter().find_map(|one| given(&one.id));
        let id = given(&of.id).or(first).or(given(&of.bom_ref));
        let rule = id.unwrap_or("(no ID)");
        Self {
            of,
            rule,
            title: title(of, rule),
            message: verdict::message(of, rule),
            ids: given(&of.id)
                .into_iter()
                .chain(references.iter().filter_map(|one| given(&one.id)))
                .collect(),
            reason: verdict::reason(of.analysis.as_ref()),
            severity: rated(of.ratings.as_deref().unwrap_or_default()),
            nameless: (rule == "(no ID)").then(|| given(&of.description)),
        }
    }
}

fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

/// The first line of the description, else the ID.
fn title<'v>(of: &'v Vulnerability, rule: &'v str) -> &'v str {
    let text = given(&of.description).or(given(&of.detail)).unwrap_or(rule);
    text.lines().next().unwrap_or(rule)
}

/// The purl without its version, or else group and name.
fn full_name(component: &Component) -> Option<Cow<'_, str>> {
    if let Some(purl) = given(&component.purl) {
        let path = purl.split(['?', '#']).next().unwrap_or(purl);
        let version = given(&component.version);
        let bare = version.and_then(|version| path.strip_suffix(version)?.strip_suffix('@'));
        return Some(bare.unwrap_or(path).into());
    }
    let name = given(&component.name)?;
    Some(given(&component.group).map_or(name.into(), |group| format!("{group}/{name}").into()))
}

/// The affected version for display: the purl, or else the name and the version, or else the reference and the version.
fn named_version<'a>(affects: &'a Affects, component: Option<&'a Component>, number: Option<&str>) -> Cow<'a, str> {
    let own = component.filter(|component| number.is_none() || given(&component.version) == number);
    if let Some(purl) = own.and_then(|component| given(&component.purl)) {
        return purl.into();
    }
    let name = component.and_then(full_name).unwrap_or((&affects.target).into());
    match number {
        Some(number) => format!("{name}@{number}").into(),
        None => name,
    }
}

/// The highest rating. Each rating counts by its word, or else its score, or else its vector. Medium without ratings.
fn rated(ratings: &[Rating]) -> Severity {
    let one = |rating: &Rating| {
        let version = match rating.method.as_deref() {
            Some("CVSSv3") => Some("3.0"),
            Some("CVSSv31") => Some("3.1"),
            Some("CVSSv4") => Some("4.0"),
            _ => None,
        };
        given(&rating.severity)
            .and_then(severity::word)
            // Scores of OWASP and SSVC have other scales.
            .or_else(|| {
                rating
                    .score
                    .filter(|_| rating.method.as_deref().is_none_or(|method| method.starts_with("CVSS")))
                    .and_then(severity::score)
            })
            .or_else(|| severity::vector(given(&rating.vector)?, version))
    };
    ratings.iter().filter_map(one).max().unwrap_or(Severity::Medium)
}
