//! Reads the vulnerabilities of a CycloneDX document (JSON, 1.4 and later), and what is said of them (VEX).
//!
//! Each component that a vulnerability affects is a result. Where the document knows the component's version, that version is
//! meant, and ranges are only the advisory's words; a product of another document is judged by each version and range that is
//! listed.
//!
//! A verdict (`analysis.state`) holds for one version of a product and no other. So the version of the document's product is
//! part of what a judged finding is known by, and so is whether the verdict sets it aside: one that is taken back, or that
//! another version does not have, is a new finding and no suppressed old one.

mod model;
mod verdict;

#[cfg(test)]
mod tests;

use super::assemble::{Assembly, Draft, damage, missing, named, utc};
use super::{ImportError, KeySource, Scan, ScanKind, Severity, severity, shown_line};
use model::{Affects, Bom, Component, Probe, Rating, Version, Vulnerability};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use verdict::Verdict;

const VERSION: &str = "CycloneDX 1.4 or a later 1.x";

pub(super) fn read(text: &str) -> Result<Vec<Scan>, ImportError> {
    let probe: Probe = serde_json::from_str(text).map_err(damage)?;
    if !probe
        .bom_format
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
        // A list of components says nothing on vulnerabilities, and is not the same as none found.
        return Err(missing("vulnerabilities"));
    }
    let bom: Bom = serde_json::from_str(text).map_err(damage)?;
    Reader::new(&bom).read(&bom).map(|scan| vec![scan])
}

struct Reader<'a> {
    /// Components by their references in the document.
    components: BTreeMap<&'a str, &'a Component>,
    product: Option<&'a Component>,
}

impl<'a> Reader<'a> {
    fn new(bom: &'a Bom) -> Self {
        let product = bom.metadata.as_ref().and_then(|metadata| metadata.component.as_ref());
        let mut components = BTreeMap::new();
        // Components stand in components; no reader goes deeper than the JSON that was read.
        let mut left: Vec<&Component> = product.into_iter().collect();
        left.extend(bom.components.iter().chain(&bom.services).flatten());
        while let Some(component) = left.pop() {
            if let Some(reference) = component.bom_ref.as_deref() {
                components.entry(reference).or_insert(component);
            }
            left.extend(component.components.iter().chain(&component.services).flatten());
        }
        Self { components, product }
    }

    fn read(&self, bom: &Bom) -> Result<Scan, ImportError> {
        let mut found = Assembly::new();
        for vulnerability in &bom.vulnerabilities {
            let told = Told::by(vulnerability);
            let affects = vulnerability.affects.as_deref().unwrap_or_default();
            if affects.is_empty() {
                self.add(&mut found, &told, None, None)?;
            }
            for one in affects {
                self.affected(&mut found, &told, one)?;
            }
        }
        let metadata = bom.metadata.as_ref();
        let tool = metadata.and_then(|metadata| metadata.tools.as_ref()?.first());
        let provider = tool.and_then(|tool| named(tool.name.as_deref()));
        // Without its version: a finding in a library stays itself when the next version of the product is scanned.
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

    /// The results for one thing that is affected.
    fn affected(&self, found: &mut Assembly, of: &Told<'_>, one: &Affects) -> Result<(), ImportError> {
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
        // Other versions of it that are named one by one are meant as well.
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
        told: &Told<'_>,
        affected: Option<(&Affects, Option<&Component>)>,
        version: Option<&Version>,
    ) -> Result<(), ImportError> {
        let analysis = told.of.analysis.as_ref();
        let verdict = Verdict::of(analysis, version);
        if verdict == Verdict::NoFailure {
            found.not_failures += 1;
            return Ok(());
        }
        let number = version.and_then(|version| given(&version.version).or(given(&version.range)));
        let component = affected.map(|(affects, component)| named_version(affects, component, number));
        let judged = analysis.and_then(|analysis| given(&analysis.state)).map(|_| {
            let product = self.product.and_then(|product| given(&product.version));
            json!([product, verdict == Verdict::SetAside])
        });
        let thing =
            affected.map(|(affects, component)| component.and_then(full_name).unwrap_or((&affects.target).into()));
        found.add(Draft {
            rule: told.rule,
            title: told.title,
            message: &told.message,
            severity: told.severity,
            location: None,
            component: component.and_then(|name| named(Some(name.as_ref()))),
            suppressed: verdict == Verdict::SetAside,
            help: told.of.source.as_ref().and_then(|source| source.url.as_deref()),
            key: (
                KeySource::Component,
                json!(["affects", thing, number, judged, told.nameless]),
            ),
        })
    }
}

/// What a vulnerability says, made ready once for all that it affects.
struct Told<'v> {
    of: &'v Vulnerability,
    rule: &'v str,
    title: &'v str,
    message: String,
    severity: Severity,
    /// Without an ID at all it is known by its words.
    nameless: Option<Option<&'v str>>,
}

impl<'v> Told<'v> {
    fn by(of: &'v Vulnerability) -> Self {
        let references = of.references.as_deref().unwrap_or_default();
        let first = references.iter().find_map(|one| given(&one.id));
        let id = given(&of.id).or(first).or(given(&of.bom_ref));
        let rule = id.unwrap_or("(no ID)");
        Self {
            of,
            rule,
            title: title(of, rule),
            message: verdict::message(of, rule),
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

/// The purl without its version, else group and name.
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

/// How an affected version is shown: the purl, else the name and the version, else the reference and the version.
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

/// The worst rating. Each by its word, else its score, else its vector; medium where nobody says anything.
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
            // OWASP's and SSVC's numbers are of other scales.
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
