//! Decisions of people, in their session. No token decides: the engine refuses every client.

use super::body::{IdInPath, StrictJson, wrong_field};
use super::query::{NoParameters, StrictQuery};
use super::refusals::Refusals;
use crate::http::problem::{problem_of, problem_with};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use loopiq::domain::ReasonCode;
use loopiq::engine::{ApprovalRequest, Error};
use loopiq::views::Outcome;
use loopiq_app::Services;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use utoipa::ToSchema;

/// An approval of exactly what was shown.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Approval {
    /// The `digest` of the action as it was shown.
    digest: String,
    /// The `view` of the action as it was shown.
    view: String,
    /// The marks of the warnings that the person acknowledges.
    #[serde(default)]
    acknowledged: Vec<String>,
    /// The word that the person typed, if an approval of high risk asks for one.
    #[serde(default)]
    typed: String,
    /// The IDs of the sections that the person has opened.
    #[serde(default)]
    opened: Vec<String>,
}

/// A rejection.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Rejection {
    /// The `digest` of the action as it was shown.
    digest: String,
    /// The `view` of the action as it was shown. May be left out.
    #[serde(default)]
    view: String,
    /// Why, as reason codes.
    #[serde(default)]
    #[schema(example = json!(["declined"]))]
    reason_codes: Vec<String>,
    /// Why, for the agent: 1 to 2000 characters.
    reason: String,
}

/// An execution.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Execution {
    /// The `view` of the action as it was shown.
    view: String,
}

/// What was done.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Decided {
    /// What happened, for people.
    message: String,
    /// The state of the action.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    status: Option<String>,
    /// The action that replaces this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    successor: Option<String>,
}

/// Approves an action: what was shown to this person in this session, with every warning acknowledged.
///
/// The same approval sent again gets the same response.
#[utoipa::path(
    post, path = "/api/v1/actions/{id}/approve", tag = "decisions", request_body = Approval,
    params(("id" = String, Path, description = "The action's ID.")),
    responses((status = 200, description = "The approval is recorded.", body = Decided), Refusals),
    security(("session" = [])),
)]
pub(super) async fn approve(
    Extension(services): Extension<Arc<Services>>,
    _: StrictQuery<NoParameters>,
    IdInPath(id): IdInPath,
    StrictJson(approval): StrictJson<Approval>,
) -> Response {
    let request = ApprovalRequest {
        digest: approval.digest,
        view: approval.view,
        acknowledged: approval.acknowledged,
        typed: approval.typed,
        opened: approval.opened,
    };
    respond(services.engine.approve(&services.ctx, &id, request).await)
}

/// Rejects a pending action, with reason codes and a text that the agent will read.
#[utoipa::path(
    post, path = "/api/v1/actions/{id}/reject", tag = "decisions", request_body = Rejection,
    params(("id" = String, Path, description = "The action's ID.")),
    responses((status = 200, description = "The action is rejected.", body = Decided), Refusals),
    security(("session" = [])),
)]
pub(super) async fn reject(
    Extension(services): Extension<Arc<Services>>,
    _: StrictQuery<NoParameters>,
    IdInPath(id): IdInPath,
    StrictJson(rejection): StrictJson<Rejection>,
) -> Response {
    let Rejection {
        digest,
        view,
        reason_codes,
        reason,
    } = rejection;
    let mut codes = Vec::with_capacity(reason_codes.len());
    for (n, code) in reason_codes.iter().enumerate() {
        match ReasonCode::parse(code) {
            Some(code) => codes.push(code),
            None => return wrong_field(&format!("/reasonCodes/{n}"), "is no reason code."),
        }
    }
    let rejected = services
        .engine
        .reject(&services.ctx, &id, &digest, &codes, &reason, &view);
    respond(rejected.await)
}

/// Executes an approved action, once.
///
/// A refusal at this point is final: the action has failed, and the problem says why.
#[utoipa::path(
    post, path = "/api/v1/actions/{id}/execute", tag = "decisions", request_body = Execution,
    params(("id" = String, Path, description = "The action's ID.")),
    responses((status = 200, description = "The action is executed.", body = Decided), Refusals),
    security(("session" = [])),
)]
pub(super) async fn execute(
    Extension(services): Extension<Arc<Services>>,
    _: StrictQuery<NoParameters>,
    IdInPath(id): IdInPath,
    StrictJson(execution): StrictJson<Execution>,
) -> Response {
    respond(services.engine.execute(&services.ctx, &id, &execution.view).await)
}

/// The response to what a person has done.
pub(super) fn respond(outcome: Result<Outcome, Error>) -> Response {
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => return problem_of(&error),
    };
    if !outcome.done {
        let state = [("state", json!(outcome.state))];
        let state = if outcome.state.is_some() { &state[..] } else { &[] };
        return problem_with(
            StatusCode::UNPROCESSABLE_ENTITY,
            "not_executed",
            &outcome.message.to_string(),
            state,
        );
    }
    Json(Decided {
        message: outcome.message.to_string(),
        status: outcome.state.map(|state| state.as_str().to_owned()),
        successor: outcome.successor,
    })
    .into_response()
}
