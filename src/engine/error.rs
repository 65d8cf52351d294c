//! The errors of use cases. MCP, web pages and command line each convert them in one place.

use crate::domain::{ActionId, Check, FieldError, InvalidTransition, ReasonCode, RecordKind, Scopes, State, Timestamp};
use crate::store::{StoreError, WriteError};
use crate::views::Label;

/// Why a use case was not carried out. Each variant tells the caller what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tenant has no such record. A record of another tenant gives the same error.
    #[error("There is no {} {id} that you can see. Check the ID.", .kind.label())]
    NotFound {
        /// The kind of record.
        kind: RecordKind,
        /// The ID as the caller gave it.
        id: String,
    },
    /// The audit trail of this tenant has no entry with this number.
    #[error("There is no audit entry {seq}. Search the audit trail for another one.")]
    NoAuditEntry {
        /// The number as it was given.
        seq: i64,
    },
    /// The audit log is not what this service wrote.
    #[error(
        "The audit log of this organisation was changed from outside: {why}. Nothing was signed or run. Tell an operator: `loopiq audit verify` \
         names the first bad entry, and a copy of the log from before shows what was changed."
    )]
    LogTampered {
        /// What is wrong.
        why: String,
    },
    /// The tool does not exist, or the caller may not use it.
    #[error("There is no tool {name}. tools/list names those you can use.")]
    UnknownTool {
        /// The name as the caller gave it.
        name: String,
    },
    /// The arguments are invalid. Nothing was stored.
    #[error("The arguments do not fit; nothing was stored. {}", summary(.fields))]
    Invalid {
        /// Every mistake in the arguments.
        fields: Vec<FieldError>,
    },
    /// A text that a person wrote with a decision is invalid.
    #[error("Nothing was decided: {message}")]
    Wording {
        /// What to write instead.
        message: String,
    },
    /// A setting of the tenant does not exist or cannot be changed like this.
    #[error("Nothing was changed: {message}")]
    Setting {
        /// What is wrong, and what to do about it.
        message: String,
    },
    /// The principal may not do this.
    #[error("{why}")]
    NotAuthorized {
        /// Why, and who may.
        why: String,
    },
    /// The token lacks a scope that the person's roles would permit.
    #[error("This needs a token with the scope {needed}; yours has {}. Nothing was changed. Connect again and ask for it.", listed(.held))]
    InsufficientScope {
        /// The scopes that the call needs.
        needed: Scopes,
        /// The scopes of the token.
        held: Scopes,
    },
    /// The caller's client used the idempotency key for another proposal.
    #[error(
        "You used this idempotency key for another request: {tool} proposed {action} at {}. {} Nothing was stored. Use a new key for a new \
         proposal.",
        .at.rfc3339(),
        difference(.tool, .wanted)
    )]
    IdempotencyConflict {
        /// The action of that proposal.
        action: ActionId,
        /// The tool of that proposal.
        tool: String,
        /// When it was proposed.
        at: Timestamp,
        /// The tool of this call.
        wanted: &'static str,
    },
    /// A person declined an equal proposal, and none of its records has changed since.
    #[error(
        "A person declined the same in {action} ({}): \"{}\" Nothing was stored. Change what the person objects to, and propose that; \
         loopiq_get_action names the places in the payload.",
        codes.iter().map(|code| code.as_str()).collect::<Vec<_>>().join(", "),
        crate::domain::text::visible(text)
    )]
    RejectedBefore {
        /// The action that was declined.
        action: ActionId,
        /// Why, as codes.
        codes: Vec<ReasonCode>,
        /// The person's text.
        text: String,
        /// The results of the checks that the codes name, with records and pointers.
        reasons: Vec<Check>,
    },
    /// The decision names another digest than the action has.
    #[error("What you were shown is not what is stored, so nothing was decided. Open the action again and read it.")]
    DigestMismatch,
    /// The action has been decided, or has expired.
    #[error("{message}")]
    AlreadyDecided {
        /// The action's state.
        state: State,
        /// Who decided, and when.
        message: String,
    },
    /// A person has paused agents, the tool or the client.
    #[error("{message}")]
    Paused {
        /// What is paused, since when, by whom and why, and what can still be done.
        message: String,
    },
    /// A check or the policy forbids it.
    #[error("{message}")]
    Refused {
        /// The reason.
        code: ReasonCode,
        /// Why, and what to do about it.
        message: String,
    },
    /// The approval was recorded, but the execution was refused.
    #[error("Your approval was recorded, but the action was not executed. {cause}")]
    NotExecuted {
        /// Why the action was not executed.
        cause: Box<Error>,
    },
    /// The database cannot be used at the moment. Acknowledged writes are kept and nothing is half done. If the reply
    /// to a COMMIT was lost, the last write may be stored; a call with the same idempotency key finds out.
    #[error(
        "The database cannot be used just now{} (incident {incident}). What was acknowledged is kept, and nothing is half done. Try again in a moment; an agent uses the same idempotency key.",
        if *disk_is_full { ": its disk is full" } else { "" }
    )]
    Unavailable {
        /// Identifies the log line.
        incident: String,
        /// Whether the reason is a full disk, which an operator has to mend.
        disk_is_full: bool,
    },
    /// A fault of the service. The log has the cause under this ID.
    #[error("Something failed on our side (incident {incident}). Nothing was changed; it is safe to try again.")]
    Internal {
        /// Identifies the log line.
        incident: String,
        /// The cause, only for the log.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The scopes of a token in a sentence.
fn listed(scopes: &Scopes) -> String {
    match scopes.is_empty() {
        true => "none".to_owned(),
        false => format!("only {scopes}"),
    }
}

/// How a call differs from the proposal with its key. For the same tool, only the arguments can differ.
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
        .take(20)
        .map(|field| {
            let pointer = if field.pointer.is_empty() {
                "the arguments"
            } else {
                &field.pointer
            };
            format!("{pointer}: {}", field.message)
        })
        .collect();
    let more = fields.len().saturating_sub(20);
    if more > 0 {
        format!("{}; and {more} more.", named.join("; "))
    } else {
        format!("{}.", named.join("; "))
    }
}

impl Error {
    /// The stable code of the error on every interface.
    pub fn code(&self) -> &'static str {
        match self {
            Error::NotFound { .. } | Error::NoAuditEntry { .. } => "not_found",
            Error::UnknownTool { .. } => "unknown_tool",
            Error::Invalid { .. } | Error::Wording { .. } | Error::Setting { .. } => "invalid_arguments",
            Error::NotAuthorized { .. } => "not_authorized",
            Error::InsufficientScope { .. } => "insufficient_scope",
            Error::IdempotencyConflict { .. } => "idempotency_conflict",
            Error::RejectedBefore { .. } => "rejected_before",
            Error::DigestMismatch => "digest_mismatch",
            Error::AlreadyDecided { .. } => "already_decided",
            Error::Paused { .. } => "paused",
            Error::Refused { code, .. } => code.as_str(),
            Error::NotExecuted { cause } => cause.code(),
            Error::Unavailable { .. } => "unavailable",
            Error::LogTampered { .. } | Error::Internal { .. } => "internal",
        }
    }

    /// The action's state, if the error has one.
    pub fn state(&self) -> Option<State> {
        match self {
            Error::AlreadyDecided { state, .. } => Some(*state),
            Error::NotExecuted { cause } => Some(cause.state().unwrap_or(State::Approved)),
            _ => None,
        }
    }

    /// Whether the person may do it after signing in again, because the policy requires a more recent or another sign-in.
    pub fn asks_to_sign_in_again(&self) -> bool {
        matches!(
            self,
            Error::Refused {
                code: ReasonCode::StepUpRequired,
                ..
            }
        )
    }

    /// Whether the audit log records that the principal was refused: it lacks a right, or a sign-in that the policy requires.
    pub(crate) fn is_denial(&self) -> bool {
        matches!(self, Error::NotAuthorized { .. }) || self.asks_to_sign_in_again()
    }

    /// A mistake in one field.
    pub fn field(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Error::Invalid {
            fields: vec![FieldError::new(pointer, message)],
        }
    }

    /// A fault of the service, which is logged.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let cause = cause.into();
        let incident = incident(&cause);
        tracing::error!(incident, cause = ?cause, "internal error");
        Error::Internal { incident, cause }
    }
}

impl Error {
    /// An unusable database, which is logged.
    pub fn unavailable(cause: impl std::fmt::Debug) -> Self {
        let incident = incident(&cause);
        tracing::error!(incident, ?cause, "the database cannot be used");
        Error::Unavailable {
            incident,
            disk_is_full: false,
        }
    }
}

/// Names an incident by its cause, so that equal causes have one name.
fn incident(cause: &impl std::fmt::Debug) -> String {
    crate::domain::canonical::sha256_hex(format!("{cause:?}").as_bytes())[..8].to_owned()
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(what) => Error::Refused {
                code: ReasonCode::AlreadyDecided,
                message: format!("Nothing was done: another request changed {what} at the same moment. Open it again."),
            },
            other if other.is_unstorable_text() => Error::field(
                "",
                "a text contains the character U+0000, which can be neither stored nor searched for",
            ),
            other if other.is_disk_full() => {
                let incident = incident(&other);
                tracing::error!(incident, %other, "the disk of the database is full: nothing can be written until it has free space");
                Error::Unavailable {
                    incident,
                    disk_is_full: true,
                }
            }
            other if other.is_unavailable() => Error::unavailable(other),
            other => Error::internal(other),
        }
    }
}

impl WriteError for Error {
    fn is_fault(&self) -> bool {
        matches!(
            self,
            Error::Internal { .. } | Error::Unavailable { .. } | Error::LogTampered { .. }
        )
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
