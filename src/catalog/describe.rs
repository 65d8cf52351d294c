//! A plan in a sentence, and each of its steps in a line, for people.

use super::{Effect, FieldChange, Kind, Plan, Step, Value};
use crate::domain::text::{first_chars, prose, visible};
use std::collections::BTreeMap;
use std::fmt;

/// The most characters of a value in a line.
const LONGEST_VALUE: usize = 80;

/// Whether a sentence is about a preview or about what was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tense {
    /// It would be done.
    Present,
    /// It was done.
    Past,
}

impl Plan {
    /// The number of records of each kind and effect, retirements first: `Retires 51 releases, 12 teams; creates 1 team`.
    pub fn summary(&self, tense: Tense) -> String {
        let effects = [
            (Effect::Retire, "retires", "retired"),
            (Effect::Create, "creates", "created"),
            (Effect::Change, "changes", "changed"),
            (Effect::Restore, "restores", "restored"),
        ];
        let mut parts = Vec::new();
        for (effect, present, past) in effects {
            let verb = if tense == Tense::Present { present } else { past };
            let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
            for step in self.with(effect) {
                *kinds.entry(step.ident.kind).or_default() += 1;
            }
            let mut kinds: Vec<(Kind, usize)> = kinds.into_iter().collect();
            kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            let kinds: Vec<String> = kinds.into_iter().map(|(kind, count)| counted(kind, count)).collect();
            if !kinds.is_empty() {
                parts.push(format!("{verb} {}", kinds.join(", ")));
            }
        }
        if parts.is_empty() {
            let nothing = if tense == Tense::Present { "Changes" } else { "Changed" };
            return format!("{nothing} nothing");
        }
        let sentence = parts.join("; ");
        let first = sentence.chars().next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(sentence.chars().skip(1)).collect()
    }
}

fn counted(kind: Kind, count: usize) -> String {
    match (kind, count) {
        (Kind::Person, 1) => "the roles of 1 person".to_owned(),
        (Kind::Person, _) => format!("the roles of {} people", prose::grouped(count)),
        _ => prose::counted(count, kind.noun()),
    }
}

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
        // Scripts such as Devanagari have characters that the debugging format escapes.
        Value::Text(text) => short(&format!("\"{}\"", visible(text).replace(['\n', '\r', '\t'], " "))),
        Value::List(items) if items.is_empty() => "nothing".to_owned(),
        Value::List(items) => short(&items.join(", ")),
    }
}

fn short(text: &str) -> String {
    if text.chars().count() <= LONGEST_VALUE {
        return text.to_owned();
    }
    format!("{}…", first_chars(text, LONGEST_VALUE - 1))
}
