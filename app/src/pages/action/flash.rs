//! The line that says what was just done.

use crate::flash::Flash;
use leptos::prelude::*;

/// What became of a decision, at the top of the page, with the way to the next action. It takes the focus, so that
/// those who hear the page hear it first.
#[component]
pub(super) fn FlashLine(flash: Flash) -> impl IntoView {
    let outcome = flash.outcome;
    let (class, role) = if outcome.done {
        ("flash flash-done", "status")
    } else {
        ("flash flash-refused", "alert")
    };
    let next = (!outcome.next.is_empty()).then(|| {
        // The engine names an action or an address of this site; anything else would lead away.
        let href = if outcome.next.starts_with('/') {
            outcome.next
        } else {
            format!("/actions/{}", outcome.next)
        };
        view! {
            <a class="button" href=href>
                "Next: the oldest action that is yours to decide"
            </a>
        }
    });
    view! {
        <div class=class role=role tabindex="-1" autofocus>
            <p>
                <bdi>{outcome.message}</bdi>
            </p>
            {next}
        </div>
    }
    .into_any()
}
