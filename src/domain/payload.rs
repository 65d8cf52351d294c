//! Where in a payload something is wrong.

use serde::{Deserialize, Serialize};

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
