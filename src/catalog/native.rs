//! Reads the service's own format by the table of kinds.

use super::kinds::{FieldSpec, KINDS, Shape};
use super::record::Given;
use super::similar::Similar;
use super::yaml::{Node, NodeValue};
use super::{Catalog, Declared, Ident, Kind, Problems, Value};
use crate::domain::{Address, RecordKind, text};
use serde_json::json;
use std::collections::BTreeMap;

/// The longest key, in characters.
const LONGEST_KEY: usize = 100;
/// The most items of a list of values.
const MOST_ITEMS: usize = 2_000;

/// Reads a document of the service's own format.
pub(super) fn read(file: &str, document: &Node, catalog: &mut Catalog, problems: &mut Problems) {
    let NodeValue::Map(sections) = &document.value else {
        let message = format!(
            "a catalog is a mapping with lists such as teams and releases, not {}",
            document.noun()
        );
        problems.add(file, document.line, "", message);
        return;
    };
    let known: Vec<&str> = KINDS
        .iter()
        .filter(|spec| !spec.kind.is_of_release())
        .map(|spec| spec.section)
        .collect();
    for (name, line, node) in sections {
        let Some(spec) = KINDS
            .iter()
            .find(|spec| spec.section == name && !spec.kind.is_of_release())
        else {
            problems.add(file, *line, name, unknown(&known, name));
            continue;
        };
        let mut reader = Reader {
            file,
            catalog,
            problems,
        };
        reader.records(spec.kind, name, node, None);
    }
}

/// The message for a key that does not exist.
pub(super) fn unknown(known: &[&str], name: &str) -> String {
    let near = Similar::default().to(name, known.iter().copied());
    match near.first() {
        Some(word) => format!("there is no such key; did you mean {word}?"),
        None => format!("there is no such key here; the keys are {}", known.join(", ")),
    }
}

struct Reader<'a> {
    file: &'a str,
    catalog: &'a mut Catalog,
    problems: &'a mut Problems,
}

impl Reader<'_> {
    fn problem(&mut self, line: u32, path: &str, message: impl AsRef<str>) {
        self.problems.add(self.file, line, path, message);
    }

    /// The records of a list.
    fn records(&mut self, kind: Kind, path: &str, node: &Node, release: Option<&str>) {
        match &node.value {
            NodeValue::Null => {}
            NodeValue::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.record(kind, &format!("{path}[{index}]"), item, release);
                }
            }
            _ => self.problem(node.line, path, format!("must be a list, not {}", node.noun())),
        }
    }

    fn record(&mut self, kind: Kind, path: &str, node: &Node, release: Option<&str>) {
        let NodeValue::Map(entries) = &node.value else {
            self.problem(
                node.line,
                path,
                format!(
                    "must be a mapping with the fields of a {}, not {}",
                    kind.noun(),
                    node.noun()
                ),
            );
            return;
        };
        let spec = kind.spec();
        let mut fields = BTreeMap::new();
        let mut nested = Vec::new();
        let mut key = None;
        for (name, line, value) in entries {
            let at = format!("{path}.{name}");
            let Some(field) = spec.fields.iter().find(|field| field.name == name) else {
                let known: Vec<&str> = spec.fields.iter().map(|field| field.name).collect();
                self.problem(*line, &at, unknown(&known, name));
                continue;
            };
            match field.shape {
                Shape::Records(of) => nested.push((of, at, value)),
                Shape::Key | Shape::OwnAddress => {
                    key = self
                        .value(field, &at, value)
                        .and_then(|value| Some(value.text()?.to_owned()))
                }
                _ => {
                    if let Some(value) = self.value(field, &at, value) {
                        let given = Given {
                            value,
                            line: *line,
                            path: at,
                        };
                        fields.insert(field.name, given);
                    }
                }
            }
        }
        for field in spec.fields {
            if field.required && !entries.iter().any(|(name, ..)| name == field.name) {
                self.problem(node.line, &format!("{path}.{}", field.name), "is missing");
            }
        }
        // Without a key the records in it have no release, but their own mistakes are reported.
        let release_key = key.clone();
        for (of, at, value) in nested {
            self.records(of, &at, value, Some(release_key.as_deref().unwrap_or("")));
        }
        let Some(key) = key else { return };
        let ident = match (kind, release) {
            (Kind::Control | Kind::WorkItem, Some(release)) => Ident::within(kind, release, key),
            _ => Ident::new(kind, key),
        };
        if kind == Kind::Certification
            && let Some(release) = release
        {
            let given = Given {
                value: Value::Text(release.to_owned()),
                line: node.line,
                path: path.to_owned(),
            };
            fields.insert("release", given);
        }
        let declared = Declared {
            ident,
            file: self.file.to_owned(),
            line: node.line,
            fields,
            ignores_case: false,
        };
        self.catalog.add(declared, self.problems);
    }

    fn value(&mut self, field: &FieldSpec, path: &str, node: &Node) -> Option<Value> {
        if matches!(node.value, NodeValue::Null) {
            if field.required || field.default.is_some() {
                self.problem(node.line, path, "has no value");
                return None;
            }
            return Some(match field.shape {
                Shape::Refs(_) | Shape::Addresses | Shape::Names | Shape::Lines => Value::List(Vec::new()),
                _ => Value::None,
            });
        }
        match field.shape {
            Shape::Key | Shape::Ref(_) => self
                .text(node, path)
                .and_then(|text| self.checked(node, path, key(text))),
            Shape::OwnAddress => self
                .text(node, path)
                .and_then(|text| self.checked(node, path, address(text))),
            Shape::Line(longest) => self
                .text(node, path)
                .and_then(|text| self.checked(node, path, line(text, longest))),
            Shape::Text(longest) => self
                .text(node, path)
                .and_then(|text| self.checked(node, path, prose(text, longest))),
            Shape::Choice(words) => self
                .text(node, path)
                .and_then(|text| self.checked(node, path, choice(&words(), text))),
            Shape::Choices(words) => self.list(node, path, |text| choice(&words(), text)).map(Value::set),
            Shape::Refs(_) => self.list(node, path, key).map(Value::set),
            Shape::Addresses => self.list(node, path, address).map(Value::set),
            Shape::Names => self.list(node, path, |text| line(text, 200)).map(Value::set),
            Shape::Lines => self.list(node, path, |text| line(text, 500)).map(Value::List),
            Shape::Records(_) => None,
        }
    }

    fn text<'n>(&mut self, node: &'n Node, path: &str) -> Option<&'n str> {
        let text = node.text();
        if text.is_none() {
            self.problem(node.line, path, format!("must be a text, not {}", node.noun()));
        }
        text
    }

    fn checked(&mut self, node: &Node, path: &str, value: Result<String, String>) -> Option<Value> {
        match value {
            Ok(text) => Some(Value::Text(text)),
            Err(message) => {
                self.problem(node.line, path, message);
                None
            }
        }
    }

    fn list(&mut self, node: &Node, path: &str, read: impl Fn(&str) -> Result<String, String>) -> Option<Vec<String>> {
        let NodeValue::List(items) = &node.value else {
            self.problem(node.line, path, format!("must be a list, not {}", node.noun()));
            return None;
        };
        if items.len() > MOST_ITEMS {
            self.problem(node.line, path, format!("has more than {MOST_ITEMS} items"));
            return None;
        }
        let mut values = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let at = format!("{path}[{index}]");
            let Some(text) = self.text(item, &at) else { continue };
            match read(text) {
                Ok(value) => values.push(value),
                Err(message) => self.problem(item.line, &at, message),
            }
        }
        Some(values)
    }
}

/// A record's key.
pub(super) fn key(given: &str) -> Result<String, String> {
    let key = given.trim();
    let count = key.chars().count();
    if !(1..=LONGEST_KEY).contains(&count) || key.contains(char::is_whitespace) {
        return Err(format!("a key has 1 to {LONGEST_KEY} characters and no spaces"));
    }
    if RecordKind::of(key).is_some() {
        return Err("a key cannot look like an ID of this service".to_owned());
    }
    plain(key)?;
    Ok(key.to_owned())
}

/// One line of text.
pub(super) fn line(given: &str, longest: usize) -> Result<String, String> {
    let line = given.trim();
    if line.contains(['\n', '\r', '\t']) {
        return Err("must be one line".to_owned());
    }
    prose(line, longest).and_then(|line| {
        if line.is_empty() {
            Err("is empty".to_owned())
        } else {
            Ok(line)
        }
    })
}

fn prose(given: &str, longest: usize) -> Result<String, String> {
    let text = given.trim();
    let count = text.chars().count();
    if count > longest {
        return Err(format!("has {count} characters, and at most {longest} are allowed"));
    }
    plain(text)?;
    Ok(text.to_owned())
}

/// An e-mail address.
pub(super) fn address(given: &str) -> Result<String, String> {
    let address = Address::parse(given).ok_or_else(|| format!("\"{given}\" is not an e-mail address"))?;
    Ok(address.as_str().to_owned())
}

fn choice(words: &[&'static str], given: &str) -> Result<String, String> {
    let given = given.trim();
    match words.iter().find(|word| **word == given) {
        Some(word) => Ok((*word).to_owned()),
        None => Err(format!("\"{given}\" is not one of {}", words.join(", "))),
    }
}

/// Refuses characters that can hide or reorder text.
fn plain(text: &str) -> Result<(), String> {
    match text::forbidden_in(&json!(text)).into_iter().next() {
        None => Ok(()),
        Some(error) => Err(error.message),
    }
}
