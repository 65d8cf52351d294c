//! LoopIQ Governed Actions: the engine.
//!
//! An agent's write is only ever *proposed*. A tool plans a [`domain::ChangeSet`], an [`domain::Envelope`] binds what a
//! person approves, and the executor applies exactly that, once, with its audit entry in the same transaction.
//!
//! Lower modules never name higher ones: `domain` ← `log_keys`, `digest_key` ← `context` ← `policy` ← `tools`, `checks`, `audit`, `import`,
//! `catalog` ← `store`, `search` ← `engine`.
//! Everything that does I/O stands behind the crate's `engine` feature, so that the browser's bundle sees [`domain`] alone.

pub mod domain;
pub mod views;

#[cfg(feature = "engine")]
pub mod audit;
#[cfg(feature = "engine")]
pub mod catalog;
#[cfg(feature = "engine")]
pub mod checks;
#[cfg(feature = "engine")]
pub mod context;
#[cfg(feature = "engine")]
pub mod digest_key;
#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "engine")]
pub mod import;
#[cfg(feature = "engine")]
pub mod log_keys;
#[cfg(feature = "engine")]
pub mod policy;
#[cfg(feature = "engine")]
pub mod search;
#[cfg(feature = "engine")]
pub mod store;
#[cfg(feature = "engine")]
pub mod tools;
