//! The audit entry of an applied catalog.

use super::apply::Ids;
use crate::audit::Event;
use crate::catalog::{Effect, Plan, SourceFile, Step, Value};
use crate::domain::canonical;
use crate::engine::audit_entries;
use crate::store::{Entry, WriteTx};
use serde::Serialize;
use serde_json::{Map, json};

/// The most records that an entry names. The others are counted.
const MOST_RECORDS: usize = 300;
/// The most files that an entry names.
const MOST_FILES: usize = 50;
/// The most items of a list that an entry contains.
const MOST_ITEMS: usize = 20;
/// The most characters of a text that an entry contains.
const LONGEST_TEXT: usize = 200;

/// A file of a catalog, as an entry names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Source {
    name: String,
    sha256: String,
}

/// The names and hashes of files.
pub(super) fn sources(files: &[SourceFile]) -> Vec<Source> {
    let source = |file: &SourceFile| Source {
        name: shortened(&file.name),
        sha256: canonical::sha256_hex(file.text.as_bytes()),
    };
    files.iter().map(source).collect()
}

/// Records the difference that a catalog made.
pub(super) fn record(tx: &mut WriteTx, plan: &Plan, ids: &Ids, sources: &[Source], prune: bool) {
    let mut content = audit_entries::content(tx.ctx());
    let counts: Map<String, serde_json::Value> = Effect::ALL
        .iter()
        .map(|effect| (word(*effect).to_owned(), plan.with(*effect).count().into()))
        .collect();
    let named = &plan.steps[..plan.steps.len().min(MOST_RECORDS)];
    content.records = named
        .iter()
        .filter_map(|step| Some(ids.get(&step.ident)?.to_owned()))
        .collect();
    content.record_keys = named.iter().map(|step| step.ident.key.clone()).collect();
    content.details = json!({
        "files": sources[..sources.len().min(MOST_FILES)],
        "filesNotNamed": sources.len().saturating_sub(MOST_FILES),
        "prune": prune,
        "counts": counts,
        "left": plan.left,
        "steps": named.iter().map(shown).collect::<Vec<_>>(),
        "stepsNotNamed": plan.steps.len() - named.len(),
    });
    tx.record(Entry {
        event: Event::CatalogApplied,
        action_id: None,
        content,
    });
}

fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::Create => "created",
        Effect::Change => "changed",
        Effect::Restore => "restored",
        Effect::Retire => "retired",
    }
}

/// A step as an entry contains it: with the values of fields that changed. A new record has its values in the database.
fn shown(step: &Step) -> serde_json::Value {
    let mut shown = json!({ "effect": word(step.effect), "kind": step.ident.kind, "key": step.ident.key });
    if let Some(release) = &step.ident.release {
        shown["release"] = json!(release);
    }
    if !step.fields.is_empty() {
        let fields: Map<String, serde_json::Value> = step
            .fields
            .iter()
            .map(|change| {
                let (before, after) = (cut(&change.before), cut(&change.after));
                (change.field.to_owned(), json!({ "before": before, "after": after }))
            })
            .collect();
        shown["fields"] = fields.into();
    }
    shown
}

fn cut(value: &Value) -> serde_json::Value {
    match value {
        Value::None => serde_json::Value::Null,
        Value::Text(text) => shortened(text).into(),
        Value::List(items) => {
            let mut shown: Vec<String> = items.iter().take(MOST_ITEMS).map(|item| shortened(item)).collect();
            if items.len() > MOST_ITEMS {
                shown.push(format!("… {} more", items.len() - MOST_ITEMS));
            }
            shown.into()
        }
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= LONGEST_TEXT {
        return text.to_owned();
    }
    format!("{}…", crate::domain::text::first_chars(text, LONGEST_TEXT - 1))
}
