//! Reading a policy from TOML, with every mistake at its line and field.

use crate::domain::text::visible;
use crate::domain::{Address, CheckId, PersonId, Role};
use crate::policy::rules::{Condition, Group, Rules, VerdictOverride};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use toml::de::{DeTable, DeValue};

/// The longest policy, in bytes.
const LONGEST: usize = 64 * 1024;
/// The most people that one group may ask for.
const MOST_APPROVALS: usize = 10;
/// The most approvals that one rule may ask for.
const MOST_PLACES: usize = 20;
/// The most rules of a kind.
const MOST_RULES: usize = 100;
/// The most entries of a list.
const MOST_IN_LIST: usize = 100;
/// The most lists that one condition may go through.
const MOST_STARS: usize = 2;
/// The most mistakes that are told at once: a list of a few kilobytes can hold thousands, each said in a line of its own.
const MOST_MISTAKES: usize = 50;
/// The longest that an action may wait, in hours: thirty days.
const LONGEST_WAIT: i64 = 30 * 24;
/// The most actions that a policy may let wait.
const MOST_PENDING: i64 = 1_000_000;
/// Checks whose blocks a policy may turn into warnings. The others protect what an approval rests on.
const SOFT: [CheckId; 5] = [
    CheckId::Unrelated,
    CheckId::Titles,
    CheckId::Duplicates,
    CheckId::Ownership,
    CheckId::Grounding,
];

/// A mistake in a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mistake {
    /// The line, from 1; 0 where there is none.
    pub line: usize,
    /// The field, such as `decide[0].groups[1].teams[0]`; empty where TOML itself is broken.
    pub field: String,
    /// What is wrong, and what would be right.
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

/// Reads the rules of a policy that was judged before: what has become wrong with it since does not matter any more.
///
/// # Errors
/// It is no policy at all.
pub fn parse(source: &str) -> Result<Rules, Vec<Mistake>> {
    toml::Deserializer::parse(source)
        .map_err(|error| vec![of_toml(source, "", &error)])
        .and_then(|document| {
            serde_path_to_error::deserialize(document).map_err(|error| {
                let field = error.path().to_string();
                let field = if field == "." {
                    String::new()
                } else {
                    field.replace(".?", "")
                };
                vec![of_toml(source, &field, error.inner())]
            })
        })
}

/// Reads the rules of a policy that is to be switched on.
///
/// # Errors
/// Everything that is wrong with them; of broken TOML, the first thing.
pub fn read(source: &str, tools: &[&str]) -> Result<Rules, Vec<Mistake>> {
    if source.len() > LONGEST {
        let message = format!("it has {} bytes; at most {LONGEST} fit", source.len());
        return Err(vec![mistake(0, "", message)]);
    }
    let rules = parse(source)?;
    let places = DeTable::parse(source).ok();
    let mut judge = Judge {
        source,
        places: places.as_ref().map(|table| table.get_ref()),
        mistakes: Vec::new(),
    };
    judge.rules(&rules, tools);
    if let Some(table) = &places {
        let texts = nul_lines(source, table.get_ref());
        let message = "a text holds the character U+0000, which cannot be kept";
        judge
            .mistakes
            .extend(texts.into_iter().map(|line| mistake(line, "", message)));
    }
    judge.end();
    if judge.mistakes.is_empty() {
        Ok(rules)
    } else {
        Err(judge.mistakes)
    }
}

fn mistake(line: usize, field: &str, message: impl Into<String>) -> Mistake {
    Mistake {
        line,
        field: shown(field, 200),
        message: shown(&message.into(), 600),
    }
}

/// Names from the file stand in it, however long they are and whatever they hide.
fn shown(text: &str, most: usize) -> String {
    let head: String = text.chars().take(most).collect();
    let more = if text.chars().nth(most).is_some() { "…" } else { "" };
    visible(&head.replace('\n', " ")) + more
}

fn of_toml(source: &str, field: &str, error: &toml::de::Error) -> Mistake {
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

/// The line of a field such as `decide[0].groups[1].name`, or of the nearest one around it.
fn place(source: &str, table: Option<&DeTable<'_>>, field: &str) -> usize {
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

/// The lines of texts that hold U+0000, which TOML can write as an escape.
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

struct Judge<'s, 't> {
    source: &'s str,
    places: Option<&'t DeTable<'s>>,
    mistakes: Vec<Mistake>,
}

impl Judge<'_, '_> {
    fn wrong(&mut self, field: &str, message: impl Into<String>) {
        if self.mistakes.len() > MOST_MISTAKES {
            return;
        }
        let line = place(self.source, self.places, field);
        self.mistakes.push(mistake(line, field, message));
    }

    /// Says that there are more mistakes, if there are.
    fn end(&mut self) {
        if self.mistakes.len() > MOST_MISTAKES {
            self.mistakes.truncate(MOST_MISTAKES);
            self.mistakes
                .push(mistake(0, "", "there are more mistakes; mend these first"));
        }
    }

    fn within(&mut self, field: &str, value: i64, most: i64, unit: &str) {
        if !(1..=most).contains(&value) {
            self.wrong(field, format!("{value} is not between 1 and {most} {unit}"));
        }
    }

    fn tool(&mut self, field: &str, name: &str, tools: &[&str]) {
        if !tools.contains(&name) {
            self.wrong(
                field,
                format!(
                    "there is no tool {:?}; the tools are {}",
                    shown(name, 60),
                    tools.join(", ")
                ),
            );
        }
    }

    fn at_most(&mut self, field: &str, count: usize, most: usize, what: &str) {
        if count > most {
            self.wrong(field, format!("has {count} {what}; at most {most} fit"));
        }
    }

    fn rules(&mut self, rules: &Rules, tools: &[&str]) {
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
                self.wrong(&format!("{at}.name"), "needs a name of its own");
            }
            for (i, tool) in rule.tools.iter().enumerate() {
                self.tool(&format!("{at}.tools[{i}]"), tool, tools);
            }
            self.conditions(&format!("{at}.where"), &rule.conditions);
            self.groups(&format!("{at}.groups"), &rule.groups);
            let places = rule
                .groups
                .iter()
                .fold(0_usize, |sum, group| sum.saturating_add(group.approvals));
            self.at_most(&format!("{at}.groups"), places, MOST_PLACES, "approvals together");
            let fits_all = rule.tools.is_empty() && rule.risk.is_empty() && rule.conditions.is_empty();
            let last = n + 1 == rules.decide.len();
            if last && !fits_all {
                self.wrong(
                    &at,
                    "is the last rule and does not fit all actions; nobody could decide the others. End with one without tools, risk and where",
                );
            }
            if !last && fits_all {
                self.wrong(&at, "fits all actions, so no rule after it would ever count");
            }
        }
        if rules.decide.is_empty() {
            self.wrong("decide", "is empty, so nobody could decide anything");
        }
        let hours = &rules.expiry_hours;
        self.within("expiry_hours.low", hours.low, LONGEST_WAIT, "hours");
        self.within("expiry_hours.medium", hours.medium, LONGEST_WAIT, "hours");
        self.within("expiry_hours.high", hours.high, LONGEST_WAIT, "hours");
        self.within("evidence.max_age_days", rules.evidence.max_age_days, 3650, "days");
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
                self.wrong(&format!("roles.forbidden[{n}]"), "needs two roles or more, each once");
            }
        }
        for (check, meaning) in &rules.checks {
            if *meaning == VerdictOverride::Warn && !SOFT.contains(check) {
                self.wrong(
                    &format!("checks.{}", check.as_str()),
                    "protects what an approval rests on: what it blocks stays blocked",
                );
            }
        }
    }

    fn conditions(&mut self, at: &str, conditions: &[Condition]) {
        self.at_most(at, conditions.len(), MOST_IN_LIST, "conditions");
        for (n, condition) in conditions.iter().enumerate() {
            let field = format!("{at}[{n}]");
            if !condition.at.starts_with('/') {
                self.wrong(&format!("{field}.at"), "is no JSON pointer; one begins with /");
            }
            self.at_most(&format!("{field}.is"), condition.is.len(), MOST_IN_LIST, "values");
            if condition.at.matches('*').count() > MOST_STARS {
                self.wrong(&format!("{field}.at"), format!("has more than {MOST_STARS} `*`"));
            }
            if condition.is.is_empty() == condition.at_least.is_none() {
                self.wrong(&field, "needs either `is` or `at_least`");
            }
        }
    }

    fn groups(&mut self, at: &str, groups: &[Group]) {
        if groups.is_empty() {
            self.wrong(at, "names no group, so nobody could decide");
        }
        let mut names = BTreeSet::new();
        for (n, group) in groups.iter().enumerate() {
            let field = format!("{at}[{n}]");
            if group.name.trim().is_empty() || !names.insert(group.name.as_str()) {
                self.wrong(&format!("{field}.name"), "needs a name of its own");
            }
            if !(1..=MOST_APPROVALS).contains(&group.approvals) {
                self.wrong(
                    &format!("{field}.approvals"),
                    format!("{} is not between 1 and {MOST_APPROVALS}", group.approvals),
                );
            }
            for (i, known) in group.people.iter().enumerate() {
                if Address::parse(known).is_none() && PersonId::parse(known).is_err() {
                    self.wrong(
                        &format!("{field}.people[{i}]"),
                        format!("{known:?} is neither a person's ID (per_...) nor an e-mail address"),
                    );
                }
            }
            for (i, role) in group.roles.iter().enumerate() {
                if !matches!(role, Role::Reviewer | Role::Lead) {
                    self.wrong(
                        &format!("{field}.roles[{i}]"),
                        format!("{} decides nothing; reviewer and lead do", role.as_str()),
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOLS: [&str; 2] = ["loopiq_accept_risk", "loopiq_create_work_item"];

    fn mistakes(source: &str) -> Vec<String> {
        read(source, &TOOLS)
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn an_empty_file_is_the_built_in_policy() {
        assert_eq!(read("", &TOOLS).unwrap(), Rules::default());
    }

    #[test]
    fn one_that_is_too_long_is_wrong_at_no_line() {
        let long = "#".repeat(LONGEST + 1);
        assert_eq!(mistakes(&long), ["it has 65537 bytes; at most 65536 fit"]);
    }

    #[test]
    fn a_long_or_hidden_name_is_told_in_short() {
        let long = "n".repeat(30_000);
        let sources = [
            format!("{long} = 1"),
            format!("[checks]\n{long} = \"warn\""),
            format!("[[risk]]\ntool = \"{long}\"\nclass = \"low\""),
            "\"a\\u202E\\nb\" = 1".to_owned(),
        ];
        for told in sources.iter().flat_map(|source| mistakes(source)) {
            assert!(
                told.chars().count() < 900 && !told.contains(['\u{202E}', '\n']),
                "{told}"
            );
        }
    }

    #[test]
    fn of_many_mistakes_the_first_are_told() {
        let tools = "\"a\",".repeat(10_000);
        let source = format!("decide = [{{ name = \"n\", tools = [{tools}], groups = [{{ name = \"g\" }}] }}]");
        let told = mistakes(&source);
        assert_eq!(told.len(), MOST_MISTAKES + 1);
        assert_eq!(told.last().unwrap(), "there are more mistakes; mend these first");
    }

    #[test]
    fn broken_toml_and_unknown_fields_are_named_by_line() {
        assert_eq!(
            mistakes("\n[expiry_hours\nlow = 1"),
            ["line 2: unclosed table, expected `]`"]
        );
        insta::assert_snapshot!(mistakes("[separation]\ncaller_may_decides = true").join("\n"));
        insta::assert_snapshot!(mistakes("[expiry_hours]\nlow = \"long\"").join("\n"));
        insta::assert_snapshot!(mistakes("[checks]\nspelling = \"warn\"").join("\n"));
    }

    #[test]
    fn what_would_lock_people_out_is_refused() {
        let source = r#"
[[risk]]
tool = "loopiq_acept_risk"
where = [{ at = "children" }]
class = "high"

[[decide]]
name = "Waivers"
tools = ["loopiq_accept_risk"]
groups = [
    { name = "A", roles = ["auditor"], approvals = 0 },
    { name = "A" },
]

[expiry_hours]
high = 0

[checks]
evidence = "warn"
duplicates = "warn"
"#;
        insta::assert_snapshot!(mistakes(source).join("\n"));
        insta::assert_snapshot!(mistakes("decide = []").join("\n"));
    }

    #[test]
    fn people_roles_and_limits_are_named_by_line() {
        let source = "[[decide]]\nname = \"x\"\ngroups = [{ name = \"y\", people = [\"Dana\", \"dana@x.example\"] }]\n\
                      [roles]\nforbidden = [[\"operator\", \"lead\"], [\"lead\"]]\n[limits]\npending_per_caller = 0\n";
        assert_eq!(
            mistakes(source),
            [
                "line 3, decide[0].groups[0].people[0]: \"Dana\" is neither a person's ID (per_...) nor an e-mail address",
                "line 7, limits.pending_per_caller: 0 is not between 1 and 1000000 actions",
                "line 5, roles.forbidden[1]: needs two roles or more, each once",
            ]
        );
    }
}
