//! Components that several pages use. A component that an island needs also compiles for the browser; the others exist only on the server.

pub mod textarea;

#[cfg(feature = "ssr")]
pub(crate) mod checks;
#[cfg(feature = "ssr")]
pub(crate) mod code;
#[cfg(feature = "ssr")]
pub(crate) mod comparison_table;
#[cfg(feature = "ssr")]
pub(crate) mod difference;
#[cfg(feature = "ssr")]
pub(crate) mod header;
#[cfg(feature = "ssr")]
pub(crate) mod lines;
#[cfg(feature = "ssr")]
pub(crate) mod message;
#[cfg(feature = "ssr")]
pub(crate) mod record;
#[cfg(feature = "ssr")]
pub(crate) mod select;
#[cfg(feature = "ssr")]
pub(crate) mod sessions;
#[cfg(feature = "ssr")]
pub(crate) mod state;
#[cfg(feature = "ssr")]
pub(crate) mod table_head;
#[cfg(feature = "ssr")]
pub(crate) mod tenant_field;
#[cfg(feature = "ssr")]
pub(crate) mod time;
#[cfg(feature = "ssr")]
pub(crate) mod title;
#[cfg(feature = "ssr")]
pub(crate) mod tree;
#[cfg(feature = "ssr")]
pub(crate) mod verifier;
