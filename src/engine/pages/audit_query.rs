//! Reads what the form of the audit search asks for.

use crate::audit::EVENTS;
use crate::context::Ctx;
use crate::domain::query::{self, AuditQuery, Expr, Known, Vocabulary, exact, period};
use crate::domain::text::is_forbidden;
use crate::domain::{QueryError, State};
use crate::engine::{Engine, Error};
use crate::tools::TOOLS;
use crate::views::{AuditFault, AuditForm, Label, event_label};
use std::collections::BTreeMap;

/// Longer texts are no keys of records.
const LONGEST_KEY: usize = 200;

/// The values that the log has in fields with a fixed set of them.
pub fn audit_vocabulary() -> Vocabulary {
    let known = |name, label| Known { name, label };
    Vocabulary {
        events: EVENTS.iter().map(|(_, name)| known(name, event_label(name))).collect(),
        states: State::ALL
            .iter()
            .map(|state| known(state.as_str(), state.label()))
            .collect(),
        tools: TOOLS.iter().map(|tool| known(tool.name(), tool.title())).collect(),
    }
}

/// The query of the form, or everything that is wrong with it.
pub(super) fn read(form: &AuditForm) -> Result<AuditQuery, Vec<AuditFault>> {
    let mut faults = Vec::new();
    let read = query::parse(&form.q, &audit_vocabulary()).unwrap_or_else(|errors| {
        faults.extend(errors.iter().map(|error| AuditFault::new("q", error)));
        AuditQuery::default()
    });
    let from = day("from", &form.from, &mut faults).map(|(start, _)| start);
    let until = day("to", &form.to, &mut faults).map(|(_, end)| end);
    if from.zip(until).is_some_and(|(from, until)| from >= until) {
        faults.push(at_start(
            "to",
            &form.to,
            "The period ends before it begins, so no entry is in it.",
        ));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    if from.is_none() && until.is_none() {
        return Ok(read);
    }
    Ok(AuditQuery {
        expr: match read.expr {
            Expr::All => Expr::Period { from, until },
            expr => Expr::And(vec![expr, Expr::Period { from, until }]),
        },
        ..read
    })
}

fn day(
    field: &'static str,
    text: &str,
    faults: &mut Vec<AuditFault>,
) -> Option<(crate::domain::Timestamp, crate::domain::Timestamp)> {
    if text.trim().is_empty() {
        return None;
    }
    let day = period(text);
    if day.is_none() {
        faults.push(at_start(
            field,
            text,
            "This is not a day. A day is written as 2026-11-22.",
        ));
    }
    day
}

fn at_start(field: &'static str, text: &str, message: &str) -> AuditFault {
    AuditFault {
        field,
        at: 0,
        length: u32::try_from(text.chars().count()).unwrap_or(u32::MAX),
        message: message.into(),
    }
}

impl AuditFault {
    fn new(field: &'static str, error: &QueryError) -> Self {
        Self {
            field,
            at: error.at,
            length: error.length,
            message: error.message.as_str().into(),
        }
    }
}

impl Engine {
    /// The expression of a query, in which keys of records also stand for their IDs.
    pub(super) async fn with_record_ids(&self, ctx: &Ctx, query: AuditQuery) -> Result<Expr, Error> {
        let AuditQuery { expr, mut keys } = query;
        keys.retain(|key| key.chars().count() <= LONGEST_KEY && !key.contains(is_forbidden));
        if keys.is_empty() {
            return Ok(expr);
        }
        let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, id) in self.store.read(ctx).await?.records_of_keys(&keys).await? {
            ids.entry(exact(&key)).or_default().push(id);
        }
        Ok(expr.with_record_ids(&ids))
    }
}
