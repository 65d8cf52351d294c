//! Canonical JSON (RFC 8785) and digests. Equal payloads have one text, independent of key order and number format.

pub use loopiq_audit_log::{NotCanonical, canonical as to_string, hex};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use sha2::{Digest, Sha256};
use std::fmt;

/// The largest integer that every JSON parser reads exactly (2^53 - 1; RFC 8785, and RFC 7493 section 2.2).
pub const MAX_INTEGER: u64 = (1 << 53) - 1;

/// `sha256:` and the SHA-256 of the bytes in hex.
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", sha256_hex(bytes))
}

/// The SHA-256 of the bytes in hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Parses JSON strictly (I-JSON, RFC 7493). A duplicate key and an integer beyond 2^53 are refused, because two parsers
/// could read them differently and have the same digest.
pub fn parse_strict(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without duplicate keys or integers beyond 2^53")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() > MAX_INTEGER {
            return Err(E::custom(format!("the integer {value} is beyond 2^53")));
        }
        Ok(Value::from(value))
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        if value > MAX_INTEGER {
            return Err(E::custom(format!("the integer {value} is beyond 2^53")));
        }
        Ok(Value::from(value))
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        if value.fract() == 0.0 {
            // RFC 8785 writes 12.0 and 1.2e1 as 12.
            if value.abs() > MAX_INTEGER as f64 {
                return Err(E::custom(format!("the integer {value} is beyond 2^53")));
            }
            return Ok(Value::from(value as i64));
        }
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("not a finite number"))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Strict)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(Strict)?;
            if object.contains_key(&key) {
                return Err(de::Error::custom(format!(
                    "the key \"{key}\" occurs twice in one object"
                )));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload_digest(text: &str) -> String {
        let value = parse_strict(text.as_bytes()).expect("strict JSON");
        digest(to_string(&value).expect("canonical").as_bytes())
    }

    #[test]
    fn key_order_and_number_forms_do_not_change_the_digest() {
        assert_eq!(
            payload_digest(r#"{"b":1.0,"a":[10,{"y":1,"x":2.50}]}"#),
            payload_digest(r#" { "a" : [1e1, {"x":2.5, "y":1}], "b" : 1 } "#)
        );
        assert_ne!(payload_digest(r#"{"a":[1,2]}"#), payload_digest(r#"{"a":[2,1]}"#));
    }

    #[test]
    fn what_two_readers_could_understand_differently_is_refused() {
        for text in [
            r#"{"a":1,"a":2}"#,
            "9007199254740993",
            "1e17",
            "[1] x",
            r#"{"a":{"b":1,"b":1}}"#,
        ] {
            assert!(parse_strict(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse_strict(b"9007199254740991").is_ok());
    }

    #[test]
    fn integers_are_exact_up_to_2_53_in_every_form() {
        for kept in [
            "9007199254740991",
            "-9007199254740991",
            "9007199254740991.0",
            "-9007199254740991.0",
        ] {
            let integer = kept.trim_end_matches(".0");
            let value = parse_strict(kept.as_bytes()).expect(kept);
            assert_eq!(to_string(&value).unwrap(), integer, "{kept}");
        }
        for beyond in [
            "9007199254740992",
            "-9007199254740992",
            "9007199254740992.0",
            "-9007199254740992.0",
        ] {
            assert!(parse_strict(beyond.as_bytes()).is_err(), "{beyond}");
        }
    }

    #[test]
    fn every_kind_of_value_is_kept() {
        let text = r#"{"a":[true,false,null,-3,2.5,"x"]}"#;
        assert_eq!(to_string(&parse_strict(text.as_bytes()).unwrap()).unwrap(), text);
    }

    #[test]
    fn a_digest_is_sha_256_in_hex() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest(b""), format!("sha256:{empty}"));
        assert_eq!(sha256_hex(b""), empty);
        assert_eq!(hex(&[0, 10, 255]), "000aff");
    }
}
