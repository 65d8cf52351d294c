//! What became of a form of a settings page.

use leptos::prelude::*;
use loopiq::views::Outcome;

/// The message. It takes the focus, so that those who hear the page hear it first.
#[component]
pub(crate) fn Said(
    /// What became of the form.
    outcome: Outcome,
) -> impl IntoView {
    let (class, role) = match outcome.done {
        true => ("flash flash-done", "status"),
        false => ("flash flash-refused", "alert"),
    };
    view! {
        <div class=class role=role tabindex="-1" autofocus>
            <p>
                <bdi>{outcome.message}</bdi>
            </p>
        </div>
    }
}
