//! The differences between two payloads, field by field. Children are matched by their `clientRef`, not by their order.

use super::{text, walk};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The most differences that are returned; the rest is left out.
const MAX_DIFFERENCES: usize = 200;
/// The most characters of a value; the rest is cut off.
const MAX_VALUE: usize = 2_000;
/// A field that differs in every revision and is therefore left out.
const OMITTED_FIELD: &str = "/supersedesActionId";

/// The fields that differ: pointer, value before, value after. A value that does not exist is an empty text.
pub fn diff(before: &Value, after: &Value) -> Vec<(String, String, String)> {
    let (before, after) = (leaves(before), leaves(after));
    let pointers: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    pointers
        .into_iter()
        .filter(|pointer| pointer.as_str() != OMITTED_FIELD && before.get(*pointer) != after.get(*pointer))
        .map(|pointer| {
            (
                pointer.clone(),
                displayed(before.get(pointer)),
                displayed(after.get(pointer)),
            )
        })
        .take(MAX_DIFFERENCES)
        .collect()
}

/// The number of fields with equal values, in percent of all fields of both payloads.
pub fn similarity(one: &Value, other: &Value) -> usize {
    let (one, other) = (leaves(one), leaves(other));
    let all: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let same = all
        .iter()
        .filter(|pointer| one.get(**pointer) == other.get(**pointer))
        .count();
    (same * 100).checked_div(all.len()).unwrap_or(100)
}

/// The values by pointer. An item of a list with references is at its reference; any other list is one value.
fn leaves(payload: &Value) -> BTreeMap<String, Value> {
    let keyed = by_reference(payload);
    let mut found = BTreeMap::new();
    walk(&keyed, &mut |at, _, value| {
        let goes_on = value.is_object();
        if !goes_on {
            found.insert(at.to_owned(), value.clone());
        }
        goes_on
    });
    found
}

/// The payload with each list whose items all have a `clientRef` as an object by that reference.
fn by_reference(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, item)| (name.clone(), by_reference(item)));
            Value::Object(fields.collect())
        }
        Value::Array(items) if !items.is_empty() && items.iter().all(|item| item.get("clientRef").is_some()) => {
            let reference = |item: &Value| {
                item.get("clientRef")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            Value::Object(items.iter().map(|item| (reference(item), by_reference(item))).collect())
        }
        other => other.clone(),
    }
}

fn displayed(value: Option<&Value>) -> String {
    let plain = match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(", "),
        Some(other) => other.to_string(),
    };
    text::first_chars(&text::visible(&plain), MAX_VALUE).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn children_are_matched_by_their_references() {
        let before = json!({ "reason": "a", "children": [{ "clientRef": "x", "title": "One" }, { "clientRef": "y", "title": "Two" }] });
        let after = json!({ "reason": "b", "children": [{ "clientRef": "y", "title": "Two!" }], "supersedesActionId": "act_1" });
        let rows = diff(&before, &after);
        let rows: Vec<String> = rows
            .iter()
            .map(|(at, was, is)| format!("{at}: {was} -> {is}"))
            .collect();
        assert_eq!(
            rows,
            [
                "/children/x/clientRef: x -> ",
                "/children/x/title: One -> ",
                "/children/y/title: Two -> Two!",
                "/reason: a -> b"
            ]
        );
        assert_eq!(similarity(&before, &before), 100);
        assert!(similarity(&before, &after) < 50);
    }

    #[test]
    fn what_is_the_same_is_counted_in_percent_of_all_places() {
        let one = json!({ "a": 1, "b": 2, "c": 3 });
        assert_eq!(similarity(&one, &json!({ "a": 1, "b": 2, "d": 4 })), 50);
        assert_eq!(similarity(&one, &json!({ "e": 1 })), 0);
        assert_eq!(similarity(&json!({}), &json!({})), 100, "nothing differs from nothing");
    }

    #[test]
    fn a_list_without_references_is_one_place() {
        let list = |items: Value| json!({ "x": items });
        let places = |before: Value, after: Value| diff(&list(before), &list(after));
        let row = |before: &str, after: &str| ("/x".to_owned(), before.to_owned(), after.to_owned());
        assert_eq!(places(json!(["a", 1]), json!([true])), [row("a, 1", "true")]);
        assert_eq!(
            places(json!([]), json!(7)),
            [row("", "7")],
            "an empty list is a place too"
        );
        let (mixed, other) = (json!([{ "clientRef": "a" }, "b"]), json!([{ "clientRef": "a" }, "c"]));
        assert_eq!(places(mixed, other).len(), 1, "one item without a reference is enough");
        assert_eq!(places(json!(null), json!("n\u{202E}")), [row("", "n⟦U+202E⟧")]);
    }

    #[test]
    fn many_places_and_long_values_are_cut() {
        let many: serde_json::Map<_, _> = (0..MAX_DIFFERENCES + 1).map(|n| (format!("f{n}"), json!(n))).collect();
        assert_eq!(diff(&json!({}), &Value::from(many)).len(), MAX_DIFFERENCES);
        let long = "n".repeat(MAX_VALUE + 1);
        assert_eq!(diff(&json!({}), &json!({ "a": long }))[0].2.len(), MAX_VALUE);
    }
}
