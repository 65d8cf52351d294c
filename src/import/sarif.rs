//! Reads SARIF 2.1.0 (OASIS, with errata 01). Section numbers refer to that document.

mod bases;
mod identity;
mod levels;
mod model;
mod origin;
mod rules;

#[cfg(test)]
mod tests;

use super::assemble::{Budget, MAX_NAME, MAX_TITLE, damage, missing, named, safe_link, size};
use super::{ImportError, Location, MAX_MESSAGE, MAX_TEXT, Scan, ScanFinding, ScanKind, shown, shown_line};
use bases::Bases;
use levels::Overrides;
use model::{ExternalFiles, Log, LogicalLocation, Outcome, Place, Probe, Run, Suppression};
use origin::{collected_at, component};
use rules::Rules;

/// The only version that is read.
const VERSION: &str = "SARIF 2.1.0";

/// Whether the text is SARIF, or the beginning of a SARIF file.
pub(super) fn looks_like(text: &str) -> bool {
    let text = text.trim_start();
    if !text.starts_with('{') {
        return false;
    }
    let names_it = |schema: &str| schema.to_ascii_lowercase().contains("sarif");
    match serde_json::from_str::<Probe>(text) {
        Ok(probe) => {
            probe.schema.as_deref().is_some_and(names_it)
                || (probe.runs.is_some() && probe.version.is_some_and(|version| version.is_string()))
        }
        Err(_) => {
            let head: String = text.chars().take(1_000).collect();
            names_it(&head) || head.contains("\"runs\"")
        }
    }
}

pub(super) fn read(text: &str) -> Result<Vec<Scan>, ImportError> {
    read_within(text, MAX_TEXT)
}

/// Reads a file whose findings hold at most `limit` bytes of text.
fn read_within(text: &str, limit: usize) -> Result<Vec<Scan>, ImportError> {
    // The version is checked first: a file of another version has another structure, and its error would be misleading.
    let probe: Probe = serde_json::from_str(text).map_err(damage)?;
    match probe.version {
        Some(serde_json::Value::String(version)) if version == "2.1.0" => {}
        Some(serde_json::Value::String(version)) => {
            return Err(ImportError::WrongVersion {
                found: shown_line(&version, 40),
                wanted: VERSION,
            });
        }
        _ => {
            return Err(ImportError::WrongVersion {
                found: "none".to_owned(),
                wanted: VERSION,
            });
        }
    }
    // `null` means that the runs could not be written (3.13.4), not that there are none.
    if probe.runs.is_none() {
        return Err(missing("runs"));
    }
    let log: Log = serde_json::from_str(text).map_err(damage)?;
    // Results outside the runs (3.13.5) are refused, because ignoring them would lose findings. No known tool writes
    // them.
    if log
        .inline_external_properties
        .iter()
        .flatten()
        .any(ExternalFiles::holds_results)
    {
        return Err(ImportError::ExternalResults {
            place: "inlineExternalProperties".to_owned(),
        });
    }
    let mut budget = Budget::new(limit);
    let runs = log.runs.iter().enumerate();
    let mut scans: Vec<Scan> = runs
        .map(|(index, run)| read_run(index, run, &mut budget))
        .collect::<Result<_, _>>()?;
    origin::separate(&log.runs, &mut scans);
    Ok(scans)
}

fn read_run(index: usize, run: &Run, budget: &mut Budget) -> Result<Scan, ImportError> {
    let driver = &run.tool.driver;
    // Two tools without a name would share their findings, and a scan of one would close findings of the other.
    let provider = named(driver.name.as_deref()).ok_or_else(|| missing(&format!("runs[{index}].tool.driver.name")))?;
    let external = run.external_property_file_references.as_ref();
    if external.is_some_and(ExternalFiles::holds_results) {
        return Err(ImportError::ExternalResults {
            place: format!("runs[{index}].externalPropertyFileReferences"),
        });
    }

    let mut reader = Reader {
        run,
        rules: Rules::new(&run.tool),
        bases: Bases::new(run),
        overrides: Overrides::default(),
    };
    reader.overrides = Overrides::new(run, &reader.rules);
    let results = run.results.as_deref().unwrap_or_default();
    let mut findings = Vec::new();
    for result in results.iter().filter(|result| is_failure(result)) {
        let (finding, weight) = reader.finding(result);
        budget.take(size(&finding) + weight)?;
        findings.push(finding);
    }

    let invocations = run.invocations.as_deref().unwrap_or_default();
    let provenance = run.version_control_provenance.as_deref().unwrap_or_default();
    Ok(Scan {
        provider,
        provider_version: named(driver.semantic_version.as_deref()).or_else(|| named(driver.version.as_deref())),
        kind: ScanKind::Scan,
        collected_at: collected_at(invocations),
        commit: provenance
            .iter()
            .find_map(|source| named(source.revision_id.as_deref())),
        component: component(run),
        controls: Vec::new(),
        statements: Vec::new(),
        complete: run.results.is_some() && !invocations.iter().any(|one| one.execution_successful == Some(false)),
        not_failures: results.len() - findings.len(),
        results: results.len(),
        findings,
    })
}

/// `kind` is `fail` by default (3.27.9). An unknown kind counts as a failure, so that no finding is lost. An `absent`
/// result was in the baseline and is gone (3.27.24).
fn is_failure(result: &Outcome) -> bool {
    let is = |value: &Option<String>, names: &[&str]| {
        value
            .as_deref()
            .is_some_and(|value| names.iter().any(|name| value.trim().eq_ignore_ascii_case(name)))
    };
    !is(
        &result.kind,
        &["pass", "open", "informational", "notApplicable", "review"],
    ) && !is(&result.baseline_state, &["absent"])
}

/// A result is suppressed if at least one suppression is accepted; a suppression without status is accepted (3.35.3).
/// An unknown status does not suppress.
fn is_suppressed(suppressions: &[Suppression]) -> bool {
    suppressions.iter().any(|one| match &one.status {
        None | Some(serde_json::Value::Null) => true,
        Some(status) => status
            .as_str()
            .is_some_and(|status| status.trim().eq_ignore_ascii_case("accepted")),
    })
}

struct Reader<'a> {
    run: &'a Run,
    rules: Rules<'a>,
    bases: Bases<'a>,
    overrides: Overrides,
}

impl Reader<'_> {
    /// The finding, and the bytes that it refers to.
    fn finding(&self, result: &Outcome) -> (ScanFinding, usize) {
        let rule = self.rules.find(result);
        let message = rule.message(result);
        let mut places = result
            .locations
            .as_deref()
            .unwrap_or_default()
            .iter()
            .filter_map(|place| self.location(place));
        let (location, snippet) = places
            .next()
            .map_or((None, None), |(place, snippet)| (Some(place), snippet));
        let mut finding = ScanFinding {
            rule: shown_line(rule.id, MAX_NAME),
            title: shown_line(rule.title(&message), MAX_TITLE),
            message: shown(&message, MAX_MESSAGE),
            severity: rule.severity(result, || self.overrides.level(result, &rule)),
            more_locations: places.map(|(place, _)| place).collect(),
            location,
            suppressed: is_suppressed(result.suppressions.as_deref().unwrap_or_default()),
            help_uri: rule.help_uri().and_then(safe_link),
            component: None,
            vulnerability: rule.vulnerability(),
            identity: String::new(),
            key: String::new(),
            key_source: super::KeySource::Message,
            ordinal: 0,
        };
        let key = identity::finding_key(result, &finding, snippet, &message);
        (finding.key, finding.key_source) = (key.digest, key.source);
        (finding, key.weight)
    }

    /// A location and the code there; `None` if the location names neither a file nor a logical name.
    fn location<'p>(&self, place: &'p Place) -> Option<(Location, Option<&'p str>)> {
        let physical = place.physical_location.as_ref();
        let region = physical.and_then(|physical| physical.region.as_ref());
        let uri = physical.and_then(|physical| self.bases.file(physical.artifact_location.as_ref()?));
        let logical = place
            .logical_locations
            .iter()
            .flatten()
            .find_map(|one| self.logical(one));
        if uri.is_none() && logical.is_none() {
            return None;
        }
        let number = |number: Option<usize>| {
            number
                .and_then(|number| u32::try_from(number).ok())
                .filter(|number| *number > 0)
        };
        let location = Location {
            uri,
            line: number(region.and_then(|region| region.start_line)),
            column: number(region.and_then(|region| region.start_column)),
            logical,
        };
        Some((location, region.and_then(|region| region.snippet.as_ref()?.plain())))
    }

    fn logical(&self, location: &LogicalLocation) -> Option<String> {
        let name = |location: &LogicalLocation| {
            named(location.fully_qualified_name.as_deref()).or_else(|| named(location.name.as_deref()))
        };
        name(location).or_else(|| name(self.run.logical_locations.as_ref()?.get(location.index?)?))
    }
}
