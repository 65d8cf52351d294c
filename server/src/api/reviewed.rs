//! An action as a person reads it through the API before deciding.

use loopiq::views::{ActionView, Line, RecordLabel, ResultView, TreeItem};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

/// An action with what a person needs to decide it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReviewedAction {
    id: String,
    status: String,
    /// Why it was rejected, or has failed.
    outcome: Option<String>,
    headline: String,
    summary: String,
    tool: String,
    risk: String,
    created_at: String,
    /// When it expires, while it can.
    expires_at: Option<String>,
    /// What an approval names: the envelope of payload, changes and evidence.
    digest: String,
    /// What an approval and an execution by this person in this session name, too. Missing if the visit was not recorded.
    view: Option<String>,
    checks: Vec<ReviewedCheck>,
    /// Tenant, team, release and so on.
    context: Vec<Labelled>,
    /// Work items, as a tree.
    items: Vec<ReviewedItem>,
    /// Fields of existing records that change.
    updates: Vec<ReviewedUpdate>,
    /// Records that the payload refers to.
    references: Vec<Reference>,
    /// The agent's reason, which nobody has verified.
    reason: String,
    /// The person for whom it was proposed, and the client.
    proposer: String,
    /// The payload as canonical JSON, with hidden characters made visible.
    payload: String,
    /// The approvals that it has.
    approvals: Vec<GivenApproval>,
    /// The approvals that it needs.
    missing_approvals: Vec<MissingApproval>,
    /// The sections that a person must have opened before approving high risk.
    sections: Vec<SectionToOpen>,
    questions: Vec<String>,
    timeline: Vec<Step>,
    /// What the execution has done.
    result: Option<ReviewedResult>,
    /// What this person can do.
    can: Can,
}

/// A result of a check.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReviewedCheck {
    id: String,
    code: String,
    verdict: String,
    message: String,
    /// Places in the payload (RFC 6901).
    pointers: Vec<String>,
    /// The name by which an approval acknowledges a warning.
    mark: String,
    /// Whether an approval must acknowledge it.
    acknowledge: bool,
}

/// A value with a label.
#[derive(Serialize, ToSchema)]
pub(super) struct Labelled {
    label: String,
    value: String,
}

/// A work item that the action creates, or an existing parent.
#[derive(Serialize, ToSchema)]
pub(super) struct ReviewedItem {
    id: String,
    key: Option<String>,
    kind: String,
    title: String,
    description: String,
    /// Whether the action creates it.
    created: bool,
    lines: Vec<Labelled>,
    references: Vec<Reference>,
    #[schema(no_recursion)]
    children: Vec<ReviewedItem>,
}

/// A record that changes.
#[derive(Serialize, ToSchema)]
pub(super) struct ReviewedUpdate {
    record: Reference,
    fields: Vec<FieldChange>,
}

/// A field that changes.
#[derive(Serialize, ToSchema)]
pub(super) struct FieldChange {
    field: String,
    before: String,
    after: String,
}

/// A record by its ID and name.
#[derive(Serialize, ToSchema)]
pub(super) struct Reference {
    kind: String,
    id: String,
    key: Option<String>,
    name: String,
}

/// An approval.
#[derive(Serialize, ToSchema)]
pub(super) struct GivenApproval {
    person: String,
    at: String,
}

/// Approvals that a group still needs to give.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct MissingApproval {
    group: String,
    approvals: usize,
    /// Names of people who could give them.
    who_could: Vec<String>,
}

/// A section of the action's page.
#[derive(Serialize, ToSchema)]
pub(super) struct SectionToOpen {
    /// What an approval names as opened.
    id: String,
    title: String,
}

/// An audit entry of the action.
#[derive(Serialize, ToSchema)]
pub(super) struct Step {
    seq: i64,
    event: String,
    actor: String,
    at: String,
    note: Option<String>,
}

/// What an execution has done.
#[derive(Serialize, ToSchema)]
pub(super) struct ReviewedResult {
    created: Vec<Reference>,
    updated: Vec<Reference>,
}

/// What a person can do with an action now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Can {
    approve: bool,
    reject: bool,
    execute: bool,
    /// Why the person cannot decide.
    why_not: Option<String>,
    /// The word that an approval of high risk repeats.
    word: Option<String>,
    /// The reason codes that a rejection can have.
    reasons: Vec<String>,
}

impl From<ActionView> for ReviewedAction {
    fn from(view: ActionView) -> Self {
        let approvals = view.approvals.as_ref();
        let given = approvals
            .map(|approvals| approvals.given.as_slice())
            .unwrap_or_default();
        let missing = approvals
            .map(|approvals| approvals.missing.as_slice())
            .unwrap_or_default();
        Self {
            checks: view
                .checks
                .iter()
                .map(|check| ReviewedCheck {
                    id: check.id.as_str().to_owned(),
                    code: check.code.as_str().to_owned(),
                    verdict: check.verdict.as_str().to_owned(),
                    message: check.message.to_string(),
                    pointers: check.pointers.clone(),
                    mark: check.mark(),
                    acknowledge: check.warns(),
                })
                .collect(),
            context: lines(&view.context),
            items: view.tree.iter().map(item).collect(),
            updates: view
                .updates
                .iter()
                .map(|update| ReviewedUpdate {
                    record: reference(&update.record),
                    fields: update
                        .fields
                        .iter()
                        .map(|(field, before, after)| FieldChange {
                            field: field.to_string(),
                            before: before.to_string(),
                            after: after.to_string(),
                        })
                        .collect(),
                })
                .collect(),
            references: view.references.iter().map(|one| reference(&one.record)).collect(),
            reason: view.claim.reason.to_string(),
            proposer: view.claim.asked_by.to_string(),
            payload: view.payload_json.to_string(),
            approvals: given
                .iter()
                .map(|(person, at)| GivenApproval {
                    person: person.to_string(),
                    at: at.exact.clone(),
                })
                .collect(),
            missing_approvals: missing
                .iter()
                .map(|missing| MissingApproval {
                    group: missing.group.to_string(),
                    approvals: missing.approvals,
                    who_could: missing.who_could.iter().map(ToString::to_string).collect(),
                })
                .collect(),
            sections: view
                .sections
                .into_iter()
                .map(|section| SectionToOpen {
                    id: section.id,
                    title: section.title.to_string(),
                })
                .collect(),
            questions: view
                .questions
                .iter()
                .map(|question| question.question.to_string())
                .collect(),
            timeline: view
                .timeline
                .into_iter()
                .map(|step| Step {
                    seq: step.seq,
                    event: step.event,
                    actor: step.actor.to_string(),
                    at: step.at.exact,
                    note: step.note.map(|note| note.to_string()),
                })
                .collect(),
            result: view.result.as_ref().map(result),
            can: Can {
                approve: view.panel.approve,
                reject: view.panel.reject,
                execute: view.panel.execute,
                why_not: view.panel.why_not.map(|why| why.to_string()),
                word: view.panel.word,
                reasons: view.panel.reasons.into_iter().map(|(code, ..)| code).collect(),
            },
            id: view.id,
            status: view.state.as_str().to_owned(),
            outcome: view.outcome.map(|outcome| outcome.to_string()),
            headline: view.headline.to_string(),
            summary: view.summary.to_string(),
            tool: view.tool.1,
            risk: view.risk.as_str().to_owned(),
            created_at: view.proposed.exact,
            expires_at: view.expires.map(|expires| expires.exact),
            digest: view.digest,
            view: view.view,
        }
    }
}

fn lines(lines: &[Line]) -> Vec<Labelled> {
    lines
        .iter()
        .map(|line| Labelled {
            label: line.label.to_string(),
            value: line.value.to_string(),
        })
        .collect()
}

fn item(of: &TreeItem) -> ReviewedItem {
    ReviewedItem {
        id: of.id.clone(),
        key: of.key.as_ref().map(ToString::to_string),
        kind: of.kind.clone(),
        title: of.title.to_string(),
        description: of.description.to_string(),
        created: of.created,
        lines: lines(&of.lines),
        references: of.references.iter().map(reference).collect(),
        children: of.children.iter().map(item).collect(),
    }
}

fn reference(record: &RecordLabel) -> Reference {
    Reference {
        kind: json!(record.kind).as_str().unwrap_or_default().to_owned(),
        id: record.id.clone(),
        key: record.key.as_ref().map(ToString::to_string),
        name: record.name.to_string(),
    }
}

fn result(of: &ResultView) -> ReviewedResult {
    ReviewedResult {
        created: of.created.iter().map(reference).collect(),
        updated: of.updated.iter().map(reference).collect(),
    }
}
