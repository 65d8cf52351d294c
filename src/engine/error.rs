//! What a caller can be told. One enum for all doors; each door maps it once.

use crate::domain::{ActionId, Check, FieldError, InvalidTransition, ReasonCode, RecordKind, State, Timestamp};
use crate::store::{StoreError, WriteError};

/// Why a use case was not carried out. Each variant is something a caller can act on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such record in this tenant: it never existed, or it is another tenant's.
    #[error("There is no {} {id} that you can see. Check the ID.", .kind.word())]
    NotFound {
        /// What was looked for.
        kind: RecordKind,
        /// The ID as it was given.
        id: String,
    },
    /// The tool does not exist, or not for this caller.
    #[error("There is no tool {name}. tools/list names those you can use.")]
    UnknownTool {
        /// The name as it was given.
        name: String,
    },
    /// The arguments do not fit. Nothing was stored.
    #[error("The arguments do not fit; nothing was stored. {}", summary(.fields))]
    Invalid {
        /// Each thing that is wrong.
        fields: Vec<FieldError>,
    },
    /// What somebody wrote with a decision does not do.
    #[error("Nothing was decided: {message}")]
    Wording {
        /// What to write instead.
        message: String,
    },
    /// What a tenant has set is not changed like this, or is not there.
    #[error("Nothing was changed: {message}")]
    Setting {
        /// What is wrong, and what to do.
        message: String,
    },
    /// The principal may not do this.
    #[error("{why}")]
    NotAuthorized {
        /// Why, and who could.
        why: String,
    },
    /// The caller's client used the key for another proposal.
    #[error(
        "You used this idempotency key for another request: {tool} proposed {action} at {}. {} Nothing was stored. Use a new key for a new \
         proposal.",
        .at.rfc3339(),
        difference(.tool, .wanted)
    )]
    IdempotencyConflict {
        /// The action that the key belongs to.
        action: ActionId,
        /// The tool that proposed it.
        tool: String,
        /// When it was proposed.
        at: Timestamp,
        /// The tool that was called now.
        wanted: &'static str,
    },
    /// A person declined the same, and nothing that it rests on has changed since.
    #[error(
        "A person declined the same in {action} ({}): \"{}\" Nothing was stored. Change what they object to, and propose that; \
         loopiq_get_action says where it stands in the payload.",
        codes.iter().map(|code| code.as_str()).collect::<Vec<_>>().join(", "),
        crate::domain::text::visible(text)
    )]
    RejectedBefore {
        /// The action that was declined.
        action: ActionId,
        /// Why, as codes.
        codes: Vec<ReasonCode>,
        /// Why, in the person's words.
        text: String,
        /// What the checks among the codes said, and of which places.
        reasons: Vec<Check>,
    },
    /// The decision named another digest than the action's.
    #[error("What you were shown is not what is stored, so nothing was decided. Open the action again and read it.")]
    DigestMismatch,
    /// Somebody decided before, or time did.
    #[error("{message}")]
    AlreadyDecided {
        /// Where the action stands now.
        state: State,
        /// Who decided what, and when.
        message: String,
    },
    /// A check or the policy stands against it.
    #[error("{message}")]
    Refused {
        /// The reason.
        code: ReasonCode,
        /// Why, and what would clear it.
        message: String,
    },
    /// The approval was recorded, but running the action was refused.
    #[error("Your approval was recorded, but the action was not executed. {cause}")]
    NotExecuted {
        /// Why it was not run.
        cause: Box<Error>,
    },
    /// The database can't be used just now. What was acknowledged is kept and nothing is half done; where the answer to
    /// a COMMIT was lost, the last write may be there, and the same idempotency key tells.
    #[error(
        "The database cannot be used just now (incident {incident}). What was acknowledged is kept, and nothing is half done. Try again in a moment; an agent uses the same idempotency key."
    )]
    Unavailable {
        /// Names the log line.
        incident: String,
    },
    /// Something broke on our side; the cause is in the log under this ID.
    #[error("Something failed on our side (incident {incident}). Nothing was changed; it is safe to try again.")]
    Internal {
        /// Names the log line.
        incident: String,
        /// The cause, for the log alone.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// How a call differs from the proposal that its key belongs to: one and the same tool refuses a key only for other arguments.
fn difference(tool: &str, wanted: &str) -> String {
    if tool == wanted {
        "The arguments of this call differ from those of that proposal.".to_owned()
    } else {
        format!("This call is of another tool, {wanted}.")
    }
}

fn summary(fields: &[FieldError]) -> String {
    let named: Vec<String> = fields
        .iter()
        .take(3)
        .map(|field| {
            let place = if field.pointer.is_empty() {
                "the arguments"
            } else {
                &field.pointer
            };
            format!("{place}: {}", field.message)
        })
        .collect();
    let more = fields.len().saturating_sub(3);
    if more > 0 {
        format!("{}; and {more} more.", named.join("; "))
    } else {
        format!("{}.", named.join("; "))
    }
}

impl Error {
    /// The stable code that doors send.
    pub fn code(&self) -> &'static str {
        match self {
            Error::NotFound { .. } => "not_found",
            Error::UnknownTool { .. } => "unknown_tool",
            Error::Invalid { .. } | Error::Wording { .. } | Error::Setting { .. } => "invalid_arguments",
            Error::NotAuthorized { .. } => "not_authorized",
            Error::IdempotencyConflict { .. } => "idempotency_conflict",
            Error::RejectedBefore { .. } => "rejected_before",
            Error::DigestMismatch => "digest_mismatch",
            Error::AlreadyDecided { .. } => "already_decided",
            Error::Refused { code, .. } => code.as_str(),
            Error::NotExecuted { cause } => cause.code(),
            Error::Unavailable { .. } => "unavailable",
            Error::Internal { .. } => "internal",
        }
    }

    /// The state of the action that the error tells, where it tells one.
    pub fn state(&self) -> Option<State> {
        match self {
            Error::AlreadyDecided { state, .. } => Some(*state),
            Error::NotExecuted { cause } => Some(cause.state().unwrap_or(State::Approved)),
            _ => None,
        }
    }

    /// One thing wrong with one field.
    pub fn field(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Error::Invalid {
            fields: vec![FieldError::new(pointer, message)],
        }
    }

    /// Something broke on our side.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let cause = cause.into();
        let incident = incident(&cause);
        tracing::error!(incident, cause = ?cause, "internal error");
        Error::Internal { incident, cause }
    }
}

impl Error {
    /// The database can't be used just now.
    pub fn unavailable(cause: impl std::fmt::Debug) -> Self {
        let incident = incident(&cause);
        tracing::error!(incident, ?cause, "the database cannot be used");
        Error::Unavailable { incident }
    }
}

/// Names an incident: the same cause has the same name.
fn incident(cause: &impl std::fmt::Debug) -> String {
    crate::domain::canonical::sha256_hex(format!("{cause:?}").as_bytes())[..8].to_owned()
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(what) => Error::Refused {
                code: ReasonCode::AlreadyDecided,
                message: format!(
                    "Nothing was done: {what} was changed by somebody else at the same moment. Look again."
                ),
            },
            other if other.is_unstorable_text() => Error::field(
                "",
                "a text holds the character U+0000, which can be neither kept nor searched for",
            ),
            other if other.is_unavailable() => Error::unavailable(other),
            other => Error::internal(other),
        }
    }
}

impl WriteError for Error {
    fn is_fault(&self) -> bool {
        matches!(self, Error::Internal { .. } | Error::Unavailable { .. })
    }
}

impl From<InvalidTransition> for Error {
    fn from(refused: InvalidTransition) -> Self {
        Error::AlreadyDecided {
            state: refused.from,
            message: format!("Nothing was done: {refused}."),
        }
    }
}
