//! A button that copies a text.

use leptos::prelude::*;
use leptos::task::spawn_local;
use loopiq::domain::PlainText;

/// Copies `text`. The button is hidden until the script runs, because it does nothing without the script.
#[island]
pub fn CopyButton(
    /// The text to copy.
    text: PlainText,
    /// What the text is, for screen readers: `the digest`.
    what: String,
) -> impl IntoView {
    let ready = RwSignal::new(false);
    let copied = RwSignal::new(None::<bool>);
    Effect::new(move || ready.set(true));

    let copy = move |_| {
        let text = text.clone();
        spawn_local(async move {
            copied.set(Some(write(text.as_str()).await));
            set_timeout(move || copied.set(None), std::time::Duration::from_secs(2));
        });
    };
    let label = move || match copied.get() {
        None => "Copy",
        Some(true) => "Copied",
        Some(false) => "Not copied",
    };
    view! {
        <button type="button" class="copy" hidden=move || !ready.get() on:click=copy>
            <span aria-live="polite">{label}</span>
            <span class="unseen">" " {what}</span>
        </button>
    }
}

/// Whether the browser copied the text. Outside a secure context there is no clipboard.
#[cfg(feature = "hydrate")]
async fn write(text: &str) -> bool {
    let promise = window().navigator().clipboard().write_text(text);
    wasm_bindgen_futures::JsFuture::from(promise).await.is_ok()
}

#[cfg(not(feature = "hydrate"))]
async fn write(_: &str) -> bool {
    false
}
