//! The forms of the decision panel.
//!
//! A refusal is an outcome (`done: false`), so that a plain form gets its message and an island keeps its draft. Every argument has a
//! default: the engine refuses what is missing.

use leptos::prelude::*;
use loopiq::views::Outcome;

#[cfg(feature = "ssr")]
use {
    super::form_response::FormRequest,
    crate::islands::Draft,
    crate::services::Services,
    loopiq::domain::{ReasonCode, State},
    loopiq::engine::{ApprovalRequest, Error},
    std::future::Future,
    std::sync::Arc,
};

/// One form of the decision panel: the action that it is about, and what the person typed.
#[cfg(feature = "ssr")]
struct DecisionForm {
    request: FormRequest,
    id: String,
    /// The state in which the command is allowed.
    before: State,
    draft: Draft,
}

#[cfg(feature = "ssr")]
impl DecisionForm {
    /// A form of a page that showed the action in the state `before`.
    fn new(id: String, before: State) -> Result<Self, ServerFnError> {
        Ok(Self {
            request: FormRequest::from_context()?,
            id,
            before,
            draft: Draft::default(),
        })
    }

    /// Keeps what the person typed in this form, in case the engine refuses the command.
    fn with_draft(mut self, form: &str, text: &str, ticked: &[String]) -> Self {
        self.draft = Draft {
            text: text.to_owned(),
            codes: ticked.to_vec(),
            form: form.to_owned(),
            ..Draft::default()
        };
        self
    }

    /// Keeps what the person entered for an approval, in case the person has to sign in again first.
    fn with_approval(mut self, approval: &ApprovalRequest) -> Self {
        self.draft = Draft {
            text: approval.typed.clone(),
            codes: approval.acknowledged.clone(),
            form: "approve".to_owned(),
            opened: approval.opened.clone(),
        };
        self
    }

    /// Gives the command to the engine and responds with its outcome.
    async fn submit<F>(self, command: impl FnOnce(Arc<Services>, String) -> F) -> Result<Outcome, ServerFnError>
    where
        F: Future<Output = Result<Outcome, Error>>,
    {
        let outcome = FormRequest::outcome(command(self.request.services.clone(), self.id.clone()).await);
        self.request.respond(&self.id, self.before, outcome, self.draft).await
    }
}

/// Approves the payload that the page showed, named by its digest.
#[server(prefix = "/do", endpoint = "approve")]
pub async fn approve(
    /// The action's ID.
    #[server(default)]
    id: String,
    /// The digest that the page showed.
    #[server(default)]
    digest: String,
    /// The value that the page's forms carry.
    #[server(default)]
    view: String,
    /// The warnings that were acknowledged, by their marks; none: the field is absent.
    #[server(default)]
    acknowledged: Vec<String>,
    /// The word that was typed, where one is asked for.
    #[server(default)]
    typed: String,
    /// The IDs of the sections that the reviewer opened.
    #[server(default)]
    opened: Vec<String>,
) -> Result<Outcome, ServerFnError> {
    let approval = ApprovalRequest {
        digest,
        view,
        acknowledged,
        typed,
        opened,
    };
    DecisionForm::new(id, State::PendingApproval)?
        .with_approval(&approval)
        .submit(|services, id| async move { services.engine.approve(&services.ctx, &id, approval).await })
        .await
}

/// Approves and then runs, in two transactions. A refusal to run does not take the approval back.
#[server(prefix = "/do", endpoint = "approve-and-run")]
pub async fn approve_and_run(
    /// The action's ID.
    #[server(default)]
    id: String,
    /// The digest that the page showed.
    #[server(default)]
    digest: String,
    /// The value that the page's forms carry.
    #[server(default)]
    view: String,
    /// The warnings that were acknowledged, by their marks; none: the field is absent.
    #[server(default)]
    acknowledged: Vec<String>,
    /// The word that was typed, where one is asked for.
    #[server(default)]
    typed: String,
    /// The IDs of the sections that the reviewer opened.
    #[server(default)]
    opened: Vec<String>,
) -> Result<Outcome, ServerFnError> {
    let approval = ApprovalRequest {
        digest,
        view,
        acknowledged,
        typed,
        opened,
    };
    DecisionForm::new(id, State::PendingApproval)?
        .with_approval(&approval)
        .submit(|services, id| async move { services.engine.approve_and_execute(&services.ctx, &id, approval).await })
        .await
}

/// Rejects the action with a reason.
#[server(prefix = "/do", endpoint = "reject")]
pub async fn reject(
    /// The action's ID.
    #[server(default)]
    id: String,
    /// The digest that the page showed.
    #[server(default)]
    digest: String,
    /// The value that the page's forms carry.
    #[server(default)]
    view: String,
    /// Reason codes, by name.
    #[server(default)]
    codes: Vec<String>,
    /// The reason in the reviewer's words.
    #[server(default)]
    text: String,
) -> Result<Outcome, ServerFnError> {
    let known: Vec<ReasonCode> = codes.iter().filter_map(|code| ReasonCode::parse(code)).collect();
    DecisionForm::new(id, State::PendingApproval)?
        .with_draft("reject", &text, &codes)
        .submit(|services, id| async move {
            let Services { engine, ctx, .. } = &*services;
            engine.reject(ctx, &id, &digest, &known, &text, &view).await
        })
        .await
}

/// Executes an approved action.
#[server(prefix = "/do", endpoint = "execute")]
pub async fn execute(
    /// The action's ID.
    #[server(default)]
    id: String,
    /// The value that the page's forms carry.
    #[server(default)]
    view: String,
) -> Result<Outcome, ServerFnError> {
    DecisionForm::new(id, State::Approved)?
        .submit(|services, id| async move { services.engine.execute(&services.ctx, &id, &view).await })
        .await
}

/// Revokes an approval before the action has run.
#[server(prefix = "/do", endpoint = "revoke")]
pub async fn revoke(
    /// The action's ID.
    #[server(default)]
    id: String,
    /// The reason in the reviewer's words.
    #[server(default)]
    text: String,
    /// The value that the page's forms carry.
    #[server(default)]
    view: String,
) -> Result<Outcome, ServerFnError> {
    DecisionForm::new(id, State::Approved)?
        .with_draft("revoke", &text, &[])
        .submit(|services, id| async move { services.engine.revoke(&services.ctx, &id, &text, &view).await })
        .await
}

/// Asks the proposer a question; the action stays pending.
#[server(prefix = "/do", endpoint = "ask")]
pub async fn ask(
    /// The action's ID.
    #[server(default)]
    id: String,
    /// The question.
    #[server(default)]
    text: String,
) -> Result<Outcome, ServerFnError> {
    DecisionForm::new(id, State::PendingApproval)?
        .with_draft("ask", &text, &[])
        .submit(|services, id| async move { services.engine.ask(&services.ctx, &id, &text).await })
        .await
}

/// Creates a revised proposal that keeps only some parts.
#[server(prefix = "/do", endpoint = "prune")]
pub async fn prune(
    /// The action's ID.
    #[server(default)]
    id: String,
    /// The digest that the page showed.
    #[server(default)]
    digest: String,
    /// The value that the page's forms carry.
    #[server(default)]
    view: String,
    /// The parts to keep, by their references.
    #[server(default)]
    keep: Vec<String>,
    /// The reason in the reviewer's words.
    #[server(default)]
    text: String,
) -> Result<Outcome, ServerFnError> {
    DecisionForm::new(id, State::PendingApproval)?
        .with_draft("prune", &text, &keep)
        .submit(|services, id| async move {
            let Services { engine, ctx, .. } = &*services;
            engine.prune(ctx, &id, &digest, &keep, &text, &view).await
        })
        .await
}
