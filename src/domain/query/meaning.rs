//! Looks up the fields and values of a query, and collects what is wrong with them.

use super::error::{QueryError, shown};
use super::expr::{Expr, Text};
use super::period::period;
use super::syntax::{Condition, Node, NodeKind};
use super::term::{Term, TermField};
use super::{AuditQuery, MAX_ERRORS, MAX_WORDS, quoted};
use crate::domain::suggest::{nearest, plain};
use crate::domain::text::prose;
use crate::domain::{ActionId, Timestamp};
use std::ops::Range;

/// A value that a field can have, and what people read for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The name in the log.
    pub name: &'static str,
    /// The label on pages.
    pub label: &'static str,
}

/// The values of the fields that have no others.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    /// The values of `event:`.
    pub events: Vec<Known>,
    /// The values of `state:`.
    pub states: Vec<Known>,
    /// The values of `tool:`.
    pub tools: Vec<Known>,
}

impl Vocabulary {
    fn of(&self, field: TermField) -> Option<&[Known]> {
        match field {
            TermField::Event => Some(&self.events),
            TermField::State => Some(&self.states),
            TermField::Tool => Some(&self.tools),
            _ => None,
        }
    }
}

/// The names of limits of time.
const TIMES: [&str; 4] = ["after", "before", "from", "to"];

/// Lists of at most so many values are shown whole.
const FEW: usize = 6;

/// The meaning of a query, or everything that is wrong with its fields and values.
pub(super) fn read(node: &Node, vocabulary: &Vocabulary) -> Result<AuditQuery, Vec<QueryError>> {
    let mut reader = Reader {
        vocabulary,
        errors: Vec::new(),
        words: 0,
        keys: Vec::new(),
    };
    let expr = reader.expr(node);
    let Reader { errors, keys, .. } = reader;
    match errors.is_empty() {
        true => Ok(AuditQuery { expr, keys }),
        false => Err(errors),
    }
}

struct Reader<'a> {
    vocabulary: &'a Vocabulary,
    errors: Vec<QueryError>,
    words: usize,
    keys: Vec<String>,
}

impl Reader<'_> {
    fn wrong(&mut self, place: Range<usize>, message: impl Into<String>) -> Expr {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(QueryError::new(place, message));
        }
        Expr::All
    }

    fn expr(&mut self, node: &Node) -> Expr {
        match &node.kind {
            NodeKind::Condition(condition) => self.condition(condition, &node.place),
            NodeKind::Not(inner) => Expr::Not(Box::new(self.expr(inner))),
            NodeKind::Or(parts) => Expr::Or(parts.iter().map(|part| self.expr(part)).collect()),
            NodeKind::And(parts) => {
                let read: Vec<Expr> = parts.iter().map(|part| self.expr(part)).collect();
                self.compare_periods(parts, &read);
                Expr::And(read)
            }
        }
    }

    /// Reports a period that ends before it begins: no entry is in it.
    fn compare_periods(&mut self, parts: &[Node], read: &[Expr]) {
        let (mut latest, mut earliest) = (Timestamp(i64::MIN), Timestamp(i64::MAX));
        for (part, expr) in parts.iter().zip(read) {
            if let Expr::Period { from, until } = expr {
                latest = from.map_or(latest, |from| from.max(latest));
                earliest = until.map_or(earliest, |until| until.min(earliest));
                if latest >= earliest {
                    self.wrong(
                        part.place.clone(),
                        "The period ends before it begins, so no entry is in it.",
                    );
                    return;
                }
            }
        }
    }

    fn condition(&mut self, condition: &Condition, place: &Range<usize>) -> Expr {
        let Some((name, name_place)) = &condition.field else {
            return self.text(condition, place);
        };
        let lower = name.to_lowercase();
        let field = TermField::NAMED.iter().find(|(_, known)| *known == lower);
        if field.is_none() && !TIMES.contains(&lower.as_str()) {
            return self.unknown_field(name, name_place, condition);
        }
        if condition.value.trim().is_empty() {
            let at = if condition.is_quoted {
                condition.value_place.clone()
            } else {
                name_place.start..name_place.end + 1
            };
            return self.wrong(at, format!("{lower}: needs a value directly after the colon."));
        }
        match field {
            Some((field, _)) => self.term(*field, condition),
            None => self.time(&lower, condition),
        }
    }

    fn text(&mut self, condition: &Condition, place: &Range<usize>) -> Expr {
        if let Some(id) = action_of_address(&condition.value).filter(|_| !condition.is_quoted) {
            return Expr::Term(Term::new(TermField::Action, id));
        }
        let Some(text) = Text::new(&condition.value) else {
            let message = match condition.value.trim() {
                "" => "There is nothing between these quotation marks.".to_owned(),
                value => format!(
                    "{} has no letter and no digit, so nothing can be found by it. A value that consists of signs needs its field, such as key:\"…\".",
                    prose::quoted(&shown(value))
                ),
            };
            return self.wrong(place.clone(), message);
        };
        self.words += text.words().len();
        if self.words > MAX_WORDS {
            return self.wrong(
                place.clone(),
                format!("The conditions of a query have at most {MAX_WORDS} words."),
            );
        }
        self.keys.push(condition.value.trim().to_owned());
        Expr::Text(text)
    }

    fn unknown_field(&mut self, name: &str, place: &Range<usize>, condition: &Condition) -> Expr {
        let known = || TermField::NAMED.iter().map(|(_, name)| *name).chain(TIMES);
        let near = nearest(name, known().map(|name| (name, name)));
        let near = match near.first() {
            Some(near) => format!(" Did you mean {near}:?"),
            None => String::new(),
        };
        let written = format!("{name}:{}", condition.value);
        let whole = shown(&written);
        let hint = if condition.value.is_empty() || written.chars().nth(40).is_some() {
            "put it in quotation marks".to_owned()
        } else {
            format!("put it in quotation marks: {}", quoted(&whole))
        };
        let fields: Vec<&str> = known().collect();
        self.wrong(
            place.clone(),
            format!(
                "Unknown field \"{}\".{near} Fields: {}. To search for the text, {hint}.",
                shown(name),
                fields.join(", ")
            ),
        )
    }

    fn term(&mut self, field: TermField, condition: &Condition) -> Expr {
        let value = condition.value.trim();
        if let (TermField::Action | TermField::Record, Some(id)) = (field, action_of_address(value)) {
            return Expr::Term(Term::new(field, id));
        }
        if field == TermField::Record {
            self.keys.push(value.to_owned());
        }
        let Some(known) = self.vocabulary.of(field) else {
            return Expr::Term(Term::new(field, value));
        };
        let wanted = plain(value);
        let is_wanted = |known: &&Known| plain(known.name) == wanted || plain(known.label) == wanted;
        match known.iter().find(is_wanted) {
            Some(known) => Expr::Term(Term::new(field, known.name)),
            None => {
                let message = unknown_value(field, value, known);
                self.wrong(condition.value_place.clone(), message)
            }
        }
    }

    fn time(&mut self, name: &str, condition: &Condition) -> Expr {
        let Some((start, end)) = period(&condition.value) else {
            return self.wrong(
                condition.value_place.clone(),
                format!("{name}: needs a day such as 2026-11-22 or a time such as 2026-11-22T10:30 (in UTC, if it has no zone)."),
            );
        };
        match name {
            "before" => Expr::Period {
                from: None,
                until: Some(start),
            },
            "to" => Expr::Period {
                from: None,
                until: Some(end),
            },
            _ => Expr::Period {
                from: Some(start),
                until: None,
            },
        }
    }
}

fn unknown_value(field: TermField, value: &str, known: &[Known]) -> String {
    let field = field.as_str();
    let near = nearest(value, known.iter().map(|known| (known.name, known.label)));
    let names: Vec<String> = known.iter().map(|known| known.name.to_owned()).collect();
    let near: Vec<String> = near.into_iter().map(|name| format!("{field}:{name}")).collect();
    let meant = match near.as_slice() {
        [] => String::new(),
        near => format!(" Did you mean {}?", near.join(" or ")),
    };
    let all = match names.len() {
        0..=FEW => format!(" Known: {}.", names.join(", ")),
        _ if near.is_empty() => format!(
            " Known, for example: {}.",
            names.iter().take(FEW).cloned().collect::<Vec<_>>().join(", ")
        ),
        _ => String::new(),
    };
    format!("There is no {field} {}.{meant}{all}", prose::quoted(&shown(value)))
}

/// The action of an address of its page, `https://host/actions/act_…`, or of the path alone.
pub(super) fn action_of_address(text: &str) -> Option<&str> {
    const PATH: &str = "/actions/";
    let (host, rest) = text.split_once(PATH)?;
    let lower = host.to_ascii_lowercase();
    let is_host = |host: &str| !host.is_empty() && !host.contains(['/', '?', '#']);
    let is_address = host.is_empty()
        || ["https://", "http://"]
            .iter()
            .any(|scheme| lower.strip_prefix(scheme).is_some_and(is_host));
    let id = rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next()?;
    (is_address && ActionId::parse(id).is_ok()).then_some(id)
}
