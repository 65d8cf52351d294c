//! The document around every page, and the routes.

use crate::components::header::Header;
use crate::pages::{ActionPage, AuditEntryPage, AuditPage, ConfirmPage, InboxPage, NotFoundPage, PolicyPage};
use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, MetaTags, Title, provide_meta_context};
use leptos_router::SsrMode;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::path;

/// The whole HTML document. The style sheet and the bundle are named by their content when `hash_files` is set.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="robots" content="noindex" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <HashedStylesheet id="style" options=options.clone() />
                <AutoReload options=options.clone() />
                <HydrationScripts options islands=true />
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
        <Title formatter=|title| format!("{title} · LoopIQ") />
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
                    <Route path=path!("/settings/policy") view=PolicyPage ssr=SsrMode::Async />
                </Routes>
            </main>
        </Router>
    }
}
