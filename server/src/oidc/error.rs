//! What can go wrong while a person signs in, said so that the person knows what to do.

use std::error::Error;
use std::sync::Arc;

/// What lies behind an error: for the log, not for the page.
pub type Cause = Arc<dyn Error + Send + Sync>;

/// Why nobody was signed in.
///
/// `Display` is for the person and says what to do next. `source()` is for the log; it never holds a code or a token.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OidcError {
    /// The provider did not answer, or not in a way that can be used. Trying again may help.
    #[error(
        "The identity provider cannot be reached just now. Try again in a minute; if it still fails, tell the people \
         who run LoopIQ."
    )]
    Unreachable {
        /// What happened.
        #[source]
        cause: Cause,
    },
    /// Settings and provider do not fit together. Trying again does not help.
    #[error("Sign-in is not set up correctly here, and trying again will not help. Tell the people who run LoopIQ.")]
    Misconfigured {
        /// What does not fit.
        #[source]
        cause: Cause,
    },
    /// The answer does not belong to the sign-in that this browser began.
    #[error(
        "This answer does not belong to the sign-in begun in this browser: perhaps it was begun in another tab. Start \
         signing in again."
    )]
    StateMismatch,
    /// The sign-in was begun too long ago.
    #[error("Signing in took too long. Start again.")]
    Expired,
    /// The answer names another issuer than the one asked (RFC 9207): a mix-up, or an attack.
    #[error(
        "The answer came from another identity provider than the one that was asked. Start signing in again; if it \
         happens twice, tell the people who run LoopIQ."
    )]
    WrongIssuer {
        /// What the answer named; `None` where it had to name one and did not.
        found: Option<String>,
    },
    /// The provider said no.
    #[error(
        "The identity provider refused the sign-in: {}. Start again, or ask the people who run your identity provider.",
        description.as_deref().unwrap_or(error)
    )]
    Refused {
        /// The provider's code, such as `access_denied`.
        error: String,
        /// The provider's own words, where it gave any.
        description: Option<String>,
    },
    /// The token of the provider could not be trusted.
    #[error(
        "What the identity provider said about you could not be verified, so you were not signed in. Start again; if \
         it happens twice, tell the people who run LoopIQ."
    )]
    InvalidToken {
        /// What was wrong with it.
        #[source]
        cause: Cause,
    },
    /// The provider did not say something that is needed to know who this is.
    #[error(
        "The identity provider did not say \"{claim}\" about you, and without it you cannot be signed in. Ask the \
         people who run your identity provider to add it."
    )]
    MissingClaim {
        /// The claim's name, as the settings have it.
        claim: String,
    },
}

impl OidcError {
    /// The provider's refusal. What it sent is a stranger's text: it is cut to what RFC 6749 (4.1.2.1) allows.
    pub(super) fn refused(error: &str, description: Option<&str>) -> Self {
        let clean = |text: &str| -> String {
            text.chars()
                .filter(|&c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\'))
                .take(200)
                .collect()
        };
        Self::Refused {
            error: clean(error),
            description: description
                .map(|text| clean(text).trim().trim_end_matches('.').to_owned())
                .filter(|text| !text.is_empty()),
        }
    }
}

/// A cause that is only a sentence.
pub(super) fn because(what: impl Into<String>) -> Cause {
    Arc::from(Box::<dyn Error + Send + Sync>::from(what.into()))
}
