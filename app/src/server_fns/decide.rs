//! Deciding: the forms of the decision panel. Refusals are answers (`done: false`), so that a plain form gets its
//! message and an island keeps its draft. Every argument has a default: what is missing is the engine's to refuse.

use leptos::prelude::*;
use loopiq::views::Outcome;

#[cfg(feature = "ssr")]
use {
    super::answer::Door,
    crate::islands::Draft,
    loopiq::domain::{ReasonCode, State},
    loopiq::engine::ApprovalRequest,
};

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
    /// The folded parts of the page that were opened.
    #[server(default)]
    opened: Vec<String>,
) -> Result<Outcome, ServerFnError> {
    let door = Door::open()?;
    let services = &door.services;
    let consent = ApprovalRequest {
        digest,
        view,
        acknowledged,
        typed,
        opened,
    };
    let outcome = Door::outcome(services.engine.approve(&services.ctx, &id, consent).await);
    door.answer(&id, State::PendingApproval, outcome, Draft::default())
        .await
}

/// Approves, and then runs: two transactions, one after the other. What was approved stays approved if running is refused.
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
    /// The folded parts of the page that were opened.
    #[server(default)]
    opened: Vec<String>,
) -> Result<Outcome, ServerFnError> {
    let door = Door::open()?;
    let services = &door.services;
    let request = ApprovalRequest {
        digest,
        view,
        acknowledged,
        typed,
        opened,
    };
    let outcome = Door::outcome(services.engine.approve_and_execute(&services.ctx, &id, request).await);
    door.answer(&id, State::PendingApproval, outcome, Draft::default())
        .await
}

/// Rejects, with at least a text of one's own.
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
    /// Why, in words of one's own.
    #[server(default)]
    text: String,
) -> Result<Outcome, ServerFnError> {
    let door = Door::open()?;
    let services = &door.services;
    let known: Vec<ReasonCode> = codes.iter().filter_map(|code| ReasonCode::parse(code)).collect();
    let outcome = Door::outcome(
        services
            .engine
            .reject(&services.ctx, &id, &digest, &known, &text, &view)
            .await,
    );
    let draft = Draft {
        text,
        codes,
        form: "reject".to_owned(),
    };
    door.answer(&id, State::PendingApproval, outcome, draft).await
}

/// Runs what was approved.
#[server(prefix = "/do", endpoint = "execute")]
pub async fn execute(
    /// The action's ID.
    #[server(default)]
    id: String,
    /// The value that the page's forms carry.
    #[server(default)]
    view: String,
) -> Result<Outcome, ServerFnError> {
    let door = Door::open()?;
    let outcome = Door::outcome(door.services.engine.execute(&door.services.ctx, &id, &view).await);
    door.answer(&id, State::Approved, outcome, Draft::default()).await
}

/// Takes an approval back before the action has run.
#[server(prefix = "/do", endpoint = "revoke")]
pub async fn revoke(
    /// The action's ID.
    #[server(default)]
    id: String,
    /// Why, in words of one's own.
    #[server(default)]
    text: String,
    /// The value that the page's forms carry.
    #[server(default)]
    view: String,
) -> Result<Outcome, ServerFnError> {
    let door = Door::open()?;
    let services = &door.services;
    let outcome = Door::outcome(services.engine.revoke(&services.ctx, &id, &text, &view).await);
    let draft = Draft {
        text,
        form: "revoke".to_owned(),
        ..Draft::default()
    };
    door.answer(&id, State::Approved, outcome, draft).await
}

/// Asks the proposer something; the action stays pending.
#[server(prefix = "/do", endpoint = "ask")]
pub async fn ask(
    /// The action's ID.
    #[server(default)]
    id: String,
    /// The question.
    #[server(default)]
    text: String,
) -> Result<Outcome, ServerFnError> {
    let door = Door::open()?;
    let services = &door.services;
    let outcome = Door::outcome(services.engine.ask(&services.ctx, &id, &text).await);
    let draft = Draft {
        text,
        form: "ask".to_owned(),
        ..Draft::default()
    };
    door.answer(&id, State::PendingApproval, outcome, draft).await
}

/// Makes a revision that keeps only some parts.
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
    /// Why, in words of one's own.
    #[server(default)]
    text: String,
) -> Result<Outcome, ServerFnError> {
    let door = Door::open()?;
    let services = &door.services;
    let pruned = services
        .engine
        .prune(&services.ctx, &id, &digest, &keep, &text, &view)
        .await;
    let outcome = Door::outcome(pruned);
    let draft = Draft {
        text,
        codes: keep,
        form: "prune".to_owned(),
    };
    door.answer(&id, State::PendingApproval, outcome, draft).await
}
