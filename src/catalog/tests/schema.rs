//! The JSON Schema.

use super::*;

#[test]
fn every_kind_is_described_once_and_a_valid_catalog_fits_the_schema() {
    for kind in [
        Kind::Person,
        Kind::Team,
        Kind::Application,
        Kind::Module,
        Kind::Repository,
        Kind::Service,
        Kind::Release,
        Kind::Certification,
        Kind::Control,
        Kind::WorkItem,
    ] {
        assert_eq!(KINDS.iter().filter(|spec| spec.kind == kind).count(), 1, "{kind:?}");
    }
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let valid = serde_json::json!({
        "teams": [{ "key": "payments", "members": ["dana@acme.example"] }],
        "releases": [{ "key": 2026.10, "status": "planned", "controls": [{ "key": "AC-3" }] }],
    });
    assert!(validator.is_valid(&valid));
    for invalid in [
        serde_json::json!({ "team": [] }),
        serde_json::json!({ "teams": [{ "name": "x" }] }),
        serde_json::json!({ "releases": [{ "key": "R", "status": "begun" }] }),
    ] {
        assert!(!validator.is_valid(&invalid), "{invalid}");
    }
}

#[test]
fn the_checked_in_schema_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/catalog.schema.json");
    let current = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    let stored = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        stored == current,
        "docs/catalog.schema.json differs: run `loopiq catalog schema > docs/catalog.schema.json`"
    );
}
