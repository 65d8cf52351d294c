//! The routes of the pages and server functions of `loopiq-app`. All of them require a signed-in person.

mod server_functions;
mod service_tokens;
mod uploads;

use crate::auth;
use crate::http::security_headers::CspNonce;
use crate::state::AppState;
use axum::Router;
use axum::http::request::Parts;
use axum::middleware::from_fn_with_state;
use leptos::prelude::{provide_context, with_context};
use leptos_axum::{AxumRouteListing, LeptosRoutes, generate_route_list};
use loopiq_app::Services;
use std::sync::{Arc, OnceLock};
use tower_http::compression::{CompressionLayer, CompressionLevel};
use tower_sessions::Session;

/// The routes.
pub(crate) fn router(state: &AppState) -> Router<AppState> {
    let watch = std::env::var_os("LEPTOS_WATCH").map(|_| state.leptos.clone());
    let bundle = state.bundle.clone();
    Router::new()
        .leptos_routes_with_context(state, pages().to_vec(), context, move || {
            loopiq_app::shell(watch.clone(), bundle.clone())
        })
        .merge(service_tokens::router())
        .layer(from_fn_with_state(state.clone(), server_functions::handle))
        .layer(from_fn_with_state(state.clone(), auth::require_sign_in))
        .layer(auth::session_layer(state))
        // Each page is rendered for one request, so a stronger compression would cost more time than it saves. Compression leaks no
        // secret (BREACH), because pages contain none: the session is in a cookie, and forms need no token.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
}

/// The pages, listed once per process: listing renders the app, and while it runs, Leptos loads no resource in the whole process.
fn pages() -> &'static [AxumRouteListing] {
    static PAGES: OnceLock<Vec<AxumRouteListing>> = OnceLock::new();
    PAGES.get_or_init(|| generate_route_list(loopiq_app::App))
}

/// The paths of all pages in axum's notation: `/actions/{id}`.
pub fn page_paths() -> Vec<String> {
    pages().iter().map(|page| page.path().to_owned()).collect()
}

/// The paths of all server functions.
pub fn function_paths() -> Vec<String> {
    leptos::server_fn::axum::server_fn_paths()
        .map(|(path, _)| path.to_owned())
        .collect()
}

/// Copies what middleware has put into the request's extensions into Leptos' context, for pages and server functions.
fn context() {
    let copied = with_context::<Parts, _>(|Parts { extensions, .. }| {
        (
            extensions.get::<CspNonce>().cloned(),
            extensions.get::<Arc<Services>>().cloned(),
            extensions.get::<Session>().cloned(),
        )
    });
    let Some((nonce, services, session)) = copied else {
        return;
    };
    if let Some(CspNonce(nonce)) = nonce {
        // Replaces the nonce of leptos_axum, because the security header contains this one.
        provide_context(nonce);
    }
    if let Some(services) = services {
        provide_context(services);
    }
    if let Some(session) = session {
        provide_context(session);
    }
}
