//! How one payload differs from another: place by place, children by their own references rather than by their order.

use super::text;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The most places that are told.
const MOST: usize = 200;
/// Longer values are cut.
const LONGEST: usize = 2_000;
/// Says of itself that it is another one.
const LEFT_OUT: &str = "/supersedesActionId";

/// Every place at which two payloads differ: place, before, after. Nothing stands for nothing.
pub fn diff(before: &Value, after: &Value) -> Vec<(String, String, String)> {
    let (before, after) = (leaves(before), leaves(after));
    let places: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    places
        .into_iter()
        .filter(|place| place.as_str() != LEFT_OUT && before.get(*place) != after.get(*place))
        .map(|place| (place.clone(), words(before.get(place)), words(after.get(place))))
        .take(MOST)
        .collect()
}

/// How much of two payloads is the same, in percent of all places of both.
pub fn title_similarity(one: &Value, other: &Value) -> usize {
    let (one, other) = (leaves(one), leaves(other));
    let all: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let same = all
        .iter()
        .filter(|place| one.get(**place) == other.get(**place))
        .count();
    (same * 100).checked_div(all.len()).unwrap_or(100)
}

fn leaves(value: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    walk(value, String::new(), &mut found);
    found
}

fn walk(value: &Value, at: String, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) => {
            for (name, item) in fields {
                walk(item, format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) if items.iter().all(|item| item.get("clientRef").is_some()) && !items.is_empty() => {
            for item in items {
                let name = item.get("clientRef").and_then(Value::as_str).unwrap_or_default();
                walk(item, format!("{at}/{name}"), found);
            }
        }
        // A list of words is read as a whole.
        other => drop(found.insert(at, other.clone())),
    }
}

fn words(value: Option<&Value>) -> String {
    let plain = match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(words)) => words.clone(),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(", "),
        Some(other) => other.to_string(),
    };
    text::visible(&plain).chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn children_are_told_apart_by_their_references() {
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
        assert_eq!(title_similarity(&before, &before), 100);
        assert!(title_similarity(&before, &after) < 50);
    }
}
