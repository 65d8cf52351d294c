//! Whether the log continues the one that this browser saw before.

use crate::components::verifier::Verification;
use crate::services::Services;
use leptos::prelude::*;
use std::sync::Arc;

/// One line, or an alert if the log does not continue.
#[component]
pub(super) fn Growth() -> impl IntoView {
    let tenant = use_context::<Arc<Services>>().map(|services| services.ctx.tenant().to_string());
    view! {
        <section class="growth" aria-label="Continuity of the log" data-verify="growth" data-tenant=tenant>
            <Verification without="With JavaScript, your browser verifies here that the log continues the one of your last visit." />
        </section>
    }
}
