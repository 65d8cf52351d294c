//! Mistakes in a catalog.

use crate::domain::PlainText;
use serde::Serialize;
use std::fmt;

/// The most mistakes that are reported; the others are counted.
const MOST: usize = 100;

/// The longest text of a mistake, in characters. A message can quote a value of any length.
const LONGEST: usize = 500;

/// The text on one line, shortened.
fn one_line(text: &str) -> String {
    let spaced = |c: char| if c.is_whitespace() { ' ' } else { c };
    let mut short: String = text.chars().take(LONGEST).map(spaced).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}

/// A mistake in a catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file; empty if the mistake belongs to no file.
    pub file: PlainText,
    /// The line, from 1; 0 for a mistake without a line.
    pub line: u32,
    /// The field, such as `releases[0].status`; empty if the mistake belongs to no field.
    pub field: PlainText,
    /// What is wrong, and what is allowed.
    pub message: PlainText,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}", self.file)?;
            if self.line > 0 {
                write!(f, ":{}", self.line)?;
            }
            f.write_str(": ")?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        write!(f, "{}", self.message)
    }
}

/// The mistakes of a catalog, in the order in which they were found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Problems {
    /// The first mistakes.
    pub first: Vec<Problem>,
    /// The number of further mistakes.
    pub more: usize,
}

impl Problems {
    /// Adds a mistake.
    pub fn add(&mut self, file: &str, line: u32, field: impl AsRef<str>, message: impl AsRef<str>) {
        if self.is_full() {
            self.more += 1;
            return;
        }
        self.first.push(Problem {
            file: one_line(file).into(),
            line,
            field: one_line(field.as_ref()).into(),
            message: one_line(message.as_ref()).into(),
        });
    }

    /// Whether further mistakes are only counted.
    pub(super) fn is_full(&self) -> bool {
        self.first.len() == MOST
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// The value, if there are no mistakes.
    pub(super) fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.first.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        match self.more {
            0 => Ok(()),
            more => write!(f, "\n{more} more mistakes"),
        }
    }
}
