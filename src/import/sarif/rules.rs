//! Finds the rule of a result, and takes message, title and severity from it.

use super::super::vulnerability::leading_id;
use super::super::{Severity, Vulnerability, purl, severity};
use super::model::{Component, Message, Outcome, Rule, RuleReference, Text, Tool};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// How many parents of a rule ID are tried (3.52.4). No known tool nests deeper.
const MAX_DEPTH: usize = 8;

/// The most bytes of a message with its arguments; the rest is left out. One argument can occur in it many times.
const MAX_EXPANDED: usize = 64 << 10;

/// The most bytes of a placeholder with its braces; longer ones are taken as text.
const LONGEST_PLACEHOLDER: usize = 24;

/// The rules of a run: the driver's (component 0) and its extensions', by index, ID, parent's ID or GUID.
pub(super) struct Rules<'a> {
    components: Vec<&'a Component>,
    /// Components by name, and by GUID in lower case.
    names: BTreeMap<&'a str, usize>,
    guids: BTreeMap<String, usize>,
    in_component: BTreeMap<(usize, &'a str), At>,
    anywhere: BTreeMap<&'a str, At>,
    by_guid: BTreeMap<String, At>,
}

/// A component, and the index of a rule in it.
type At = (usize, usize);

/// The rule of a result, as far as the file describes it.
pub(super) struct RuleOf<'a> {
    /// Never empty.
    pub id: &'a str,
    pub at: Option<At>,
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
            guids: BTreeMap::new(),
            in_component: BTreeMap::new(),
            anywhere: BTreeMap::new(),
            by_guid: BTreeMap::new(),
            components: Vec::new(),
        };
        for (index, component) in components.iter().enumerate() {
            if let Some(name) = &component.name {
                rules.names.entry(name).or_insert(index);
            }
            if let Some(guid) = guid(&component.guid) {
                rules.guids.entry(guid).or_insert(index);
            }
            for (number, rule) in component.rules.iter().flatten().enumerate() {
                let at = (index, number);
                if let Some(id) = &rule.id {
                    rules.in_component.entry((index, id)).or_insert(at);
                    rules.anywhere.entry(id).or_insert(at);
                }
                if let Some(guid) = guid(&rule.guid) {
                    rules.by_guid.entry(guid).or_insert(at);
                }
            }
        }
        rules.components = components;
        rules
    }

    /// The rule of a result.
    pub(super) fn find<'r>(&'r self, result: &'r Outcome) -> RuleOf<'r> {
        let reference = result.rule.as_ref();
        let id = filled(&result.rule_id).or_else(|| filled(&reference?.id));
        let index = reference.and_then(|reference| reference.index).or(result.rule_index);
        self.named(id, index, reference)
    }

    /// The rule that a reference names.
    pub(super) fn find_descriptor<'r>(&'r self, reference: &'r RuleReference) -> RuleOf<'r> {
        self.named(filled(&reference.id), reference.index, Some(reference))
    }

    /// The ID takes precedence over GUID and index, because some tools write the index of another rule.
    fn named<'r>(
        &'r self,
        id: Option<&'r str>,
        index: Option<usize>,
        reference: Option<&'r RuleReference>,
    ) -> RuleOf<'r> {
        let tool = reference.and_then(|reference| reference.tool_component.as_ref());
        let component = tool
            .and_then(|tool| {
                let extension = tool.index.map(|index| index.saturating_add(1));
                extension
                    .or_else(|| self.guids.get(&guid(&tool.guid)?).copied())
                    .or_else(|| self.names.get(tool.name.as_deref()?).copied())
            })
            .filter(|component| *component < self.components.len())
            .unwrap_or(0);

        let fits = |at: &At| match (id, self.rule(*at).and_then(|rule| filled(&rule.id))) {
            (Some(id), Some(rule)) => id
                .strip_prefix(rule)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            _ => true,
        };
        let by_index = index
            .map(|index| (component, index))
            .filter(|at| self.rule(*at).is_some());
        let by_guid = reference.and_then(|reference| self.by_guid.get(&guid(&reference.guid)?).copied());
        let at = by_guid
            .filter(fits)
            .or_else(|| by_index.filter(fits))
            .or_else(|| self.by_id(component, id?));
        let rule = at.and_then(|at| self.rule(at));
        let known = rule.and_then(|rule| filled(&rule.id).or_else(|| filled(&rule.name)));
        RuleOf {
            id: id.or(known).unwrap_or("(no rule)"),
            at,
            rule,
            component: self.components[at.map_or(component, |(component, _)| component)],
        }
    }

    fn rule(&self, (component, index): At) -> Option<&'a Rule> {
        self.components.get(component)?.rules.as_ref()?.get(index)
    }

    fn by_id(&self, component: usize, id: &str) -> Option<At> {
        let parents = std::iter::successors(Some(id), |id| id.rsplit_once('/').map(|(parent, _)| parent));
        parents.take(MAX_DEPTH).find_map(|id| {
            let here = self.in_component.get(&(component, id));
            here.or_else(|| self.anywhere.get(id)).copied()
        })
    }
}

/// A GUID in lower case. A longer text is none.
fn guid(text: &Option<String>) -> Option<String> {
    filled(text)
        .filter(|text| text.len() <= 40)
        .map(str::to_ascii_lowercase)
}

fn filled(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

fn plain_text(text: &Option<Text>) -> Option<&str> {
    text.as_ref().and_then(Text::plain)
}

impl<'a> RuleOf<'a> {
    /// The result's message, or else the rule's description, or else the rule's ID.
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
            .and_then(|rule| plain_text(&rule.full_description).or_else(|| plain_text(&rule.short_description)));
        described.unwrap_or(self.id).into()
    }

    /// A message with its placeholders filled in (3.11.5): the result's own message, or the rule's or the tool's by ID
    /// (3.11.7). A text without arguments is not changed, because scanners quote code with braces in it.
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
            .and_then(|rule| plain_text(&rule.short_description).or_else(|| filled(&rule.name)));
        named
            .or_else(|| message.lines().find(|line| !line.trim().is_empty()))
            .unwrap_or(self.id)
    }

    /// The page that explains the rule, not yet checked.
    pub(super) fn help_uri(&self) -> Option<&'a str> {
        filled(&self.rule?.help_uri)
    }

    /// `security-severity` of the result or its rule, or else the level of the result, of the configuration of its
    /// invocation, of the rule or `warning` (3.27.10). A level says how urgent a rule is for developers, so it gives at
    /// most [`Severity::High`].
    pub(super) fn severity(&self, result: &Outcome, configured: impl FnOnce() -> Option<Severity>) -> Severity {
        let score = |properties: &Option<super::model::Properties>| {
            properties
                .as_ref()
                .and_then(|properties| security_severity(properties.security_severity.as_ref()?))
        };
        score(&result.properties)
            .or_else(|| score(&self.rule?.properties))
            .or_else(|| level(result.level.as_deref()?))
            .or_else(configured)
            .unwrap_or_else(|| self.default_level())
    }

    /// The rule's own level, or `warning`.
    pub(super) fn default_level(&self) -> Severity {
        let own = || level(self.rule?.default_configuration.as_ref()?.level.as_deref()?);
        own().unwrap_or(Severity::Medium)
    }

    /// The vulnerability that the rule is named after, in the packages that the rule lists.
    pub(super) fn vulnerability(&self) -> Option<Vulnerability> {
        let id = leading_id(self.id)?;
        let properties = self.rule.and_then(|rule| rule.properties.as_ref());
        let purls = properties.and_then(|properties| properties.purls.as_ref());
        let purls = purls.into_iter().flatten().filter(|name| purl::is_purl(name));
        Some(Vulnerability::new([id], purls.map(|name| name.as_str().into())))
    }
}

/// GitHub's property (docs.github.com, "SARIF support for code scanning", reportingDescriptor object): a score as a
/// number or as text. Semgrep writes a word instead.
fn security_severity(value: &Value) -> Option<Severity> {
    match value {
        Value::String(text) => severity::word(text).or_else(|| severity::number(text)),
        Value::Number(number) => severity::score(number.as_f64()?),
        _ => None,
    }
}

/// The severity for a level.
pub(super) fn level(level: &str) -> Option<Severity> {
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

/// Replaces `{0}`, `{1}`, ... by the arguments and doubled braces by one, in one pass, so that braces in an argument
/// are not changed.
fn substitute(text: &str, arguments: &[String]) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let tail = &rest[at..];
        // Only the next few bytes are searched, so that a long text of open braces is not read to its end for each
        // brace.
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
