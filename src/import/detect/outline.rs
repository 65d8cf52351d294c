//! The names at the top of a JSON file, which tell its format.

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// The most names that are kept of a file; further names cannot change the format. A record has about ten.
const MOST_NAMES: usize = 200;

/// The names whose own names are kept, and the names whose text is.
const NESTED: [&str; 4] = ["results", "document", "scan", "vulnerabilities"];
const TEXTS: [&str; 3] = ["@context", "$schema", "reportFormat"];

/// The most bytes of a text that is kept.
const LONGEST: usize = 200;

/// The names at the top of a JSON file: of its object, or of the first object of its list.
#[derive(Default)]
pub(super) struct Outline {
    /// How many lists are around the object, at most two.
    pub lists: usize,
    names: Vec<String>,
    nested: BTreeMap<&'static str, Nested>,
    texts: BTreeMap<&'static str, String>,
}

/// The names in an object, or in the first object of a list.
#[derive(Default)]
pub(super) struct Nested {
    pub list: bool,
    pub empty: bool,
    pub names: Vec<String>,
}

impl Outline {
    /// Collects the names up to the end or the first error.
    pub(super) fn parse(text: &str) -> Self {
        let mut outline = Outline::default();
        let mut input = serde_json::Deserializer::from_str(text);
        // The reader reports the error, with its line and column.
        let _ = Top(&mut outline).deserialize(&mut input);
        outline
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|one| one == name)
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn nested(&self, name: &str) -> Option<&Nested> {
        self.nested.get(name)
    }

    /// Whether the object with this name has that name in it.
    pub(super) fn inside(&self, outer: &str, name: &str) -> bool {
        self.nested(outer)
            .is_some_and(|nested| !nested.list && nested.names.iter().any(|one| one == name))
    }

    /// The text with this name.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }
}

struct Top<'a>(&'a mut Outline);

impl<'de> DeserializeSeed<'de> for Top<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = ();
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object or a list of objects")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let is = |one: &&&str| **one == name;
            let (nested, text) = (NESTED.iter().find(is), TEXTS.iter().find(is));
            if self.0.names.len() < MOST_NAMES {
                self.0.names.push(name);
            }
            if let Some(name) = nested {
                map.next_value_seed(Inside(self.0.nested.entry(*name).or_default()))?;
            } else if let Some(name) = text {
                map.next_value_seed(Words(self.0.texts.entry(*name).or_default()))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if self.0.lists == 2 {
            return Err(A::Error::custom("a list of lists of lists"));
        }
        self.0.lists += 1;
        list.next_element_seed(Top(self.0))?;
        // The reader checks the remaining elements.
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Collects the names of an object, or of the first object in a list.
struct Inside<'a>(&'a mut Nested);

impl<'de> DeserializeSeed<'de> for Inside<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Inside<'_> {
    type Value = ();
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object or a list of objects")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if self.0.list {
            return Err(A::Error::custom("a list of lists"));
        }
        self.0.list = true;
        self.0.empty = list.next_element_seed(Inside(self.0))?.is_none();
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            if self.0.names.len() < MOST_NAMES {
                self.0.names.push(name);
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

/// Keeps a short text.
struct Words<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for Words<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Words<'_> {
    type Value = ();
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text")
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        text[..text.floor_char_boundary(LONGEST)].clone_into(self.0);
        Ok(())
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    /// The first text of a list: JSON-LD lists several contexts.
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if let Ok(Some(serde_json::Value::String(text))) = list.next_element() {
            text[..text.floor_char_boundary(LONGEST)].clone_into(self.0);
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }
}
