//! Reads typed columns. An error names the column.

use super::StoreError;
use super::db::{ColumnValue, Row};
use crate::domain::{Check, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Typed columns of a row.
pub(super) trait Columns {
    fn text(&self, column: &str) -> Result<String, StoreError>;
    fn maybe_text(&self, column: &str) -> Result<Option<String>, StoreError>;
    fn int(&self, column: &str) -> Result<i64, StoreError>;
    fn maybe_int(&self, column: &str) -> Result<Option<i64>, StoreError>;
    /// A count, which is never negative.
    fn count(&self, column: &str) -> Result<u32, StoreError> {
        u32::try_from(self.int(column)?).map_err(|error| StoreError::damaged(column, error))
    }
    fn time(&self, column: &str) -> Result<Timestamp, StoreError> {
        self.int(column).map(Timestamp)
    }
    /// A text column that `read` parses: an ID or a stable name.
    fn read<T>(&self, column: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreError> {
        let text = self.text(column)?;
        read(&text).ok_or_else(|| StoreError::damaged(column, format!("unexpected \"{text}\"")))
    }
    /// A text column that `read` parses; `None` if the column is NULL.
    fn maybe<T>(&self, column: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, StoreError> {
        match self.maybe_text(column)? {
            None => Ok(None),
            Some(text) => read(&text)
                .map(Some)
                .ok_or_else(|| StoreError::damaged(column, format!("unexpected \"{text}\""))),
        }
    }
    /// A column that contains JSON.
    fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        serde_json::from_str(&self.text(column)?).map_err(|error| StoreError::damaged(column, error))
    }
    /// A column that contains check results. Results that this version cannot read are left out: pages show the others, and every decision
    /// uses results that the service computes at that moment.
    fn checks(&self, column: &str) -> Result<Vec<Check>, StoreError> {
        let stored: Vec<Value> = self.json(column)?;
        Ok(stored
            .into_iter()
            .filter_map(|check| serde_json::from_value(check).ok())
            .collect())
    }
}

impl Columns for Row {
    fn text(&self, column: &str) -> Result<String, StoreError> {
        match value(self, column)? {
            ColumnValue::Text(text) => Ok(text.to_owned()),
            other => Err(wrong(column, "text", &other)),
        }
    }
    fn maybe_text(&self, column: &str) -> Result<Option<String>, StoreError> {
        match value(self, column)? {
            ColumnValue::Null => Ok(None),
            ColumnValue::Text(text) => Ok(Some(text.to_owned())),
            other => Err(wrong(column, "text", &other)),
        }
    }
    fn int(&self, column: &str) -> Result<i64, StoreError> {
        match value(self, column)? {
            ColumnValue::Int(number) => Ok(number),
            other => Err(wrong(column, "a whole number", &other)),
        }
    }
    fn maybe_int(&self, column: &str) -> Result<Option<i64>, StoreError> {
        match value(self, column)? {
            ColumnValue::Null => Ok(None),
            ColumnValue::Int(number) => Ok(Some(number)),
            other => Err(wrong(column, "a whole number", &other)),
        }
    }
    fn read<T>(&self, column: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreError> {
        match value(self, column)? {
            ColumnValue::Text(text) => {
                read(text).ok_or_else(|| StoreError::damaged(column, format!("unexpected \"{text}\"")))
            }
            other => Err(wrong(column, "text", &other)),
        }
    }
    fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        match value(self, column)? {
            ColumnValue::Text(text) => serde_json::from_str(text).map_err(|error| StoreError::damaged(column, error)),
            other => Err(wrong(column, "text", &other)),
        }
    }
}

/// The bytes of a column.
pub(super) fn bytes(row: &Row, column: &str) -> Result<Vec<u8>, StoreError> {
    match value(row, column)? {
        ColumnValue::Bytes(bytes) => Ok(bytes.to_vec()),
        other => Err(wrong(column, "bytes", &other)),
    }
}

fn value<'r>(row: &'r Row, column: &str) -> Result<ColumnValue<'r>, StoreError> {
    row.get(column)
        .ok_or_else(|| StoreError::damaged(column, "the statement has no such column"))
}

fn wrong(column: &str, expected: &str, found: &ColumnValue<'_>) -> StoreError {
    let found = match found {
        ColumnValue::Null => "nothing",
        ColumnValue::Int(_) => "a whole number",
        ColumnValue::Text(_) => "text",
        ColumnValue::Bytes(_) => "bytes",
    };
    StoreError::damaged(column, format!("expected {expected}, found {found}"))
}

/// A row in the form of a JSON object.
impl Columns for serde_json::Map<String, Value> {
    fn text(&self, column: &str) -> Result<String, StoreError> {
        self.maybe_text(column)?
            .ok_or_else(|| StoreError::damaged(column, "nothing is there"))
    }
    fn maybe_text(&self, column: &str) -> Result<Option<String>, StoreError> {
        match self.get(column) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(StoreError::damaged(column, "not text")),
        }
    }
    fn int(&self, column: &str) -> Result<i64, StoreError> {
        self.maybe_int(column)?
            .ok_or_else(|| StoreError::damaged(column, "nothing is there"))
    }
    fn maybe_int(&self, column: &str) -> Result<Option<i64>, StoreError> {
        match self.get(column) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value
                .as_i64()
                .map(Some)
                .ok_or_else(|| StoreError::damaged(column, "not a whole number")),
        }
    }
}

/// A list as JSON text for `json_each`, so that one statement accepts any number of values.
pub(super) fn list<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> String {
    serde_json::Value::from_iter(values.into_iter().map(|value| value.as_ref().to_owned())).to_string()
}

/// The JSON text of a value, for a TEXT column.
pub(super) fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::damaged("a value to store", error))
}
