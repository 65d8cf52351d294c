//! An XML pull parser without entities and namespaces, of bounded depth, for every format in XML.

use super::{ImportError, shown_line};
use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;

/// The most levels of nested elements; a deeper file is refused. Suites rarely nest, and three deep at most.
const MAX_DEPTH: usize = 100;

/// The name of the first element, without namespace prefix; `None` if the text is not the beginning of an XML file.
pub(super) fn root(text: &str) -> Option<String> {
    let mut xml = Xml::new(text);
    xml.skips_doctype = true;
    loop {
        match xml.next() {
            Ok(Piece::Start(element)) => return Some(element.name().to_owned()),
            Ok(Piece::Text(_)) => {}
            Ok(Piece::End | Piece::Eof) | Err(_) => return None,
        }
    }
}

pub(super) enum Piece<'a> {
    Start(Element<'a>),
    Text(Cow<'a, str>),
    /// The end of an element, also of an empty one.
    End,
    Eof,
}

/// The start of an element, with resolved references in its attributes.
pub(super) struct Element<'a> {
    start: BytesStart<'a>,
    attributes: Vec<(String, String)>,
}

impl Element<'_> {
    /// The element's name without namespace prefix.
    pub(super) fn name(&self) -> &str {
        let name = self.start.local_name();
        // The slice borrows from the tag, not from the temporary name.
        let length = name.as_ref().len();
        let whole = self.start.name().as_ref().len();
        self.start.get(whole - length..whole).unwrap_or_default()
    }

    /// Names without prefixes, and values.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        let found = self.attributes.iter().find(|(one, _)| one == name);
        found.map(|(_, value)| value.clone())
    }
}

pub(super) struct Xml<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    depth: usize,
    begun: bool,
    /// Whether a document type is no error, because nothing of the content is read.
    skips_doctype: bool,
}

impl<'a> Xml<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Self {
            text,
            reader,
            depth: 0,
            begun: false,
            skips_doctype: false,
        }
    }

    pub(super) fn next(&mut self) -> Result<Piece<'a>, ImportError> {
        loop {
            let event = match self.reader.read_event() {
                Ok(event) => event,
                Err(error) => return Err(self.damage(&error)),
            };
            match event {
                Event::Start(start) => {
                    if self.depth == 0 && self.begun {
                        return Err(self.malformed("a second element follows the first"));
                    }
                    if self.depth >= MAX_DEPTH {
                        return Err(self.malformed("elements are nested more than 100 deep"));
                    }
                    self.begun = true;
                    self.depth += 1;
                    return self.element(start).map(Piece::Start);
                }
                Event::End(_) => {
                    self.depth -= 1;
                    return Ok(Piece::End);
                }
                Event::Text(text) => {
                    if self.depth > 0 {
                        return Ok(Piece::Text(text.xml10_content()));
                    }
                    if !text.trim().is_empty() {
                        return Err(self.malformed("text is outside of the elements"));
                    }
                }
                Event::CData(text) => return Ok(Piece::Text(text.xml10_content())),
                Event::GeneralRef(reference) => {
                    let character = reference.resolve_char_ref().ok().flatten();
                    let text = character
                        .map(|one| Cow::Owned(one.to_string()))
                        .or_else(|| resolve_xml_entity(&reference).map(Cow::Borrowed));
                    // An undeclared entity is kept as it is written.
                    return Ok(Piece::Text(
                        text.unwrap_or_else(|| Cow::Owned(format!("&{};", &*reference))),
                    ));
                }
                Event::DocType(_) if self.skips_doctype => {}
                Event::DocType(_) => {
                    let (line, _) = self.at(self.reader.buffer_position());
                    return Err(ImportError::DocumentType { line });
                }
                Event::Eof if self.depth > 0 || !self.begun => {
                    let (line, column) = self.at(self.text.len() as u64);
                    return Err(ImportError::Truncated { line, column });
                }
                Event::Eof => return Ok(Piece::Eof),
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) | Event::Empty(_) => {}
            }
        }
    }

    fn element(&self, start: BytesStart<'a>) -> Result<Element<'a>, ImportError> {
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| self.malformed(&error.to_string()))?;
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .unwrap_or_else(|_| attribute.value.clone());
            attributes.push((attribute.key.local_name().as_ref().to_owned(), value.into_owned()));
        }
        Ok(Element { start, attributes })
    }

    /// An error at the current position.
    pub(super) fn malformed(&self, detail: &str) -> ImportError {
        let (line, column) = self.at(self.reader.buffer_position());
        ImportError::Malformed {
            line,
            column,
            detail: shown_line(detail, 200),
        }
    }

    fn damage(&self, error: &Error) -> ImportError {
        let (line, column) = self.at(self.reader.error_position());
        let rest = usize::try_from(self.reader.error_position())
            .ok()
            .and_then(|from| self.text.get(from..))
            .unwrap_or_default();
        let cut = match error {
            // The end of the file causes these errors, except an unknown markup declaration, which may occur anywhere.
            Error::Syntax(SyntaxError::InvalidBangMarkup) => rest.len() < "<![CDATA[".len(),
            Error::Syntax(_) => true,
            Error::IllFormed(IllFormedError::UnclosedReference) => !rest.contains(['<', ';']),
            _ => false,
        };
        if cut {
            return ImportError::Truncated { line, column };
        }
        ImportError::Malformed {
            line,
            column,
            detail: shown_line(&error.to_string(), 200),
        }
    }

    /// Line and column of a byte offset.
    fn at(&self, position: u64) -> (usize, usize) {
        let position = usize::try_from(position).unwrap_or(usize::MAX).min(self.text.len());
        let head = &self.text.as_bytes()[..position];
        let line = head.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = head.iter().rev().take_while(|byte| **byte != b'\n').count();
        (line, column)
    }
}
