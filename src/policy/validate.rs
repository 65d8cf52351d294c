//! Validates the rules of a policy: names, limits, and whether every action has a person who can decide it.

use super::parse::{Mistake, line_of_field, mistake, shown};
use super::rules::{Condition, Group, Rules, StepUpRules, VerdictOverride};
use crate::domain::text::prose;
use crate::domain::{Address, CheckId, PersonId, Role};
use std::collections::BTreeSet;
use toml::de::DeTable;

/// The most approvals that one group may require.
const MOST_APPROVALS: usize = 10;
/// The most approvals that one rule may require, over all groups.
const MOST_APPROVALS_OF_RULE: usize = 20;
/// The most rules in `risk` and in `decide`.
pub(super) const MOST_RULES: usize = 100;
/// The most entries of any other list.
pub(super) const MOST_IN_LIST: usize = 100;
/// The most `*` in one pointer, each of which multiplies the compared values.
const MOST_STARS: usize = 2;
/// The most mistakes in one report. A list of a few kilobytes can contain thousands, each with a line of its own.
pub(super) const MOST_MISTAKES: usize = 50;
/// The longest expiry, in hours (30 days).
pub(super) const LONGEST_WAIT: i64 = 30 * 24;
/// The longest time since a sign-in that a policy may accept, in minutes (one day). Sessions end after half a day by default.
pub(super) const LONGEST_SIGN_IN: i64 = 24 * 60;
/// The most accepted ways of authenticating. They become a part of the provider's URL.
pub(super) const MOST_ACR: usize = 10;
/// The longest `acr`, in bytes. A longer one of a token is not stored.
pub(super) const LONGEST_ACR: usize = 255;
/// The highest limit of pending actions.
pub(super) const MOST_PENDING: i64 = 1_000_000;
/// Checks whose blocks a policy may turn into warnings. The other checks protect what an approval relies on.
pub(super) const SOFT: [CheckId; 6] = [
    CheckId::Unrelated,
    CheckId::Titles,
    CheckId::Blockers,
    CheckId::Duplicates,
    CheckId::Ownership,
    CheckId::Grounding,
];

pub(super) struct Validator<'s, 't> {
    source: &'s str,
    table: Option<&'t DeTable<'s>>,
    mistakes: Vec<Mistake>,
}

impl<'s, 't> Validator<'s, 't> {
    /// `table` is the parsed source, which gives mistakes their lines.
    pub(super) fn new(source: &'s str, table: Option<&'t DeTable<'s>>) -> Self {
        Self {
            source,
            table,
            mistakes: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, mistakes: impl Iterator<Item = Mistake>) {
        self.mistakes.extend(mistakes);
    }

    fn report(&mut self, field: &str, message: impl Into<String>) {
        if self.mistakes.len() > MOST_MISTAKES {
            return;
        }
        let line = line_of_field(self.source, self.table, field);
        self.mistakes.push(mistake(line, field, message));
    }

    /// Returns the mistakes, of which a note replaces those beyond the limit.
    pub(super) fn finish(mut self) -> Vec<Mistake> {
        if self.mistakes.len() > MOST_MISTAKES {
            self.mistakes.truncate(MOST_MISTAKES);
            self.mistakes
                .push(mistake(0, "", "there are more mistakes; correct these first"));
        }
        self.mistakes
    }

    fn within(&mut self, field: &str, value: i64, most: i64, unit: &str) {
        if !(1..=most).contains(&value) {
            self.report(field, format!("{value} is not between 1 and {most} {unit}"));
        }
    }

    fn tool(&mut self, field: &str, name: &str, tools: &[&str]) {
        if !tools.contains(&name) {
            self.report(
                field,
                format!(
                    "there is no tool {}; the tools are {}",
                    prose::quoted(&shown(name, 60)),
                    tools.join(", ")
                ),
            );
        }
    }

    fn at_most(&mut self, field: &str, count: usize, most: usize, what: &str) {
        if count > most {
            self.report(field, format!("has {count} {what}; at most {most} fit"));
        }
    }

    pub(super) fn rules(&mut self, rules: &Rules, tools: &[&str]) {
        self.at_most("risk", rules.risk.len(), MOST_RULES, "rules");
        self.at_most("decide", rules.decide.len(), MOST_RULES, "rules");
        for (n, rule) in rules.risk.iter().enumerate() {
            if let Some(tool) = &rule.tool {
                self.tool(&format!("risk[{n}].tool"), tool, tools);
            }
            self.conditions(&format!("risk[{n}].where"), &rule.conditions);
        }
        let mut names = BTreeSet::new();
        for (n, rule) in rules.decide.iter().enumerate() {
            let at = format!("decide[{n}]");
            if rule.name.trim().is_empty() || !names.insert(rule.name.as_str()) {
                self.report(&format!("{at}.name"), "needs a name of its own");
            }
            for (i, tool) in rule.tools.iter().enumerate() {
                self.tool(&format!("{at}.tools[{i}]"), tool, tools);
            }
            self.conditions(&format!("{at}.where"), &rule.conditions);
            self.groups(&format!("{at}.groups"), &rule.groups);
            let approvals = rule
                .groups
                .iter()
                .fold(0_usize, |sum, group| sum.saturating_add(group.approvals));
            self.at_most(
                &format!("{at}.groups"),
                approvals,
                MOST_APPROVALS_OF_RULE,
                "approvals together",
            );
            let fits_all = rule.tools.is_empty() && rule.risk.is_empty() && rule.conditions.is_empty();
            let last = n + 1 == rules.decide.len();
            if last && !fits_all {
                self.report(
                    &at,
                    "is the last rule and does not fit all actions; nobody could decide the others. End with one without tools, risk and where",
                );
            }
            if !last && fits_all {
                self.report(&at, "fits all actions, so no rule after it would ever count");
            }
        }
        if rules.decide.is_empty() {
            self.report("decide", "is empty, so nobody could decide anything");
        }
        let hours = &rules.expiry_hours;
        self.within("expiry_hours.low", hours.low, LONGEST_WAIT, "hours");
        self.within("expiry_hours.medium", hours.medium, LONGEST_WAIT, "hours");
        self.within("expiry_hours.high", hours.high, LONGEST_WAIT, "hours");
        self.within("evidence.max_age_days", rules.evidence.max_age_days, 3650, "days");
        self.step_up(&rules.step_up);
        let limits = &rules.limits;
        self.within(
            "limits.pending_per_caller",
            limits.pending_per_caller,
            MOST_PENDING,
            "actions",
        );
        self.within(
            "limits.pending_per_client",
            limits.pending_per_client,
            MOST_PENDING,
            "actions",
        );
        self.at_most(
            "roles.forbidden",
            rules.roles.forbidden.len(),
            MOST_IN_LIST,
            "combinations",
        );
        for (n, combination) in rules.roles.forbidden.iter().enumerate() {
            let distinct: BTreeSet<&Role> = combination.iter().collect();
            if distinct.len() < 2 || distinct.len() < combination.len() {
                self.report(&format!("roles.forbidden[{n}]"), "needs two roles or more, each once");
            }
        }
        for (check, meaning) in &rules.checks {
            if *meaning == VerdictOverride::Warn && !SOFT.contains(check) {
                self.report(
                    &format!("checks.{}", check.as_str()),
                    "protects approvals, so its blocks cannot become warnings",
                );
            }
        }
    }

    fn step_up(&mut self, rules: &StepUpRules) {
        self.within(
            "step_up.max_age_minutes",
            rules.max_age_minutes,
            LONGEST_SIGN_IN,
            "minutes",
        );
        self.at_most("step_up.acr", rules.acr.len(), MOST_ACR, "values");
        for (n, acr) in rules.acr.iter().enumerate() {
            // The values are sent with spaces between them.
            let is_value =
                !acr.is_empty() && acr.len() <= LONGEST_ACR && acr.bytes().all(|byte| byte.is_ascii_graphic());
            if !is_value {
                self.report(
                    &format!("step_up.acr[{n}]"),
                    format!(
                        "{:?} is not a value of `acr`: 1 to {LONGEST_ACR} visible ASCII characters without spaces",
                        shown(acr, 60)
                    ),
                );
            }
        }
    }

    fn conditions(&mut self, at: &str, conditions: &[Condition]) {
        self.at_most(at, conditions.len(), MOST_IN_LIST, "conditions");
        for (n, condition) in conditions.iter().enumerate() {
            let field = format!("{at}[{n}]");
            if !condition.at.starts_with('/') {
                self.report(&format!("{field}.at"), "is no JSON pointer, which begins with /");
            }
            self.at_most(&format!("{field}.is"), condition.is.len(), MOST_IN_LIST, "values");
            if condition.at.matches('*').count() > MOST_STARS {
                self.report(&format!("{field}.at"), format!("has more than {MOST_STARS} `*`"));
            }
            if condition.is.is_empty() == condition.at_least.is_none() {
                self.report(&field, "needs either `is` or `at_least`");
            }
        }
    }

    fn groups(&mut self, at: &str, groups: &[Group]) {
        if groups.is_empty() {
            self.report(at, "names no group, so nobody could decide");
        }
        let mut names = BTreeSet::new();
        for (n, group) in groups.iter().enumerate() {
            let field = format!("{at}[{n}]");
            if group.name.trim().is_empty() || !names.insert(group.name.as_str()) {
                self.report(&format!("{field}.name"), "needs a name of its own");
            }
            if !(1..=MOST_APPROVALS).contains(&group.approvals) {
                self.report(
                    &format!("{field}.approvals"),
                    format!("{} is not between 1 and {MOST_APPROVALS}", group.approvals),
                );
            }
            for (i, known) in group.people.iter().enumerate() {
                if Address::parse(known).is_none() && PersonId::parse(known).is_err() {
                    self.report(
                        &format!("{field}.people[{i}]"),
                        format!(
                            "{} is neither a person's ID (per_...) nor an e-mail address",
                            prose::quoted(&shown(known, 60))
                        ),
                    );
                }
            }
            for (i, role) in group.roles.iter().enumerate() {
                if !matches!(role, Role::Reviewer | Role::Lead) {
                    self.report(
                        &format!("{field}.roles[{i}]"),
                        format!("{} decides nothing; reviewer and lead do", role.as_str()),
                    );
                }
            }
        }
    }
}
