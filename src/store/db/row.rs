//! Rows, which own their values, so that they outlive the statement on both databases.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A row of a result.
#[derive(Debug)]
pub(in crate::store) struct Row {
    columns: Arc<ColumnNames>,
    cells: Vec<Cell>,
    /// The texts of all cells, one after the other: a row needs one allocation for them.
    text: String,
    /// The column after the last one that was read. Columns are mostly read in the order of the statement, so that the search for a name
    /// mostly begins at the right column.
    next: AtomicUsize,
}

/// The value of a column.
#[derive(Debug)]
enum Cell {
    Null,
    Int(i64),
    /// A part of [`Row::text`].
    Text(Range<usize>),
    Bytes(Vec<u8>),
}

/// A value of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum ColumnValue<'r> {
    Null,
    Int(i64),
    Text(&'r str),
    Bytes(&'r [u8]),
}

/// The names of a result's columns. All rows of a result share them.
#[derive(Debug)]
pub(in crate::store) struct ColumnNames(Box<[Box<str>]>);

impl ColumnNames {
    pub(super) fn new<'n>(names: impl Iterator<Item = &'n str>) -> Arc<Self> {
        Arc::new(Self(names.map(Box::from).collect()))
    }
}

impl Row {
    /// A row without values. The driver adds one value for each column.
    pub(super) fn new(columns: &Arc<ColumnNames>) -> Self {
        Self {
            columns: Arc::clone(columns),
            cells: Vec::with_capacity(columns.0.len()),
            text: String::new(),
            next: AtomicUsize::new(0),
        }
    }

    pub(super) fn push_null(&mut self) {
        self.cells.push(Cell::Null);
    }

    pub(super) fn push_int(&mut self, value: i64) {
        self.cells.push(Cell::Int(value));
    }

    pub(super) fn push_text(&mut self, value: &str) {
        let start = self.text.len();
        self.text.push_str(value);
        self.cells.push(Cell::Text(start..self.text.len()));
    }

    pub(super) fn push_bytes(&mut self, value: Vec<u8>) {
        self.cells.push(Cell::Bytes(value));
    }

    /// The names of the columns, in order.
    pub(in crate::store) fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.0.iter().map(|name| &**name)
    }

    /// The values, in the order of the columns.
    pub(in crate::store) fn values(&self) -> impl Iterator<Item = ColumnValue<'_>> {
        self.cells.iter().map(|cell| self.value(cell))
    }

    /// The value of the column with this name; `None` if there is no such column.
    pub(in crate::store) fn get(&self, name: &str) -> Option<ColumnValue<'_>> {
        let names = &self.columns.0;
        let start = self.next.load(Ordering::Relaxed);
        let index = (start..names.len())
            .chain(0..start.min(names.len()))
            .find(|index| &*names[*index] == name)?;
        self.next.store(index + 1, Ordering::Relaxed);
        self.cells.get(index).map(|cell| self.value(cell))
    }

    fn value<'r>(&'r self, cell: &'r Cell) -> ColumnValue<'r> {
        match cell {
            Cell::Null => ColumnValue::Null,
            Cell::Int(value) => ColumnValue::Int(*value),
            Cell::Text(range) => ColumnValue::Text(&self.text[range.clone()]),
            Cell::Bytes(bytes) => ColumnValue::Bytes(bytes),
        }
    }
}

/// Whether another row would give the batch more than `values` values.
pub(super) fn is_full(batch: &[Row], values: usize) -> bool {
    batch
        .first()
        .is_some_and(|row| (batch.len() + 1) * row.cells.len() > values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_in_any_order() {
        let mut row = Row::new(&ColumnNames::new(["a", "b", "c", "d"].into_iter()));
        row.push_text("one");
        row.push_null();
        row.push_int(3);
        row.push_text("four");
        for name in ["a", "b", "c", "d", "d", "a", "c"] {
            let expected = match name {
                "a" => ColumnValue::Text("one"),
                "b" => ColumnValue::Null,
                "c" => ColumnValue::Int(3),
                _ => ColumnValue::Text("four"),
            };
            assert_eq!(row.get(name), Some(expected), "{name}");
        }
        assert_eq!(row.get("e"), None);
        assert_eq!(row.get("a"), Some(ColumnValue::Text("one")));
    }
}
