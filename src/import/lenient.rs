//! Reading values that decide nothing, whatever a tool wrote there.

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::Value;

/// A text of more bytes is trimmed when it is read: many results may refer to it, and each looks for where its words begin and end.
const LONG: usize = 4 << 10;

/// A value, or `None` if it is null or of another type.
pub(super) fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(input: D) -> Result<Option<T>, D::Error> {
    let mut value = Value::deserialize(input)?;
    trim(&mut value);
    Ok(T::deserialize(value).ok())
}

/// Takes the white space around long texts away. JSON is read no deeper than 128, so neither is this.
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

/// A number from 0: written as 5, 5.0 or "5". The standard's -1 means "none".
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
