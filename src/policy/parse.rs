//! Parses a policy from TOML and reports each mistake with its line and field.

use crate::domain::text::{first_chars, visible};
use crate::policy::rules::Rules;
use crate::policy::validate::Validator;
use serde::{Deserialize, Serialize};
use toml::de::{DeTable, DeValue};

/// The longest policy, in bytes; a longer one is refused.
const LONGEST: usize = 64 * 1024;

/// A mistake in a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mistake {
    /// The line, from 1; 0 for a mistake without line.
    pub line: usize,
    /// The field, such as `decide[0].groups[1].teams[0]`; empty for a syntax error of TOML.
    pub field: String,
    /// What is wrong, and what is allowed.
    pub message: String,
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { line, field, message } = self;
        match (line, field.as_str()) {
            (0, "") => f.write_str(message),
            (0, field) => write!(f, "{field}: {message}"),
            (_, "") => write!(f, "line {line}: {message}"),
            (_, field) => write!(f, "line {line}, {field}: {message}"),
        }
    }
}

/// Parses the rules of a stored policy version. The version was valid when it was stored; a tool that is gone since
/// does not matter.
///
/// # Errors
/// A TOML error, or an unknown field or value.
pub fn parse(source: &str) -> Result<Rules, Vec<Mistake>> {
    toml::Deserializer::parse(source)
        .map_err(|error| vec![from_toml(source, "", &error)])
        .and_then(|document| {
            serde_path_to_error::deserialize(document).map_err(|error| {
                let field = error.path().to_string();
                let field = if field == "." {
                    String::new()
                } else {
                    field.replace(".?", "")
                };
                vec![from_toml(source, &field, error.inner())]
            })
        })
}

/// Parses and validates the rules of a policy that an operator wants to switch on.
///
/// # Errors
/// All mistakes, up to a limit; for a TOML error, the first.
pub fn read(source: &str, tools: &[&str]) -> Result<Rules, Vec<Mistake>> {
    if source.len() > LONGEST {
        let message = format!("it has {} bytes; at most {LONGEST} fit", source.len());
        return Err(vec![mistake(0, "", message)]);
    }
    let rules = parse(source)?;
    let table = DeTable::parse(source).ok();
    let table = table.as_ref().map(|table| table.get_ref());
    let mut validator = Validator::new(source, table);
    validator.rules(&rules, tools);
    if let Some(table) = table {
        let message = "a text contains the character U+0000, which cannot be stored";
        let lines = nul_lines(source, table).into_iter();
        validator.add(lines.map(|line| mistake(line, "", message)));
    }
    let mistakes = validator.finish();
    if mistakes.is_empty() { Ok(rules) } else { Err(mistakes) }
}

pub(super) fn mistake(line: usize, field: &str, message: impl Into<String>) -> Mistake {
    Mistake {
        line,
        field: shown(field, 200),
        message: shown(&message.into(), 600),
    }
}

/// Cuts a text and makes hidden characters visible. The text contains names from the file.
pub(super) fn shown(text: &str, most: usize) -> String {
    let head = first_chars(text, most);
    let more = if text.chars().nth(most).is_some() { "…" } else { "" };
    visible(&head.replace('\n', " ")) + more
}

fn from_toml(source: &str, field: &str, error: &toml::de::Error) -> Mistake {
    let line = error.span().map_or(1, |span| line_of(source, span.start));
    mistake(line, field, error.message().replace('\n', ", "))
}

fn line_of(source: &str, at: usize) -> usize {
    source.as_bytes()[..at.min(source.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

/// The line of a field such as `decide[0].groups[1].name`, or of the nearest enclosing field that the file has.
pub(super) fn line_of_field(source: &str, table: Option<&DeTable<'_>>, field: &str) -> usize {
    let Some(table) = table else { return 0 };
    let mut line = 1;
    let mut at: Option<&DeValue<'_>> = None;
    for part in field.split(['.', '[', ']']).filter(|part| !part.is_empty()) {
        let next = match (at, part.parse::<usize>()) {
            (None, _) => table.get(part),
            (Some(DeValue::Array(items)), Ok(index)) => items.get(index),
            (Some(DeValue::Table(fields)), _) => fields.get(part),
            _ => None,
        };
        let Some(next) = next else { break };
        line = line_of(source, next.span().start);
        at = Some(next.get_ref());
    }
    line
}

/// The lines of texts that contain U+0000, which TOML can write as an escape.
fn nul_lines(source: &str, table: &DeTable<'_>) -> Vec<usize> {
    let mut lines = Vec::new();
    let mut open: Vec<(usize, &DeValue<'_>)> = Vec::new();
    let mut fields = vec![table];
    loop {
        if let Some(table) = fields.pop() {
            for (name, value) in table {
                if name.get_ref().contains('\0') {
                    lines.push(line_of(source, name.span().start));
                }
                open.push((value.span().start, value.get_ref()));
            }
            continue;
        }
        match open.pop() {
            None => break,
            Some((at, DeValue::String(text))) if text.contains('\0') => lines.push(line_of(source, at)),
            Some((_, DeValue::Array(items))) => {
                open.extend(items.iter().map(|item| (item.span().start, item.get_ref())))
            }
            Some((_, DeValue::Table(table))) => fields.push(table),
            Some(_) => {}
        }
    }
    lines.sort_unstable();
    lines
}

#[cfg(test)]
mod tests;
