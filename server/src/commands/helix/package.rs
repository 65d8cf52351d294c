//! Builds the arguments of `loopiq_create_remediation_work_package` for a group of findings. Pure: the arguments do not depend on
//! the time or on other groups, because a second run must send the same arguments with the same idempotency key.

use super::plan::{Child, Group, clip, clip_front, line};
use loopiq::domain::canonical::sha256_hex;
use loopiq::domain::{ComponentKind, Priority, Severity};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const MAX_TITLE: usize = 200;
const MAX_REASON: usize = 500;
/// The maximum number of characters of a rule's title, because scanners write whole paragraphs there. The description contains more of it.
const MAX_RULE_TITLE: usize = 100;
/// The number of locations that a description lists. The tasks name all of them.
const MAX_LOCATIONS: usize = 20;

/// A release, from `loopiq_get_release`.
#[derive(Debug, Deserialize)]
pub(super) struct Release {
    pub id: String,
    pub key: String,
    pub teams: Vec<Team>,
    pub components: Vec<Component>,
    pub certifications: Vec<Certification>,
}

/// A team.
#[derive(Debug, Deserialize)]
pub(super) struct Team {
    pub id: String,
    pub key: String,
}

/// A component and the team responsible for it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Component {
    pub id: String,
    pub kind: ComponentKind,
    pub key: String,
    pub name: String,
    pub team_id: String,
}

/// A certification.
#[derive(Debug, Deserialize)]
pub(super) struct Certification {
    pub id: String,
    pub status: String,
}

/// A blocker, from `loopiq_list_blockers`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Blocker {
    pub id: String,
    pub key: String,
    #[serde(default)]
    pub finding_id: Option<String>,
}

impl Release {
    fn component(&self, name: Option<&str>) -> Option<&Component> {
        let name = name?;
        self.components.iter().find(|component| {
            [&component.key, &component.name, &component.id]
                .iter()
                .any(|own| *own == name)
        })
    }

    /// The team of the component that the scanner named, else the first team by key. The flag says whether the team is a guess.
    fn team<'a>(&'a self, component: Option<&'a Component>) -> Option<(&'a str, bool)> {
        if let Some(component) = component {
            return Some((&component.team_id, false));
        }
        let first = self.teams.iter().min_by_key(|team| &team.key)?;
        Some((&first.id, self.teams.len() > 1))
    }
}

/// The story's title: what to fix, and where.
pub(super) fn title(group: &Group) -> String {
    format!(
        "Fix in {1}: {0}",
        clip(&group.title, MAX_RULE_TITLE),
        clip_front(&group.area, 60)
    )
}

/// The arguments; `None` if the release has no team.
pub(super) fn arguments(group: &Group, release: &Release, blockers: &[Blocker]) -> Option<Map<String, Value>> {
    let component = release.component(group.component.as_deref());
    let (team, is_guess) = release.team(component)?;
    let ids = group.finding_ids();
    let mut blockers: Vec<&Blocker> = blockers
        .iter()
        .filter(|blocker| blocker.finding_id.as_deref().is_some_and(|id| ids.contains(id)))
        .collect();
    blockers.sort_by(|a, b| a.id.cmp(&b.id));

    let mut arguments = Map::new();
    arguments.insert("releaseId".into(), json!(release.id));
    let is_pending = |certification: &&Certification| certification.status != "granted";
    if let Some(certification) = release.certifications.iter().find(is_pending) {
        arguments.insert("certificationId".into(), json!(certification.id));
    }
    arguments.insert("teamId".into(), json!(team));
    if let Some(component) = component {
        arguments.insert(component.kind.as_str().into(), json!(component.key));
    }
    arguments.insert(
        "parent".into(),
        json!({
            "title": title(group),
            "description": description(group, release, &blockers, is_guess),
            "priority": priority(group.severity),
            "acceptanceCriteria": [
                format!(
                    "A new scan of {} no longer reports {} in {}.",
                    release.key,
                    clip(&line(&group.rule), 200),
                    clip_front(&group.area, 200)
                ),
                "Each finding of this package is fixed, or a person has decided otherwise.",
            ],
        }),
    );
    let children: Vec<Value> = group
        .children
        .iter()
        .enumerate()
        .map(|(n, child)| task(n + 1, group, child))
        .collect();
    arguments.insert("children".into(), json!(children));
    arguments.insert(
        "blockerIds".into(),
        json!(blockers.iter().map(|blocker| &blocker.id).collect::<Vec<_>>()),
    );
    arguments.insert("reason".into(), json!(reason(group, release, &blockers)));
    arguments.insert("workflow".into(), json!("release-readiness"));
    arguments.insert("idempotencyKey".into(), json!(idempotency_key(&release.id, &ids)));
    Some(arguments)
}

fn task(number: usize, group: &Group, child: &Child) -> Value {
    let findings: Vec<&str> = child.findings.iter().map(|finding| finding.id.as_str()).collect();
    let evidence: BTreeSet<&String> = child
        .findings
        .iter()
        .flat_map(|finding| &finding.evidence_ids)
        .collect();
    let lines: Vec<String> = child
        .findings
        .iter()
        .map(|finding| {
            let at = finding.line.map(|line| format!(", line {line}")).unwrap_or_default();
            let message = Some(line(&finding.message))
                .filter(|text| !text.is_empty())
                .unwrap_or_else(|| line(&finding.title));
            format!(
                "{} ({}{at}): {}",
                finding.key,
                finding.severity.as_str(),
                clip(&message, 400)
            )
        })
        .collect();
    let mut lines = lines;
    lines.push(format!("Rule: {}", clip(&line(&group.rule), 200)));
    json!({
        "clientRef": format!("task-{number}"),
        "title": task_title(group, child),
        "description": clip(&lines.join("\n"), 9_000),
        "findingIds": findings,
        "controlIds": [],
        "evidenceIds": evidence,
    })
}

/// Names the finding by its own title and its location, `file:line`, so that each task has a different title.
fn task_title(group: &Group, child: &Child) -> String {
    let first = child.findings.first();
    let location = match (&child.location, first) {
        (Some(location), Some(first)) => {
            let line_of = |line: i64| format!(":{line}");
            let many = child.findings.len();
            let behind = match many {
                1 => first.line.map(line_of).unwrap_or_default(),
                _ => format!(" ({many} locations)"),
            };
            format!("{}{behind}", clip_front(&line(location), 100))
        }
        (None, Some(first)) => format!("{} ({})", clip(&group.area, 60), line(&first.key)),
        (_, None) => clip(&group.area, 60),
    };
    let room = MAX_TITLE - location.chars().count() - "Fix  in ".len();
    let title = first.map(|first| line(&first.title)).filter(|title| !title.is_empty());
    format!(
        "Fix {} in {location}",
        clip(title.as_ref().unwrap_or(&group.title), room)
    )
}

fn description(group: &Group, release: &Release, blockers: &[&Blocker], is_guess: bool) -> String {
    let count = group.findings().count();
    let providers: BTreeSet<String> = group.findings().map(|finding| line(&finding.provider)).collect();
    let providers: Vec<String> = providers.into_iter().collect();
    let mut text = format!(
        "{} reported \"{}\" ({}) in {}: {count} open {}, the most severe {}. This blocks the certification of {}.\n\n",
        clip(&providers.join(", "), 200),
        clip(&group.title, 300),
        clip(&line(&group.rule), 200),
        group.area,
        if count == 1 { "finding" } else { "findings" },
        group.severity.as_str(),
        release.key,
    );
    for finding in group.findings().take(MAX_LOCATIONS) {
        let location = finding
            .location
            .as_deref()
            .map(|location| clip_front(&line(location), 200));
        let location = location.unwrap_or_else(|| group.area.clone());
        let at = finding.line.map(|line| format!(":{line}")).unwrap_or_default();
        text.push_str(&format!("- {}: {location}{at}\n", finding.key));
    }
    if count > MAX_LOCATIONS {
        text.push_str(&format!("- and {} more; each has a task\n", count - MAX_LOCATIONS));
    }
    if !blockers.is_empty() {
        let keys: Vec<&str> = blockers
            .iter()
            .take(MAX_LOCATIONS)
            .map(|blocker| blocker.key.as_str())
            .collect();
        text.push_str(&format!("\nBlockers: {}.\n", keys.join(", ")));
    }
    if is_guess {
        text.push_str("\nThe scanner named no component of this release, so the team is a guess. Check it.\n");
    }
    clip(&text, 9_900)
}

/// The reason, with as many IDs of the records read as fit.
fn reason(group: &Group, release: &Release, blockers: &[&Blocker]) -> String {
    let mut text = format!(
        "Of the open blockers and findings of {} ({}) that I read, these are {} in {}, and no open work item covers them:",
        release.key,
        release.id,
        clip(&line(&group.rule), 80),
        clip_front(&group.area, 60),
    );
    let evidence: BTreeSet<&str> = group
        .findings()
        .flat_map(|finding| finding.evidence_ids.iter().take(1))
        .map(String::as_str)
        .collect();
    let cited = blockers.iter().map(|blocker| blocker.id.as_str()).take(2);
    let cited = cited
        .chain(evidence.into_iter().take(2))
        .chain(group.findings().map(|finding| finding.id.as_str()));
    for id in cited {
        if text.chars().count() + id.len() + 2 > MAX_REASON {
            break;
        }
        text.push(' ');
        text.push_str(id);
    }
    clip(&text, MAX_REASON)
}

/// The idempotency key: the same findings of the same release have the same key.
fn idempotency_key(release: &str, findings: &BTreeSet<&str>) -> String {
    let ids: Vec<&str> = findings.iter().copied().collect();
    format!(
        "helix-{}",
        &sha256_hex(format!("{release} {}", ids.join(" ")).as_bytes())[..40]
    )
}

fn priority(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => Priority::Critical,
        Severity::High => Priority::High,
        Severity::Medium => Priority::Medium,
        Severity::Low | Severity::None => Priority::Low,
    }
    .as_str()
}

#[cfg(test)]
mod tests;
