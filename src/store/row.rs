//! Reads typed columns. An error names the column.

use super::StoreError;
use super::db::{ColumnValue, Row};
use crate::domain::{Check, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value;

impl Row {
    /// A text column.
    pub(super) fn text(&self, column: &str) -> Result<String, StoreError> {
        self.required(column, str::to_owned)
    }

    /// A text column; `None` if it is NULL.
    pub(super) fn maybe_text(&self, column: &str) -> Result<Option<String>, StoreError> {
        match self.column_value(column)? {
            ColumnValue::Null => Ok(None),
            ColumnValue::Text(text) => Ok(Some(text.to_owned())),
            other => Err(unexpected(column, "text", other)),
        }
    }

    /// An integer column.
    pub(super) fn int(&self, column: &str) -> Result<i64, StoreError> {
        match self.column_value(column)? {
            ColumnValue::Int(number) => Ok(number),
            other => Err(unexpected(column, "a whole number", other)),
        }
    }

    /// An integer column; `None` if it is NULL.
    pub(super) fn maybe_int(&self, column: &str) -> Result<Option<i64>, StoreError> {
        match self.column_value(column)? {
            ColumnValue::Null => Ok(None),
            ColumnValue::Int(number) => Ok(Some(number)),
            other => Err(unexpected(column, "a whole number", other)),
        }
    }

    /// A count, which is never negative.
    pub(super) fn count(&self, column: &str) -> Result<u32, StoreError> {
        u32::try_from(self.int(column)?).map_err(|error| StoreError::damaged(column, error))
    }

    /// A time in microseconds since 1970.
    pub(super) fn time(&self, column: &str) -> Result<Timestamp, StoreError> {
        self.int(column).map(Timestamp)
    }

    /// A time in microseconds since 1970; `None` if the column is NULL.
    pub(super) fn maybe_time(&self, column: &str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.maybe_int(column)?.map(Timestamp))
    }

    /// A column of bytes.
    pub(super) fn bytes(&self, column: &str) -> Result<Vec<u8>, StoreError> {
        match self.column_value(column)? {
            ColumnValue::Bytes(bytes) => Ok(bytes.to_vec()),
            other => Err(unexpected(column, "bytes", other)),
        }
    }

    /// A text column that `read` parses: an ID or a stable name.
    pub(super) fn read<T>(&self, column: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreError> {
        self.required(column, |text| parsed(column, text, read))?
    }

    /// A text column that `read` parses; `None` if the column is NULL.
    pub(super) fn maybe<T>(&self, column: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, StoreError> {
        match self.column_value(column)? {
            ColumnValue::Null => Ok(None),
            ColumnValue::Text(text) => parsed(column, text, read).map(Some),
            other => Err(unexpected(column, "text", other)),
        }
    }

    /// A column that contains JSON.
    pub(super) fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        let parsed = self.required(column, serde_json::from_str)?;
        parsed.map_err(|error| StoreError::damaged(column, error))
    }

    /// A column that contains check results. Results that this version cannot read are left out: pages show the others, and every decision
    /// uses results that the service computes at that moment.
    pub(super) fn checks(&self, column: &str) -> Result<Vec<Check>, StoreError> {
        let stored: Vec<Value> = self.json(column)?;
        Ok(stored
            .into_iter()
            .filter_map(|check| serde_json::from_value(check).ok())
            .collect())
    }

    /// What `read` makes of a text column.
    fn required<'r, T>(&'r self, column: &str, read: impl FnOnce(&'r str) -> T) -> Result<T, StoreError> {
        match self.column_value(column)? {
            ColumnValue::Text(text) => Ok(read(text)),
            other => Err(unexpected(column, "text", other)),
        }
    }

    fn column_value(&self, column: &str) -> Result<ColumnValue<'_>, StoreError> {
        self.get(column)
            .ok_or_else(|| StoreError::damaged(column, "the statement has no such column"))
    }
}

fn parsed<T>(column: &str, text: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreError> {
    read(text).ok_or_else(|| StoreError::damaged(column, format!("unexpected \"{text}\"")))
}

fn unexpected(column: &str, expected: &str, found: ColumnValue<'_>) -> StoreError {
    let found = match found {
        ColumnValue::Null => "NULL",
        ColumnValue::Int(_) => "a whole number",
        ColumnValue::Text(_) => "text",
        ColumnValue::Bytes(_) => "bytes",
    };
    StoreError::damaged(column, format!("expected {expected}, found {found}"))
}

/// A list as JSON text for `json_each`, so that one statement accepts any number of values.
pub(super) fn list<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> String {
    serde_json::Value::from_iter(values.into_iter().map(|value| value.as_ref().to_owned())).to_string()
}

/// The JSON text of a value, for a TEXT column.
pub(super) fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::damaged("a value to store", error))
}
