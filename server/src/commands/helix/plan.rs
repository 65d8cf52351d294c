//! Groups findings into work packages. Pure: the same records give the same groups in the same order, so a second run proposes the same
//! actions again, and the service returns the existing ones.

use loopiq::domain::{Severity, text};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The maximum number of tasks in one work package; the tool refuses more.
pub(super) const MAX_CHILDREN: usize = 50;

/// A finding, from `loopiq_list_findings`.
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

/// The findings of one rule in one area; one work package covers them.
#[derive(Debug)]
pub(super) struct Group {
    pub rule: String,
    /// The rule's title.
    pub title: String,
    /// The part of the code, or the component, in which the findings are.
    pub area: String,
    pub component: Option<String>,
    /// The highest severity of the findings.
    pub severity: Severity,
    pub children: Vec<Child>,
    /// The number of findings beyond [`MAX_CHILDREN`] tasks.
    pub omitted: usize,
}

/// The findings of one file, or one finding that has no file.
#[derive(Debug)]
pub(super) struct Child {
    pub location: Option<String>,
    pub findings: Vec<Finding>,
}

impl Group {
    /// The IDs of all findings.
    pub(super) fn finding_ids(&self) -> BTreeSet<&str> {
        self.findings().map(|finding| finding.id.as_str()).collect()
    }

    /// All findings, in the order of the tasks.
    pub(super) fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.children.iter().flat_map(|child| &child.findings)
    }
}

/// The groups, by severity and then by size. Findings in `taken`, which an open work item covers, are left out.
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
    // The sort is stable: equal groups stay in the order of rule, component and area.
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
    let mut omitted = 0;
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
            _ => omitted += 1,
        }
    }
    Some(Group {
        rule,
        title,
        area,
        component,
        severity,
        children,
        omitted,
    })
}

/// The host of a URL, else the first two directories of a path, else the component, else the file, else the provider.
fn area(finding: &Finding) -> String {
    let location = finding.location.as_deref().map(line).unwrap_or_default();
    if let Some((scheme, rest)) = location.split_once("://")
        && scheme != "file"
    {
        return rest.split('/').next().unwrap_or_default().to_owned();
    }
    let path = location.strip_prefix("file://").unwrap_or(&location).replace('\\', "/");
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

/// A scanner's text in one line. Hidden characters are made visible, because the service refuses them.
pub(super) fn line(text: &str) -> String {
    text::visible(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first `max` characters, with an ellipsis if something was cut off. Cuts between words if that keeps more than half of the text.
pub(super) fn clip(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let kept = text::first_chars(text, max.saturating_sub(1));
    let whole_words = kept
        .rfind(' ')
        .filter(|end| *end > kept.len() / 2)
        .map_or(kept, |end| &kept[..end]);
    format!("{}…", whole_words.trim_end())
}

/// The last `max` characters, for paths: the end is the specific part.
pub(super) fn clip_front(text: &str, max: usize) -> String {
    let length = text.chars().count();
    if length <= max {
        return text.to_owned();
    }
    format!("…{}", text.chars().skip(length + 1 - max).collect::<String>())
}

#[cfg(test)]
mod tests;
