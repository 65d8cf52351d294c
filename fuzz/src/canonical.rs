//! Canonical JSON: each value has one text, and the text has the same value.

use loopiq::domain::canonical::{digest, parse_strict, to_string};
use serde_json::Value;

pub(crate) fn hold(data: &[u8]) {
    let loose = serde_json::from_slice::<Value>(data);
    if let Ok(value) = &loose
        && let Ok(text) = to_string(value)
    {
        // Parsing a canonical text and writing it again gives the same text.
        let again: Value = serde_json::from_str(&text).expect("canonical JSON is JSON");
        assert_eq!(to_string(&again).expect("canonical"), text);
    }
    let Ok(value) = parse_strict(data) else { return };
    let loose = loose.expect("strict JSON is JSON");
    assert!(same(&value, &loose), "{value} is not {loose}");
    let text = to_string(&value).expect("strict JSON has a canonical form");
    assert_eq!(parse_strict(text.as_bytes()).expect("which is strict"), value);
    assert_eq!(
        to_string(&loose).expect("canonical"),
        text,
        "number forms change the text"
    );
    assert_eq!(digest(text.as_bytes()).len(), "sha256:".len() + 64);
}

/// Whether two values are equal, independent of the format of numbers.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            let fits = |(name, left): (&String, &Value)| right.get(name).is_some_and(|right| same(left, right));
            left.len() == right.len() && left.iter().all(fits)
        }
        _ => left == right,
    }
}
