//! Errors of signing in, with messages that tell the person what to do.

use loopiq::engine::VerifiedIdentity;
use std::error::Error;
use std::sync::Arc;

/// The cause of an error: for the log, not for the page.
pub type Cause = Arc<dyn Error + Send + Sync>;

/// What the token of a failed sign-in says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claimed {
    /// The tenant. The token may be unverified.
    pub tenant: Option<String>,
    /// Whom the token names, if its signature was verified.
    pub identity: Option<VerifiedIdentity>,
}

/// Why a sign-in failed.
///
/// `Display` is for the person and says what to do next. `source()` is for the log; it never contains a code or a token.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OidcError {
    /// The provider did not answer, or its answer is unusable. Trying again may help.
    #[error(
        "The identity provider cannot be reached. Try again in a minute; if it still fails, tell the people who run \
         LoopIQ."
    )]
    Unreachable {
        /// What happened.
        #[source]
        cause: Cause,
    },
    /// The settings do not match the provider. Trying again does not help.
    #[error("Sign-in is not set up correctly here, and trying again will not help. Tell the people who run LoopIQ.")]
    Misconfigured {
        /// What does not match.
        #[source]
        cause: Cause,
    },
    /// The callback does not belong to a sign-in that this browser started.
    #[error("This response does not belong to a sign-in that was started in this browser. Start signing in again.")]
    StateMismatch,
    /// The sign-in was started too long ago.
    #[error("Signing in took too long. Start again.")]
    Expired,
    /// The callback names another issuer than the expected one (RFC 9207): a mix-up, or an attack.
    #[error(
        "The response came from an unexpected identity provider. Start signing in again; if it happens twice, tell the \
         people who run LoopIQ."
    )]
    WrongIssuer {
        /// The issuer in the callback; `None` if it was required and missing.
        found: Option<String>,
    },
    /// The provider refused the sign-in.
    #[error(
        "The identity provider refused the sign-in: {}. Start again, or ask the people who run your identity provider.",
        description.as_deref().unwrap_or(error)
    )]
    Refused {
        /// The provider's code, such as `access_denied`.
        error: String,
        /// The provider's description, if it sent one.
        description: Option<String>,
    },
    /// The provider's token is invalid.
    #[error(
        "The identity provider's token could not be verified, so you were not signed in. Start again; if it happens \
         twice, tell the people who run LoopIQ."
    )]
    InvalidToken {
        /// What was wrong with it.
        #[source]
        cause: Cause,
        /// The kind of error, as a stable code.
        code: &'static str,
        /// What the token says; `None` if it cannot be read.
        claimed: Option<Box<Claimed>>,
    },
    /// The provider's token is not valid at this time, although the provider has just issued it.
    #[error(
        "The clock of the identity provider is about {} minutes {} the clock of this service, so you were not signed in. Nothing is wrong with \
         your account: tell the people who run LoopIQ.",
        minutes.unsigned_abs(),
        if *minutes < 0 { "behind" } else { "ahead of" }
    )]
    ClockDiffers {
        /// What was wrong with the token.
        #[source]
        cause: Cause,
        /// How far the provider's clock is ahead, in minutes; negative if it is behind.
        minutes: i64,
        /// What the token says; `None` if it cannot be read.
        claimed: Option<Box<Claimed>>,
    },
    /// The token lacks a required claim.
    #[error(
        "The identity provider did not send the claim \"{claim}\", which is required to sign in. Ask the people who run \
         your identity provider to add it."
    )]
    MissingClaim {
        /// The claim's name, as the settings have it.
        claim: String,
        /// What the token says.
        claimed: Option<Box<Claimed>>,
    },
}

impl OidcError {
    /// The kind of error, as a stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::Misconfigured { .. } => "misconfigured",
            Self::StateMismatch => "state_mismatch",
            Self::Expired => "expired",
            Self::WrongIssuer { .. } => "wrong_issuer",
            Self::Refused { .. } => "refused_by_provider",
            Self::InvalidToken { code, .. } => code,
            Self::ClockDiffers { .. } => "clock_differs",
            Self::MissingClaim { .. } => "missing_claim",
        }
    }

    /// What the token says, if the provider has sent one that can be read.
    pub fn claimed(&self) -> Option<&Claimed> {
        match self {
            Self::InvalidToken { claimed, .. }
            | Self::ClockDiffers { claimed, .. }
            | Self::MissingClaim { claimed, .. } => claimed.as_deref(),
            _ => None,
        }
    }

    /// The same error with what the token says.
    pub(super) fn with_claimed(mut self, said: Claimed) -> Self {
        if let Self::InvalidToken { claimed, .. }
        | Self::ClockDiffers { claimed, .. }
        | Self::MissingClaim { claimed, .. } = &mut self
        {
            *claimed = Some(Box::new(said));
        }
        self
    }

    /// The provider's refusal. The text is untrusted, so it is reduced to the characters that RFC 6749 (4.1.2.1) allows, and to 200
    /// of them.
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

/// A cause that is only a message.
pub(super) fn because(what: impl Into<String>) -> Cause {
    Arc::from(Box::<dyn Error + Send + Sync>::from(what.into()))
}
