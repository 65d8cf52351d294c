//! What a governed action is, and the words for it. Pure: no I/O, no clock, no randomness; compiles to WASM.

mod action;
mod authority;
pub mod canonical;
mod change_set;
mod check;
mod check_code;
mod check_context;
pub mod diff;
mod email;
mod envelope;
mod facts;
mod file_state;
mod finding;
mod finding_revision;
pub mod ids;
mod installation;
mod operator_request;
mod pause;
mod payload;
mod principal;
pub mod query;
mod reason;
mod record;
mod records;
mod rights;
mod scope;
mod section;
mod session;
mod snapshot;
mod source;
mod string_enum;
pub mod suggest;
#[cfg(test)]
pub(crate) mod test_records;
pub mod text;
mod time;
pub mod title_similarity;

pub use action::{
    Action, Answer, Attempt, AttemptOutcome, ChainCall, Decision, DecisionKind, Execution, InvalidTransition,
    Judgement, Lifecycle, Origin, Proposal, Question, Refusal, Risk, Stage, State,
};
pub use authority::{Permission, allows, missing_scopes, roles_are_current};
pub use change_set::{Change, ChangeSet, Create, FieldChange, Update};
pub use check::{Check, CheckId, FactRef, Verdict, VerdictCounts};
pub use check_code::CheckCode;
pub use check_context::{CheckContext, CheckContextQuery, OpenAction};
pub use email::{Address, Email, LONGEST_ADDRESS};
pub use envelope::{Envelope, EvidenceDigest};
pub use facts::{Facts, FactsQuery};
pub use file_state::FileState;
pub use finding::{Finding, FindingInRelease};
pub use finding_revision::{KnownFinding, ReopenCause, Revision, SetAside, Sighting, StatusChange};
pub use ids::*;
pub use installation::{DEMO_ISSUER, InstallationKind};
pub use operator_request::{OperatorChange, RequestStatus};
pub use pause::{Pause, PauseTarget};
pub use payload::{FieldError, each_text, pointer, remove_at, walk, walk_leaves};
pub use principal::{Actor, Client, Human, Person, Principal};
pub use query::{QueryError, Term, TermField};
pub use reason::ReasonCode;
pub use record::Record;
pub use records::*;
pub use rights::{Right, ScopeRight, rights};
pub use scope::{GrantKind, Scope, Scopes, TokenKind};
pub use section::{Section, sections_to_open};
pub use session::{BrowserSession, PROVIDER_CLOCK_SKEW, ProviderSignIn};
pub use snapshot::{FieldDifference, PageSnapshot, Snapshot};
pub use source::{ClientOfEntry, EventOutcome, SenderClaims, Source, SourceKind, address_group, session_name};
pub use text::PlainText;
pub use time::Timestamp;
