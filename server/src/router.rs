//! The routes of the service, and the layers that a request passes.

use crate::http::{demo_host, limits, message_page, observe, security_headers, static_files};
use crate::site::Site;
use crate::state::AppState;
use crate::{api, auth, demo_idp, mcp, oauth, operations, pages};
use anyhow::{Context, Result};
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::CsrfLayer;

/// Builds the service's router.
///
/// A request passes from the outside in: measurement, request ID and log line; the security headers of the response; in a demo, the
/// check of the host name; the panic handler; the time limit and the body's limit; then, for browsers, the check against cross-site
/// requests; then, for pages and server functions, session and sign-in. MCP has a bearer token instead of the last two, the API has a bearer token or
/// a session, and the OAuth endpoints for programs have neither: they use no cookies.
///
/// # Errors
/// The public URL is not an origin, which `urls::public_url` should have refused.
pub fn router(state: &AppState, site: &Site) -> Result<Router> {
    let stylesheet = state.stylesheet.clone();
    let cross_site = CsrfLayer::new()
        .add_trusted_origin(&*state.public_url)
        .context("the public URL")?
        .with_rejection_response({
            let stylesheet = stylesheet.clone();
            move |_| message_page::cross_site(&stylesheet)
        });

    let mut browsers = pages::router(state)
        .merge(auth::router(state))
        .merge(oauth::pages(state));
    if let Some(idp) = &state.demo_idp {
        browsers = browsers.nest("/demo-idp", demo_idp::router(idp.clone()).with_state(()));
    }
    let router = browsers
        .layer(cross_site)
        .merge(api::router(state)?)
        .layer(from_fn_with_state(state.clone(), message_page::fill_empty_errors))
        .merge(operations::router())
        .merge(static_files::router(site))
        .method_not_allowed_fallback(static_files::method_not_allowed)
        .with_state(state.clone())
        .merge(mcp::router(state))
        .merge(oauth::endpoints(state));
    Ok(router
        .layer(from_fn_with_state(state.clone(), limits::read_body))
        .layer(CatchPanicLayer::custom(move |panic| {
            message_page::panicked(&stylesheet, panic)
        }))
        .layer(from_fn_with_state(state.clone(), demo_host::check))
        .layer(from_fn_with_state(state.clone(), security_headers::add))
        .layer(from_fn_with_state(state.clone(), observe::log))
        .layer(from_fn(observe::measure)))
}
