//! Text for machines: IDs, digests, payloads.

use crate::islands::CopyButton;
use leptos::prelude::*;
use loopiq::domain::PlainText;

/// A short text in monospace, whole, with a button that copies it.
#[component]
pub(crate) fn CopyText(
    /// The text.
    text: PlainText,
    /// What it is.
    what: String,
) -> impl IntoView {
    view! {
        <span class="copy-text">
            <code>{text}</code>
            " "
            <CopyButton what />
        </span>
    }
}

/// A block of JSON that keeps its lines. It can be scrolled by keyboard, so it has a name.
#[component]
pub(crate) fn CodeBlock(
    /// The text.
    text: PlainText,
    /// What it is.
    what: &'static str,
) -> impl IntoView {
    view! {
        <div class="code-block">
            <CopyButton what=what.to_owned() />
            <pre tabindex="0" role="region" aria-label=what>
                <code>{text}</code>
            </pre>
        </div>
    }
}
