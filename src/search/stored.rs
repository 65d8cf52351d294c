//! A document in the form in which the library reads it. It borrows the keys instead of copying them.

use super::document::Document;
use std::sync::Arc;
use tantivy::schema::Field;
use tantivy::schema::document::{ReferenceValue, ReferenceValueLeaf, Value};

/// The fields of a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    /// What documents are found by, see [`Document::keys`].
    pub(super) keys: Field,
    /// The entry's number.
    pub(super) seq: Field,
    /// The entry's time.
    pub(super) at: Field,
}

/// A document to store.
pub(super) struct Stored {
    pub(super) document: Arc<Document>,
    pub(super) fields: Fields,
}

impl tantivy::Document for Stored {
    type Value<'a> = StoredValue<'a>;
    type FieldsValuesIter<'a> = Box<dyn Iterator<Item = (Field, StoredValue<'a>)> + 'a>;

    fn iter_fields_and_values(&self) -> Self::FieldsValuesIter<'_> {
        let Self { document, fields } = self;
        let keys = document.keys().map(|key| (fields.keys, StoredValue::Key(key)));
        let numbers = [(fields.seq, document.seq()), (fields.at, document.at().0)];
        let numbers = numbers.map(|(field, number)| (field, StoredValue::Number(number)));
        Box::new(keys.chain(numbers))
    }
}

/// The value of a field.
#[derive(Debug, Clone, Copy)]
pub(super) enum StoredValue<'a> {
    Key(&'a [u8]),
    Number(i64),
}

impl<'a> Value<'a> for StoredValue<'a> {
    type ArrayIter = std::iter::Empty<Self>;
    type ObjectIter = std::iter::Empty<(&'a str, Self)>;

    fn as_value(&self) -> ReferenceValue<'a, Self> {
        ReferenceValue::Leaf(match *self {
            StoredValue::Key(key) => ReferenceValueLeaf::Bytes(key),
            StoredValue::Number(number) => ReferenceValueLeaf::I64(number),
        })
    }
}
