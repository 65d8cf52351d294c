//! Parses a policy from TOML and reports each mistake with its line and field.

use crate::domain::text::visible;
use crate::policy::rules::Rules;
use crate::policy::validate::Validator;
use serde::{Deserialize, Serialize};
use toml::de::{DeTable, DeValue};

/// The longest policy, in bytes; a longer one is refused.
const LONGEST: usize = 64 * 1024;

/// A mistake in a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mistake {
    /// The line, from 1; 0 for a mistake without line.
    pub line: usize,
    /// The field, such as `decide[0].groups[1].teams[0]`; empty for a syntax error of TOML.
    pub field: String,
    /// What is wrong, and what is allowed.
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

/// Parses the rules of a stored policy version. The version was valid when it was stored; a tool that is gone since
/// does not matter.
///
/// # Errors
/// A TOML error, or an unknown field or value.
pub fn parse(source: &str) -> Result<Rules, Vec<Mistake>> {
    toml::Deserializer::parse(source)
        .map_err(|error| vec![from_toml(source, "", &error)])
        .and_then(|document| {
            serde_path_to_error::deserialize(document).map_err(|error| {
                let field = error.path().to_string();
                let field = if field == "." {
                    String::new()
                } else {
                    field.replace(".?", "")
                };
                vec![from_toml(source, &field, error.inner())]
            })
        })
}

/// Parses and validates the rules of a policy that an operator wants to switch on.
///
/// # Errors
/// All mistakes, up to a limit; for a TOML error, the first.
pub fn read(source: &str, tools: &[&str]) -> Result<Rules, Vec<Mistake>> {
    if source.len() > LONGEST {
        let message = format!("it has {} bytes; at most {LONGEST} fit", source.len());
        return Err(vec![mistake(0, "", message)]);
    }
    let rules = parse(source)?;
    let table = DeTable::parse(source).ok();
    let table = table.as_ref().map(|table| table.get_ref());
    let mut validator = Validator::new(source, table);
    validator.rules(&rules, tools);
    if let Some(table) = table {
        let message = "a text contains the character U+0000, which cannot be stored";
        let lines = nul_lines(source, table).into_iter();
        validator.add(lines.map(|line| mistake(line, "", message)));
    }
    let mistakes = validator.finish();
    if mistakes.is_empty() { Ok(rules) } else { Err(mistakes) }
}

pub(super) fn mistake(line: usize, field: &str, message: impl Into<String>) -> Mistake {
    Mistake {
        line,
        field: shown(field, 200),
        message: shown(&message.into(), 600),
    }
}

/// Cuts a text and makes hidden characters visible. The text contains names from the file.
pub(super) fn shown(text: &str, most: usize) -> String {
    let head: String = text.chars().take(most).collect();
    let more = if text.chars().nth(most).is_some() { "…" } else { "" };
    visible(&head.replace('\n', " ")) + more
}

fn from_toml(source: &str, field: &str, error: &toml::de::Error) -> Mistake {
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

/// The line of a field such as `decide[0].groups[1].name`, or of the nearest enclosing field that the file has.
pub(super) fn line_of_field(source: &str, table: Option<&DeTable<'_>>, field: &str) -> usize {
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

/// The lines of texts that contain U+0000, which TOML can write as an escape.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::validate::*;

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
        assert_eq!(told.last().unwrap(), "there are more mistakes; correct these first");
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
