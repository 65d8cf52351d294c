//! The HTTP API for programs, under `/api/v1`: thin over the engine. Errors are problem details (RFC 9457).
//!
//! People use their session, and programs a token ([`authenticate`]). Requests by session that change something pass the check against
//! requests from other sites. No token approves, rejects or executes: the engine permits that to people only.

#![allow(
    clippy::result_large_err,
    reason = "the error of a handler's helper is the response itself, which is made once for a request"
)]

mod actions;
mod audit;
mod authenticate;
mod body;
mod catalog;
mod decisions;
mod description;
mod etag;
mod evidence;
mod pauses;
mod query;
mod refusals;
mod reviewed;
mod upload;

pub(crate) use description::openapi;

use crate::auth;
use crate::http::problem::problem;
use crate::http::rate_limits;
use crate::state::AppState;
use anyhow::{Context, Result};
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::get;
use std::any::Any;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::CsrfLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes, with their check against requests from other sites.
///
/// # Errors
/// The public URL is not an origin, which `urls::public_url` should have refused.
pub(crate) fn router(state: &AppState) -> Result<Router<AppState>> {
    let cross_site = CsrfLayer::new()
        .add_trusted_origin(&*state.public_url)
        .context("the public URL")?
        .with_rejection_response(|_| {
            let text = "Another site sent this request in your name, so nothing was changed.";
            problem(StatusCode::FORBIDDEN, text)
        });
    let (authenticated, _) = for_principals().split_for_parts();
    let authenticated = authenticated
        .layer(from_fn_with_state(state.clone(), authenticate::authenticate))
        .layer(auth::session_layer(state));
    let (anyone, _) = for_anyone().split_for_parts();
    let anyone = anyone
        .route(description::PATH, get(description::serve))
        .route_layer(from_fn_with_state(state.clone(), rate_limits::limit_by_address));
    Ok(authenticated
        .merge(anyone)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(cross_site))
}

/// The routes for people and programs. Routes and description come from the same annotations.
fn for_principals() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(actions::list, actions::propose))
        .routes(routes!(actions::get))
        .routes(routes!(decisions::approve))
        .routes(routes!(decisions::reject))
        .routes(routes!(decisions::execute))
        .routes(routes!(evidence::import))
        .routes(routes!(catalog::list, catalog::apply))
        .routes(routes!(pauses::list))
        .routes(routes!(pauses::pause, pauses::resume))
        .routes(routes!(audit::search))
        .routes(routes!(audit::checkpoint))
        .routes(routes!(audit::consistency))
        .routes(routes!(audit::key_rotations))
        .routes(routes!(audit::proof))
}

/// The routes for anyone: a verifier has no account, so public keys need no sign-in.
fn for_anyone() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(audit::keys))
}

async fn method_not_allowed(request: Request) -> Response {
    let text = format!("This address does not accept the method {}.", request.method());
    problem(StatusCode::METHOD_NOT_ALLOWED, &text)
}

/// The response after a panic. The panic's message is in the log, with the request ID that the response's header contains.
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let message = panic.downcast_ref::<String>().map(String::as_str);
    let message = message
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(panic = message, "a handler panicked");
    let text = "The service failed. Changes already saved are kept. Try again; if it happens twice, tell the people who run LoopIQ.";
    problem(StatusCode::INTERNAL_SERVER_ERROR, text)
}
