//! The document around every page, and the routes.

use crate::components::header::Header;
use crate::components::title::TitleFormat;
use crate::pages::{
    AccessPage, ActionPage, AuditEntryPage, AuditPage, CatalogPage, ClientsPage, ConfirmPage, InboxPage, NotFoundPage,
    PausesPage, PersonPage, PolicyPage, ReleasePage, RequestsPage, SessionsPage,
};
use leptos::prelude::*;
use leptos_meta::{MetaTags, provide_meta_context};
use leptos_router::SsrMode;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::path;
use std::sync::Arc;

/// Where the browser finds what every page loads: paths in URLs, named by the files' content. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The JavaScript module that loads the WASM.
    pub script: Arc<str>,
    /// The WASM.
    pub wasm: Arc<str>,
    /// The style sheet.
    pub stylesheet: Arc<str>,
    /// The module that verifies the audit log, which only its pages load. cargo-leptos does not build it.
    pub verifier: Option<Arc<str>>,
    /// The inline script that starts the module, see [`Hydration`].
    start: Arc<str>,
}

impl Bundle {
    /// The bundle of these paths.
    pub fn new(script: &str, wasm: &str, stylesheet: &str) -> Self {
        let start = format!(
            "const start = async () => {{ \
             const bundle = await import({script:?}); \
             await bundle.default({{ module_or_path: {wasm:?} }}); \
             bundle.hydrate(); \
             for (const island of document.querySelectorAll('leptos-island')) bundle[island.dataset.component]?.(island); \
             }}; \
             'requestIdleCallback' in window ? requestIdleCallback(start) : start();"
        );
        Self {
            script: script.into(),
            wasm: wasm.into(),
            stylesheet: stylesheet.into(),
            verifier: None,
            start: start.into(),
        }
    }

    /// The bundle with the module that verifies the audit log.
    pub fn with_verifier(self, script: Option<&str>) -> Self {
        Self {
            verifier: script.map(Arc::from),
            ..self
        }
    }
}

/// The whole HTML document. `watch` are the options of `cargo leptos watch`, whose script reloads the page after a change.
pub fn shell(watch: Option<LeptosOptions>, bundle: Bundle) -> impl IntoView {
    provide_context(bundle.clone());
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="robots" content="noindex" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="stylesheet" href=bundle.stylesheet.clone() />
                {watch.map(|options| view! { <AutoReload options /> })}
                <Hydration bundle />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The pages. Each waits for its data (`SsrMode::Async`), so that its status code is right and it needs no script.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <TitleFormat />
        <a class="skip" href="#main">
            "Skip to the content"
        </a>
        <Router>
            <Header />
            <main id="main" tabindex="-1">
                <Routes fallback=NotFoundPage>
                    <Route path=path!("/") view=InboxPage ssr=SsrMode::Async />
                    <Route path=path!("/actions/:id") view=ActionPage ssr=SsrMode::Async />
                    <Route path=path!("/actions/:id/confirm") view=ConfirmPage ssr=SsrMode::Async />
                    <Route path=path!("/audit") view=AuditPage ssr=SsrMode::Async />
                    <Route path=path!("/audit/:seq") view=AuditEntryPage ssr=SsrMode::Async />
                    <Route path=path!("/releases/:key") view=ReleasePage ssr=SsrMode::Async />
                    <Route path=path!("/settings/catalog") view=CatalogPage ssr=SsrMode::Async />
                    <Route path=path!("/settings/policy") view=PolicyPage ssr=SsrMode::Async />
                    <Route path=path!("/settings/requests") view=RequestsPage ssr=SsrMode::Async />
                    <Route path=path!("/settings/sessions") view=SessionsPage ssr=SsrMode::Async />
                    <Route path=path!("/settings/clients") view=ClientsPage ssr=SsrMode::Async />
                    <Route path=path!("/settings/pauses") view=PausesPage ssr=SsrMode::Async />
                    <Route path=path!("/settings/access") view=AccessPage ssr=SsrMode::Async />
                    <Route path=path!("/settings/access/:id") view=PersonPage ssr=SsrMode::Async />
                </Routes>
            </main>
        </Router>
    }
}

/// Loads the bundle once the browser is idle, and hydrates each island. It stands in for Leptos' `HydrationScripts`, which writes the
/// nonce of the content security policy into `crossorigin` as well, where markup and CSS can read it; browsers hide `nonce` alone.
#[component]
fn Hydration(bundle: Bundle) -> impl IntoView {
    if let Some(shared) = Owner::current_shared_context() {
        // Only what is inside an island is hydrated.
        shared.set_is_hydrating(false);
    }
    let Bundle {
        script, wasm, start, ..
    } = bundle;
    view! {
        <link rel="modulepreload" href=script />
        <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
        <script type="module" nonce=leptos::nonce::use_nonce()>
            {start}
        </script>
    }
}
