//! Actions as tasks of the MCP extension `io.modelcontextprotocol/tasks`. The stored action is the task, so a task needs no storage of its own, and its
//! ID is the ID of the action.

use crate::context::Ctx;
use crate::domain::*;
use crate::engine::agent::responses::{ANSWER_TOOL, POLL_TOOL};
use crate::engine::{Engine, Error, ToolResponse};
use crate::views::Label;
use serde_json::{Value, json};

/// An action as a task.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionTask {
    /// The ID of the action, and of the task.
    pub id: ActionId,
    /// When the action was proposed.
    pub created_at: Timestamp,
    /// When the action last changed.
    pub updated_at: Timestamp,
    /// The state of the action, in one line.
    pub message: String,
    /// Whether the task is over, and what it waits for.
    pub progress: TaskProgress,
}

/// How far a task is.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskProgress {
    /// The action waits for a decision, or to be run.
    Working,
    /// Reviewers asked these questions, and wait for the answers.
    InputRequired(Vec<Question>),
    /// The action is closed.
    Completed {
        /// What `loopiq_get_action` responds.
        structured: Value,
        /// Whether the action was closed without being run.
        is_error: bool,
    },
}

impl Engine {
    /// The task of a proposal, if the response is one and the client may poll it.
    pub async fn task_of(&self, ctx: &Ctx, response: &ToolResponse) -> Option<ActionTask> {
        let action = response.proposed.as_ref()?;
        if !allows(&ctx.principal, Permission::ReadRecords) {
            return None;
        }
        self.action_task(ctx, action.as_str()).await.ok()
    }

    /// The action as a task. It permits and shows what `loopiq_get_action` does.
    pub async fn action_task(&self, ctx: &Ctx, id: &str) -> Result<ActionTask, Error> {
        self.authorize(ctx, Permission::ReadRecords).await?;
        self.authorize(ctx, Permission::ViewActions).await?;
        let known = self.known_action(ctx, id).await?;
        let structured = self.describe_known(ctx, &known);
        let (action, now) = (&known.action, ctx.now());
        let open: Vec<Question> = known
            .questions
            .iter()
            .filter(|question| question.answer.is_none())
            .cloned()
            .collect();
        let state = action.state_at(now);
        let url = self.review_url(action.id.as_str());
        let (message, progress) = match state {
            State::PendingApproval if open.is_empty() => (
                format!("Waiting for a person to approve it at {url}. Nothing has been written."),
                TaskProgress::Working,
            ),
            State::PendingApproval => (asked(&open), TaskProgress::InputRequired(open)),
            State::Approved => (
                "Approved, and not run yet. Nothing has been written.".to_owned(),
                TaskProgress::Working,
            ),
            State::Executed => (
                "Approved and executed.".to_owned(),
                TaskProgress::Completed {
                    structured,
                    is_error: false,
                },
            ),
            State::Rejected | State::Failed => (
                closed(&structured, state),
                TaskProgress::Completed {
                    structured,
                    is_error: true,
                },
            ),
        };
        Ok(ActionTask {
            id: action.id.clone(),
            created_at: action.origin.created_at,
            updated_at: known.updated_at(now),
            message,
            progress,
        })
    }

    /// Answers questions about an action, each named by its ID. As the extension demands, answers to questions that do not wait for one are ignored.
    pub async fn answer_task(&self, ctx: &Ctx, id: &str, answers: Vec<(String, String)>) -> Result<(), Error> {
        self.authorize(ctx, Permission::Answer).await?;
        let known = self.known_action(ctx, id).await?;
        for (question, answer) in answers {
            let waits = |one: &&Question| one.id.as_str() == question && one.answer.is_none();
            if known.questions.iter().any(|one| waits(&one)) {
                let arguments = json!({ "actionId": known.action.id, "questionId": question, "answer": answer });
                self.call_tool(ctx, ANSWER_TOOL, arguments).await?;
            }
        }
        Ok(())
    }

    /// Withdraws an action. An action that is closed stays as it is.
    pub async fn cancel_task(&self, ctx: &Ctx, id: &str) -> Result<(), Error> {
        match self.withdraw(ctx, id, "The client cancelled the task.").await {
            Ok(_) | Err(Error::AlreadyDecided { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// What reviewers want to know, for clients that show only the message.
fn asked(open: &[Question]) -> String {
    let each: Vec<String> = open
        .iter()
        .map(|question| format!("{} ({})", text::visible(&question.text), question.id))
        .collect();
    format!("A reviewer asks: {} Answer with {ANSWER_TOOL}.", each.join(" "))
}

/// Why an action was closed without being run, with its codes: several clients show models nothing else.
fn closed(structured: &Value, state: State) -> String {
    let texts = |name: &str, field: &str| -> Vec<String> {
        let each = structured[name].as_array().into_iter().flatten();
        each.filter_map(|one| one[field].as_str().map(text::visible)).collect()
    };
    let codes: Vec<&str> = structured["reasonCodes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let reasons = texts("reasons", "message").join(" ");
    let message = structured["message"].as_str().map(text::visible).unwrap_or_default();
    let said: String = [message, reasons]
        .iter()
        .filter(|text| !text.trim().is_empty())
        .map(|text| sentence(text))
        .collect();
    format!(
        "{} ({}). Nothing was written. {said}{POLL_TOOL} has the details.",
        state.label(),
        codes.join(", "),
    )
}

/// The text with a full stop and a space behind it.
fn sentence(text: &str) -> String {
    let text = text.trim();
    let stop = if text.ends_with(['.', '!', '?', '…']) {
        ""
    } else {
        "."
    };
    format!("{text}{stop} ")
}
