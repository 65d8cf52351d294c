//! Reads YAML into nodes with line numbers. Scalars stay text: `2026.10` is a release and not the number 2026.1.
//!
//! Aliases share their node, and the number of nodes after expansion is limited, so that a small file cannot become a large tree.

use super::draft::without_mark;
use super::{LARGEST_FILE, Problems, SourceFile};
use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// The most nodes of a file after the expansion of its aliases.
const MOST_NODES: usize = 500_000;
/// The deepest nesting of lists and mappings.
const DEEPEST: usize = 50;

/// A value with its line.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) line: u32,
    pub(super) value: NodeValue,
}

/// A value.
#[derive(Debug)]
pub(super) enum NodeValue {
    /// No value, or `null`.
    Null,
    /// A scalar, as written.
    Text(String),
    /// A list.
    List(Vec<Rc<Node>>),
    /// A mapping, in the order of the file, with the line of each key.
    Map(Vec<(String, u32, Rc<Node>)>),
}

impl Node {
    /// The value of this key, if the node is a mapping that has the key.
    pub(super) fn get(&self, key: &str) -> Option<&Rc<Node>> {
        match &self.value {
            NodeValue::Map(entries) => entries.iter().find(|(name, ..)| name == key).map(|(_, _, node)| node),
            _ => None,
        }
    }

    /// The value at this path of keys.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key).map(Rc::as_ref))
    }

    /// The text, if the node is a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            NodeValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What the node is, for messages.
    pub(super) fn noun(&self) -> &'static str {
        match self.value {
            NodeValue::Null => "nothing",
            NodeValue::Text(_) => "a text",
            NodeValue::List(_) => "a list",
            NodeValue::Map(_) => "a mapping",
        }
    }
}

/// The documents of a file. After a mistake in the syntax, the documents before it.
pub(super) fn documents(file: &SourceFile, problems: &mut Problems) -> Vec<Rc<Node>> {
    if file.text.len() > LARGEST_FILE {
        let size = file.text.len() / 1024;
        problems.add(
            &file.name,
            0,
            "",
            format!(
                "the file has {size} KiB, and a file of a catalog has at most {} KiB; split it",
                LARGEST_FILE / 1024
            ),
        );
        return Vec::new();
    }
    let mut reader = Reader {
        file: &file.name,
        problems,
        open: Vec::new(),
        anchors: HashMap::new(),
        nodes: 0,
        documents: Vec::new(),
    };
    for next in Parser::new_from_str(without_mark(&file.text)) {
        let done = match next {
            Ok((event, span)) => reader.event(event, line(span.start.line())),
            Err(error) => Err((
                line(error.marker().line()),
                format!("this is not YAML: {}", error.info()),
            )),
        };
        if let Err((line, message)) = done {
            reader.problems.add(&file.name, line, "", message);
            break;
        }
    }
    reader.documents
}

fn line(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// A list or mapping whose end was not read yet.
struct Open {
    line: u32,
    anchor: usize,
    /// The number of nodes in it after the expansion of aliases.
    size: usize,
    content: Content,
}

enum Content {
    List(Vec<Rc<Node>>),
    Map {
        entries: Vec<(String, u32, Rc<Node>)>,
        names: HashSet<String>,
        /// The key whose value comes next; the flag says that the key is a repeated one.
        key: Option<(String, u32, bool)>,
    },
}

struct Reader<'a> {
    file: &'a str,
    problems: &'a mut Problems,
    open: Vec<Open>,
    /// The nodes with an anchor in this document, and their sizes.
    anchors: HashMap<usize, (Rc<Node>, usize)>,
    nodes: usize,
    documents: Vec<Rc<Node>>,
}

/// A mistake after which the file cannot be read on.
type Fatal = (u32, String);

impl Reader<'_> {
    fn event(&mut self, event: Event<'_>, line: u32) -> Result<(), Fatal> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.known_tag(tag.as_ref(), line);
                let is_plain = matches!(style, ScalarStyle::Plain);
                let value = match text.as_ref() {
                    "" | "~" | "null" | "Null" | "NULL" if is_plain => NodeValue::Null,
                    text => NodeValue::Text(text.to_owned()),
                };
                self.add(Rc::new(Node { line, value }), 1, 1, anchor)
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some((node, size)) => {
                    let (node, size) = (node.clone(), *size);
                    self.add(node, size, size, 0)
                }
                None => Err((line, "an alias refers to a value that contains the alias".to_owned())),
            },
            Event::SequenceStart(anchor, tag) => self.begin(anchor, tag.as_ref(), line, Content::List(Vec::new())),
            Event::MappingStart(anchor, tag) => {
                let content = Content::Map {
                    entries: Vec::new(),
                    names: HashSet::new(),
                    key: None,
                };
                self.begin(anchor, tag.as_ref(), line, content)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let value = match open.content {
                    Content::List(items) => NodeValue::List(items),
                    Content::Map { entries, .. } => NodeValue::Map(entries),
                };
                let node = Rc::new(Node { line: open.line, value });
                self.add(node, open.size + 1, 1, open.anchor)
            }
            Event::DocumentStart(_) => {
                self.anchors.clear();
                Ok(())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    /// Reports a tag such as `!include`, which another program would carry out.
    fn known_tag(&mut self, tag: Option<&Cow<'_, Tag>>, line: u32) {
        if let Some(tag) = tag
            && !tag.is_yaml_core_schema()
        {
            let message = format!(
                "the tag {}{} is not read; write the value itself",
                tag.handle, tag.suffix
            );
            self.problems.add(self.file, line, "", message);
        }
    }

    fn begin(&mut self, anchor: usize, tag: Option<&Cow<'_, Tag>>, line: u32, content: Content) -> Result<(), Fatal> {
        self.known_tag(tag, line);
        if self.open.len() == DEEPEST {
            return Err((line, format!("lists and mappings are nested more than {DEEPEST} deep")));
        }
        if let Some(Open {
            content: Content::Map { key: None, .. },
            ..
        }) = self.open.last()
        {
            return Err((line, "a list or mapping cannot be a key".to_owned()));
        }
        self.open.push(Open {
            line,
            anchor,
            size: 0,
            content,
        });
        Ok(())
    }

    /// Adds a complete node to what is open. `size` is the number of nodes in it, and `new` how many of them were not counted yet.
    fn add(&mut self, node: Rc<Node>, size: usize, new: usize, anchor: usize) -> Result<(), Fatal> {
        let line = node.line;
        self.nodes = self.nodes.saturating_add(new);
        if self.nodes > MOST_NODES {
            return Err((
                line,
                format!(
                    "the file has more than {MOST_NODES} values, aliases included; split it, and write values instead of aliases"
                ),
            ));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let Some(open) = self.open.last_mut() else {
            if !matches!(node.value, NodeValue::Null) {
                self.documents.push(node);
            }
            return Ok(());
        };
        open.size += size;
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Map { entries, names, key } => match key.take() {
                Some((_, _, true)) => {}
                Some((name, at, false)) => entries.push((name, at, node)),
                None => {
                    let name = match &node.value {
                        NodeValue::Text(text) => text.clone(),
                        NodeValue::Null => "null".to_owned(),
                        _ => return Err((line, "a list or mapping cannot be a key".to_owned())),
                    };
                    let repeated = !names.insert(name.clone());
                    if repeated {
                        self.problems
                            .add(self.file, line, &name, "the key is in this mapping twice");
                    }
                    *key = Some((name, line, repeated));
                }
            },
        }
        Ok(())
    }
}
