//! A document in the form in which the library reads it. It borrows the keys instead of copying them.

use super::document::Document;
use std::sync::Arc;
use tantivy::schema::Field;
use tantivy::schema::document::{ReferenceValue, ReferenceValueLeaf, Value};
use tantivy::tokenizer::{PreTokenizedString, Token};

/// The fields of a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    /// The tenant and the values of fields, see [`Document::values`].
    pub(super) values: Field,
    /// The words of texts with their places, see [`Document::words`].
    pub(super) words: Field,
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
        let values = document
            .values()
            .map(|value| (fields.values, StoredValue::Value(value)));
        let words = std::iter::once((fields.words, StoredValue::Words(document)));
        let numbers = [(fields.seq, document.seq()), (fields.at, document.at().0)];
        let numbers = numbers.map(|(field, number)| (field, StoredValue::Number(number)));
        Box::new(values.chain(words).chain(numbers))
    }
}

/// The value of a field.
#[derive(Debug, Clone, Copy)]
pub(super) enum StoredValue<'a> {
    Value(&'a [u8]),
    Words(&'a Document),
    Number(i64),
}

impl<'a> Value<'a> for StoredValue<'a> {
    type ArrayIter = std::iter::Empty<Self>;
    type ObjectIter = std::iter::Empty<(&'a str, Self)>;

    fn as_value(&self) -> ReferenceValue<'a, Self> {
        ReferenceValue::Leaf(match *self {
            StoredValue::Value(value) => ReferenceValueLeaf::Bytes(value),
            StoredValue::Words(document) => ReferenceValueLeaf::PreTokStr(Box::new(tokens(document))),
            StoredValue::Number(number) => ReferenceValueLeaf::I64(number),
        })
    }
}

/// The words in the form in which the library takes them. Offsets in the text are not stored.
fn tokens(document: &Document) -> PreTokenizedString {
    let token = |(word, place): (&[u8], u32)| Token {
        position: place as usize,
        text: String::from_utf8_lossy(word).into_owned(),
        ..Token::default()
    };
    PreTokenizedString {
        text: String::new(),
        tokens: document.words().map(token).collect(),
    }
}
