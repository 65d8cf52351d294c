//! What verifies the audit log in the browser.

use crate::shell::Bundle;
use leptos::prelude::*;

/// Places that the module in `verifier/page` fills: the outcome and the steps. The module starts once the page is idle, and finds the places by
/// `data-verify` of an ancestor. Without a script they stay empty.
#[component]
pub(crate) fn Verification(
    /// What a reader without a script is told.
    without: &'static str,
) -> impl IntoView {
    let script = use_context::<Bundle>().and_then(|bundle| bundle.verifier);
    view! {
        <div data-outcome role="status"></div>
        <div data-steps></div>
        <noscript>
            <p class="quiet">{without}</p>
        </noscript>
        {script.map(|script| view! { <script type="module" src=script></script> })}
    }
}
