//! The levels that invocations give to rules instead of the rules' defaults (3.27.10, 3.51.3). Compilers write there what
//! their users have configured.

use super::super::Severity;
use super::model::{Configuration, Outcome, Run};
use super::rules::{RuleOf, Rules, level};
use std::collections::BTreeMap;

/// A rule by its place in the tool, or else by its ID: a tool may leave out its rules.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Overridden {
    At(usize, usize),
    Called(String),
}

/// The overridden levels of each invocation.
#[derive(Default)]
pub(super) struct Overrides {
    invocations: Vec<BTreeMap<Overridden, Severity>>,
    any: bool,
}

impl Overrides {
    pub(super) fn new(run: &Run, rules: &Rules<'_>) -> Self {
        let mut invocations = Vec::new();
        for invocation in run.invocations.iter().flatten() {
            let mut levels = BTreeMap::new();
            for one in invocation.rule_configuration_overrides.iter().flatten() {
                let configured = |one: &Configuration| level(one.level.as_deref()?);
                let found = one
                    .configuration
                    .as_ref()
                    .and_then(configured)
                    .zip(one.descriptor.as_ref());
                let Some((level, descriptor)) = found else { continue };
                let rule = rules.find_descriptor(descriptor);
                levels.insert(name(&rule), level);
            }
            invocations.push(levels);
        }
        let any = invocations.iter().any(|levels| !levels.is_empty());
        Self { invocations, any }
    }

    /// The level of a result by the configuration of its invocation. If a result does not say which of several
    /// invocations it comes from, the most severe level counts.
    pub(super) fn level(&self, result: &Outcome, rule: &RuleOf<'_>) -> Option<Severity> {
        if !self.any {
            return None;
        }
        let name = name(rule);
        let own = result
            .provenance
            .as_ref()
            .and_then(|provenance| provenance.invocation_index);
        if let Some(levels) = own.and_then(|index| self.invocations.get(index)) {
            return levels.get(&name).copied();
        }
        let default = rule.default_level();
        let overridden: Vec<Option<Severity>> = self
            .invocations
            .iter()
            .map(|levels| levels.get(&name).copied())
            .collect();
        overridden.iter().any(Option::is_some).then_some(())?;
        overridden.into_iter().map(|level| level.unwrap_or(default)).max()
    }
}

fn name(rule: &RuleOf<'_>) -> Overridden {
    match rule.at {
        Some((component, index)) => Overridden::At(component, index),
        None => Overridden::Called(rule.id.to_owned()),
    }
}
