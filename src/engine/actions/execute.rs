//! Executing: exactly what was approved, once, in one transaction of its own.
//!
//! A refusal is a committed outcome (Failed) with its entry. Only an internal error rolls back: it leaves the action Approved
//! with an attempt recorded, and it may be run again.

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::approvals::Approvals;
use crate::engine::actions::decision::{acting, decider};
use crate::engine::actions::lifecycle::{Committed, already_decided_error, load_in_time, parse};
use crate::engine::actions::log_check;
use crate::engine::actions::plan;
use crate::engine::actions::plan::decode_envelope;
use crate::engine::actions::revalidate::recorded_view;
use crate::engine::policy_cache::PolicyCache;
use crate::engine::{Engine, Error, audit_entries};
use crate::store::{ActionRow, AttemptRow, Ending, WriteTx};
use crate::views::Outcome;
use crate::{checks, tools};
use serde_json::{Value, json};

impl Engine {
    /// Runs an approved action. `view`: the value that the forms of its page carry for this person, see
    /// [`ActionView::view`](crate::views::ActionView::view).
    pub async fn execute(&self, ctx: &Ctx, id: &str, view: &str) -> Result<Outcome, Error> {
        self.authorize(ctx, Permission::Execute).await?;
        let id = parse(id)?;
        let (action, book, view) = (id.clone(), self.book.clone(), view.to_owned());
        let outcome = self
            .store
            .write(ctx, move |tx| {
                Box::pin(async move { execute(tx, &book, &action, &view).await })
            })
            .await;
        match &outcome {
            Err(Error::Internal { incident, .. }) => self.attempt_broke(ctx, &id, incident).await?,
            // Where the database is away, so is the place to record it in.
            Err(Error::Unavailable { incident }) => drop(self.attempt_broke(ctx, &id, incident).await),
            _ => {}
        }
        self.finish(ctx, Permission::Execute, &id, outcome).await
    }

    /// Records an attempt that broke; the action stays Approved.
    async fn attempt_broke(&self, ctx: &Ctx, id: &ActionId, incident: &str) -> Result<(), Error> {
        let (id, incident) = (id.clone(), incident.to_owned());
        self.store
            .add(ctx, move |tx| {
                Box::pin(async move {
                    let Some(action) = tx.action(&id).await? else {
                        return Ok(());
                    };
                    attempt(tx, &action, "broke").await?;
                    let details = json!({ "incident": incident });
                    let entry = audit_entries::about(tx, &action, Event::AttemptFailed, action.state, details);
                    tx.record(entry);
                    Ok::<_, Error>(())
                })
            })
            .await
    }
}

async fn attempt(tx: &mut WriteTx, action: &ActionRow, outcome: &str) -> Result<(), Error> {
    let person = acting(tx)?;
    let row = AttemptRow {
        id: tx.ctx().runtime.id(),
        action_id: action.id.clone(),
        person_id: person.id,
        outcome: outcome.to_owned(),
        at: tx.ctx().now(),
    };
    Ok(tx.insert_attempt(&row).await?)
}

async fn execute(tx: &mut WriteTx, book: &PolicyCache, id: &ActionId, view: &str) -> Result<Committed<Outcome>, Error> {
    let person = decider(tx).await?;
    let action = match load_in_time(tx, id).await? {
        Ok(action) => action,
        Err(refused) => return Ok(Err(refused)),
    };
    if action.state == State::Executed {
        let at = action.settled_at.unwrap_or(action.created_at).minute();
        return Ok(Ok(Outcome {
            done: true,
            message: format!("It was executed on {at}; nothing was done twice.").into(),
            state: Some(State::Executed),
            successor: None,
        }));
    }
    let Ok(to) = action.state.execute() else {
        return Ok(Err(match action.state {
            State::PendingApproval => Error::AlreadyDecided {
                state: action.state,
                message: "Nothing was done: it has not been approved yet.".to_owned(),
            },
            _ => already_decided_error(tx, &action).await?,
        }));
    };
    let decisions = tx.decisions(&action.id).await?;
    let approvals = Approvals::of(tx, book, &action, &decisions, Some(&person.id)).await?;
    if let (Ok(envelope), Some(me)) = (decode_envelope(&action), &approvals.me)
        && let Some(why) =
            approvals
                .policies
                .refuses_to_run(me, &approvals.approvers, &approvals.case(&action, &envelope))
    {
        return Err(Error::NotAuthorized { why });
    }
    recorded_view(tx, &action, view).await?;
    if let Some(why) = approvals.party_unresolved {
        return Err(Error::Refused {
            code: ReasonCode::PolicyRefused,
            message: format!("Nothing was done. {why}"),
        });
    }
    let (envelope, facts) = match still_as_approved(tx, &action, &approvals).await? {
        Ok(holds) => holds,
        Err((code, words)) => return failed(tx, &action, code, &words).await.map(Ok),
    };
    let mut keys: Vec<String> = match tx.apply(&envelope.change_set).await {
        Ok(keys) => keys,
        // What the data stand against is an outcome; what the database itself stands against is not.
        Err(error) if error.is_constraint() || matches!(error, crate::store::StoreError::Conflict(_)) => {
            return failed(tx, &action, ReasonCode::StaleTarget, ReasonCode::StaleTarget.words())
                .await
                .map(Ok);
        }
        Err(error) => return Err(error.into()),
    };
    let result = result(&envelope);
    tx.settle(
        &action,
        Ending {
            result: Some(&result),
            ..Ending::of(to)
        },
    )
    .await?;
    attempt(tx, &action, "executed").await?;
    let written: Vec<String> = [envelope.change_set.created_ids(), envelope.change_set.updated_ids()].concat();
    let details = json!({
        "digest": action.digest,
        "payloadDigest": action.payload_digest,
        "payload": envelope.payload,
        "result": result,
    });
    let mut entry = audit_entries::about(tx, &action, Event::Executed, to, details);
    let updated = envelope.change_set.updates();
    keys.extend(updated.filter_map(|update| Some(facts.name_of(&update.id)?.0?.to_owned())));
    entry.content.record_keys = keys;
    let touched = [written.clone(), action_targets(&envelope)].concat();
    entry.content.records = written;
    tx.record(entry);
    tx.touch(&action.id, &touched).await?;
    let made = preview::summary(&envelope.change_set, "")
        .trim_end_matches('.')
        .replace("; updates nothing", "");
    Ok(Ok(Outcome {
        done: true,
        message: format!(
            "Executed: {}.",
            made.replacen("Creates", "created", 1).replacen("Updates", "updated", 1)
        )
        .into(),
        state: Some(to),
        successor: None,
    }))
}

/// Everything that must still hold: the envelope's bytes, the audit entries, the people's rights, the plan, the evidence and the checks. Returns the
/// envelope, and the facts of today that it was held against.
async fn still_as_approved(
    tx: &mut WriteTx,
    action: &ActionRow,
    approvals: &Approvals,
) -> Result<Result<(Envelope, Facts), (ReasonCode, String)>, Error> {
    let refuse = |code: ReasonCode, words: String| Ok(Err((code, words)));
    let Ok(envelope) = decode_envelope(action) else {
        return refuse(
            ReasonCode::EnvelopeDamaged,
            ReasonCode::EnvelopeDamaged.words().to_owned(),
        );
    };
    if approvals.given.is_empty() {
        return refuse(ReasonCode::DigestMismatch, "no approval names its digest".to_owned());
    }
    if let Some(words) = log_check::difference(tx, action, approvals).await? {
        return refuse(ReasonCode::EnvelopeDamaged, words.to_owned());
    }
    if let Some((code, words)) = rights_lost(tx, action, &envelope, approvals).await? {
        return refuse(code, words);
    }
    let Some(tool) = tools::find(&action.tool).filter(|tool| tool.version() == action.tool_version) else {
        return refuse(ReasonCode::PlanChanged, "this version of the tool is gone".to_owned());
    };
    let planned = match plan::replan(tx, tool, action, &envelope, &approvals.policies).await? {
        Ok(planned) => planned,
        Err(fields) => {
            let words = fields
                .first()
                .map_or_else(String::new, |f| format!("{}: {}", f.pointer, f.message));
            return refuse(ReasonCode::StaleTarget, words);
        }
    };
    if planned.plan.change_set != envelope.change_set {
        return refuse(ReasonCode::StaleTarget, ReasonCode::StaleTarget.words().to_owned());
    }
    if planned.evidence_digests() != envelope.evidence {
        return refuse(
            ReasonCode::EvidenceChanged,
            ReasonCode::EvidenceChanged.words().to_owned(),
        );
    }
    let known =
        |check: &Check| checks::is_of_open_actions(check) || approvals.given.iter().any(|one| one.acknowledges(check));
    let new = planned
        .checks
        .iter()
        .find(|check| check.verdict == Verdict::Block || (check.warns() && !known(check)));
    match new {
        Some(check) => refuse(ReasonCode::Check(check.id), check.message.to_string()),
        None => Ok(Ok((envelope, planned.facts))),
    }
}

/// An action never has more rights than the least of its caller and its approvers have today, and both policies must still be content
/// with those approvals that count.
async fn rights_lost(
    tx: &mut WriteTx,
    action: &ActionRow,
    envelope: &Envelope,
    approvals: &Approvals,
) -> Result<Option<(ReasonCode, String)>, Error> {
    let caller = tx.people(&[action.caller_id.as_str()]).await?.pop();
    if !caller.is_some_and(|caller| caller.has_any(&[Role::Developer, Role::Reviewer, Role::Lead])) {
        let words = "the person it was proposed for may not propose any more";
        return Ok(Some((ReasonCode::NotAuthorized, words.to_owned())));
    }
    let missing = approvals.missing(&approvals.case(action, envelope));
    if missing.is_empty() {
        return Ok(None);
    }
    let deciders = [Role::Reviewer, Role::Lead];
    if approvals.approvers.iter().any(|one| !one.person.has_any(&deciders)) {
        let words = "a person who approved it may not approve any more";
        return Ok(Some((ReasonCode::NotAuthorized, words.to_owned())));
    }
    let groups: Vec<String> = missing.into_iter().map(|one| one.group).collect();
    let words = format!("by the policy it lacks an approval of {}", groups.join(" and "));
    Ok(Some((ReasonCode::PolicyRefused, words)))
}

async fn failed(tx: &mut WriteTx, action: &ActionRow, code: ReasonCode, words: &str) -> Result<Outcome, Error> {
    let to = action.state.fail()?;
    let message = format!("Not executed: {words}. Nothing was written. A new proposal can take its place.");
    tx.settle(action, Ending::because(to, &[code], &message)).await?;
    attempt(tx, action, "failed").await?;
    let mut entry = audit_entries::about(
        tx,
        action,
        Event::Failed,
        to,
        json!({ "reasonCodes": [code], "digest": action.digest }),
    );
    entry.content.note = Some(message.clone());
    tx.record(entry);
    Ok(Outcome {
        done: false,
        message: message.into(),
        state: Some(to),
        successor: None,
    })
}

/// The records that it rests on, although it does not write them.
fn action_targets(envelope: &Envelope) -> Vec<String> {
    ids::scan(&envelope.payload.to_string())
        .into_iter()
        .filter(|id| {
            matches!(
                RecordKind::of(id),
                Some(RecordKind::Finding | RecordKind::Blocker | RecordKind::WorkItem)
            )
        })
        .map(str::to_owned)
        .collect()
}

/// What an agent gets back: the IDs it can use from now on.
fn result(envelope: &Envelope) -> Value {
    let set = &envelope.change_set;
    let children: Vec<Value> = set
        .creates()
        .filter_map(|create| Some(json!({ "clientRef": create.client_ref.as_ref()?, "id": create.id })))
        .collect();
    let parent = set
        .creates()
        .find(|create| create.client_ref.is_none() && create.kind == RecordKind::WorkItem);
    let mut references = serde_json::Map::new();
    for name in [
        "releaseId",
        "certificationId",
        "teamId",
        "blockerIds",
        "evidenceId",
        "controlId",
        "findingId",
        "findingIds",
        "controlIds",
        "actionId",
    ] {
        if let Some(value) = envelope.payload.get(name) {
            references.insert(name.to_owned(), value.clone());
        }
    }
    references.insert(
        "evidenceIds".into(),
        json!(envelope.evidence.iter().map(|e| &e.id).collect::<Vec<_>>()),
    );
    json!({
        "parentId": parent.map(|create| &create.id),
        "children": children,
        "createdIds": set.created_ids(),
        "updatedIds": set.updated_ids(),
        "references": references,
    })
}
