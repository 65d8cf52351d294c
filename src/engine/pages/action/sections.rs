//! The sections of the action's page, each from stored facts.

use crate::context::Ctx;
use crate::domain::*;
use crate::engine::pages::audit;
use crate::engine::pages::record_names::RecordNames;
use crate::store::AuditRecord;
use crate::tools;
use crate::views::*;
use serde_json::Value;

pub(crate) fn with_codes(words: &str, codes: &[ReasonCode]) -> PlainText {
    let codes: Vec<&str> = codes.iter().map(|code| code.label()).collect();
    let words = PlainText::from(words);
    if codes.is_empty() {
        words
    } else {
        format!("{words} ({})", codes.join("; ")).into()
    }
}

pub(crate) fn context(ctx: &Ctx, tenant: &str, scope: &tools::Scope, names: &RecordNames) -> Vec<Line> {
    let mut lines = vec![Line::text(
        "Tenant",
        format!("{} ({})", PlainText::from(tenant), ctx.tenant()),
    )];
    let mut add = |label: &str, id: Option<&str>| {
        lines.extend(id.map(|id| Line::record(label, names.named(id))));
    };
    add("Team", scope.team.as_ref().map(TeamId::as_str));
    add("Release", scope.release.as_ref().map(ReleaseId::as_str));
    add(
        "Certification",
        scope.certification.as_ref().map(CertificationId::as_str),
    );
    for component in &scope.components {
        let kind = names.facts().component(component).map(|c| c.kind.label());
        add(kind.unwrap_or("Component"), Some(component.as_str()));
    }
    lines
}

pub(crate) fn other_creates(
    change_set: &ChangeSet,
    names: &RecordNames,
    sections: &FoldableSections,
) -> Vec<Reference> {
    change_set
        .creates()
        .filter(|create| create.kind != RecordKind::WorkItem)
        .map(|create| Reference {
            section: sections.of_record(&create.id),
            record: RecordLabel {
                kind: create.kind,
                id: create.id.clone(),
                key: None,
                name: format!("New {}", create.kind.label()).into(),
            },
            lines: create
                .fields
                .iter()
                .map(
                    |(field, value)| match value.as_str().filter(|id| RecordKind::of(id).is_some()) {
                        Some(id) => Line::record(field, names.named(id)),
                        None => Line::text(field, plain(value, names)),
                    },
                )
                .collect(),
        })
        .collect()
}

pub(crate) fn updates(change_set: &ChangeSet, names: &RecordNames) -> Vec<UpdateView> {
    change_set
        .updates()
        .map(|update| UpdateView {
            record: names.named(&update.id),
            fields: update
                .fields
                .iter()
                .map(|change| {
                    (
                        (&change.field).into(),
                        plain(&change.before, names),
                        plain(&change.after, names),
                    )
                })
                .collect(),
        })
        .collect()
}

/// A value for people: names for IDs, a dash for null.
pub(crate) fn plain(value: &Value, names: &RecordNames) -> PlainText {
    match value {
        Value::Null => "—".into(),
        Value::String(id) if RecordKind::of(id).is_some() => {
            let named = names.named(id);
            format!("{} ({id})", named.key.unwrap_or(named.name)).into()
        }
        Value::String(words) => PlainText::from(words),
        other => other.to_string().into(),
    }
}

/// The findings, controls, evidence, blockers and work items that the payload names, with their details.
pub(crate) fn references(
    envelope: &Envelope,
    names: &RecordNames,
    now: Timestamp,
    sections: &FoldableSections,
) -> Vec<Reference> {
    let text = envelope.payload.to_string();
    let facts = names.facts();
    let mut found = Vec::new();
    for id in ids::scan(&text) {
        let mut lines = Vec::new();
        let mut add = |label: &str, value: String| lines.push(Line::text(label, value));
        match facts.get(id) {
            Some(Record::Evidence(evidence)) => {
                add("Provider", evidence.provider.clone());
                add("Kind", evidence.kind.clone());
                let age = relative(evidence.collected_at, now);
                add(
                    "Collected",
                    format!(
                        "{age}, {} (from {})",
                        evidence.collected_at.second(),
                        evidence.collected_from.label()
                    ),
                );
                add("SHA-256", evidence.sha256.clone());
                add("Size", format!("{} bytes", evidence.size));
                evidence.commit.iter().for_each(|commit| add("Commit", commit.clone()));
            }
            Some(Record::Finding(finding)) => {
                add("Severity", finding.severity.label().to_owned());
                add("Status", finding.status.label().to_owned());
                add("Rule", format!("{} ({})", finding.rule, finding.provider));
                if let Some(location) = &finding.location {
                    let line = finding.line.map(|line| format!("{location}:{line}"));
                    add("Where", line.unwrap_or_else(|| location.clone()));
                }
                add("Says", finding.message.clone());
                add("Last seen", relative(finding.last_seen_at, now));
            }
            Some(Record::Control(control)) => add("Status", control.status.label().to_owned()),
            Some(Record::Blocker(blocker)) => {
                add("Status", blocker.status.label().to_owned());
                add("Severity", blocker.severity.label().to_owned());
            }
            Some(Record::WorkItem(item)) => {
                add("Status", item.status.label().to_owned());
                add("Priority", item.priority.label().to_owned());
            }
            _ => continue,
        }
        found.push(Reference {
            record: names.named(id),
            lines,
            section: sections.of_record(id),
        });
    }
    found
}

pub(crate) fn claim(
    action: &Action,
    asked_by: String,
    names: &RecordNames,
    now: Timestamp,
    sections: &FoldableSections,
) -> Claim {
    Claim {
        reason: PlainText::from(&action.proposal.reason),
        asked_by: asked_by.into(),
        reads: action
            .origin
            .call_chain
            .iter()
            .map(|call| ReadView {
                tool: call.tool.clone(),
                at: When::new(call.at, now),
                records: call.record_ids.iter().map(|id| names.named(id)).collect(),
                more: call.more,
            })
            .collect(),
        unread: action.origin.unread_ids.iter().map(|id| names.named(id)).collect(),
        section: sections.of_reads(),
    }
}

/// The payload as fields: a JSON Pointer and a value for each leaf.
pub(crate) fn fields(payload: &Value) -> Vec<(String, PlainText)> {
    let mut rows = Vec::new();
    walk_leaves(payload, &mut |pointer, value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        rows.push((pointer.to_owned(), text.into()));
    });
    rows
}

pub(crate) fn identifiers(action: &Action) -> Vec<(PlainText, PlainText)> {
    let mut rows = vec![
        ("Approval ID", action.approval_id.to_string()),
        ("Action ID", action.id.to_string()),
        ("Request ID", action.origin.request_id.clone()),
        ("Trace ID", action.origin.trace_id.clone()),
        ("Idempotency key", action.proposal.idempotency_key.clone()),
        ("Digest", action.proposal.digest.clone()),
        ("Payload digest", action.proposal.payload_digest.clone()),
        (
            "Tool",
            format!("{} (version {})", action.proposal.tool, action.proposal.tool_version),
        ),
    ];
    let optional = [
        ("Client's request ID", action.origin.client_request_id.clone()),
        ("Client's trace ID", action.origin.client_trace_id.clone()),
        ("Workflow", action.proposal.workflow.clone()),
        (
            "Supersedes",
            action.proposal.supersedes.as_ref().map(ToString::to_string),
        ),
        (
            "Superseded by",
            action.lifecycle.superseded_by.as_ref().map(ToString::to_string),
        ),
    ];
    rows.extend(optional.into_iter().filter_map(|(label, value)| Some((label, value?))));
    rows.into_iter()
        .map(|(label, value)| (label.into(), value.into()))
        .collect()
}

pub(crate) fn step(record: &AuditRecord, now: Timestamp) -> TimelineStep {
    TimelineStep {
        seq: record.seq,
        event: record.event.clone(),
        words: audit::words(record).into(),
        actor: PlainText::from(&actor_label(&record.content.actor)),
        at: When::new(record.at, now),
        note: record.content.note.as_deref().map(PlainText::from),
    }
}
