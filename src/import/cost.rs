//! Reading time grows with the size of the file and not with the number of references to a long text. Each file here
//! takes seconds; reading the long text once for each reference would take minutes.

use super::number::FindingKey;
use super::{Format, KeySource, read};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How many results refer to the long text.
const TIMES: usize = 8_000;
/// The length of the text, in bytes.
const LONG: usize = 8 << 20;

/// Much longer than a busy machine needs without optimisation, and much shorter than reading the text for each
/// reference.
const TIME_LIMIT: Duration = Duration::from_secs(30);

#[expect(clippy::disallowed_methods, reason = "measures how long reading takes")]
fn assert_reads_quickly(format: Format, file: &str) {
    let began = Instant::now();
    let outcome = read(format, file.as_bytes());
    let took = began.elapsed();
    assert!(outcome.is_ok(), "{:?}", outcome.map(|scans| scans.len()));
    assert!(took < TIME_LIMIT, "{took:?} for {} bytes", file.len());
}

/// A long text may exceed the limit for the text of all findings, which is noticed quickly as well.
#[expect(clippy::disallowed_methods, reason = "measures how long reading takes")]
fn reads_or_refuses_quickly(format: Format, file: &str) {
    let began = Instant::now();
    let outcome = read(format, file.as_bytes());
    let took = began.elapsed();
    let limit = super::MAX_TEXT;
    assert!(
        outcome.is_ok() || outcome == Err(super::ImportError::Expands { limit }),
        "{:?}",
        outcome.map(|scans| scans.len())
    );
    assert!(took < TIME_LIMIT, "{took:?} for {} bytes", file.len());
}

fn many(one: Value) -> Value {
    Value::Array(vec![one; TIMES])
}

fn sarif(rule: Value, more: Value, result: Value) {
    let mut run = json!({ "tool": { "driver": { "name": "p", "rules": [rule] } }, "results": many(result) });
    if let (Some(run), Some(more)) = (run.as_object_mut(), more.as_object()) {
        run.extend(more.clone());
    }
    assert_reads_quickly(Format::Sarif, &json!({ "version": "2.1.0", "runs": [run] }).to_string());
}

#[test]
fn what_many_results_of_sarif_refer_to() {
    let (blank, ones) = (" ".repeat(LONG), "1".repeat(LONG));
    let result = json!({ "ruleIndex": 0, "message": { "id": "m" } });
    let none = json!({});
    for rule in [
        json!({ "fullDescription": { "text": blank }, "shortDescription": { "text": blank }, "id": "r" }),
        json!({ "messageStrings": { "m": { "text": blank } }, "name": blank }),
        json!({ "properties": { "security-severity": ones } }),
        json!({ "properties": { "security-severity": blank }, "helpUri": ones }),
        json!({ "defaultConfiguration": { "level": ones }, "helpUri": blank }),
    ] {
        sarif(rule, none.clone(), result.clone());
    }
    let place =
        json!({ "physicalLocation": { "artifactLocation": { "index": 0 } }, "logicalLocations": [{ "index": 0 }] });
    let result = json!({ "message": { "text": "m" }, "ruleIndex": 0, "locations": [place] });
    for text in [
        blank,
        ones,
        "%41/../".repeat(LONG / 7),
        format!("file:///{}", "a/../".repeat(LONG / 5)),
    ] {
        let location = json!({ "uri": text, "uriBaseId": "B" });
        let more = json!({
            "artifacts": [{ "location": location }], "logicalLocations": [{ "name": text }],
            "originalUriBaseIds": { "B": { "uri": text, "uriBaseId": "B" } },
        });
        sarif(
            json!({ "id": format!("CVE-2021-{text}"), "guid": text }),
            more,
            result.clone(),
        );
    }
}

#[test]
fn braces_that_nothing_closes() {
    let text = "{".repeat(8 << 20);
    let result = json!({ "message": { "text": text, "arguments": ["x"] } });
    let run = json!({ "tool": { "driver": { "name": "p" } }, "results": [result] });
    assert_reads_quickly(Format::Sarif, &json!({ "version": "2.1.0", "runs": [run] }).to_string());
}

#[test]
fn what_many_affected_things_of_cyclonedx_refer_to() {
    let (blank, ones) = (" ".repeat(LONG), "1".repeat(LONG));
    let ratings = many(json!({ "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }));
    for (vulnerability, component) in [
        (json!({ "id": "a", "ratings": ratings }), json!({})),
        (json!({ "references": many(json!({ "id": " " })) }), json!({})),
        (
            json!({ "id": blank, "description": blank, "analysis": { "state": blank } }),
            json!({}),
        ),
        (
            json!({ "id": "a", "source": { "url": ones } }),
            json!({ "version": blank }),
        ),
        (
            json!({ "id": "a" }),
            json!({ "purl": format!("?{ones}"), "name": blank }),
        ),
    ] {
        let (mut vulnerability, mut component) = (vulnerability, component);
        vulnerability["affects"] = many(json!({ "ref": "c" }));
        component["bom-ref"] = json!("c");
        let bom = json!({ "bomFormat": "CycloneDX", "specVersion": "1.5", "components": [component], "vulnerabilities": [vulnerability] });
        assert_reads_quickly(Format::CycloneDx, &bom.to_string());
    }
}

#[test]
fn what_many_records_of_osv_refer_to() {
    let (blank, ones) = (" ".repeat(LONG), "1".repeat(LONG));
    let record = json!({ "id": "a", "affected": [{ "package": { "name": "n", "ecosystem": "npm" } }] });
    for (source, package) in [
        (
            json!({ "path": blank }),
            json!({ "name": blank, "version": blank, "purl": blank }),
        ),
        (json!({}), json!({ "purl": ones, "version": "1" })),
    ] {
        let package = json!({ "package": package, "vulnerabilities": many(record.clone()) });
        let file = json!({ "results": [{ "source": source, "packages": [package] }] });
        assert_reads_quickly(Format::Osv, &file.to_string());
    }
}

#[test]
fn what_many_items_of_oscal_refer_to() {
    let blank = " ".repeat(LONG);
    let facets = many(json!({ "name": "severity", "value": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }));
    let metadata = json!({ "title": "T", "oscal-version": "1.1.2" });
    for risk in [
        json!({ "uuid": "r", "status": blank }),
        json!({ "uuid": "r", "status": "open", "title": blank, "characterizations": [{ "facets": facets }] }),
    ] {
        let item = json!({ "title": "i", "related-risks": [{ "risk-uuid": "r" }] });
        let plan = json!({ "metadata": metadata, "risks": [risk], "poam-items": many(item) });
        assert_reads_quickly(
            Format::Oscal,
            &json!({ "plan-of-action-and-milestones": plan }).to_string(),
        );
    }
}

#[test]
fn what_many_statements_refer_to() {
    let (blank, words) = (" ".repeat(LONG), "word ".repeat(LONG / 5));
    let products: Vec<String> = (0..TIMES).map(|n| format!("p{n}")).collect();
    for text in [&blank, &words] {
        // The words are cut, because each product's message holds them.
        let cut = &text[..text.len().min(16 << 10)];
        let statement = json!({
            "vulnerability": { "name": "CVE-1", "description": cut, "aliases": [text] }, "status": "affected",
            "products": products, "action_statement": " ",
        });
        let context = "https://openvex.dev/ns/v0.2.0";
        let document = json!({ "@context": context, "author": text, "statements": [statement] });
        assert_reads_quickly(Format::OpenVex, &document.to_string());

        let group = json!({ "group_id": "g", "product_ids": products });
        let vulnerability = json!({
            "cve": "CVE-1", "title": text, "ids": [{ "text": text }], "notes": [{ "category": "description", "text": text }],
            "product_status": { "known_affected": products }, "flags": [{ "label": text, "group_ids": ["g"] }],
            "threats": [{ "category": "impact", "details": " ", "group_ids": ["g"] }],
            "scores": vec![json!({ "cvss_v3": { "baseScore": 7.5 }, "products": products }); 100],
        });
        let document = json!({
            "document": { "csaf_version": "2.0" }, "product_tree": { "product_groups": [group] },
            "vulnerabilities": [vulnerability],
        });
        reads_or_refuses_quickly(Format::Csaf, &document.to_string());

        let related = many(
            json!({ "type": "Relationship", "from": "p", "to": ["v"], "relationshipType": "hasAssociatedVulnerability" }),
        );
        let vulnerability = json!({
            "type": "security_Vulnerability", "spdxId": "v", "name": text, "description": text,
            "externalIdentifier": [{ "identifier": text }],
        });
        let package =
            json!({ "type": "software_Package", "spdxId": "p", "software_packageUrl": format!("pkg:npm/{text}") });
        let mut graph = vec![vulnerability, package];
        graph.extend(related.as_array().cloned().unwrap_or_default());
        let document = json!({ "@context": "https://spdx.org/rdf/3.0.1/x", "@graph": graph });
        reads_or_refuses_quickly(Format::Spdx, &document.to_string());
    }
}

#[test]
fn what_many_references_of_spdx_refer_to() {
    let blank = " ".repeat(LONG);
    let advisory = json!({ "referenceType": "advisory", "referenceLocator": "https://example.org/a", "comment": "c" });
    let mut references = vec![advisory; TIMES];
    references.push(json!({ "referenceType": "purl", "referenceLocator": format!("pkg:npm/{}", "1".repeat(LONG)) }));
    let package = json!({ "name": blank, "versionInfo": blank, "externalRefs": references });
    let document = json!({ "spdxVersion": "SPDX-2.3", "packages": [package] });
    reads_or_refuses_quickly(Format::Spdx, &document.to_string());
}

#[test]
fn what_a_finding_is_known_by_counts_as_its_text() {
    let key = FindingKey::new(KeySource::Name, &json!(["x", "y".repeat(1_000)]), "message");
    assert!(key.weight > 1_000 + "message".len());
}
