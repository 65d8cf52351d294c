//! Reads OpenVEX documents (github.com/openvex/spec, 0.0 to 0.2): statements on vulnerabilities in products.
//!
//! A statement names products, and may name the parts of them (subcomponents) that have the vulnerability: then it is
//! about the parts. A document says nothing about other vulnerabilities, so it is never a complete scan.

mod model;

#[cfg(test)]
mod tests;

use super::assemble::{Assembly, Draft, damage, missing, named, utc};
use super::{
    ImportError, KeySource, Scan, ScanKind, Severity, VexStatement, VexStatus, Vulnerability, purl, shown_line,
};
use model::{Document, Product, Statement, Subject, Thing};
use serde_json::json;
use std::borrow::Cow;

const NAMESPACE: &str = "https://openvex.dev/ns";

pub(super) fn read(text: &str) -> Result<Vec<Scan>, ImportError> {
    let document: Document = serde_json::from_str(text).map_err(damage)?;
    let context = document.context.as_deref().unwrap_or_default();
    let Some(version) = context.strip_prefix(NAMESPACE) else {
        return Err(missing(&format!("@context \"{NAMESPACE}\"")));
    };
    if !version.trim_matches('/').is_empty() && !version.starts_with("/v0.") {
        return Err(ImportError::WrongVersion {
            found: shown_line(version, 40),
            wanted: "OpenVEX 0.x",
        });
    }
    let Some(statements) = &document.statements else {
        return Err(missing("statements"));
    };
    let mut found = Assembly::new();
    for statement in statements {
        read_statement(&mut found, statement)?;
    }
    let provider = named(document.author.as_deref()).unwrap_or_else(|| "openvex".to_owned());
    let mut scan = found.scan(provider, ScanKind::Scan, None);
    let time = |text: &Option<String>| text.as_deref().and_then(utc);
    scan.collected_at = time(&document.last_updated).or_else(|| time(&document.timestamp));
    scan.complete = false;
    Ok(vec![scan])
}

fn read_statement(found: &mut Assembly, of: &Statement) -> Result<(), ImportError> {
    let products = of.products.as_deref().unwrap_or_default();
    if products.is_empty() {
        return add(found, of, None, None);
    }
    for product in products {
        // Version 0.0 lists the parts next to the products.
        let parts = product
            .subcomponents()
            .or(of.subcomponents.as_deref())
            .unwrap_or_default();
        if parts.is_empty() {
            add(found, of, Some(product), None)?;
        }
        parts
            .iter()
            .try_for_each(|part| add(found, of, Some(product), Some(part)))?;
    }
    Ok(())
}

fn add(
    found: &mut Assembly,
    of: &Statement,
    product: Option<&Product>,
    part: Option<&Product>,
) -> Result<(), ImportError> {
    let (id, aliases, description) = match &of.vulnerability {
        Some(Subject::Name(name)) => (given(Some(name)), &[][..], None),
        Some(Subject::Vulnerability(one)) => (
            given(one.name.as_ref()).or(given(one.id.as_ref())),
            one.aliases.as_deref().unwrap_or_default(),
            given(one.description.as_ref()),
        ),
        None => (None, &[][..], None),
    };
    let id = id.ok_or_else(|| missing("vulnerability of a statement"))?;
    let affected = part.or(product);
    let ids = std::iter::once(id).chain(aliases.iter().map(String::as_str));
    let vulnerability = Vulnerability::new(ids, affected.into_iter().flat_map(names));
    let name = |thing: Option<&Product>| thing.and_then(|thing| names(thing).next()).map(Cow::into_owned);
    let reason = reason(of);
    let status = status(of);
    let message = message(
        of,
        &vulnerability,
        name(product.filter(|_| part.is_some())),
        &reason,
        description,
    );
    let draft = Draft {
        rule: id,
        title: description.and_then(|text| text.lines().next()).unwrap_or(id),
        message: &message,
        severity: Severity::Medium,
        location: None,
        component: name(affected).and_then(|name| named(Some(&name))),
        vulnerability: Some(vulnerability.clone()),
        suppressed: false,
        help: None,
        key: (KeySource::Component, json!(["statement", name(product), name(part)])),
    };
    // An unknown status is ignored, so that no finding is lost.
    let Some(status) = status else {
        return found.add(draft);
    };
    let time = |text: &Option<String>| text.as_deref().and_then(utc);
    let statement = VexStatement {
        vulnerability,
        status,
        reason,
        at: time(&of.last_updated).or_else(|| time(&of.timestamp)),
        finding: None,
    };
    found.state(statement, (status != VexStatus::Fixed).then_some(draft))
}

fn status(of: &Statement) -> Option<VexStatus> {
    Some(match of.status.as_deref()?.trim() {
        "not_affected" => VexStatus::NotAffected,
        "affected" => VexStatus::Affected,
        "fixed" => VexStatus::Fixed,
        "under_investigation" => VexStatus::UnderInvestigation,
        _ => return None,
    })
}

fn reason(of: &Statement) -> String {
    let parts = [
        &of.justification,
        &of.impact_statement,
        &of.action_statement,
        &of.status_notes,
    ];
    let parts: Vec<&str> = parts.into_iter().filter_map(|part| given(part.as_ref())).collect();
    parts.join("\n")
}

fn message(
    of: &Statement,
    vulnerability: &Vulnerability,
    product: Option<String>,
    reason: &str,
    description: Option<&str>,
) -> String {
    let mut parts = Vec::new();
    if let [_, aliases @ ..] = vulnerability.ids.as_slice()
        && !aliases.is_empty()
    {
        parts.push(format!("Also known as {}.", aliases.join(", ")));
    }
    parts.extend(given(of.status.as_ref()).map(|status| format!("Status: {status}.")));
    parts.extend(product.map(|product| format!("Product: {product}.")));
    let texts = [Some(reason), description].into_iter().flatten();
    parts.extend(texts.filter(|text| !text.is_empty()).map(str::to_owned));
    parts.join("\n\n")
}

/// The names of a product: package URLs first, because they can be compared with what scanners find.
fn names(of: &Product) -> impl Iterator<Item = Cow<'_, str>> {
    let (id, identifiers) = match of {
        Product::Name(name) => (Some(name), None),
        Product::Thing(Thing { id, identifiers, .. }) => (id.as_ref(), identifiers.as_ref()),
    };
    let mut all: Vec<&str> = given(id).into_iter().collect();
    all.extend(
        identifiers
            .into_iter()
            .flat_map(|map| map.values().filter_map(|name| given(Some(name)))),
    );
    all.sort_by_key(|name| !purl::is_purl(name));
    all.into_iter().map(Cow::Borrowed)
}

fn given(text: Option<&String>) -> Option<&str> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty())
}
