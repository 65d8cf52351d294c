//! Where in a payload something is wrong.

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

/// Gives every string in a payload, with its place, in the order of the payload.
pub fn each_text<'v>(payload: &'v Value, give: &mut impl FnMut(&str, &'v str)) {
    fn walk<'v>(value: &'v Value, at: &mut String, give: &mut impl FnMut(&str, &'v str)) {
        let length = at.len();
        match value {
            Value::String(text) => give(at, text),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    at.push_str(&format!("/{index}"));
                    walk(item, at, give);
                    at.truncate(length);
                }
            }
            Value::Object(fields) => {
                for (name, item) in fields {
                    at.push_str(&pointer(&[name]));
                    walk(item, at, give);
                    at.truncate(length);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    walk(payload, &mut String::new(), give);
}
