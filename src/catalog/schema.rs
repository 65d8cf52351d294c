//! The JSON Schema of the service's own format, for editors and for checks in a company's own repository.

use super::Kind;
use super::kinds::{FieldSpec, KINDS, KindSpec, Shape};
use serde_json::{Map, Value, json};

/// The JSON Schema (draft 2020-12) of one document.
pub fn schema() -> Value {
    let mut properties = Map::new();
    for spec in KINDS.iter().filter(|spec| !spec.kind.is_of_release()) {
        properties.insert(spec.section.to_owned(), list_of(spec.kind));
    }
    let definitions: Map<String, Value> = KINDS.iter().map(|spec| (name(spec.kind), record(spec))).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Catalog of LoopIQ Governed Actions",
        "description": "A document of a catalog, for `loopiq catalog apply`. A field that a file leaves out stays as it is stored.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "$defs": definitions,
    })
}

fn name(kind: Kind) -> String {
    kind.noun().replace(' ', "-")
}

fn list_of(kind: Kind) -> Value {
    json!({
        "description": kind.spec().doc,
        "type": ["array", "null"],
        "items": { "$ref": format!("#/$defs/{}", name(kind)) },
    })
}

fn record(spec: &KindSpec) -> Value {
    let properties: Map<String, Value> = spec
        .fields
        .iter()
        .map(|field| (field.name.to_owned(), property(field)))
        .collect();
    let required: Vec<&str> = spec
        .fields
        .iter()
        .filter(|field| field.required)
        .map(|field| field.name)
        .collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn property(field: &FieldSpec) -> Value {
    // YAML reads 7.4 as a number and 2026.10 too; the service reads the text.
    let text = |longest: usize| json!({ "type": ["string", "number"], "minLength": 1, "maxLength": longest });
    let keys = json!({ "type": "array", "items": text(100) });
    let mut schema = match field.shape {
        Shape::Key | Shape::Ref(_) => text(100),
        Shape::Line(longest) => text(longest),
        Shape::Text(longest) => json!({ "type": "string", "maxLength": longest }),
        Shape::OwnAddress => json!({ "type": "string", "format": "email" }),
        Shape::Choice(words) => json!({ "enum": words() }),
        Shape::Choices(words) => json!({ "type": "array", "items": { "enum": words() } }),
        Shape::Refs(_) => keys,
        Shape::Addresses => json!({ "type": "array", "items": { "type": "string", "format": "email" } }),
        Shape::Names => json!({ "type": "array", "items": text(200) }),
        Shape::Lines => json!({ "type": "array", "items": text(500) }),
        Shape::Records(kind) => list_of(kind),
    };
    if let Value::Object(fields) = &mut schema {
        fields.insert("description".to_owned(), field.doc.into());
        if let Some(default) = field.default {
            fields.insert("default".to_owned(), default.into());
        }
    }
    schema
}
