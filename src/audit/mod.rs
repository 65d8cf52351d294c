//! Audit entries, version 1: their content, their hashes, and the search terms that find them.
//!
//! An entry consists of a *leaf* (tenant, sequence, time, event, action, content hash) and a *content*. The hash of the
//! content is salted, so that nobody can guess a purged content from its leaf.

mod content;
mod fingerprint;
mod leaf;
mod position;
mod terms;

pub use content::{Content, EVENTS, Event, Place, titles};
pub use fingerprint::terms_fingerprint;
pub use leaf::leaf;
pub use position::LogPosition;
pub use terms::Terms;
