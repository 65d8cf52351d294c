//! Detects the format of a file.

use super::{Format, MAX_BYTES, encoding, junit, sarif};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// The most names that are kept of a file; further names cannot change the format. A record has about ten.
const MOST_NAMES: usize = 200;

/// Detects the format by content, because file names mislead (mobsfscan writes SARIF to `.json`). A damaged file is
/// recognised by its beginning, so that [`super::read`] can say what is wrong.
pub fn detect(bytes: &[u8]) -> Option<Format> {
    match encoding::decode(bytes) {
        Ok(text) => format(&text),
        Err(_) => format(&String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_BYTES)])),
    }
}

/// The format of a text.
pub(super) fn format(text: &str) -> Option<Format> {
    if text.trim_start().starts_with('<') {
        return junit::looks_like(text).then_some(Format::JUnit);
    }
    let outline = Outline::parse(text);
    let has = |name: &str| outline.names.iter().any(|one| one == name);
    if has("bomFormat") {
        Some(Format::CycloneDx)
    } else if !outline.list && super::oscal::DOCUMENTS.iter().any(|(name, _)| has(name)) {
        Some(Format::Oscal)
    } else if sarif::looks_like(text) {
        Some(Format::Sarif)
    } else {
        outline.is_osv().then_some(Format::Osv)
    }
}

/// The names at the top of a JSON file: of its object, or of the first object of its list.
#[derive(Default)]
struct Outline {
    list: bool,
    names: Vec<String>,
    /// The names in the first element of `results`.
    result: Vec<String>,
}

impl Outline {
    /// Collects the names up to the end or the first error.
    fn parse(text: &str) -> Self {
        let mut outline = Outline::default();
        let mut input = serde_json::Deserializer::from_str(text);
        // The reader reports the error, with its line and column.
        let _ = Top(&mut outline).deserialize(&mut input);
        outline
    }

    /// Many tools write `results`. Those of osv-scanner list `packages`; an empty `results` of osv-scanner has
    /// `experimental_config` next to it.
    fn is_osv(&self) -> bool {
        let has = |name: &str| self.names.iter().any(|one| one == name);
        let record = has("id") && ["affected", "modified", "schema_version"].into_iter().any(has);
        let scanner = self.result.iter().any(|name| name == "packages")
            || (self.result.iter().all(|name| name == "source")
                && (has("experimental_config") || !self.result.is_empty()));
        record || (!self.list && has("results") && scanner)
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
            let results = name == "results";
            if self.0.names.len() < MOST_NAMES {
                self.0.names.push(name);
            }
            if results {
                map.next_value_seed(First {
                    names: &mut self.0.result,
                    inside: false,
                })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if self.0.list {
            return Err(A::Error::custom("a list of lists"));
        }
        self.0.list = true;
        list.next_element_seed(Top(self.0))?;
        // The reader checks the remaining elements.
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Collects the names of the first object in a list.
struct First<'a> {
    names: &'a mut Vec<String>,
    /// Whether the visitor is already inside the list.
    inside: bool,
}

impl<'de> DeserializeSeed<'de> for First<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for First<'_> {
    type Value = ();
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of objects")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if self.inside {
            return Err(A::Error::custom("a list of lists"));
        }
        list.next_element_seed(First {
            names: self.names,
            inside: true,
        })?;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            if self.inside && self.names.len() < MOST_NAMES {
                self.names.push(name);
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}
