//! Reads OSV records (schema 1.x), one or a list of them, and the results of osv-scanner.
//!
//! osv-scanner reports each record separately, and lists in groups the records that name one vulnerability. Each record
//! is a finding of its own: the first name of a group changes when a record joins the group, and a finding with a
//! changed name would be a new finding. A record without severity gets that of its group.
//!
//! osv-scanner does not count a vulnerability whose code is never called. Its finding is suppressed, and its message says
//! why.
//!
//! A finding is identified by the package with its version and by the lockfile's path: a package in two lockfiles needs
//! two fixes. The commit of a git folder is not part of the identity, because it differs in every scan.

mod model;

#[cfg(test)]
mod tests;

use super::assemble::{Assembly, Draft, damage, missing, named};
use super::{ImportError, KeySource, Location, Scan, ScanKind, Severity, Vulnerability, purl, severity, shown_line};
use model::{Affected, Group, Name, Package, Probe, Record, Report, Score, Source, Specific};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn read(text: &str) -> Result<Vec<Scan>, ImportError> {
    if text.trim_start().starts_with('[') {
        return records(&serde_json::from_str::<Vec<Record>>(text).map_err(damage)?);
    }
    let probe: Probe = serde_json::from_str(text).map_err(damage)?;
    if probe.results.is_some() {
        return scanner(&serde_json::from_str::<Report>(text).map_err(damage)?);
    }
    if probe.id.is_none() {
        // `null` is refused as well: it means that nothing could be written, not that nothing was found.
        return Err(missing("results and no id, so it is neither a scan nor a record"));
    }
    records(&[serde_json::from_str::<Record>(text).map_err(damage)?])
}

/// Reads plain records: one finding for each package that a record names.
fn records(records: &[Record]) -> Result<Vec<Scan>, ImportError> {
    let mut found = Assembly::new();
    for record in records {
        let advisory = Advisory::new(record)?;
        let mut at: BTreeMap<(&str, String), usize> = BTreeMap::new();
        let mut packages: Vec<(&Name, Vec<&Affected>)> = Vec::new();
        let mut whole = Vec::new();
        for affected in record.affected.iter().flatten() {
            let Some(package) = &affected.package else {
                whole.push(affected);
                continue;
            };
            let index = *at.entry(same(package)).or_insert(packages.len());
            if index == packages.len() {
                packages.push((package, Vec::new()));
            }
            packages[index].1.push(affected);
        }
        for (package, affected) in &packages {
            advisory.add(&mut found, Some(package), None, by_affected(affected))?;
        }
        if packages.is_empty() {
            advisory.add(&mut found, None, None, by_affected(&whole))?;
        }
    }
    Ok(vec![found.scan("osv".to_owned(), ScanKind::Scan, None)])
}

fn scanner(report: &Report) -> Result<Vec<Scan>, ImportError> {
    let mut found = Assembly::new();
    for source in &report.results {
        for package in &source.packages {
            read_package(&mut found, source, package)?;
        }
    }
    Ok(vec![found.scan("osv-scanner".to_owned(), ScanKind::Scan, None)])
}

fn read_package(found: &mut Assembly, source: &Source, package: &Package) -> Result<(), ImportError> {
    let path = source.source.as_ref().and_then(|source| source.path.as_deref());
    let records = package.vulnerabilities.as_deref().unwrap_or_default();
    let groups = package.groups.as_deref().unwrap_or_default();
    let mut name = package.package.clone().unwrap_or_default();
    let mut rated: BTreeMap<&str, Option<Severity>> = BTreeMap::new();
    let (own, ecosystem) = same(&name);
    let (own, mut purl) = (own.to_owned(), name.purl.take());
    for record in records {
        let affected = record.affected.iter().flatten();
        let is_meant = |one: &Name| {
            let (other, its) = same(one);
            other == own && its == ecosystem
        };
        let here: Vec<&Affected> = affected
            .filter(|one| one.package.as_ref().is_none_or(is_meant))
            .collect();
        rated.insert(&record.id, by_record(record).max(by_affected(&here)));
        if purl.is_none() {
            purl = here.iter().find_map(|one| one.package.as_ref()?.purl.clone());
        }
    }
    name.purl = purl;
    let mut by_group: BTreeMap<&str, Option<Severity>> = BTreeMap::new();
    for group in groups {
        let own = group.max_severity.as_deref().and_then(severity::any);
        let worst = group
            .ids
            .iter()
            .filter_map(|id| *rated.get(id.as_str())?)
            .max()
            .max(own);
        by_group.extend(group.ids.iter().map(|id| (id.as_str(), worst)));
    }
    let of = |id: &str| {
        let own = rated.get(id).copied().flatten();
        own.or_else(|| by_group.get(id).copied().flatten())
    };
    let uncalled = uncalled(groups);
    let mut add = |record: &Record| {
        let mut advisory = Advisory::new(record)?;
        if uncalled.contains(record.id.as_str()) {
            advisory.set_aside();
        }
        advisory.add(found, Some(&name), path, of(&record.id))
    };
    records.iter().try_for_each(&mut add)?;
    // A group may name a record that is missing from the list; the record is a finding as well.
    let mut missing = by_group.keys().filter(|id| !rated.contains_key(*id));
    missing.try_for_each(|id| add(&Record::named(id)))
}

/// The records of groups in which no analysed record is called.
fn uncalled(groups: &[Group]) -> BTreeSet<&str> {
    let is_uncalled = |group: &&Group| {
        let mut analyses = group.analysis.iter().flat_map(BTreeMap::values).peekable();
        analyses.peek().is_some() && analyses.all(|one| one.called == Some(false))
    };
    let groups = groups.iter().filter(is_uncalled);
    groups.flat_map(|group| group.ids.iter().map(String::as_str)).collect()
}

/// The parts of a record that are the same for all packages it affects.
struct Advisory<'r> {
    id: &'r str,
    title: &'r str,
    message: String,
    help: Option<&'r str>,
    severity: Option<Severity>,
    withdrawn: bool,
    uncalled: bool,
    /// Its ID and its aliases.
    ids: Vec<&'r str>,
}

impl<'r> Advisory<'r> {
    fn new(record: &'r Record) -> Result<Self, ImportError> {
        let id = record.id.trim();
        if id.is_empty() {
            return Err(missing("ID of a vulnerability"));
        }
        if let Some(version) = &record.schema_version
            && !matches!(version.trim().split('.').next(), Some("0" | "1"))
        {
            return Err(ImportError::WrongVersion {
                found: shown_line(version, 40),
                wanted: "OSV schema 1.x",
            });
        }
        let given = |text: &'r Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let title = given(&record.summary).unwrap_or(id);
        let text = given(&record.details).or(given(&record.summary)).unwrap_or_default();
        let aliases = record.aliases.as_deref().unwrap_or_default();
        // The aliases come first, because a long text is cut at its end.
        let message = match aliases {
            [] => text.to_owned(),
            aliases => format!("Also known as {}.\n\n{text}", aliases.join(", ")),
        };
        let links = record.references.as_deref().unwrap_or_default();
        let advisory = links.iter().find(|link| link.kind.as_deref() == Some("ADVISORY"));
        Ok(Self {
            id,
            title,
            message,
            help: advisory.or(links.first()).and_then(|link| link.url.as_deref()),
            severity: by_record(record),
            withdrawn: record.withdrawn.is_some(),
            uncalled: false,
            ids: std::iter::once(id).chain(aliases.iter().map(String::as_str)).collect(),
        })
    }

    fn set_aside(&mut self) {
        let why = "osv-scanner: the code with the vulnerability is never called.";
        self.message = format!("{why}\n\n{}", self.message);
        self.uncalled = true;
    }

    fn add(
        &self,
        found: &mut Assembly,
        package: Option<&Name>,
        path: Option<&str>,
        rated: Option<Severity>,
    ) -> Result<(), ImportError> {
        if self.withdrawn {
            found.not_failures += 1;
            return Ok(());
        }
        // Malicious packages have no rating; they count as critical.
        let unrated = match self.id.starts_with("MAL-") {
            true => Severity::Critical,
            false => Severity::Medium,
        };
        let bare = Name::default();
        let name = package.unwrap_or(&bare);
        let location = named(path).map(|path| Location {
            uri: Some(path.strip_prefix("file://").unwrap_or(&path).to_owned()),
            line: None,
            column: None,
            logical: None,
        });
        let key = json!(["package", name.ecosystem, name.name, name.version, path]);
        found.add(Draft {
            rule: self.id,
            title: self.title,
            message: &self.message,
            severity: self.severity.max(rated).unwrap_or(unrated),
            location,
            component: package.and_then(component),
            vulnerability: Some(Vulnerability::new(
                self.ids.iter().copied(),
                package.and_then(at_version),
            )),
            suppressed: self.uncalled,
            help: self.help,
            key: (KeySource::Component, key),
        })
    }
}

impl Record {
    fn named(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            schema_version: None,
            summary: None,
            details: None,
            aliases: None,
            withdrawn: None,
            severity: None,
            affected: None,
            references: None,
            database_specific: None,
        }
    }
}

/// The highest severity that a record gives for all its packages, by vectors, scores and words.
fn by_record(record: &Record) -> Option<Severity> {
    let database = record.database_specific.as_ref().and_then(by_database);
    by_scores(&record.severity).max(database)
}

/// The highest severity that a record gives for one package.
fn by_affected(affected: &[&Affected]) -> Option<Severity> {
    let one = |one: &&Affected| {
        let specific = [&one.ecosystem_specific, &one.database_specific].into_iter().flatten();
        by_scores(&one.severity).max(specific.filter_map(by_database).max())
    };
    affected.iter().filter_map(one).max()
}

fn by_scores(scores: &Option<Vec<Score>>) -> Option<Severity> {
    let scores = scores.iter().flatten();
    scores.filter_map(|score| severity::any(score.score.as_deref()?)).max()
}

fn by_database(specific: &Specific) -> Option<Severity> {
    match specific.severity.as_ref()? {
        Value::String(text) => severity::any(text),
        Value::Number(number) => severity::score(number.as_f64()?),
        _ => None,
    }
}

/// Name and ecosystem of a package, without the distribution's release (`Debian:12`).
fn same(package: &Name) -> (&str, String) {
    let ecosystem = package.ecosystem.as_deref().unwrap_or_default();
    let ecosystem = ecosystem.split(':').next().unwrap_or_default().to_ascii_lowercase();
    (package.name.as_deref().unwrap_or_default(), ecosystem)
}

/// The purl of a package, with its version.
fn at_version(name: &Name) -> Option<Cow<'_, str>> {
    let version = named(name.version.as_deref());
    if let Some(purl) = named(name.purl.as_deref()) {
        return Some(purl::with_version(&purl, version.as_deref()).into());
    }
    let package = named(name.name.as_deref())?;
    purl::of_package(name.ecosystem.as_deref()?, &package, version.as_deref()).map(Cow::from)
}

/// The package's purl, or else its name, with its version; for a git folder, its commit.
fn component(name: &Name) -> Option<String> {
    let given = |text: &Option<String>| named(text.as_deref());
    let version = given(&name.version);
    let whole = match (given(&name.purl), given(&name.name)) {
        (Some(purl), _) => purl::with_version(&purl, version.as_deref()),
        (None, Some(package)) => version.map_or(package.clone(), |version| format!("{package}@{version}")),
        (None, None) => format!("commit {}", given(&name.commit)?),
    };
    named(Some(&whole))
}
