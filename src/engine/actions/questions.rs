//! Questions: a reviewer asks about a pending action, and its proposer answers.

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::command::{ActionCommand, Committed, Sender};
use crate::engine::actions::decision::{acting_person, done, validate_text};
use crate::engine::actions::lifecycle;
use crate::engine::audit_entries::NamedRecords;
use crate::engine::policy_cache::PolicyCache;
use crate::engine::{Engine, Error, ToolResponse, audit_entries};
use crate::store::WriteTx;
use crate::views::Outcome;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// Questions that may wait for an answer on one action; a further one is refused.
const MAX_UNANSWERED: usize = 10;
/// Questions on one action, answered or not; a further one is refused.
const MAX_QUESTIONS: usize = 100;

/// Answers a question about an action of one's own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AnswerQuestion {
    // The action.
    pub action_id: ActionId,
    /// From loopiq_get_action.
    pub question_id: QuestionId,
    /// For the reviewer.
    #[schemars(length(min = 1, max = 2000))]
    pub answer: String,
}

impl Engine {
    /// Asks the proposer about a pending action. The action stays pending. The same question of the same person twice is one.
    pub async fn ask(&self, ctx: &Ctx, id: &str, question: &str) -> Result<Outcome, Error> {
        let text = question.to_owned();
        self.on_action(ctx, id, Ask { text }).await
    }

    /// Answers a question. The same answer twice is one.
    pub(crate) async fn answer_question(&self, ctx: &Ctx, given: AnswerQuestion) -> Result<ToolResponse, Error> {
        let (action, question) = (given.action_id.clone(), given.question_id.clone());
        let state = self.on_action(ctx, action.as_str(), given).await?;
        Ok(ToolResponse {
            text: format!("Your answer to {question} is kept with {action}; a reviewer reads it there."),
            structured: json!({ "actionId": action, "questionId": question, "status": state }),
            repeated: false,
            proposed: None,
        })
    }
}

struct Ask {
    text: String,
}

impl ActionCommand for Ask {
    type Output = Outcome;
    const PERMISSION: Permission = Permission::Ask;
    const SENDER: Sender = Sender::Decider;

    async fn run(self, tx: &mut WriteTx, _: &PolicyCache, action: Action) -> Result<Committed<Outcome>, Error> {
        let text = validate_text(&self.text, "what you want to know")?;
        if action.state() != State::PendingApproval {
            return Ok(Committed::Refused(lifecycle::already_decided(tx, &action).await?));
        }
        let person = acting_person(tx)?;
        let known = tx.questions(&action.id).await?;
        if known.iter().any(|one| one.text == text && one.person_id == person.id) {
            let outcome = done(action.state(), "You asked this before; nothing was done twice.");
            return Ok(Committed::Done(outcome));
        }
        let open = known.iter().filter(|one| one.answer.is_none()).count();
        if open >= MAX_UNANSWERED || known.len() >= MAX_QUESTIONS {
            let message = format!(
                "{} questions were asked already, and {open} of them wait for an answer.",
                known.len()
            );
            return Err(Error::Wording { message });
        }
        let question = Question {
            id: tx.ctx().runtime.id(),
            action_id: action.id.clone(),
            person_id: person.id,
            text,
            asked_at: tx.ctx().now(),
            answer: None,
        };
        tx.insert_question(&question).await?;
        let details = json!({ "questionId": question.id });
        let mut entry = audit_entries::about(tx, &action, Event::Asked, action.state(), details);
        entry.content.note = Some(question.text);
        entry.content.records = vec![question.id.as_str().to_owned()];
        NamedRecords::load(tx, &action).await?.add_to(&mut entry.content);
        tx.record(entry);
        Ok(Committed::Done(done(
            action.state(),
            "Question saved. The agent sees it the next time it checks this action.",
        )))
    }
}

impl ActionCommand for AnswerQuestion {
    type Output = State;
    const PERMISSION: Permission = Permission::Answer;
    const SENDER: Sender = Sender::Proposer;
    const STOPS_IN_PAUSE: bool = true;

    async fn run(self, tx: &mut WriteTx, _: &PolicyCache, action: Action) -> Result<Committed<State>, Error> {
        let questions = tx.questions(&action.id).await?;
        let Some(question) = questions.iter().find(|one| one.id == self.question_id) else {
            return Err(Error::NotFound {
                kind: RecordKind::Question,
                id: self.question_id.as_str().to_owned(),
            });
        };
        let text = self.answer.trim();
        if text.is_empty() {
            return Err(Error::field("/answer", "must say something"));
        }
        if question.answer.as_ref().is_some_and(|answer| answer.text == text) {
            return Ok(Committed::Done(action.state()));
        }
        if action.state() != State::PendingApproval {
            return Ok(Committed::Refused(lifecycle::already_decided(tx, &action).await?));
        }
        if !tx.answer_question(&self.question_id, text).await? {
            return Err(Error::field("/questionId", "has been answered already"));
        }
        let details = json!({ "questionId": question.id });
        let mut entry = audit_entries::about(tx, &action, Event::Answered, action.state(), details);
        entry.content.note = Some(text.to_owned());
        entry.content.records = vec![question.id.as_str().to_owned()];
        NamedRecords::load(tx, &action).await?.add_to(&mut entry.content);
        tx.record(entry);
        Ok(Committed::Done(action.state()))
    }
}
