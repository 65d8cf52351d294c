//! What every handler of the service needs.

use crate::auth::Seal;
use crate::demo_idp::DemoIdp;
use crate::net::Edge;
use crate::oidc::Oidc;
use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use loopiq::context::Runtime;
use loopiq::engine::Engine;
use loopiq::store::Store;
use loopiq_app::Bundle;
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The running service, handed to every door. Clones share everything.
#[derive(Clone)]
pub struct App {
    /// The use cases.
    pub engine: Engine,
    /// The database, for sessions alone; everything else goes through the engine.
    pub store: Store,
    /// Clock and randomness.
    pub runtime: Runtime,
    /// Where the service is reached, without a slash at the end: `http://127.0.0.1:3000`.
    pub public_url: Arc<str>,
    /// Signing in.
    pub oidc: Oidc,
    /// What keeps sign-ins under way.
    pub seal: Seal,
    /// Where clients come from, and how much they may ask for.
    pub edge: Edge,
    /// The demo's identity provider, in a demo.
    pub demo_idp: Option<DemoIdp>,
    /// Where Leptos finds the browser's bundle.
    pub leptos: LeptosOptions,
    /// What every page loads.
    pub bundle: Bundle,
    /// The style sheet's path, for the few pages that Leptos does not render.
    pub stylesheet: Arc<str>,
    /// What `/metrics` prints.
    pub metrics: PrometheusHandle,
    /// Set once the service has been told to stop: it is not ready any more.
    pub draining: Arc<AtomicBool>,
}

impl App {
    /// What a bearer token must have been given out for (RFC 8707): the address of the MCP door.
    pub fn mcp_audience(&self) -> String {
        mcp_audience(&self.public_url)
    }

    /// Whether browsers reach the service over TLS.
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// Seconds since 1970, as OAuth counts.
    pub fn now_seconds(&self) -> i64 {
        self.runtime.now().0.div_euclid(1_000_000)
    }

    /// Whether the service has been told to stop.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

/// The audience of tokens for the MCP door of the service at this public URL.
pub fn mcp_audience(public_url: &str) -> String {
    format!("{public_url}/mcp")
}

impl FromRef<App> for LeptosOptions {
    fn from_ref(app: &App) -> Self {
        app.leptos.clone()
    }
}
