//! What one check found, gathered: each kind of trouble is a verdict of its own, with every place it stands at.

use crate::domain::{Check, CheckId, FactRef, Verdict, canonical};

/// More records or places than these help nobody to look.
const MOST: usize = 60;

/// The verdicts of one check. Where it found nothing wrong it says so in one sentence; where it had nothing to judge, nothing.
pub(super) struct CheckReport {
    id: CheckId,
    found: Vec<Check>,
    passed: Option<(String, Vec<FactRef>)>,
}

impl CheckReport {
    pub(super) fn of(id: CheckId) -> Self {
        Self {
            id,
            found: Vec::new(),
            passed: None,
        }
    }

    /// Adds a verdict.
    pub(super) fn add(
        &mut self,
        verdict: Verdict,
        message: impl Into<String>,
        facts: impl IntoIterator<Item = FactRef>,
        pointers: impl IntoIterator<Item = String>,
    ) {
        let (mut facts, mut pointers): (Vec<FactRef>, Vec<String>) =
            (facts.into_iter().collect(), pointers.into_iter().collect());
        facts.dedup();
        pointers.dedup();
        // What is cut off is part of what somebody acknowledges all the same.
        let unlisted = (facts.len() > MOST || pointers.len() > MOST).then(|| {
            let ids: Vec<&str> = facts.iter().map(|fact| fact.id.as_str()).collect();
            canonical::sha256_hex(format!("{ids:?}{pointers:?}").as_bytes())
        });
        facts.truncate(MOST);
        pointers.truncate(MOST);
        self.found.push(Check {
            id: self.id,
            verdict,
            message: message.into().into(),
            facts,
            pointers,
            unlisted,
        });
    }

    /// What to say if nothing is wrong.
    pub(super) fn or_pass(mut self, message: impl Into<String>, facts: impl IntoIterator<Item = FactRef>) -> Self {
        self.passed = Some((message.into(), facts.into_iter().take(MOST).collect()));
        self
    }

    /// The worst first.
    pub(super) fn end(mut self) -> Vec<Check> {
        if self.found.is_empty()
            && let Some((message, facts)) = self.passed
        {
            self.found.push(Check {
                id: self.id,
                verdict: Verdict::Pass,
                message: message.into(),
                facts,
                pointers: Vec::new(),
                unlisted: None,
            });
        }
        self.found.sort_by_key(|check| std::cmp::Reverse(check.verdict));
        self.found
    }
}

/// `a`, `a and b`, `a, b and 3 more`.
pub(super) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
    }
}
