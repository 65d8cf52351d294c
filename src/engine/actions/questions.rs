//! Asking: a question that is kept on the pending action, and the proposer's answer.

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::decision::{decider, done, validate_text};
use crate::engine::actions::lifecycle::{Committed, already_decided_error, load, load_in_time, parse};
use crate::engine::{Engine, Error, ToolResponse, audit_entries};
use crate::store::{QuestionRow, WriteTx};
use crate::views::Outcome;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// The most questions that wait for an answer on one action.
const UNANSWERED: usize = 10;
/// The most questions on one action.
const QUESTIONS: usize = 100;

/// Answers a question about an action of one's own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Answering {
    /// The action.
    pub action_id: ActionId,
    /// The question, as loopiq_get_action names it.
    pub question_id: QuestionId,
    /// The answer, for the reviewer, in plain text.
    #[schemars(length(min = 1, max = 2000))]
    pub answer: String,
}

impl Engine {
    /// Asks the proposer something about a pending action. It stays pending.
    pub async fn ask(&self, ctx: &Ctx, id: &str, question: &str) -> Result<Outcome, Error> {
        self.authorize(ctx, Permission::Ask).await?;
        let (id, question) = (parse(id)?, validate_text(question, "what you want to know")?);
        let action = id.clone();
        let outcome = self
            .store
            .write(ctx, move |tx| Box::pin(async move { ask(tx, &action, question).await }))
            .await;
        self.finish(ctx, Permission::Ask, &id, outcome).await
    }

    /// Answers a question. The same answer twice is one.
    pub(crate) async fn answer_question(&self, ctx: &Ctx, given: Answering) -> Result<ToolResponse, Error> {
        self.authorize(ctx, Permission::Answer).await?;
        let (action, question) = (given.action_id.clone(), given.question_id.clone());
        let split_by_acknowledged: Committed<State> = self
            .store
            .write(ctx, move |tx| Box::pin(async move { answer(tx, &given).await }))
            .await?;
        let state = split_by_acknowledged?;
        Ok(ToolResponse {
            text: format!("Your answer to {question} is kept with {action}; a reviewer reads it there."),
            structured: json!({ "actionId": action, "questionId": question, "status": state }),
        })
    }
}

async fn ask(tx: &mut WriteTx, id: &ActionId, question: String) -> Result<Committed<Outcome>, Error> {
    let person = decider(tx).await?;
    let action = match load_in_time(tx, id).await? {
        Ok(action) => action,
        Err(refused) => return Ok(Err(refused)),
    };
    if action.state != State::PendingApproval {
        return Ok(Err(already_decided_error(tx, &action).await?));
    }
    let known = tx.questions(id).await?;
    if known
        .iter()
        .any(|one| one.question == question && one.person_id == person.id)
    {
        return Ok(Ok(done(action.state, "You asked this before; nothing was done twice.")));
    }
    let open = known.iter().filter(|one| one.answer.is_none()).count();
    if open >= UNANSWERED || known.len() >= QUESTIONS {
        let message = format!(
            "{} questions were asked already, and {open} of them wait for an answer.",
            known.len()
        );
        return Err(Error::Wording { message });
    }
    let row = QuestionRow {
        id: tx.ctx().runtime.id(),
        action_id: action.id.clone(),
        person_id: person.id,
        question,
        asked_at: tx.ctx().now(),
        answer: None,
        answered_at: None,
    };
    tx.insert_question(&row).await?;
    let mut entry = audit_entries::about(tx, &action, Event::Asked, action.state, json!({ "questionId": row.id }));
    entry.content.note = Some(row.question);
    entry.content.records = vec![row.id.as_str().to_owned()];
    tx.record(entry);
    Ok(Ok(done(
        action.state,
        "Your question is kept with the action; the agent reads it when it asks what became of it.",
    )))
}

async fn answer(tx: &mut WriteTx, given: &Answering) -> Result<Committed<State>, Error> {
    let caller = tx.ctx().principal.person().map(|person| person.id.clone());
    let action = load(tx, &given.action_id).await?;
    let missing = |kind, id: &str| Error::NotFound {
        kind,
        id: id.to_owned(),
    };
    if Some(&action.caller_id) != caller.as_ref() {
        return Err(missing(RecordKind::Action, given.action_id.as_str()));
    }
    let action = match load_in_time(tx, &given.action_id).await? {
        Ok(action) => action,
        Err(refused) => return Ok(Err(refused)),
    };
    let questions = tx.questions(&action.id).await?;
    let Some(question) = questions.iter().find(|one| one.id == given.question_id) else {
        return Err(missing(RecordKind::Question, given.question_id.as_str()));
    };
    let text = given.answer.trim();
    if text.is_empty() {
        return Err(Error::field("/answer", "must say something"));
    }
    if question.answer.as_deref() == Some(text) {
        return Ok(Ok(action.state));
    }
    if action.state != State::PendingApproval {
        return Ok(Err(already_decided_error(tx, &action).await?));
    }
    if !tx.answer_question(&given.question_id, text).await? {
        return Err(Error::field("/questionId", "has been answered already"));
    }
    let details = json!({ "questionId": question.id });
    let mut entry = audit_entries::about(tx, &action, Event::Answered, action.state, details);
    entry.content.note = Some(text.to_owned());
    entry.content.records = vec![question.id.as_str().to_owned()];
    tx.record(entry);
    Ok(Ok(action.state))
}
