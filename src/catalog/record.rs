//! Records of a catalog: as files declare them, and as the store has them.

use super::{Kind, Problems};
use serde::Serialize;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

/// What identifies a record of a catalog: its kind and its key; for controls and work items also the release.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ident {
    /// The kind.
    pub kind: Kind,
    /// The key; for people the e-mail address.
    pub key: String,
    /// The key of the release that the record belongs to, if its own key is unique only there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
}

impl Ident {
    /// A record whose key is unique in its tenant.
    pub fn new(kind: Kind, key: impl Into<String>) -> Self {
        Self {
            kind,
            key: key.into(),
            release: None,
        }
    }

    /// A record whose key is unique in a release.
    pub fn within(kind: Kind, release: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            kind,
            key: key.into(),
            release: Some(release.into()),
        }
    }

    /// The values to compare. People write AC-2 and documents write ac-2; both are the same control.
    fn compared(&self) -> (Kind, Option<&str>, Cow<'_, str>) {
        let key = match self.kind {
            Kind::Control => Cow::Owned(self.key.to_uppercase()),
            _ => Cow::Borrowed(self.key.as_str()),
        };
        (self.kind, self.release.as_deref(), key)
    }
}

impl PartialEq for Ident {
    fn eq(&self, other: &Self) -> bool {
        self.compared() == other.compared()
    }
}

impl Eq for Ident {}

impl PartialOrd for Ident {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ident {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compared().cmp(&other.compared())
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.noun(), self.key)?;
        match &self.release {
            None => Ok(()),
            Some(release) => write!(f, " of {release}"),
        }
    }
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// No value.
    None,
    /// A text.
    Text(String),
    /// A list. A list that is a set is sorted.
    List(Vec<String>),
}

impl Value {
    /// The text; `None` without a value.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list.
    pub fn items(&self) -> &[String] {
        match self {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// A set of texts.
    pub fn set(items: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut items: Vec<String> = items.into_iter().map(Into::into).collect();
        items.sort();
        items.dedup();
        Value::List(items)
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        text.map_or(Value::None, Value::Text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

/// A declared value with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) value: Value,
    pub(super) line: u32,
    /// The path of the field in its file, for messages.
    pub(super) path: String,
}

/// A record that a file declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    pub(super) ident: Ident,
    pub(super) file: String,
    pub(super) line: u32,
    /// The fields that the file contains. A field that the file leaves out stays as it is stored.
    pub(super) fields: BTreeMap<&'static str, Given>,
    /// Whether its references ignore the case, as those of Backstage do.
    pub(super) ignores_case: bool,
}

impl Declared {
    /// What identifies the record.
    pub fn ident(&self) -> &Ident {
        &self.ident
    }

    pub(super) fn value(&self, field: &str) -> Option<&Value> {
        self.fields.get(field).map(|given| &given.value)
    }

    /// Adds a mistake in one of the fields.
    pub(super) fn problem(&self, field: &str, message: impl AsRef<str>, problems: &mut Problems) {
        match self.fields.get(field) {
            Some(given) => problems.add(&self.file, given.line, &given.path, message),
            None => problems.add(&self.file, self.line, "", message),
        }
    }
}

/// An entry of a file that is not read, or not wholly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Skipped {
    /// The file.
    pub file: String,
    /// The line.
    pub line: u32,
    /// The entry, such as `Domain artists`.
    pub what: String,
    /// Why.
    pub why: String,
}

/// What the files declare.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    records: BTreeMap<Ident, Declared>,
    /// Entries that are not read.
    pub skipped: Vec<Skipped>,
    /// Memberships that the files of Backstage alone do not resolve.
    pub(super) memberships: Vec<Membership>,
}

/// Who is a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Member {
    /// The person with this e-mail address.
    Address(String),
    /// A user of this name, whose address no file declares.
    Name(String),
}

/// A membership of which no file of Backstage declares the team or the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Membership {
    pub(super) file: String,
    pub(super) line: u32,
    /// The entry that contains it, such as `User dana`.
    pub(super) what: String,
    /// The key of the team, as the entry names it.
    pub(super) team: String,
    pub(super) member: Member,
}

impl Catalog {
    /// The records in the order in which they can be written: each after those that it refers to.
    pub fn records(&self) -> impl Iterator<Item = &Declared> {
        self.records.values()
    }

    /// The record, if the files declare it.
    pub fn get(&self, ident: &Ident) -> Option<&Declared> {
        self.records.get(ident)
    }

    /// Adds a record, unless another one has its key.
    pub(super) fn add(&mut self, declared: Declared, problems: &mut Problems) {
        match self.records.get(&declared.ident) {
            Some(first) => {
                let message = format!(
                    "the {} is declared twice; the first is in {}:{}",
                    declared.ident, first.file, first.line
                );
                problems.add(&declared.file, declared.line, "", message);
            }
            None => {
                self.records.insert(declared.ident.clone(), declared);
            }
        }
    }

    /// The records for changes that keep what identifies them.
    pub(super) fn records_mut(&mut self) -> impl Iterator<Item = &mut Declared> {
        self.records.values_mut()
    }

    /// Adds a record, or replaces the one with its key.
    pub(super) fn put(&mut self, declared: Declared) {
        self.records.insert(declared.ident.clone(), declared);
    }

    /// The keys of the releases that the files declare.
    pub fn releases(&self) -> Vec<&str> {
        let releases = self.records.keys().filter(|ident| ident.kind == Kind::Release);
        releases.map(|ident| ident.key.as_str()).collect()
    }
}

/// A stored record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// The record's ID; for people the e-mail address.
    pub id: String,
    /// The key as it is stored.
    pub ident: Ident,
    /// The fields, by the names of the catalog.
    pub fields: BTreeMap<&'static str, Value>,
    /// Whether it is retired.
    pub is_retired: bool,
}

/// The stored records of a tenant that a catalog can declare.
#[derive(Debug, Clone, Default)]
pub struct Stored(BTreeMap<Ident, StoredRecord>);

impl Stored {
    /// Adds a record.
    pub fn insert(&mut self, record: StoredRecord) {
        self.0.insert(record.ident.clone(), record);
    }

    /// The record, if it is stored.
    pub fn get(&self, ident: &Ident) -> Option<&StoredRecord> {
        self.0.get(ident)
    }

    /// The record for changes, if it is stored.
    pub fn get_mut(&mut self, ident: &Ident) -> Option<&mut StoredRecord> {
        self.0.get_mut(ident)
    }

    /// All records.
    pub fn records(&self) -> impl Iterator<Item = &StoredRecord> {
        self.0.values()
    }
}
