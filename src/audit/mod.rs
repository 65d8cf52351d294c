//! Audit entries, version 1: what is kept of an event, how it is hashed, and what it can be found by.
//!
//! An entry is a *leaf* (tenant, sequence, time, event, action, content hash) and a *content*. The content's hash is
//! salted, so that a content that was purged cannot be guessed from its leaf.

mod content;
mod leaf;

pub use content::{Content, EVENTS, Event, Place, words_of};
pub use leaf::{Leaf, content_hash};
