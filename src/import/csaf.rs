//! Reads CSAF 2.0 documents (OASIS): security advisories and VEX. Section numbers refer to the standard.
//!
//! A vulnerability gives a statement for each product in its `product_status`. A product that is a component in another
//! product (3.2.2.4) has the names of the component, because scanners find components. A document says nothing about
//! other vulnerabilities, so it is never a complete scan.

mod model;
mod products;

#[cfg(test)]
mod tests;

use super::assemble::{Assembly, Draft, MAX_TITLE, damage, missing, named, utc};
use super::{
    ImportError, KeySource, Scan, ScanKind, Severity, VexStatement, VexStatus, Vulnerability, severity, shown_line,
};
use model::{Document, Probe, Score, Vulnerability as Entry};
use products::{Notes, Products};
use serde_json::json;
use std::collections::BTreeMap;

/// The most bytes of one text of a vulnerability. It is part of the message of each product, and cut there.
const LONGEST: usize = 16 << 10;

pub(super) fn read(text: &str) -> Result<Vec<Scan>, ImportError> {
    let probe: Probe = serde_json::from_str(text).map_err(damage)?;
    let version = probe.document.as_ref().and_then(|head| head.csaf_version.as_deref());
    match version.map(str::trim) {
        Some("2.0") => {}
        None => return Err(missing("document.csaf_version")),
        Some(version) => {
            return Err(ImportError::WrongVersion {
                found: shown_line(version, 40),
                wanted: "CSAF 2.0",
            });
        }
    }
    if probe.vulnerabilities.is_none() {
        return Err(missing("vulnerabilities"));
    }
    let document: Document = serde_json::from_str(text).map_err(damage)?;
    let products = Products::new(document.product_tree.as_ref());
    let mut found = Assembly::new();
    for entry in &document.vulnerabilities {
        read_entry(&mut found, &products, entry)?;
    }
    let head = probe.document.unwrap_or_default();
    let publisher = head.publisher.and_then(|publisher| named(publisher.name.as_deref()));
    let mut scan = found.scan(publisher.unwrap_or_else(|| "csaf".to_owned()), ScanKind::Scan, None);
    scan.collected_at = head
        .tracking
        .and_then(|tracking| utc(tracking.current_release_date.as_deref()?));
    scan.complete = false;
    Ok(vec![scan])
}

fn read_entry(found: &mut Assembly, products: &Products<'_>, entry: &Entry) -> Result<(), ImportError> {
    let advisory = Advisory::new(entry);
    let mut statuses: BTreeMap<&str, VexStatus> = BTreeMap::new();
    for (status, list) in entry
        .product_status
        .as_ref()
        .map(|status| status.lists())
        .unwrap_or_default()
    {
        for product in list.iter().flatten() {
            // Of contradicting statements, the one that sets aside least counts.
            let known = statuses.entry(product).or_insert(status);
            *known = status.max(*known);
        }
    }
    if statuses.is_empty() {
        return advisory.add(found, products, None);
    }
    let notes = Notes::new(entry);
    let mut statuses = statuses.into_iter();
    statuses.try_for_each(|(product, status)| advisory.add(found, products, Some((product, status, &notes))))
}

/// The parts of a vulnerability that are the same for all products.
struct Advisory<'e> {
    /// The highest severity by product, and of all.
    rated: BTreeMap<&'e str, Severity>,
    worst: Option<Severity>,
    ids: Vec<&'e str>,
    title: &'e str,
    text: String,
    help: Option<&'e str>,
}

impl<'e> Advisory<'e> {
    fn new(entry: &'e Entry) -> Self {
        let others = entry.ids.iter().flatten().filter_map(|id| given(id.text.as_ref()));
        let ids: Vec<&str> = given(entry.cve.as_ref()).into_iter().chain(others).collect();
        let texts: Vec<&str> = entry
            .notes
            .iter()
            .flatten()
            .filter(|note| matches!(note.category.as_deref(), Some("description" | "summary")))
            .filter_map(|note| given(note.text.as_ref()))
            .collect();
        let title = given(entry.title.as_ref())
            .or(texts.first().copied())
            .unwrap_or_default();
        let links = entry.references.iter().flatten();
        let mut rated: BTreeMap<&str, Severity> = BTreeMap::new();
        let mut worst = None;
        for (score, severity) in entry
            .scores
            .iter()
            .flatten()
            .filter_map(|score| Some((score, score.severity()?)))
        {
            worst = worst.max(Some(severity));
            for product in score.products.iter().flatten() {
                let known = rated.entry(product).or_insert(severity);
                *known = severity.max(*known);
            }
        }
        Self {
            rated,
            worst,
            title: title.lines().next().unwrap_or_default(),
            text: texts
                .iter()
                .map(|text| head(text))
                .take(3)
                .collect::<Vec<_>>()
                .join("\n\n"),
            help: links.filter_map(|link| given(link.url.as_ref())).next(),
            ids,
        }
    }

    fn add(
        &self,
        found: &mut Assembly,
        products: &Products<'_>,
        stated: Option<(&str, VexStatus, &Notes<'_>)>,
    ) -> Result<(), ImportError> {
        let rule = self.ids.first().copied().unwrap_or("(no ID)");
        let product = stated.map(|(product, ..)| product);
        let names = product.map(|product| products.names(product)).unwrap_or_default();
        let shown = product.map(|product| products.shown(product).unwrap_or(product));
        let vulnerability = Vulnerability::new(self.ids.iter().copied(), names.iter().map(|name| (*name).into()));
        let reason = stated
            .map(|(product, _, notes)| notes.reason(products, product))
            .unwrap_or_default();
        let mut parts = Vec::new();
        if let [_, aliases @ ..] = vulnerability.ids.as_slice()
            && !aliases.is_empty()
        {
            parts.push(format!("Also known as {}.", aliases.join(", ")));
        }
        parts.extend(stated.map(|(_, status, _)| format!("Status: {}.", status.as_str())));
        parts.extend(shown.map(|name| format!("Product: {}.", shown_line(name, MAX_TITLE))));
        parts.extend(
            [reason.as_str(), &self.text]
                .map(str::to_owned)
                .into_iter()
                .filter(|text| !text.is_empty()),
        );
        let message = parts.join("\n\n");
        let draft = Draft {
            rule,
            title: if self.title.is_empty() { rule } else { self.title },
            message: &message,
            severity: self.severity(product),
            location: None,
            component: named(names.first().copied().or(shown)),
            vulnerability: Some(vulnerability.clone()),
            suppressed: false,
            help: self.help,
            key: (
                KeySource::Component,
                json!([
                    "product",
                    shown,
                    names.first(),
                    self.ids.is_empty().then_some(self.title)
                ]),
            ),
        };
        let Some((_, status, _)) = stated else {
            return found.add(draft);
        };
        let statement = VexStatement {
            vulnerability,
            status,
            reason,
            at: None,
            finding: None,
        };
        found.state(statement, (status != VexStatus::Fixed).then_some(draft))
    }

    /// The highest score for the product, or else the highest of all.
    fn severity(&self, product: Option<&str>) -> Severity {
        let own = product.and_then(|product| self.rated.get(product)).copied();
        own.or(self.worst).unwrap_or(Severity::Medium)
    }
}

impl Score {
    fn severity(&self) -> Option<Severity> {
        let rated = [&self.cvss_v4, &self.cvss_v3, &self.cvss_v2]
            .into_iter()
            .flatten()
            .next()?;
        let word = || severity::word(rated.base_severity.as_deref()?);
        rated.base_score.and_then(severity::score).or_else(word)
    }
}

fn given(text: Option<&String>) -> Option<&str> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty())
}

/// The beginning of a text.
fn head(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}
