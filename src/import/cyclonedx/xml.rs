//! CycloneDX in XML as the JSON that it corresponds to, so that both have one reader. Elements that the reader does not
//! use are left out.

use super::super::ImportError;
use super::super::xml::{Element, Piece, Xml};
use serde_json::{Map, Value};

/// The namespaces of the format, before the version.
const NAMESPACE: &str = "http://cyclonedx.org/schema/bom/";

/// The most elements of a document that are kept.
const MAX_ELEMENTS: usize = 2_000_000;

/// What an element becomes.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    List,
    Object,
    Text,
}

/// What an element in another one is; `None` if it is not used.
fn kind(parent: &str, name: &str) -> Option<Kind> {
    Some(match (parent, name) {
        ("bom", "metadata") => Kind::Object,
        ("bom" | "component" | "service" | "tools", "components" | "services") => Kind::List,
        ("bom", "vulnerabilities") => Kind::List,
        ("metadata", "timestamp") => Kind::Text,
        ("metadata", "component") => Kind::Object,
        // A list of tools in 1.4, an object with components and services from 1.5.
        ("metadata", "tools") => Kind::Object,
        ("tools", "tool") | ("components", "component") | ("services", "service") => Kind::Object,
        ("component" | "service" | "tool", "group" | "name" | "version" | "purl" | "cpe") => Kind::Text,
        ("vulnerabilities", "vulnerability") => Kind::Object,
        ("vulnerability", "id" | "description" | "detail" | "recommendation") => Kind::Text,
        ("vulnerability", "source" | "analysis") => Kind::Object,
        ("vulnerability", "references" | "ratings" | "affects") => Kind::List,
        ("references", "reference") | ("ratings", "rating") | ("affects", "target") => Kind::Object,
        ("reference", "id") | ("source", "url") => Kind::Text,
        ("rating", "score" | "severity" | "method" | "vector") => Kind::Text,
        ("analysis", "state" | "justification" | "detail") => Kind::Text,
        ("target", "ref") => Kind::Text,
        ("target", "versions") => Kind::List,
        ("versions", "version") => Kind::Object,
        ("version", "version" | "range" | "status") => Kind::Text,
        _ => return None,
    })
}

/// An open element.
struct Open {
    name: String,
    kind: Kind,
    fields: Map<String, Value>,
    items: Vec<Value>,
    text: String,
}

impl Open {
    fn new(element: &Element<'_>, kind: Kind) -> Self {
        let mut fields = Map::new();
        if let Some(reference) = element.attribute("bom-ref") {
            fields.insert("bom-ref".to_owned(), Value::String(reference));
        }
        Self {
            name: element.name().to_owned(),
            kind,
            fields,
            items: Vec::new(),
            text: String::new(),
        }
    }

    fn value(self) -> Value {
        match self.kind {
            Kind::List => Value::Array(self.items),
            // The tools of 1.4.
            Kind::Object if !self.items.is_empty() => Value::Array(self.items),
            Kind::Object => Value::Object(self.fields),
            Kind::Text if self.name == "score" => {
                self.text.trim().parse().map_or(Value::Null, |score: f64| score.into())
            }
            Kind::Text => Value::String(self.text.trim().to_owned()),
        }
    }

    fn add(&mut self, name: String, value: Value) {
        if self.kind == Kind::List || name == "tool" {
            self.items.push(value);
            return;
        }
        match (self.fields.get_mut(&name), value) {
            (None, value) => {
                self.fields.insert(name, value);
            }
            // A second list adds to the first, so that it hides nothing. Of other elements, the first counts.
            (Some(Value::Array(items)), Value::Array(more)) => items.extend(more),
            (Some(_), _) => {}
        }
    }
}

/// The document as JSON, with `bomFormat` and `specVersion`.
pub(super) fn to_json(text: &str) -> Result<Value, ImportError> {
    let mut xml = Xml::new(text);
    let mut open: Vec<Open> = Vec::new();
    // How many open elements are inside one that is not used.
    let mut unused = 0_usize;
    let mut elements = 0_usize;
    let mut document = Value::Null;
    loop {
        match xml.next()? {
            Piece::Start(element) if unused == 0 => {
                elements += 1;
                if elements > MAX_ELEMENTS {
                    return Err(ImportError::TooMany {
                        what: "elements",
                        found: elements,
                        limit: MAX_ELEMENTS,
                    });
                }
                match open.last() {
                    None => open.push(root(&element, &xml)?),
                    Some(parent) => match kind(&parent.name, element.name()) {
                        Some(kind) => open.push(Open::new(&element, kind)),
                        None => unused = 1,
                    },
                }
            }
            Piece::Start(_) => unused += 1,
            Piece::Text(text) => {
                if let Some(open) = open.last_mut().filter(|open| unused == 0 && open.kind == Kind::Text) {
                    open.text.push_str(&text);
                }
            }
            Piece::End if unused > 0 => unused -= 1,
            Piece::End => {
                let Some(closed) = open.pop() else { continue };
                let name = closed.name.clone();
                let value = closed.value();
                match open.last_mut() {
                    Some(parent) => parent.add(name, value),
                    None => document = value,
                }
            }
            Piece::Eof => return Ok(document),
        }
    }
}

fn root(element: &Element<'_>, xml: &Xml<'_>) -> Result<Open, ImportError> {
    if element.name() != "bom" {
        return Err(xml.malformed("the file begins with another element than bom"));
    }
    let mut root = Open::new(element, Kind::Object);
    let mut set = |name: &str, value: String| root.fields.insert(name.to_owned(), Value::String(value));
    set("bomFormat", "CycloneDX".to_owned());
    if let Some(version) = element
        .attributes()
        .find_map(|(_, value)| value.strip_prefix(NAMESPACE))
    {
        set("specVersion", version.to_owned());
    }
    for (attribute, name) in [("serialNumber", "serialNumber"), ("version", "version")] {
        if let Some(value) = element.attribute(attribute) {
            set(name, value);
        }
    }
    Ok(root)
}
