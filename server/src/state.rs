//! The state that every request handler shares.

use crate::demo_idp::DemoIdp;
use crate::net::RequestSettings;
use crate::oauth::OAuth;
use crate::oidc::Oidc;
use crate::session_settings::SessionSettings;
use crate::sign_in_cookies::SignInCookies;
use crate::urls;
use crate::witnesses::CheckpointSettings;
use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use loopiq::context::Runtime;
use loopiq::engine::Engine;
use loopiq::store::Store;
use loopiq_app::Bundle;
use metrics_exporter_prometheus::PrometheusHandle;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The running service. axum clones it for each layer that a request passes, so a clone is only a reference.
#[derive(Clone)]
pub struct AppState(Arc<AppParts>);

/// The parts of a running service.
pub struct AppParts {
    /// The use cases.
    pub engine: Engine,
    /// The database. Handlers use it for browser sessions only, and the engine for everything else.
    pub store: Store,
    /// The clock and the source of randomness.
    pub runtime: Runtime,
    /// Where clients reach the service, without a trailing slash: `http://127.0.0.1:3000`.
    pub public_url: Arc<str>,
    /// The relying party of the identity provider.
    pub oidc: Oidc,
    /// The authorization server for clients.
    pub oauth: OAuth,
    /// How long sessions last.
    pub sessions: SessionSettings,
    /// The cookies that hold unfinished sign-ins.
    pub sign_in_cookies: SignInCookies,
    /// Rate limits, the request time limit and trusted proxies.
    pub requests: RequestSettings,
    /// How often checkpoints of the audit logs are signed, and who gets them.
    pub checkpoints: CheckpointSettings,
    /// The demo's identity provider; `None` in production.
    pub demo_idp: Option<DemoIdp>,
    /// Leptos' settings: where the files of the site are.
    pub leptos: LeptosOptions,
    /// The URLs of script, WASM and style sheet, for pages that Leptos renders.
    pub bundle: Bundle,
    /// The URL of the style sheet, for pages that Leptos does not render.
    pub stylesheet: Arc<str>,
    /// Renders `/metrics`.
    pub metrics: PrometheusHandle,
    /// Set when the process is told to stop; `/readyz` then answers 503.
    pub draining: Arc<AtomicBool>,
}

impl From<AppParts> for AppState {
    fn from(parts: AppParts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for AppState {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.0
    }
}

impl AppParts {
    /// The audience that a bearer token for the MCP endpoint must have (RFC 8707).
    pub fn mcp_audience(&self) -> String {
        urls::mcp_audience(&self.public_url)
    }

    /// Whether browsers reach the service over TLS.
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// The time in seconds since 1970-01-01 UTC, as OAuth counts it.
    pub fn now_seconds(&self) -> i64 {
        self.runtime.now().0.div_euclid(1_000_000)
    }

    /// Whether the process was told to stop.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}
