//! The OAuth authorization server of the MCP endpoint, for public clients. It delegates the sign-in to the company's identity provider: what the
//! service adds is the consent of a person, and tokens of its own for its own resource.
//!
//! A client is known by its ID alone. A client ID that is a URL leads to the client's metadata ([`cimd`]); any other one contains the metadata,
//! encrypted by this service ([`register`]). So a registration writes nothing, and a row appears only when a person consents
//! ([`authorize`]). The rules about codes and tokens are in the engine (`engine/admin/grants/oauth.rs`).

mod addresses;
mod authorize;
mod cimd;
mod client;
mod consent_page;
mod error;
mod metadata;
mod redirect_uri;
mod register;
mod request;
mod revoke;
mod sealed;
#[cfg(test)]
mod tests;
mod token;

use crate::auth;
use crate::http::rate_limits;
use crate::state::AppState;
use anyhow::Result;
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use cimd::Documents;
use loopiq::context::Runtime;
use sealed::Sealer;
use std::fmt;
use std::sync::Arc;

/// What the authorization server keeps in memory. Cheap to clone.
#[derive(Clone)]
pub struct OAuth(Arc<Inner>);

struct Inner {
    sealer: Sealer,
    documents: Documents,
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OAuth")
    }
}

impl OAuth {
    /// The authorization server of a service with this secret. `allow_loopback`: whether metadata may be fetched from this machine, which only a
    /// demo or a test needs.
    ///
    /// # Errors
    /// The HTTP client cannot be set up.
    pub fn new(secret: &[u8; 32], runtime: &Runtime, allow_loopback: bool) -> Result<Self> {
        Ok(Self(Arc::new(Inner {
            sealer: Sealer::new(secret, runtime.clone()),
            documents: Documents::new(runtime.clone(), allow_loopback)?,
        })))
    }

    fn sealer(&self) -> &Sealer {
        &self.0.sealer
    }

    fn documents(&self) -> &Documents {
        &self.0.documents
    }
}

/// The consent page, for signed-in people in browsers.
pub(crate) fn pages(state: &AppState) -> Router<AppState> {
    Router::new()
        .route(authorize::PATH, get(authorize::ask).post(authorize::decide))
        .layer(from_fn_with_state(state.clone(), auth::require_sign_in))
        .layer(auth::session_layer(state))
        .layer(from_fn(authorize::refuse_long_requests))
}

/// The endpoints for programs. They use no cookies, so requests from other sites can do nothing in the name of a person.
pub(crate) fn endpoints(state: &AppState) -> Router {
    Router::new()
        .route(metadata::WELL_KNOWN, get(metadata::show))
        .route(&format!("{}/mcp", metadata::WELL_KNOWN), get(metadata::show))
        .route(register::PATH, post(register::register))
        .route(token::PATH, post(token::token))
        .route(revoke::PATH, post(revoke::revoke))
        .route_layer(from_fn_with_state(state.clone(), rate_limits::limit_by_address))
        .with_state(state.clone())
}
