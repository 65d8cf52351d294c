//! The outcome of a form on a settings page.

use leptos::prelude::*;
use loopiq::views::Outcome;

/// The message. It takes the focus, so that a screen reader reads it first.
#[component]
pub(crate) fn Message(
    /// The outcome.
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
