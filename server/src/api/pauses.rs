//! Pauses of agents, tools and clients: people and agents list them; people start and end them, in their session.

use super::body::{IdInPath, StrictJson};
use super::decisions::{Decided, respond};
use super::query::{NoParameters, StrictQuery};
use super::refusals::Refusals;
use crate::http::problem::problem_of;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use loopiq_app::Services;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// The pauses in force.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pauses {
    /// The oldest first.
    items: Vec<PauseInForce>,
}

/// A pause in force.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PauseInForce {
    /// `agents`, `tool:NAME` or `client:ID`.
    target: String,
    /// What is paused, for people.
    subject: String,
    /// Who paused it.
    by: String,
    /// Why.
    reason: String,
    /// Since when (RFC 3339).
    since: String,
}

/// A new pause.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewPause {
    /// Why, for agents and people: 1 to 500 characters.
    reason: String,
}

/// Lists what is paused now.
#[utoipa::path(
    get, path = "/api/v1/pauses", tag = "pauses",
    responses((status = 200, description = "The pauses in force.", body = Pauses), Refusals),
    security(("session" = []), ("token" = ["loopiq:read"])),
)]
pub(super) async fn list(Extension(services): Extension<Arc<Services>>, _: StrictQuery<NoParameters>) -> Response {
    match services.engine.pauses_page(&services.ctx).await {
        Ok(page) => {
            let items = page.pauses.into_iter().map(|pause| PauseInForce {
                target: pause.target,
                subject: pause.subject.to_string(),
                by: pause.by.to_string(),
                reason: pause.reason.to_string(),
                since: pause.since.exact,
            });
            let items = items.collect();
            Json(Pauses { items }).into_response()
        }
        Err(error) => problem_of(&error),
    }
}

/// Pauses agents, a tool or a client. Leads and operators may.
///
/// Agents propose nothing with it, and what is pending can be rejected, but not approved or run. What is paused already stays as it is.
#[utoipa::path(
    put, path = "/api/v1/pauses/{target}", tag = "pauses", request_body = NewPause,
    params(("target" = String, Path, description = "`agents`, `tool:NAME` or `client:ID`.")),
    responses((status = 200, description = "It is paused.", body = Decided), Refusals),
    security(("session" = [])),
)]
pub(super) async fn pause(
    Extension(services): Extension<Arc<Services>>,
    _: StrictQuery<NoParameters>,
    IdInPath(target): IdInPath,
    StrictJson(new): StrictJson<NewPause>,
) -> Response {
    respond(services.engine.pause(&services.ctx, &target, &new.reason).await)
}

/// Ends a pause. Operators may. What is not paused stays as it is.
#[utoipa::path(
    delete, path = "/api/v1/pauses/{target}", tag = "pauses",
    params(("target" = String, Path, description = "`agents`, `tool:NAME` or `client:ID`.")),
    responses((status = 200, description = "It is not paused any more.", body = Decided), Refusals),
    security(("session" = [])),
)]
pub(super) async fn resume(
    Extension(services): Extension<Arc<Services>>,
    _: StrictQuery<NoParameters>,
    IdInPath(target): IdInPath,
) -> Response {
    respond(services.engine.resume(&services.ctx, &target).await)
}
