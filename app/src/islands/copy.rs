//! A button that copies a text.

use leptos::ev::MouseEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Copies the text of the `<code>` in the same `.copy-text` or `.code-block`, so that the page contains the text only once. The button is
/// hidden until the script runs, because it does nothing without the script.
#[island]
pub fn CopyButton(
    /// What the text is, for screen readers: `the digest`.
    what: String,
) -> impl IntoView {
    let ready = RwSignal::new(false);
    let copied = RwSignal::new(None::<bool>);
    Effect::new(move || ready.set(true));

    let copy = move |click: MouseEvent| {
        spawn_local(async move {
            copied.set(Some(copy_code(&click).await));
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

/// Copies the text that belongs to the clicked button. Returns whether the browser copied it: outside a secure context there is no
/// clipboard.
#[cfg(feature = "hydrate")]
async fn copy_code(click: &MouseEvent) -> bool {
    let Some(text) = code_of(click) else { return false };
    let promise = window().navigator().clipboard().write_text(&text);
    wasm_bindgen_futures::JsFuture::from(promise).await.is_ok()
}

#[cfg(feature = "hydrate")]
fn code_of(click: &MouseEvent) -> Option<String> {
    use wasm_bindgen::JsCast;
    let clicked: web_sys::Element = click.target()?.dyn_into().ok()?;
    let whole = clicked.closest(".copy-text, .code-block").ok()??;
    whole.query_selector("code").ok()??.text_content()
}

#[cfg(not(feature = "hydrate"))]
async fn copy_code(_: &MouseEvent) -> bool {
    false
}
