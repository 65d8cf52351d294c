//! Times.

use leptos::prelude::*;
use loopiq::views::When;

/// A relative time. The exact time is in the title and in `datetime`.
#[component]
pub(crate) fn RelativeTime(
    /// The time.
    when: When,
) -> impl IntoView {
    view! {
        <time datetime=when.exact title=when.utc>
            {when.relative}
        </time>
    }
}

/// An exact time followed by the relative one, for audit entries.
#[component]
pub(crate) fn ExactTime(
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
