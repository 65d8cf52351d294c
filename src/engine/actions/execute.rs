//! Executing: exactly what was approved, once, in one transaction of its own.
//!
//! A refusal is a committed outcome (Failed) with its entry. Only an internal error rolls back: the action stays Approved with an
//! attempt recorded, and may be run again.

use crate::audit::{Event, titles};
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::approvals::Approvals;
use crate::engine::actions::command::{ActionCommand, Committed, Sender};
use crate::engine::actions::decision::{acting_person, done};
use crate::engine::actions::lifecycle;
use crate::engine::actions::revalidate::{self, Valid, Validity, Violation};
use crate::engine::audit_entries::NamedRecords;
use crate::engine::policy_cache::PolicyCache;
use crate::engine::{Engine, Error, audit_entries};
use crate::store::{StoreError, WriteTx};
use crate::tools::{Plan, PlannedItem};
use crate::views::{Label, Outcome, executed_summary};
use serde_json::{Value, json};

impl Engine {
    /// Runs an approved action. `view`: the value that the forms of its page carry for this person, see
    /// [`ActionView::view`](crate::views::ActionView::view).
    pub async fn execute(&self, ctx: &Ctx, id: &str, view: &str) -> Result<Outcome, Error> {
        let view = view.to_owned();
        let outcome = self.on_action(ctx, id, Execute { view }).await;
        match &outcome {
            Err(Error::Internal { incident, .. }) => self.attempt_interrupted(ctx, id, incident).await?,
            // Where the database cannot be used, the attempt cannot be recorded either.
            Err(Error::Unavailable { incident, .. }) => drop(self.attempt_interrupted(ctx, id, incident).await),
            _ => {}
        }
        outcome
    }

    /// Records an attempt that an internal error interrupted; the action stays Approved.
    async fn attempt_interrupted(&self, ctx: &Ctx, id: &str, incident: &str) -> Result<(), Error> {
        // The authorization itself may have met the error; a person without the permission attempted nothing.
        if !allows(&ctx.principal, Permission::Execute) {
            return Ok(());
        }
        let (id, incident) = (lifecycle::parse_id(id)?, incident.to_owned());
        self.store
            .add(ctx, move |tx| {
                Box::pin(async move {
                    let Some(action) = tx.action(&id).await? else {
                        return Ok(());
                    };
                    record_attempt(tx, &action, AttemptOutcome::Interrupted).await?;
                    let details = json!({ "incident": incident });
                    let entry = audit_entries::about(tx, &action, Event::AttemptFailed, action.state(), details);
                    tx.record(entry);
                    Ok::<_, Error>(())
                })
            })
            .await
    }
}

async fn record_attempt(tx: &mut WriteTx, action: &Action, outcome: AttemptOutcome) -> Result<(), Error> {
    let attempt = Attempt {
        id: tx.ctx().runtime.id(),
        action_id: action.id.clone(),
        person_id: acting_person(tx)?.id,
        outcome,
        at: tx.ctx().now(),
    };
    Ok(tx.insert_attempt(&attempt).await?)
}

struct Execute {
    view: String,
}

impl ActionCommand for Execute {
    type Output = Outcome;
    const PERMISSION: Permission = Permission::Execute;
    const SENDER: Sender = Sender::Decider;
    const STOPS_IN_PAUSE: bool = true;

    async fn run(self, tx: &mut WriteTx, policies: &PolicyCache, action: Action) -> Result<Committed<Outcome>, Error> {
        if let Stage::Executed(execution) = &action.lifecycle.stage {
            let at = execution.at.minute();
            let outcome = done(
                State::Executed,
                format!("It was executed on {at}; nothing was done twice."),
            );
            return Ok(Committed::Done(outcome));
        }
        if action.state().execute().is_err() {
            return Ok(Committed::Refused(match action.state() {
                state @ State::PendingApproval => Error::AlreadyDecided {
                    state,
                    message: "Nothing was done: it has not been approved yet.".to_owned(),
                },
                _ => lifecycle::already_decided(tx, &action).await?,
            }));
        }
        let person = acting_person(tx)?;
        let decisions = tx.decisions(&action.id).await?;
        let approvals = Approvals::load(tx, policies, &action, &decisions, Some(&person.id)).await?;
        revalidate::require_runnable(tx, &action, &approvals, &self.view).await?;
        let outcome = match revalidate::for_execution(tx, &action, &approvals).await? {
            Validity::Valid(valid) => apply(tx, &action, *valid).await?,
            Validity::Violated(violation) => {
                // Possibly nothing can be planned any more; the last approval has the keys of that moment.
                let shown = approvals.given.last().map(|approval| approval.snapshot.clone());
                let named = NamedRecords::in_snapshot(&action, &shown.unwrap_or_default());
                fail(tx, &action, violation, named).await?
            }
        };
        Ok(Committed::Done(outcome))
    }
}

/// Applies the change set and closes the action as Executed.
async fn apply(tx: &mut WriteTx, action: &Action, valid: Valid) -> Result<Outcome, Error> {
    let Valid { envelope, planned } = valid;
    let change_set = &envelope.change_set;
    let keys = match tx.apply(change_set).await {
        Ok(keys) => keys,
        // A change set that no longer fits the records fails the action; a fault of the database does not.
        Err(error) if error.is_constraint() || matches!(error, StoreError::Conflict(_)) => {
            let code = ReasonCode::StaleTarget;
            let detail = code.label().to_owned();
            let named = planned.named_records(action.proposal.payload());
            return fail(tx, action, Violation { code, detail }, named).await;
        }
        Err(error) => return Err(error.into()),
    };
    let to = action.state().execute()?;
    let result = result(&envelope, &planned.plan);
    let details = json!({
        "digest": action.proposal.digest,
        "titles": titles(&envelope.payload),
        "result": result,
    });
    let mut entry = audit_entries::about(tx, action, Event::Executed, to, details);
    entry.content.record_keys = keys;
    let written = [change_set.created_ids(), change_set.updated_ids()].concat();
    let used = planned.plan.references.iter().map(|(id, _)| id);
    let used = used.filter(|id| {
        let kind = RecordKind::of(id);
        matches!(
            kind,
            Some(RecordKind::Finding | RecordKind::Blocker | RecordKind::WorkItem)
        )
    });
    let changed: Vec<String> = written.iter().chain(used).chain(&planned.targets).cloned().collect();
    entry.content.records = written;
    planned
        .named_records(action.proposal.payload())
        .add_to(&mut entry.content);
    let stage = Stage::Executed(Execution {
        at: tx.ctx().now(),
        result,
    });
    lifecycle::close(tx, action, &stage, entry).await?;
    record_attempt(tx, action, AttemptOutcome::Executed).await?;
    tx.mark_targets_changed(Some(&action.id), &changed).await?;
    Ok(done(to, executed_summary(change_set)))
}

/// Closes the action as Failed. Nothing of its change set is written.
async fn fail(tx: &mut WriteTx, action: &Action, violation: Violation, named: NamedRecords) -> Result<Outcome, Error> {
    let Violation { code, detail } = violation;
    let to = action.state().fail()?;
    let message = format!("Not executed: {detail}. Nothing was written. A new proposal can take its place.");
    let details = json!({ "reasonCodes": [code], "digest": action.proposal.digest });
    let mut entry = audit_entries::about(tx, action, Event::Failed, to, details);
    entry.content.note = Some(message.clone());
    named.add_to(&mut entry.content);
    let stage = Stage::Failed(Refusal {
        at: tx.ctx().now(),
        codes: vec![code],
        message: message.clone(),
    });
    lifecycle::close(tx, action, &stage, entry).await?;
    record_attempt(tx, action, AttemptOutcome::Failed).await?;
    Ok(Outcome {
        state: Some(to),
        ..Outcome::new(false, message)
    })
}

/// The result of an execution, with the IDs that the client can use from now on.
pub(super) fn result(envelope: &Envelope, plan: &Plan) -> Value {
    let set = &envelope.change_set;
    let created = |item: &PlannedItem| match item.change(set)? {
        Change::Create(create) => Some(create.id.clone()),
        Change::Update(_) => None,
    };
    let children = plan.items.iter().filter_map(|item| {
        let client_ref = item.client_ref.as_ref()?;
        Some(json!({ "clientRef": client_ref, "id": created(item)? }))
    });
    let parent = plan
        .items
        .iter()
        .filter(|item| item.client_ref.is_none())
        .find_map(created);
    let mut references = serde_json::Map::new();
    for name in plan.result_references {
        if let Some(value) = envelope.payload.get(name) {
            references.insert((*name).to_owned(), value.clone());
        }
    }
    references.insert(
        "evidenceIds".into(),
        json!(envelope.evidence.iter().map(|e| &e.id).collect::<Vec<_>>()),
    );
    json!({
        "parentId": parent,
        "children": children.collect::<Vec<_>>(),
        "createdIds": set.created_ids(),
        "updatedIds": set.updated_ids(),
        "references": references,
    })
}
