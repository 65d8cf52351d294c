//! The responses that agents get about an action.

use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::plan::{Planned, decode_envelope};
use crate::engine::{Engine, Error, ToolResponse};
use crate::store::AuditRecord;
use crate::views::{Label, Preview, actor_label};
use serde_json::{Map, Value, json};

/// The tool that reports the state of an action.
pub(crate) const POLL_TOOL: &str = "loopiq_get_action";
/// The tool that answers a reviewer's question.
pub(crate) const ANSWER_TOOL: &str = "loopiq_answer_question";

pub(crate) fn pending(engine: &Engine, action: &Action, planned: &Planned) -> Result<ToolResponse, Error> {
    let preview = Preview::new(&planned.plan.change_set, &planned.scope_label());
    proposal(engine, action, State::PendingApproval, &preview)
}

fn proposal(engine: &Engine, action: &Action, state: State, preview: &Preview) -> Result<ToolResponse, Error> {
    let structured = json!({
        "status": state,
        "actionId": action.id,
        "approvalId": action.approval_id,
        "digest": action.proposal.digest,
        "payloadDigest": action.proposal.payload_digest,
        "reviewUrl": engine.review_url(action.id.as_str()),
        "expiresAt": action.judgement.expires_at,
        "idempotencyKey": action.proposal.idempotency_key,
        "preview": preview,
        "checks": action.judgement.checks,
        "pollTool": POLL_TOOL,
    });
    let text = match state {
        State::PendingApproval => format!(
            "Kept as {} and waiting for a person to approve it at {}. Nothing has been written. Do not call this tool again \
             for it: ask {POLL_TOOL} what became of it.",
            action.id,
            engine.review_url(action.id.as_str())
        ),
        _ => format!(
            "This proposal was made before: it is {} and its state is {}. Do not call this tool again for it: ask {POLL_TOOL}.",
            action.id,
            state.as_str()
        ),
    };
    let text = text + &to_look_at(&action.judgement.checks);
    Ok(ToolResponse {
        structured,
        text,
        repeated: false,
        proposed: Some(action.id.clone()),
    })
}

/// The results of checks that speak against an approval, for models of clients that show only the text.
fn to_look_at(checks: &[Check]) -> String {
    let of = |check: &Check| format!("{} ({}): {}", check.id.as_str(), check.verdict.as_str(), check.message);
    let against: Vec<String> = checks
        .iter()
        .filter(|check| check.verdict >= Verdict::Warn)
        .map(of)
        .collect();
    match against.is_empty() {
        true => String::new(),
        false => format!(" Checks to look at: {}", against.join(" ")),
    }
}

pub(crate) fn dry_run(planned: &Planned, payload_digest: &str) -> Result<ToolResponse, Error> {
    let preview = Preview::new(&planned.plan.change_set, &planned.scope_label());
    let text = format!(
        "Dry run, nothing was stored. {}{}",
        preview.summary,
        to_look_at(&planned.checks)
    );
    Ok(ToolResponse {
        structured: json!({
            "status": "dry_run",
            "payloadDigest": payload_digest,
            "preview": preview,
            "checks": planned.checks,
        }),
        text,
        repeated: false,
        proposed: None,
    })
}

/// An action that an agent may see, with what belongs to it.
pub(crate) struct KnownAction {
    pub action: Action,
    pub questions: Vec<Question>,
    decisions: Vec<Decision>,
    people: Vec<Person>,
    log: Vec<AuditRecord>,
    notes: Vec<(String, String)>,
}

impl KnownAction {
    /// When the action, a decision about it or a question last changed.
    pub(crate) fn updated_at(&self, now: Timestamp) -> Timestamp {
        let action = &self.action;
        let expired = action.is_overdue(now).then_some(action.judgement.expires_at);
        let asked = self.questions.iter().map(|question| question.asked_at);
        let answered = self.questions.iter().filter_map(|question| question.answer.as_ref());
        asked
            .chain(answered.map(|answer| answer.at))
            .chain(self.decisions.iter().map(|decision| decision.decided_at))
            .chain(action.lifecycle.stage.closed_at())
            .chain(expired)
            .fold(action.origin.created_at, Timestamp::max)
    }
}

impl Engine {
    /// The response to a repeated proposal, in the action's current state.
    pub(crate) async fn repeat_response(&self, ctx: &Ctx, action: Action) -> Result<ToolResponse, Error> {
        let envelope = decode_envelope(&action)?;
        let state = action.state_at(ctx.now());
        let mut preview = Preview::new(&envelope.change_set, "");
        preview.summary = action.proposal.summary.clone();
        let response = proposal(self, &action, state, &preview)?;
        Ok(ToolResponse {
            repeated: true,
            ..response
        })
    }

    /// The parts of an action that an agent may see, if the action was proposed for the agent's caller.
    pub async fn get_action(&self, ctx: &Ctx, id: &str) -> Result<Value, Error> {
        self.authorize(ctx, Permission::ViewActions).await?;
        let known = self.known_action(ctx, id).await?;
        Ok(self.describe_known(ctx, &known))
    }

    /// An action with what belongs to it, if the action was proposed for the agent's caller.
    pub(crate) async fn known_action(&self, ctx: &Ctx, id: &str) -> Result<KnownAction, Error> {
        let missing = || Error::NotFound {
            kind: RecordKind::Action,
            id: id.to_owned(),
        };
        let action_id = ActionId::parse(id).map_err(|_| missing())?;
        let caller = ctx.principal.person().map(|person| person.id.clone());
        let tx = &mut self.store.read(ctx).await?;
        let found = tx.action(&action_id).await?;
        let action = found
            .filter(|action| Some(&action.origin.caller_id) == caller.as_ref())
            .ok_or_else(missing)?;
        let decisions = tx.decisions(&action_id).await?;
        let mut ids: Vec<&str> = decisions.iter().map(|d| d.person_id.as_str()).collect();
        ids.push(action.origin.caller_id.as_str());
        Ok(KnownAction {
            people: tx.people(&ids).await?,
            log: tx.audit_of_action(&action_id).await?,
            notes: tx.notes_of(&action_id).await?,
            questions: tx.questions(&action_id).await?,
            action,
            decisions,
        })
    }

    pub(crate) fn describe_known(&self, ctx: &Ctx, known: &KnownAction) -> Value {
        let mut answer = self.describe(ctx, &known.action, &known.decisions, &known.people, &known.log);
        let notes = known.notes.iter().map(|(id, text)| json!({ "id": id, "text": text }));
        answer["notes"] = notes.collect();
        answer["questions"] = known.questions.iter().map(question_json).collect();
        answer
    }

    fn describe(
        &self,
        ctx: &Ctx,
        action: &Action,
        decisions: &[Decision],
        people: &[Person],
        log: &[AuditRecord],
    ) -> Value {
        let now = ctx.now();
        let state = action.state_at(now);
        let mut answer = json!({
            "actionId": action.id,
            "approvalId": action.approval_id,
            "status": state,
            "tool": action.proposal.tool,
            "headline": action.proposal.headline,
            "summary": action.proposal.summary,
            "risk": action.judgement.risk,
            "reason": action.proposal.reason,
            "digest": action.proposal.digest,
            "payloadDigest": action.proposal.payload_digest,
            "idempotencyKey": action.proposal.idempotency_key,
            "reviewUrl": self.review_url(action.id.as_str()),
            "createdAt": action.origin.created_at,
            "expiresAt": action.judgement.expires_at,
            "checks": action.judgement.checks,
            "pollTool": POLL_TOOL,
        });
        let Some(fields) = answer.as_object_mut() else {
            return answer;
        };
        let others = [
            ("supersededBy", action.lifecycle.superseded_by.clone()),
            ("supersedesActionId", action.proposal.supersedes.clone()),
            ("repeats", action.lifecycle.repeats.clone()),
        ];
        for (name, id) in others {
            if let Some(id) = id {
                fields.insert(name.to_owned(), json!(id));
            }
        }
        if !decisions.is_empty() || state.is_final() {
            let decisions_rows = decisions;
            let decisions: Vec<Value> = decisions
                .iter()
                .map(|decision| decision_json(decision, people))
                .collect();
            fields.insert("decisions".into(), Value::Array(decisions));
            let codes = if action.is_overdue(now) {
                vec![ReasonCode::Expired]
            } else {
                action.lifecycle.stage.reason_codes().to_vec()
            };
            fields.insert(
                "reasons".into(),
                reasons(&codes, decisions_rows, &action.judgement.checks),
            );
            fields.insert("reasonCodes".into(), json!(codes));
        }
        if let Some(outcome) = action.lifecycle.stage.message() {
            fields.insert("message".into(), json!(outcome));
        }
        if let Some(result) = action.lifecycle.stage.result() {
            fields.insert("result".into(), result.clone());
        }
        if state == State::Rejected {
            // The pointers in the reasons refer to the payload, which the agent may no longer have.
            fields.insert("submittedPayload".into(), submitted(action));
        }
        if matches!(state, State::Executed | State::Failed) {
            fields.insert("audit".into(), self.audit_details(ctx, action, decisions, people, log));
        }
        answer
    }

    /// The audit fields of an executed or failed action.
    fn audit_details(
        &self,
        ctx: &Ctx,
        action: &Action,
        decisions: &[Decision],
        people: &[Person],
        log: &[AuditRecord],
    ) -> Value {
        let who = |id: &PersonId| {
            let person = people.iter().find(|person| person.id == *id);
            json!({ "id": id, "name": person.map(|p| &p.name), "email": person.map(|p| &p.email) })
        };
        let result = action.lifecycle.stage.result().cloned().unwrap_or(Value::Null);
        let mut record_ids: Vec<Value> = Vec::new();
        for list in ["createdIds", "updatedIds"] {
            record_ids.extend(result.get(list).and_then(Value::as_array).cloned().unwrap_or_default());
        }
        let entries: Vec<Value> = log
            .iter()
            .map(|entry| {
                json!({
                    "seq": entry.seq, "event": entry.event, "at": entry.at,
                    "actor": actor_label(&entry.content.actor), "leafHash": entry.leaf_hash,
                })
            })
            .collect();
        let mut user: Map<String, Value> = Map::new();
        user.insert("caller".into(), who(&action.origin.caller_id));
        user.insert("clientId".into(), json!(action.origin.client_id));
        let approvers: Vec<Value> = decisions
            .iter()
            .filter(|d| d.kind == DecisionKind::Approve)
            .map(|d| who(&d.person_id))
            .collect();
        user.insert("approvers".into(), Value::Array(approvers));
        let origin = &action.origin;
        json!({
            "userIdentity": user,
            "tenant": ctx.tenant(),
            "requestId": origin.request_id,
            "clientRequestId": origin.client_request_id,
            // The trace as the client knows it, and the service's own ID, which the audit entries have.
            "traceId": origin.client_trace_id.as_ref().unwrap_or(&origin.trace_id),
            "serviceTraceId": origin.trace_id,
            "workflow": action.proposal.workflow,
            "toolCallChain": action.origin.call_chain,
            "toolName": action.proposal.tool,
            "approvalId": action.approval_id,
            "idempotencyKey": action.proposal.idempotency_key,
            "submittedPayload": submitted(action),
            "executionResult": result,
            "recordIds": record_ids,
            "timestamp": action.lifecycle.stage.closed_at(),
            "entries": entries,
        })
    }
}

/// The payload as the client sent it.
fn submitted(action: &Action) -> Value {
    serde_json::from_str(action.proposal.payload()).unwrap_or(Value::Null)
}

/// The findings behind each code: message, records and pointers.
fn reasons(codes: &[ReasonCode], decisions: &[Decision], proposed: &[Check]) -> Value {
    let last = decisions.iter().rfind(|decision| !decision.verdicts.is_empty());
    let checks = last.map_or(proposed, |decision| &decision.verdicts);
    codes
        .iter()
        .flat_map(|code| {
            let mut found: Vec<Value> = checks
                .iter()
                .filter(|check| *code == ReasonCode::Check(check.id) && check.verdict != Verdict::Pass)
                .map(|check| {
                    json!({
                        "code": code,
                        "checkCode": check.code,
                        "message": check.message,
                        "facts": check.facts,
                        "pointers": check.pointers,
                    })
                })
                .collect();
            if found.is_empty() {
                found.push(json!({ "code": code, "message": code.label(), "facts": [], "pointers": [] }));
            }
            found
        })
        .collect()
}

fn question_json(question: &Question) -> Value {
    json!({
        "id": question.id,
        "question": question.text,
        "askedAt": question.asked_at,
        "answer": question.answer.as_ref().map(|answer| &answer.text),
        "answeredAt": question.answer.as_ref().map(|answer| answer.at),
    })
}

fn decision_json(decision: &Decision, people: &[Person]) -> Value {
    let person = people.iter().find(|person| person.id == decision.person_id);
    json!({
        "id": decision.id,
        "decision": decision.kind,
        "by": { "id": decision.person_id, "name": person.map(|person| &person.name) },
        "at": decision.decided_at,
        "digest": decision.digest,
        "acknowledged": decision.acknowledged,
        "openedAt": decision.opened_at,
        "openedSections": decision.opened_sections,
        "typed": decision.confirmation_text,
        "policyVersion": decision.policy_version,
        "reasonCodes": decision.reason_codes,
        "reason": decision.reason,
    })
}
