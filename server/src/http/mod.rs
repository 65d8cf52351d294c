//! How a request travels through the service, and the order of what it passes.

mod body;
pub(crate) mod files;
mod functions;
mod headers;
mod host;
mod leptos;
mod observe;
pub(crate) mod pages;
pub(crate) mod rates;

pub use leptos::{function_paths, page_paths};
pub use loopiq_app::status_of;
pub use observe::{RequestId, trace_id};

use crate::site::Site;
use crate::{App, auth, demo_idp, mcp, ops};
use anyhow::{Context, Result};
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::CsrfLayer;

/// The whole service.
///
/// A request passes from the outside in: its name, log line and measurement; the headers of the answer; what catches a
/// panic; the time limit and the body's limit; then, for browsers, the check of where a form comes from; then, for pages
/// and server functions, the session and who is signed in. MCP has a bearer token instead of the last two.
///
/// # Errors
/// The public URL is no origin, which the settings should have said before.
pub fn router(app: &App, site: &Site) -> Result<Router> {
    let stylesheet = app.stylesheet.clone();
    let other_site = CsrfLayer::new()
        .add_trusted_origin(&*app.public_url)
        .context("the public URL")?
        .with_rejection_response({
            let stylesheet = stylesheet.clone();
            move |_| pages::other_site(&stylesheet)
        });

    let mut browsers = leptos::router(app).merge(auth::router(app));
    if let Some(idp) = &app.demo_idp {
        browsers = browsers.nest("/demo-idp", demo_idp::router(idp.clone()).with_state(()));
    }
    let router = browsers
        .layer(from_fn_with_state(app.clone(), pages::never_blank))
        .layer(other_site)
        .merge(ops::router())
        .merge(files::router(site))
        .method_not_allowed_fallback(files::wrong_method)
        .with_state(app.clone())
        .merge(mcp::router(app.clone()));
    Ok(router
        .layer(from_fn_with_state(app.clone(), body::whole))
        .layer(CatchPanicLayer::custom(move |panic| {
            pages::panicked(&stylesheet, panic)
        }))
        .layer(from_fn_with_state(app.clone(), host::check))
        .layer(from_fn_with_state(app.clone(), headers::protect))
        .layer(from_fn_with_state(app.clone(), observe::observe))
        .layer(from_fn(observe::measure)))
}
