//! Reads the structure of a query: conditions, and how they are combined. Fields and values are texts here.
//!
//! ```text
//! any       = all ("OR" all)*
//! all       = negatable ("AND"? negatable)*
//! negatable = ("NOT" | "-")? ("(" any ")" | condition)
//! condition = (field ":")? (word | '"' text '"')
//! ```

use super::error::{QueryError, shown};
use super::{MAX_CHARACTERS, MAX_CONDITIONS, MAX_DEPTH};
use std::ops::Range;

/// A part of a query.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    /// The characters of the query that it consists of.
    pub(super) place: Range<usize>,
    /// Whether it is in parentheses of its own.
    pub(super) is_group: bool,
}

#[derive(Debug)]
pub(super) enum NodeKind {
    Condition(Condition),
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
}

/// A condition as it was written.
#[derive(Debug)]
pub(super) struct Condition {
    /// The name before the colon.
    pub(super) field: Option<(String, Range<usize>)>,
    pub(super) value: String,
    pub(super) value_place: Range<usize>,
    pub(super) is_quoted: bool,
}

type Parsed<T> = Result<T, QueryError>;

/// The structure of a query; `None` if it is empty.
pub(super) fn parse(text: &str) -> Parsed<Option<Node>> {
    let characters: Vec<char> = text.chars().take(MAX_CHARACTERS + 1).collect();
    if characters.len() > MAX_CHARACTERS {
        let message = format!("A query has at most {MAX_CHARACTERS} characters.");
        return Err(QueryError::new(MAX_CHARACTERS..MAX_CHARACTERS + 1, message));
    }
    let mut parser = Parser {
        characters: &characters,
        at: 0,
        conditions: 0,
    };
    parser.skip_spaces();
    if parser.peek().is_none() {
        return Ok(None);
    }
    let node = parser.any(0)?;
    match parser.peek() {
        None => Ok(Some(node)),
        // Only a closing parenthesis ends an expression early.
        Some(_) => Err(parser.error_here(
            1,
            "This parenthesis closes nothing. A text with parentheses needs quotation marks.",
        )),
    }
}

pub(super) fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„')
}

struct Parser<'a> {
    characters: &'a [char],
    at: usize,
    conditions: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn peek_at(&self, at: usize) -> Option<char> {
        self.characters.get(at).copied()
    }

    fn text(&self, place: Range<usize>) -> String {
        self.characters.get(place).unwrap_or_default().iter().collect()
    }

    fn skip_spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn error_here(&self, length: usize, message: &str) -> QueryError {
        QueryError::new(self.at..self.at + length, message)
    }

    /// The operator that is next: a word of its own, or directly before a parenthesis or quotation mark.
    fn next_operator(&self) -> Option<&'static str> {
        ["AND", "OR", "NOT"].into_iter().find(|word| {
            let end = self.at + word.len();
            let is_there = word
                .chars()
                .enumerate()
                .all(|(index, c)| self.peek_at(self.at + index) == Some(c));
            is_there
                && self
                    .peek_at(end)
                    .is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ')') || is_quote(c))
        })
    }

    fn any(&mut self, depth: usize) -> Parsed<Node> {
        self.list(depth, "OR", Self::all, NodeKind::Or)
    }

    fn all(&mut self, depth: usize) -> Parsed<Node> {
        self.list(depth, "AND", Self::negatable, NodeKind::And)
    }

    /// Parts with an operator between them. `AND` can be left out.
    fn list(
        &mut self,
        depth: usize,
        operator: &'static str,
        part: fn(&mut Self, usize) -> Parsed<Node>,
        kind: fn(Vec<Node>) -> NodeKind,
    ) -> Parsed<Node> {
        let first = part(self, depth)?;
        let mut parts = vec![first];
        loop {
            self.skip_spaces();
            let next = self.next_operator();
            if next == Some(operator) {
                self.at += operator.len();
                self.skip_spaces();
            } else if operator == "OR" || next == Some("OR") || matches!(self.peek(), None | Some(')')) {
                break;
            }
            parts.push(part(self, depth)?);
        }
        if parts.len() == 1
            && let Some(only) = parts.pop()
        {
            return Ok(only);
        }
        let place = parts.first().map_or(0, |first| first.place.start)..parts.last().map_or(0, |last| last.place.end);
        Ok(Node {
            kind: kind(parts),
            place,
            is_group: false,
        })
    }

    fn negatable(&mut self, depth: usize) -> Parsed<Node> {
        let start = self.at;
        let mut is_negated = false;
        loop {
            if self.next_operator() == Some("NOT") {
                self.at += "NOT".len();
                self.skip_spaces();
            } else if self.peek() == Some('-') {
                self.at += 1;
                match self.peek() {
                    None => return Err(self.dangling_minus()),
                    Some(c) if c.is_whitespace() || matches!(c, '-' | ')') => return Err(self.dangling_minus()),
                    Some(_) => {}
                }
            } else {
                break;
            }
            is_negated = !is_negated;
        }
        let node = self.group_or_condition(depth)?;
        Ok(if is_negated {
            let place = start..node.place.end;
            Node {
                kind: NodeKind::Not(Box::new(node)),
                place,
                is_group: false,
            }
        } else {
            node
        })
    }

    fn dangling_minus(&self) -> QueryError {
        QueryError::new(
            self.at - 1..self.at,
            "A hyphen before a condition excludes it, so the condition follows directly: -word. Text that begins with a hyphen needs quotation marks.",
        )
    }

    fn group_or_condition(&mut self, depth: usize) -> Parsed<Node> {
        if let Some(operator) = self.next_operator() {
            let message = format!(
                "A condition is missing before {operator}. To search for the word, write \"{operator}\" in quotation marks or small letters."
            );
            return Err(self.error_here(operator.len(), &message));
        }
        match self.peek() {
            None => Err(self.error_here(0, "A condition is missing at the end.")),
            Some('(') => self.group(depth),
            Some(')') if self.at > 0 => Err(self.error_here(1, "A condition is missing before this parenthesis.")),
            Some(')') => Err(self.error_here(1, "This parenthesis closes nothing.")),
            Some(_) => {
                self.conditions += 1;
                if self.conditions > MAX_CONDITIONS {
                    let message = format!("A query has at most {MAX_CONDITIONS} conditions.");
                    return Err(self.error_here(1, &message));
                }
                self.condition()
            }
        }
    }

    fn group(&mut self, depth: usize) -> Parsed<Node> {
        let start = self.at;
        if depth >= MAX_DEPTH {
            let message = format!("Parentheses are at most {MAX_DEPTH} deep.");
            return Err(self.error_here(1, &message));
        }
        self.at += 1;
        self.skip_spaces();
        if self.peek().is_none() {
            return Err(QueryError::new(start..start + 1, "This parenthesis is never closed."));
        }
        let inner = self.any(depth + 1)?;
        if self.peek() != Some(')') {
            return Err(QueryError::new(start..start + 1, "This parenthesis is never closed."));
        }
        self.at += 1;
        Ok(Node {
            place: start..self.at,
            is_group: true,
            ..inner
        })
    }

    fn condition(&mut self) -> Parsed<Node> {
        let start = self.at;
        let mut field = None;
        if !self.peek().is_some_and(is_quote) {
            let end = self.end_of_word(start);
            let colon = (start..end).find(|at| self.peek_at(*at) == Some(':'));
            let is_address = super::meaning::action_of_address(&self.text(start..end)).is_some();
            if let Some(colon) = colon.filter(|_| !is_address) {
                field = Some((self.text(start..colon), start..colon));
                self.at = colon + 1;
            }
        }
        let value_start = self.at;
        let is_quoted = self.peek().is_some_and(is_quote);
        let value = if is_quoted {
            self.quoted()?
        } else {
            self.at = self.end_of_word(value_start);
            self.text(value_start..self.at)
        };
        let condition = Condition {
            field,
            value,
            value_place: value_start..self.at,
            is_quoted,
        };
        Ok(Node {
            kind: NodeKind::Condition(condition),
            place: start..self.at,
            is_group: false,
        })
    }

    /// The end of the word that begins at `start`. Parentheses that are closed in the word are a part of it, as in `AC-2(1)`.
    fn end_of_word(&self, start: usize) -> usize {
        let (mut open, mut at) = (0, start);
        while let Some(c) = self.peek_at(at) {
            match c {
                c if c.is_whitespace() || is_quote(c) => break,
                '(' => open += 1,
                ')' if open == 0 => break,
                ')' => open -= 1,
                _ => {}
            }
            at += 1;
        }
        at
    }

    /// The text between quotation marks. `\"` is a quotation mark in it, and `\\` is a backslash.
    fn quoted(&mut self) -> Parsed<String> {
        let start = self.at;
        let mut text = String::new();
        self.at += 1;
        loop {
            let next = self.peek_at(self.at + 1);
            match self.peek() {
                None => {
                    let message = format!(
                        "This quotation mark is never closed: {}",
                        shown(&self.text(start..self.at))
                    );
                    return Err(QueryError::new(start..start + 1, message));
                }
                Some('\\') if next.is_some_and(|c| c == '\\' || is_quote(c)) => {
                    text.extend(next);
                    self.at += 2;
                }
                Some(c) if is_quote(c) => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(c) => {
                    text.push(c);
                    self.at += 1;
                }
            }
        }
    }
}
