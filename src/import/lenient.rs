//! Reads values that decide nothing and may have any type.

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::Value;

/// A longer text, in bytes, is trimmed when it is read. Many results may refer to one text, and each of them trims it
/// again.
const LONG: usize = 4 << 10;

/// The value, or `None` if it is null or has another type.
pub(super) fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(input: D) -> Result<Option<T>, D::Error> {
    let mut value = Value::deserialize(input)?;
    trim(&mut value);
    Ok(T::deserialize(value).ok())
}

/// Trims long texts. The recursion is bounded: `serde_json` reads at most 128 levels.
fn trim(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > LONG => {
            let end = text.trim_end().len();
            text.truncate(end);
            let start = text.len() - text.trim_start().len();
            text.drain(..start);
        }
        Value::Array(items) => items.iter_mut().for_each(trim),
        Value::Object(fields) => fields.values_mut().for_each(trim),
        _ => {}
    }
}

/// A number from 0, written as 5, 5.0 or "5". SARIF's -1 ("no value") gives `None`.
pub(super) fn whole<'de, D: Deserializer<'de>>(input: D) -> Result<Option<usize>, D::Error> {
    Ok(match Value::deserialize(input)? {
        Value::Number(number) => {
            let integer = number.as_u64().or_else(|| {
                number
                    .as_f64()
                    .filter(|float| float.fract() == 0.0 && (0.0..1e15).contains(float))
                    .map(|float| float as u64)
            });
            integer.and_then(|integer| usize::try_from(integer).ok())
        }
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    })
}
