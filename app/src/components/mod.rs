//! Small pieces that pages are made of. Those an island needs compile for the browser too; the rest stays on the server.

pub mod textarea;

#[cfg(feature = "ssr")]
pub(crate) mod checks;
#[cfg(feature = "ssr")]
pub(crate) mod code;
#[cfg(feature = "ssr")]
pub(crate) mod compared;
#[cfg(feature = "ssr")]
pub(crate) mod difference;
#[cfg(feature = "ssr")]
pub(crate) mod header;
#[cfg(feature = "ssr")]
pub(crate) mod icon;
#[cfg(feature = "ssr")]
pub(crate) mod lines;
#[cfg(feature = "ssr")]
pub(crate) mod record;
#[cfg(feature = "ssr")]
pub(crate) mod said;
#[cfg(feature = "ssr")]
pub(crate) mod select;
#[cfg(feature = "ssr")]
pub(crate) mod state;
#[cfg(feature = "ssr")]
pub(crate) mod title;
#[cfg(feature = "ssr")]
pub(crate) mod tree;
#[cfg(feature = "ssr")]
pub(crate) mod when;
