//! JSON payloads: pointers into them (RFC 6901), errors in fields, and the one walk over all values.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One thing wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Where (RFC 6901); empty for the payload as a whole.
    pub pointer: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl FieldError {
    /// A field error.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            message: message.into(),
        }
    }
}

/// A JSON Pointer (RFC 6901) made of these parts.
pub fn pointer<T: AsRef<str>>(parts: &[T]) -> String {
    parts.iter().fold(String::new(), |mut pointer, part| {
        pointer.push('/');
        pointer.push_str(&part.as_ref().replace('~', "~0").replace('/', "~1"));
        pointer
    })
}

/// Visits every value of a payload with its pointer and, for a field of an object, its name: parents before children, in the order of the
/// payload. `visit` says whether to go on into the value.
pub fn walk<'v>(payload: &'v Value, visit: &mut impl FnMut(&str, Option<&'v str>, &'v Value) -> bool) {
    fn step<'v>(
        value: &'v Value,
        name: Option<&'v str>,
        at: &mut String,
        visit: &mut impl FnMut(&str, Option<&'v str>, &'v Value) -> bool,
    ) {
        if !visit(at, name, value) {
            return;
        }
        let length = at.len();
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    at.push_str(&format!("/{index}"));
                    step(item, None, at, visit);
                    at.truncate(length);
                }
            }
            Value::Object(fields) => {
                for (name, item) in fields {
                    at.push_str(&pointer(&[name]));
                    step(item, Some(name), at, visit);
                    at.truncate(length);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    step(payload, None, &mut String::new(), visit);
}

/// Visits every value of a payload that contains no other value (an empty list or object too), with its pointer.
pub fn walk_leaves<'v>(payload: &'v Value, visit: &mut impl FnMut(&str, &'v Value)) {
    walk(payload, &mut |at, _, value| {
        let is_leaf = match value {
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            _ => true,
        };
        if is_leaf {
            visit(at, value);
        }
        !is_leaf
    });
}

/// Visits every string of a payload, with its pointer.
pub fn each_text<'v>(payload: &'v Value, visit: &mut impl FnMut(&str, &'v str)) {
    walk_leaves(payload, &mut |at, value| {
        if let Value::String(text) = value {
            visit(at, text);
        }
    });
}

/// Removes the field or list item at a pointer.
pub fn remove_at(payload: &mut Value, pointer: &str) -> Option<Value> {
    let (parent, last) = pointer.rsplit_once('/')?;
    match payload.pointer_mut(parent)? {
        Value::Object(fields) => fields.remove(&last.replace("~1", "/").replace("~0", "~")),
        Value::Array(items) => {
            let index = last.parse().ok().filter(|index| *index < items.len())?;
            Some(items.remove(index))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn leaves_come_in_the_order_of_the_payload_with_pointers_that_find_them() {
        let payload = json!({ "a/b": [{ "x~": 1 }, "two", []], "c": {}, "d": null });
        let mut leaves = Vec::new();
        walk_leaves(&payload, &mut |at, value| {
            assert_eq!(payload.pointer(at), Some(value));
            leaves.push(at.to_owned());
        });
        assert_eq!(leaves, ["/a~1b/0/x~0", "/a~1b/1", "/a~1b/2", "/c", "/d"]);
        let mut texts = Vec::new();
        each_text(&payload, &mut |_, text| texts.push(text));
        assert_eq!(texts, ["two"]);
    }

    #[test]
    fn a_value_is_removed_by_its_pointer() {
        let mut payload = json!({ "a/b": [1, 2, 3] });
        assert_eq!(remove_at(&mut payload, "/a~1b/1"), Some(json!(2)));
        assert_eq!(remove_at(&mut payload, "/a~1b/2"), None, "two items are left");
        assert_eq!(remove_at(&mut payload, "/a~1b/x"), None);
        assert_eq!(remove_at(&mut payload, "/nothing/0"), None);
        assert_eq!(payload, json!({ "a/b": [1, 3] }));
        assert_eq!(remove_at(&mut payload, "/a~1b"), Some(json!([1, 3])));
        assert_eq!(remove_at(&mut payload, ""), None);
    }

    #[test]
    fn a_pointer_leads_to_its_value_whatever_the_names_hold() {
        let payload = json!({ "a/b": { "~c": [{ "d": "x" }] } });
        let at = pointer(&["a/b", "~c", "0", "d"]);
        assert_eq!(at, "/a~1b/~0c/0/d");
        assert_eq!(payload.pointer(&at), Some(&json!("x")));
    }

    #[test]
    fn every_text_is_given_with_its_place() {
        let payload = json!({ "a": ["x", { "b/c": "y" }, "z"], "d": 1, "e": "w" });
        let mut found = Vec::new();
        each_text(&payload, &mut |at, text| found.push(format!("{at}={text}")));
        assert_eq!(found, ["/a/0=x", "/a/1/b~1c=y", "/a/2=z", "/e=w"]);
    }
}
