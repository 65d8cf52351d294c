//! What people see: pages rendered on the server, server functions, and the islands that run in the browser.
//!
//! Pages are plain documents and exist only with feature `ssr`. Islands (feature `hydrate`) are leaves with serializable
//! props, so the browser's bundle holds nothing but them, the server functions' client halves, and the engine's domain.

// The types of Leptos views nest as deeply as the pages do.
#![recursion_limit = "256"]
#![allow(
    unreachable_pub,
    reason = "the component macro makes its props public whatever the component is"
)]

pub mod components;
pub mod islands;
pub mod server_fns;

#[cfg(feature = "ssr")]
mod drafts;
#[cfg(feature = "ssr")]
mod flash;
#[cfg(feature = "ssr")]
mod pages;
#[cfg(feature = "ssr")]
mod services;
#[cfg(feature = "ssr")]
mod settings_message;
#[cfg(feature = "ssr")]
mod shell;
#[cfg(feature = "ssr")]
mod status;

#[cfg(feature = "ssr")]
pub use services::Services;
#[cfg(feature = "ssr")]
pub use shell::{App, Bundle, shell};
#[cfg(feature = "ssr")]
pub use status::status_of;

/// The page that asks a person to sign in again before an approval. The parameter `action` is the action's ID.
pub const STEP_UP_PAGE: &str = "/auth/step-up";
/// The address that redirects to the identity provider for that sign-in. A form must not lead there: the content security policy forbids a
/// form whose response redirects to another site.
pub const STEP_UP_START: &str = "/auth/step-up/start";

/// Called by the page's script once the WASM is loaded; it then hydrates each island.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
