//! A step of a plan in one line, for people.

use super::{Effect, FieldChange, Step, Value};
use std::fmt;

/// The most characters of a value in a line.
const LONGEST_VALUE: usize = 80;

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let effect = match self.effect {
            Effect::Create => "create",
            Effect::Change => "change",
            Effect::Restore => "restore",
            Effect::Retire => "retire",
        };
        write!(f, "{effect} {}", self.ident)?;
        let fields = self.field_lines();
        if fields.is_empty() {
            Ok(())
        } else {
            write!(f, ": {}", fields.join("; "))
        }
    }
}

impl Step {
    /// The fields of a new record, or those that change, each as a text.
    pub fn field_lines(&self) -> Vec<String> {
        match self.effect {
            Effect::Create => self
                .fields
                .iter()
                .filter(|change| !is_empty(&change.after))
                .map(|change| format!("{} {}", change.field, value(&change.after)))
                .collect(),
            _ => self.fields.iter().map(difference).collect(),
        }
    }
}

fn is_empty(value: &Value) -> bool {
    *value == Value::None || *value == Value::List(Vec::new())
}

fn difference(change: &FieldChange) -> String {
    let FieldChange { field, before, after } = change;
    if let (Value::List(before), Value::List(after)) = (before, after) {
        let added = after
            .iter()
            .filter(|item| !before.contains(item))
            .map(|item| format!("+{item}"));
        let removed = before
            .iter()
            .filter(|item| !after.contains(item))
            .map(|item| format!("-{item}"));
        let items: Vec<String> = added.chain(removed).collect();
        return format!("{field} {}", short(&items.join(" ")));
    }
    format!("{field} {} → {}", value(before), value(after))
}

fn value(value: &Value) -> String {
    match value {
        Value::None => "nothing".to_owned(),
        Value::Text(text) => short(&format!("{text:?}")),
        Value::List(items) if items.is_empty() => "nothing".to_owned(),
        Value::List(items) => short(&items.join(", ")),
    }
}

fn short(text: &str) -> String {
    if text.chars().count() <= LONGEST_VALUE {
        return text.to_owned();
    }
    text.chars().take(LONGEST_VALUE - 1).chain(['…']).collect()
}
