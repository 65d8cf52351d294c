//! Times.

use leptos::prelude::*;
use loopiq::views::When;

/// A relative time; the exact one is there on hover, and for programs.
#[component]
pub(crate) fn Ago(
    /// The time.
    when: When,
) -> impl IntoView {
    view! {
        <time datetime=when.exact title=when.utc>
            {when.relative}
        </time>
    }
}

/// A time in full, with the relative one beside it: where somebody proves or compares.
#[component]
pub(crate) fn Exact(
    /// The time.
    when: When,
) -> impl IntoView {
    view! {
        <span class="exact">
            <time datetime=when.exact>{when.utc}</time>
            " "
            <span class="quiet">"("{when.relative}")"</span>
        </span>
    }
}
