//! Whether the text of a content can be read in one way only.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use std::fmt;

/// A JSON value whose objects have no key twice. Programs differ in which of two equal keys counts.
struct Unambiguous;

/// Whether the text is a JSON object without doubled keys, at most 127 levels deep, without halves of surrogate pairs.
pub(super) fn is_unambiguous(text: &str) -> bool {
    text.starts_with('{') && text.ends_with('}') && serde_json::from_str::<Unambiguous>(text).is_ok()
}

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Unambiguous)
    }
}

impl<'de> Visitor<'de> for Unambiguous {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without doubled keys")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Self, A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = pairs.next_key::<String>()? {
            if !keys.insert(key) {
                return Err(A::Error::custom("a key occurs twice"));
            }
            pairs.next_value::<Self>()?;
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::is_unambiguous;

    #[test]
    fn a_content_has_one_meaning() {
        let deep = |levels: usize| format!("{{\"a\":{}1{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
        for good in [
            "{}",
            r#"{"a":{"a":[{"a":null},{"a":-0.5e3}]},"b":"\ud83d\ude00 é"}"#,
            &deep(127),
        ] {
            assert!(is_unambiguous(good), "{good}");
        }
        for bad in [
            "",
            "1",
            "[]",
            "\"a\"",
            "{",
            "{} {}",
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"a":[{"b":1,"b":1}]}"#,
            r#"{"a":"\ud83d"}"#,
            r#"{"a":1e999}"#,
            r#"{"a":NaN}"#,
            r#"{},"leaf":{}"#,
            &deep(128),
        ] {
            assert!(!is_unambiguous(bad), "{bad}");
        }
    }
}
