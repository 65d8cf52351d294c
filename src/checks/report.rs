//! Collects the results of one check: one result for each kind of trouble, with all records and places that have it.

use crate::domain::{Check, CheckCode, FactRef, Verdict, canonical};

/// The most records and the most pointers of a result. A hash of all of them takes the place of the rest (see [`Check::unlisted`]).
const MAX_LISTED: usize = 60;

/// The results of one check. A check that found no trouble reports a pass; a check that had nothing to judge reports nothing.
#[derive(Default)]
pub(super) struct CheckReport {
    found: Vec<Check>,
    passed: Option<Check>,
}

impl CheckReport {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds a result.
    pub(super) fn add(
        &mut self,
        code: CheckCode,
        verdict: Verdict,
        message: impl Into<String>,
        facts: impl IntoIterator<Item = FactRef>,
        pointers: impl IntoIterator<Item = String>,
    ) {
        self.found.push(result(code, verdict, message.into(), facts, pointers));
    }

    /// Adds a result about a record whose fields a reviewer judges by: an acknowledgement holds as long as they are the same.
    pub(super) fn add_with_basis(
        &mut self,
        code: CheckCode,
        verdict: Verdict,
        message: impl Into<String>,
        facts: impl IntoIterator<Item = FactRef>,
        pointers: impl IntoIterator<Item = String>,
        basis: &[&str],
    ) {
        let mut check = result(code, verdict, message.into(), facts, pointers);
        check.basis = Some(canonical::sha256_hex(format!("{basis:?}").as_bytes()));
        self.found.push(check);
    }

    /// Sets the result of a check that found no trouble.
    pub(super) fn or_pass(
        mut self,
        code: CheckCode,
        message: impl Into<String>,
        facts: impl IntoIterator<Item = FactRef>,
    ) -> Self {
        self.passed = Some(result(code, Verdict::Pass, message.into(), facts, None));
        self
    }

    /// The results, the most severe first.
    pub(super) fn finish(mut self) -> Vec<Check> {
        if self.found.is_empty() {
            self.found.extend(self.passed);
        }
        self.found.sort_by_key(|check| std::cmp::Reverse(check.verdict));
        self.found
    }
}

fn result(
    code: CheckCode,
    verdict: Verdict,
    message: String,
    facts: impl IntoIterator<Item = FactRef>,
    pointers: impl IntoIterator<Item = String>,
) -> Check {
    let mut facts: Vec<FactRef> = facts.into_iter().collect();
    let mut pointers: Vec<String> = pointers.into_iter().collect();
    facts.dedup();
    pointers.dedup();
    // An acknowledgement covers all records and places, also those that are cut off.
    let unlisted = (facts.len() > MAX_LISTED || pointers.len() > MAX_LISTED).then(|| {
        let ids: Vec<&str> = facts.iter().map(|fact| fact.id.as_str()).collect();
        canonical::sha256_hex(format!("{ids:?}{pointers:?}").as_bytes())
    });
    facts.truncate(MAX_LISTED);
    pointers.truncate(MAX_LISTED);
    Check {
        id: code.check(),
        code,
        verdict,
        message: message.into(),
        facts,
        pointers,
        unlisted,
        basis: None,
    }
}
