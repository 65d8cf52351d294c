//! What a governed action is, and the words for it. Pure: no I/O, no clock, no randomness; compiles to WASM.

mod action;
mod authority;
pub mod canonical;
mod change_set;
mod check;
mod envelope;
mod facts;
pub mod ids;
pub mod likeness;
mod payload;
mod policy;
pub mod preview;
mod principal;
mod query;
mod reason;
mod records;
mod surroundings;
pub mod text;
mod time;
pub mod view;
mod words;

pub use action::{InvalidTransition, Risk, State};
pub use authority::{Command, allows};
pub use change_set::{Change, ChangeSet, Create, FieldChange, Update};
pub use check::{Check, CheckId, FactRef, Verdict, VerdictCounts};
pub use envelope::{Envelope, EvidenceSeal};
pub use facts::{Facts, FactsQuery};
pub use ids::*;
pub use payload::{FieldError, each_text, pointer};
pub use policy::Policy;
pub use principal::{Actor, Client, Person, Principal};
pub use query::{AuditQuery, QueryError, Term, TermField};
pub use reason::ReasonCode;
pub use records::*;
pub use surroundings::{OpenAction, Surroundings, SurroundingsQuery};
pub use time::{Timestamp, duration};
