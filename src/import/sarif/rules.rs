//! What a result takes from its rule: which rule it is, its words and how bad it is.

use super::super::{Severity, severity};
use super::model::{Component, Message, Outcome, Rule, Text, Tool};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// How many `/` of a rule ID are taken off in search of its parent (3.52.4); no tool nests deeper.
const MAX_DEPTH: usize = 8;

/// The most bytes that a message with placeholders may grow to: arguments can stand in it many times.
const MAX_EXPANDED: usize = 64 << 10;

/// The most bytes of a placeholder with its braces.
const LONGEST_PLACEHOLDER: usize = 24;

/// The rules of a run: the driver's (component 0) and its extensions', found by index, ID or parent's ID.
pub(super) struct Rules<'a> {
    components: Vec<&'a Component>,
    names: BTreeMap<&'a str, usize>,
    in_component: BTreeMap<(usize, &'a str), &'a Rule>,
    anywhere: BTreeMap<&'a str, (usize, &'a Rule)>,
}

/// A result's rule as far as the file describes it.
pub(super) struct RuleOf<'a> {
    /// Never empty.
    pub id: &'a str,
    rule: Option<&'a Rule>,
    component: &'a Component,
}

impl<'a> Rules<'a> {
    pub(super) fn new(tool: &'a Tool) -> Self {
        let components: Vec<&Component> = std::iter::once(&tool.driver)
            .chain(tool.extensions.iter().flatten())
            .collect();
        let mut rules = Self {
            names: BTreeMap::new(),
            in_component: BTreeMap::new(),
            anywhere: BTreeMap::new(),
            components: Vec::new(),
        };
        for (index, component) in components.iter().enumerate() {
            if let Some(name) = &component.name {
                rules.names.entry(name).or_insert(index);
            }
            for rule in component.rules.iter().flatten() {
                if let Some(id) = &rule.id {
                    rules.in_component.entry((index, id)).or_insert(rule);
                    rules.anywhere.entry(id).or_insert((index, rule));
                }
            }
        }
        rules.components = components;
        rules
    }

    /// The rule of a result. Its ID outranks its index: an index that points at another rule is a mistake that some
    /// tools make.
    pub(super) fn of<'r>(&'r self, result: &'r Outcome) -> RuleOf<'r> {
        let reference = result.rule.as_ref();
        let id = filled(&result.rule_id).or_else(|| filled(&reference?.id));
        let index = reference.and_then(|reference| reference.index).or(result.rule_index);
        let tool = reference.and_then(|reference| reference.tool_component.as_ref());
        let component = tool
            .and_then(|tool| {
                let extension = tool.index.map(|index| index.saturating_add(1));
                extension.or_else(|| self.names.get(tool.name.as_deref()?).copied())
            })
            .filter(|component| *component < self.components.len())
            .unwrap_or(0);

        let by_index = index.and_then(|index| self.components[component].rules.as_ref()?.get(index));
        let by_index = by_index.filter(|rule| match (id, filled(&rule.id)) {
            (Some(id), Some(rule)) => id
                .strip_prefix(rule)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            _ => true,
        });
        let (component, rule) = match by_index {
            Some(rule) => (component, Some(rule)),
            None => id
                .and_then(|id| self.by_id(component, id))
                .map_or((component, None), |(at, rule)| (at, Some(rule))),
        };
        let known = rule.and_then(|rule| filled(&rule.id).or_else(|| filled(&rule.name)));
        RuleOf {
            id: id.or(known).unwrap_or("(no rule)"),
            rule,
            component: self.components[component],
        }
    }

    fn by_id(&self, component: usize, id: &str) -> Option<(usize, &'a Rule)> {
        let parents = std::iter::successors(Some(id), |id| id.rsplit_once('/').map(|(parent, _)| parent));
        parents.take(MAX_DEPTH).find_map(|id| {
            let here = self.in_component.get(&(component, id)).map(|rule| (component, *rule));
            here.or_else(|| self.anywhere.get(id).copied())
        })
    }
}

fn filled(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

fn words(text: &Option<Text>) -> Option<&str> {
    text.as_ref().and_then(Text::plain)
}

impl<'a> RuleOf<'a> {
    /// The result's message; if it has none, the rule's description, and else the rule's ID.
    pub(super) fn message<'m>(&'m self, result: &'m Outcome) -> Cow<'m, str> {
        if let Some(text) = &result.message {
            if let Text::Message(message) = text
                && let Some(filled) = self.filled_in(text, message)
            {
                return filled;
            }
            if let Some(plain) = text.plain() {
                return plain.into();
            }
        }
        let described = self
            .rule
            .and_then(|rule| words(&rule.full_description).or_else(|| words(&rule.short_description)));
        described.unwrap_or(self.id).into()
    }

    /// A message with placeholders (3.11.5), its own or, by its ID, the rule's or the tool's (3.11.7). A text without
    /// arguments is left alone: scanners quote code in it, and its braces are meant as they stand.
    fn filled_in(&self, text: &Text, message: &Message) -> Option<Cow<'_, str>> {
        let arguments = message.arguments.as_deref().unwrap_or_default();
        if let Some(own) = text.plain() {
            return (!arguments.is_empty()).then(|| substitute(own, arguments).into());
        }
        let id = filled(&message.id)?;
        let strings = [
            self.rule.and_then(|rule| rule.message_strings.as_ref()),
            self.component.global_message_strings.as_ref(),
        ];
        let found = strings
            .into_iter()
            .flatten()
            .find_map(|strings| strings.get(id)?.plain())?;
        Some(substitute(found, arguments).into())
    }

    /// The rule's short description or name, else the first line of the message, else the ID.
    pub(super) fn title<'t>(&'t self, message: &'t str) -> &'t str {
        let named = self
            .rule
            .and_then(|rule| words(&rule.short_description).or_else(|| filled(&rule.name)));
        named
            .or_else(|| message.lines().find(|line| !line.trim().is_empty()))
            .unwrap_or(self.id)
    }

    /// Where the rule is explained, as the file has it.
    pub(super) fn help_uri(&self) -> Option<&'a str> {
        filled(&self.rule?.help_uri)
    }

    /// `security-severity` of the result or its rule, else the level: the result's, the rule's default, `warning`
    /// (3.27.10). Levels are three and say how urgent a rule is to developers; they reach no higher than
    /// [`Severity::High`].
    pub(super) fn severity(&self, result: &Outcome) -> Severity {
        let score = |properties: &Option<super::model::Properties>| {
            properties
                .as_ref()
                .and_then(|properties| security_severity(properties.security_severity.as_ref()?))
        };
        let default = || level(self.rule?.default_configuration.as_ref()?.level.as_deref()?);
        score(&result.properties)
            .or_else(|| score(&self.rule?.properties))
            .or_else(|| level(result.level.as_deref()?))
            .or_else(default)
            .unwrap_or(Severity::Medium)
    }
}

/// GitHub's property (docs.github.com, "SARIF support for code scanning", reportingDescriptor object): a score, as a
/// number or as text. Semgrep writes the words instead.
fn security_severity(value: &Value) -> Option<Severity> {
    match value {
        Value::String(text) => severity::word(text).or_else(|| severity::number(text)),
        Value::Number(number) => severity::score(number.as_f64()?),
        _ => None,
    }
}

fn level(level: &str) -> Option<Severity> {
    let level = level.trim();
    let levels = [
        ("error", Severity::High),
        ("warning", Severity::Medium),
        ("note", Severity::Low),
        ("none", Severity::None),
    ];
    let known = levels.iter().find(|(word, _)| level.eq_ignore_ascii_case(word));
    known.map(|(_, severity)| *severity)
}

/// Puts arguments for `{0}`, `{1}`, ... and one brace for two, in one pass, so that an argument's own braces stay as
/// they are.
fn substitute(text: &str, arguments: &[String]) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let tail = &rest[at..];
        // No number is longer; the end of the text is not looked for at each brace.
        let head = &tail[..tail.floor_char_boundary(LONGEST_PLACEHOLDER)];
        let placeholder = head.find('}').map(|end| (&tail[1..end.max(1)], &tail[end + 1..]));
        let placeholder = placeholder.filter(|_| tail.starts_with('{'));
        let argument =
            placeholder.and_then(|(digits, after)| Some((arguments.get(digits.parse::<usize>().ok()?)?, after)));
        (out, rest) = if let Some((argument, after)) = argument {
            (out + argument, after)
        } else {
            let doubled = tail.starts_with("{{") || tail.starts_with("}}");
            (out + &tail[..1], &tail[if doubled { 2 } else { 1 }..])
        };
        if out.len() > MAX_EXPANDED {
            return out;
        }
    }
    out + rest
}
