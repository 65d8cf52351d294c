//! Pages and server functions of `loopiq-app`: everything that a person must be signed in for.

use super::functions;
use super::headers::CspNonce;
use crate::{App, auth};
use axum::Router;
use axum::http::request::Parts;
use axum::middleware::from_fn_with_state;
use leptos::prelude::{provide_context, use_context};
use leptos_axum::{AxumRouteListing, LeptosRoutes, generate_route_list};
use loopiq_app::Services;
use std::sync::OnceLock;
use tower_http::compression::{CompressionLayer, CompressionLevel};
use tower_sessions::Session;

/// The routes, each behind the sign-in.
pub(super) fn router(app: &App) -> Router<App> {
    let (options, bundle) = (app.leptos.clone(), app.bundle.clone());
    Router::new()
        .leptos_routes_with_context(app, pages().to_vec(), context, move || {
            loopiq_app::shell(options.clone(), bundle.clone())
        })
        .layer(from_fn_with_state(app.clone(), functions::door))
        .layer(from_fn_with_state(app.clone(), auth::require))
        .layer(auth::session_layer(app))
        // Pages are made anew each time: a strong compression would cost more than it saves. No page holds a secret
        // beside what somebody else has written (BREACH): sessions stand in a cookie, and forms need no token.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
}

/// The pages, listed once in the life of the process: while Leptos lists routes, no resource anywhere in the process is
/// loaded, and a page that is rendered at that moment (by another service, in a test) waits for ever.
fn pages() -> &'static [AxumRouteListing] {
    static PAGES: OnceLock<Vec<AxumRouteListing>> = OnceLock::new();
    PAGES.get_or_init(|| generate_route_list(loopiq_app::App))
}

/// The paths of all pages, as axum writes them: `/actions/{id}`.
pub fn page_paths() -> Vec<String> {
    pages().iter().map(|page| page.path().to_owned()).collect()
}

/// The paths of all server functions.
pub fn function_paths() -> Vec<String> {
    leptos::server_fn::axum::server_fn_paths()
        .map(|(path, _)| path.to_owned())
        .collect()
}

/// What a page or a server function finds in Leptos' context: put into the request's extensions on its way here.
fn context() {
    let Some(parts) = use_context::<Parts>() else { return };
    if let Some(CspNonce(nonce)) = parts.extensions.get() {
        // In place of the one that leptos_axum has made: the header names this one.
        provide_context(nonce.clone());
    }
    if let Some(services) = parts.extensions.get::<Services>() {
        provide_context(services.clone());
    }
    if let Some(session) = parts.extensions.get::<Session>() {
        provide_context(session.clone());
    }
}
