//! Which findings belong together. Pure: the same records give the same groups in the same order, so that running the agent
//! twice proposes the same actions twice, and the service answers with the ones it has.

use loopiq::domain::{Severity, text};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The most tasks that one work package takes.
pub(super) const MAX_CHILDREN: usize = 50;

/// A finding, as `loopiq_list_findings` tells it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Finding {
    pub id: String,
    pub key: String,
    pub provider: String,
    pub rule: String,
    pub title: String,
    #[serde(default)]
    pub message: String,
    pub severity: Severity,
    #[serde(default)]
    pub location: Option<String>,
    #[serde(default)]
    pub line: Option<i64>,
    #[serde(default)]
    pub component: Option<String>,
    #[serde(default)]
    pub evidence_ids: Vec<String>,
}

/// Findings of one rule in one area: what one work package is about.
#[derive(Debug)]
pub(super) struct Group {
    pub rule: String,
    /// The rule in words.
    pub title: String,
    /// The part of the code, or the component, in which they were found.
    pub area: String,
    pub component: Option<String>,
    /// The worst of them.
    pub severity: Severity,
    pub children: Vec<Child>,
    /// How many findings did not fit into [`MAX_CHILDREN`] tasks.
    pub left: usize,
}

/// The findings of one file, or one finding that has no file.
#[derive(Debug)]
pub(super) struct Child {
    pub location: Option<String>,
    pub findings: Vec<Finding>,
}

impl Group {
    /// Every finding in it, by ID.
    pub(super) fn finding_ids(&self) -> BTreeSet<&str> {
        self.findings().map(|finding| finding.id.as_str()).collect()
    }

    /// Every finding in it, in the order of its tasks.
    pub(super) fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.children.iter().flat_map(|child| &child.findings)
    }
}

/// The groups, the worst first, then the largest. Findings that some open work item already rests on are left out.
pub(super) fn groups(findings: Vec<Finding>, taken: &BTreeSet<String>) -> Vec<Group> {
    let mut by_area: BTreeMap<(String, Option<String>, String), Vec<Finding>> = BTreeMap::new();
    for finding in findings.into_iter().filter(|finding| !taken.contains(&finding.id)) {
        let key = (finding.rule.clone(), finding.component.clone(), area(&finding));
        by_area.entry(key).or_default().push(finding);
    }
    let groups = by_area
        .into_iter()
        .filter_map(|((rule, component, area), findings)| group(rule, component, area, findings));
    let mut groups: Vec<Group> = groups.collect();
    // Stable: what is equal here stays in the order of rule, component and area.
    groups.sort_by_key(|group| std::cmp::Reverse((group.severity, group.findings().count())));
    groups
}

fn group(rule: String, component: Option<String>, area: String, mut findings: Vec<Finding>) -> Option<Group> {
    findings.sort_by(|a, b| (&a.location, a.line, &a.id).cmp(&(&b.location, b.line, &b.id)));
    let severity = findings.iter().map(|finding| finding.severity).max()?;
    let title = findings
        .first()
        .map(|finding| line(&finding.title))
        .filter(|title| !title.is_empty());
    let title = title.unwrap_or_else(|| line(&rule));
    let mut children: Vec<Child> = Vec::new();
    let mut left = 0;
    for finding in findings {
        let has_room = children.len() < MAX_CHILDREN;
        match children.last_mut() {
            Some(child) if finding.location.is_some() && child.location == finding.location => {
                child.findings.push(finding)
            }
            _ if has_room => {
                children.push(Child {
                    location: finding.location.clone(),
                    findings: vec![finding],
                });
            }
            _ => left += 1,
        }
    }
    Some(Group {
        rule,
        title,
        area,
        component,
        severity,
        children,
        left,
    })
}

/// The first two directories of the path, the host of an address, the component, or the place itself: the first that there is.
fn area(finding: &Finding) -> String {
    let place = finding.location.as_deref().map(line).unwrap_or_default();
    if let Some((scheme, rest)) = place.split_once("://")
        && scheme != "file"
    {
        return rest.split('/').next().unwrap_or_default().to_owned();
    }
    let path = place.strip_prefix("file://").unwrap_or(&place).replace('\\', "/");
    let mut segments: Vec<&str> = path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    let file = segments.pop();
    segments.truncate(2);
    match (segments.is_empty(), &finding.component, file) {
        (false, ..) => segments.join("/"),
        (true, Some(component), _) => line(component),
        (true, None, Some(file)) => file.to_owned(),
        (true, None, None) => line(&finding.provider),
    }
}

/// A scanner's text on one line, with hidden characters made visible: the service refuses them.
pub(super) fn line(text: &str) -> String {
    text::visible(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most so many characters, with an ellipsis where something was cut off: between two words, if that costs little.
pub(super) fn clip(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    let whole_words = kept
        .rfind(' ')
        .filter(|end| *end > kept.len() / 2)
        .map_or(kept.as_str(), |end| &kept[..end]);
    format!("{}…", whole_words.trim_end())
}

/// The same for a path, whose end tells the most.
pub(super) fn clip_front(text: &str, most: usize) -> String {
    let length = text.chars().count();
    if length <= most {
        return text.to_owned();
    }
    format!("…{}", text.chars().skip(length + 1 - most).collect::<String>())
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
