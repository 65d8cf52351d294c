//! Text with the character U+0000. PostgreSQL cannot store it and SQLite cannot search it. PostgreSQL accepts an escaped U+0000 in JSON, but
//! cannot read the row afterwards.

use serde::de::IgnoredAny;
use serde_json::Value;

/// A statement has a parameter with the character U+0000. The statement was not sent to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a text holds the character U+0000")]
pub struct NulCharacter;

/// Whether a text contains U+0000: directly, escaped in JSON, or in JSON inside a JSON string.
pub(super) fn holds_nul(text: &str) -> bool {
    if text.contains('\0') {
        return true;
    }
    // This test is cheap, and nearly every text fails it, so that few texts are parsed as JSON.
    text.contains("u0000") && unescaped(text)
}

/// Whether a JSON text contains an escaped U+0000. In any other text a backslash is only a backslash.
fn unescaped(text: &str) -> bool {
    match serde_json::from_str(text) {
        Ok(value) => {
            let mut open: Vec<&Value> = vec![&value];
            while let Some(value) = open.pop() {
                match value {
                    Value::String(text) if holds_nul(text) => return true,
                    Value::Array(items) => open.extend(items),
                    Value::Object(fields) => {
                        if fields.keys().any(|name| holds_nul(name)) {
                            return true;
                        }
                        open.extend(fields.values());
                    }
                    _ => {}
                }
            }
            false
        }
        // JSON that is nested too deep for a `Value` is treated as if it contained U+0000, because its strings cannot be inspected.
        Err(_) => serde_json::from_str::<IgnoredAny>(text).is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_character_is_found_as_itself_and_escaped_in_json() {
        for text in [
            "\0",
            "a\0b",
            r#"{"a":"\u0000"}"#,
            r#"["\\\u0000"]"#,
            r#""\u0000""#,
            r#"{"\u0000":1}"#,
            // JSON inside a JSON string, as in the content of an audit entry.
            r#"[{"content":"{\"note\":\"\\u0000\"}"}]"#,
        ] {
            assert!(holds_nul(text), "{text:?}");
        }
        for text in [
            "",
            "plain",
            r"the escape \u0000 in prose",
            r#"{"a":"\\u0000"}"#,
            r#"{"a":"\u0001"}"#,
            r"\u0000 {",
            r#"[{"content":"{\"note\":\"\\\\u0000\"}"}]"#,
            r#"["a literal \\u0000 in prose"]"#,
        ] {
            assert!(!holds_nul(text), "{text:?}");
        }
    }
}
