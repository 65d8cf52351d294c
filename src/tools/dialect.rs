//! JSON Schema as all model providers accept it, and arguments as their models send them.
//!
//! Gemini and others refuse a whole session for a schema with type lists, `const` or `oneOf`, and OpenAI wants `properties` on every object. Models
//! also send `null` or an empty text for an argument that they leave out.

use serde_json::{Map, Value, json};

/// The schema in the dialect that all model providers accept: `enum` instead of `const` and `oneOf`, `anyOf` instead of a list of types, no
/// null (an argument that is not required may be left out), no defaults and formats, and `properties` on every object.
pub fn plain(schema: &Value) -> Value {
    let mut plain = rewrite(schema);
    if let Some(fields) = plain.as_object_mut() {
        // The tool has a description of its own.
        fields.remove("description");
    }
    plain
}

/// Texts whose limit models run into. OpenAI's strict form documents no lengths of texts, so that the description says it.
const SHORT_TEXTS: [&str; 2] = ["title", "reason"];

/// Arguments that many tools take. The server's instructions describe them, once for all tools.
const DESCRIBED_ONCE: [&str; 6] = [
    "idempotencyKey",
    "dryRun",
    "workflow",
    "supersedesActionId",
    "cursor",
    "limit",
];

/// The most records that any argument may name; not published.
const MOST_RECORDS: u64 = 200;

/// The schema as clients get it, of a [`plain`] one. Models read the list of tools in every session, so it says nothing that a refusal explains as
/// well: an ID has its prefix only, words of an enum are not described, and nothing says that a text must not be empty. All fields stay, and whatever the full schema permits, this one permits.
pub fn published(schema: &Value) -> Value {
    publish(schema, "")
}

fn publish(schema: &Value, name: &str) -> Value {
    let Some(fields) = schema.as_object() else {
        return schema.clone();
    };
    let mut out = Map::new();
    for (word, value) in fields {
        let value = match word.as_str() {
            "minLength" | "maxLength" | "minItems" | "minimum" | "minProperties" => continue,
            "maxItems" if value.as_u64() >= Some(MOST_RECORDS) => continue,
            "description" if fields.contains_key("enum") || DESCRIBED_ONCE.contains(&name) => continue,
            "description" => json!(value.as_str().unwrap_or_default().trim_end_matches('.')),
            "pattern" => json!(prefix(value.as_str().unwrap_or_default())),
            "properties" => {
                let each = value.as_object().into_iter().flatten();
                let each = each.map(|(name, schema)| (name.clone(), publish(schema, name)));
                Value::Object(each.collect())
            }
            "items" => publish(value, ""),
            "anyOf" => value
                .as_array()
                .into_iter()
                .flatten()
                .map(|one| publish(one, ""))
                .collect(),
            _ => value.clone(),
        };
        out.insert(word.clone(), value);
    }
    if let Some(most) = fields.get("maxLength").filter(|_| SHORT_TEXTS.contains(&name)) {
        let description = match out.get("description").and_then(Value::as_str) {
            Some(said) => format!("{said}, up to {most} characters"),
            None => format!("Up to {most} characters"),
        };
        out.insert("description".to_owned(), json!(description));
    }
    Value::Object(out)
}

/// The beginning of the pattern of an ID, which also fits every ID: `^rel_` of `^rel_[0-7]...$`.
fn prefix(pattern: &str) -> &str {
    pattern.find('_').map_or(pattern, |end| &pattern[..=end])
}

fn rewrite(schema: &Value) -> Value {
    let Some(fields) = schema.as_object() else {
        return schema.clone();
    };
    let mut out = Map::new();
    for (name, value) in fields {
        match name.as_str() {
            "$schema" | "default" | "format" | "title" => {}
            "properties" | "$defs" => {
                let each = value.as_object().into_iter().flatten();
                let each = each.map(|(name, schema)| (name.clone(), rewrite(schema)));
                out.insert(name.clone(), Value::Object(each.collect()));
            }
            "items" => drop(out.insert(name.clone(), rewrite(value))),
            "const" => drop(out.insert("enum".to_owned(), json!([value]))),
            "type" => kinds(value, &mut out),
            "anyOf" | "oneOf" => alternatives(value, &mut out),
            _ => drop(out.insert(name.clone(), value.clone())),
        }
    }
    if out.get("type").is_some_and(|kind| kind == "object") && !out.contains_key("properties") {
        out.insert("properties".to_owned(), json!({}));
    }
    Value::Object(out)
}

/// One type instead of a list of types.
fn kinds(value: &Value, out: &mut Map<String, Value>) {
    let listed: Vec<&Value> = value
        .as_array()
        .into_iter()
        .flatten()
        .filter(|kind| *kind != "null")
        .collect();
    match listed.as_slice() {
        [] => drop(out.insert("type".to_owned(), value.clone())),
        [one] => drop(out.insert("type".to_owned(), (*one).clone())),
        several => {
            let each: Vec<Value> = several.iter().map(|kind| json!({ "type": kind })).collect();
            out.insert("anyOf".to_owned(), Value::Array(each));
        }
    }
}

/// Alternatives without null: one is written in place, words become an enum.
fn alternatives(value: &Value, out: &mut Map<String, Value>) {
    let all = value.as_array().cloned().unwrap_or_default();
    let mut each: Vec<Value> = all.iter().filter(|one| one["type"] != "null").map(rewrite).collect();
    let words: Option<Vec<Value>> = each
        .iter()
        .map(|one| match one["enum"].as_array()?.as_slice() {
            [word] if word.is_string() => Some(word.clone()),
            _ => None,
        })
        .collect();
    if let Some(words) = words.filter(|words| !words.is_empty()) {
        out.insert("type".to_owned(), json!("string"));
        out.insert("enum".to_owned(), Value::Array(words));
        return;
    }
    if each.len() == 1 {
        let one = each.remove(0);
        for (name, value) in one.as_object().cloned().unwrap_or_default() {
            out.entry(name).or_insert(value);
        }
        return;
    }
    out.insert("anyOf".to_owned(), Value::Array(each));
}

/// The arguments without those that are not required and say nothing: `null`, and an empty text where the schema permits no empty text.
pub fn without_absent(schema: &Value, arguments: Value) -> Value {
    match arguments {
        Value::Object(fields) => {
            let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
            let kept = fields.into_iter().filter_map(|(name, value)| {
                let Some(property) = schema["properties"].get(&name) else {
                    return Some((name, value));
                };
                let may_be_absent = !required.iter().any(|one| *one == name.as_str());
                if may_be_absent && is_absent(property, &value) {
                    return None;
                }
                Some((name, without_absent(property, value)))
            });
            Value::Object(kept.collect())
        }
        Value::Array(items) => {
            let each = items.into_iter().map(|item| without_absent(&schema["items"], item));
            Value::Array(each.collect())
        }
        other => other,
    }
}

fn is_absent(schema: &Value, value: &Value) -> bool {
    let refuses_empty = schema["type"] == "string"
        && (!schema["pattern"].is_null() || !schema["enum"].is_null() || schema["minLength"].as_u64() > Some(0));
    let is_other_kind = schema["type"] != "string";
    value.is_null() || (value == "" && (refuses_empty || is_other_kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_has_only_what_all_providers_accept() {
        let schema = json!({
            "$schema": "x", "description": "d", "type": "object",
            "properties": {
                "default": { "type": ["string", "null"], "default": null, "minLength": 1 },
                "limit": { "type": ["integer", "null"], "format": "int64" },
                "severity": { "description": "s", "anyOf": [
                    { "description": "inner", "oneOf": [{ "const": "low", "type": "string" }, { "const": "high", "type": "string" }] },
                    { "type": "null" },
                ] },
                "one": { "const": "only" },
                "estimate": { "anyOf": [{ "type": "number" }, { "type": "string" }, { "type": "null" }] },
                "several": { "type": ["string", "number", "null"] },
                "list": { "type": "array", "items": { "type": ["string", "null"] } },
                "nothing": { "type": "object", "additionalProperties": false },
            },
            "required": ["one"],
        });
        assert_eq!(
            plain(&schema),
            json!({
                "type": "object",
                "properties": {
                    "default": { "type": "string", "minLength": 1 },
                    "limit": { "type": "integer" },
                    "severity": { "description": "s", "type": "string", "enum": ["low", "high"] },
                    "one": { "enum": ["only"] },
                    "estimate": { "anyOf": [{ "type": "number" }, { "type": "string" }] },
                    "several": { "anyOf": [{ "type": "string" }, { "type": "number" }] },
                    "list": { "type": "array", "items": { "type": "string" } },
                    "nothing": { "type": "object", "additionalProperties": false, "properties": {} },
                },
                "required": ["one"],
            })
        );
    }

    #[test]
    fn a_published_schema_has_every_field_and_permits_whatever_the_full_one_permits() {
        let id = json!({ "type": "string", "pattern": "^rel_[0-7][0-9a-z]{25}$" });
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["title", "key"], "minProperties": 1,
            "properties": {
                "title": { "type": "string", "minLength": 1, "maxLength": 200, "description": "In one line." },
                "key": { "type": "string", "minLength": 1, "maxLength": 200 },
                "limit": { "type": "integer", "minimum": 1, "maximum": 50 },
                "kind": { "type": "string", "enum": ["story", "task"], "description": "The kind." },
                "cursor": { "type": "string", "description": "Where the page begins." },
                "ids": { "type": "array", "items": id, "maxItems": 200 },
                "children": { "type": "array", "minItems": 1, "maxItems": 50, "items": {
                    "type": "object", "properties": { "title": { "type": "string", "maxLength": 10 } },
                } },
                "estimate": { "anyOf": [{ "type": "number" }, { "type": "string", "maxLength": 40 }] },
            },
        });
        assert_eq!(
            published(&schema),
            json!({
                "type": "object", "additionalProperties": false, "required": ["title", "key"],
                "properties": {
                    "title": { "type": "string", "description": "In one line, up to 200 characters" },
                    "key": { "type": "string" },
                    "limit": { "type": "integer", "maximum": 50 },
                    "kind": { "type": "string", "enum": ["story", "task"] },
                    "cursor": { "type": "string" },
                    "ids": { "type": "array", "items": { "type": "string", "pattern": "^rel_" } },
                    "children": { "type": "array", "maxItems": 50, "items": {
                        "type": "object", "properties": { "title": { "type": "string", "description": "Up to 10 characters" } },
                    } },
                    "estimate": { "anyOf": [{ "type": "number" }, { "type": "string" }] },
                },
            })
        );
    }

    #[test]
    fn null_and_empty_text_mean_absent_where_they_can_mean_nothing_else() {
        let schema = json!({
            "properties": {
                "key": { "type": "string", "minLength": 1 }, "id": { "type": "string", "pattern": "^a" }, "words": { "type": "string" },
                "list": { "type": "array", "items": { "type": "string" } }, "limit": { "type": "integer" },
                "children": { "type": "array", "items": { "properties": { "owner": { "type": "string", "minLength": 1 } } } },
            },
            "required": ["key"],
        });
        let sent = json!({
            "key": "", "id": "", "words": "", "list": null, "limit": "", "stray": null, "children": [{ "owner": null }, { "owner": "x" }],
        });
        assert_eq!(
            without_absent(&schema, sent),
            json!({ "key": "", "words": "", "stray": null, "children": [{}, { "owner": "x" }] })
        );
        assert_eq!(
            without_absent(&schema, json!({ "key": null })),
            json!({ "key": null }),
            "it is required"
        );
    }
}
