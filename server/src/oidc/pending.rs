//! A sign-in that was started and is not finished.

use loopiq::domain::ActionId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::OidcError;

/// The time in which a person must finish a sign-in at the provider, in seconds. A later callback is refused.
pub(super) const MAX_AGE: i64 = 600;

/// The tolerated difference between the clocks of nodes and provider, in seconds.
pub(super) const CLOCK_SKEW: i64 = 300;

/// The maximum length of `return_to`, in bytes; a longer one becomes `/`. It is part of a cookie, which browsers limit to 4 KiB.
const MAX_PATH: usize = 2_048;

/// What is needed between the redirect to the provider and the callback. It contains secrets, so it has no `Debug`, and a browser
/// gets it only encrypted. It is valid for one callback, so it is passed by value.
#[derive(Clone, Serialize, Deserialize)]
pub struct PendingSignIn {
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) pkce_verifier: String,
    /// The page that the person wanted to open: a path on this service, safe as a redirect.
    pub return_to: String,
    /// When the sign-in was started, in seconds since 1970-01-01 UTC.
    pub started_at: i64,
    /// The action for whose approval a signed-in person signs in again. The provider was asked to authenticate the person.
    pub step_up: Option<ActionId>,
}

impl PendingSignIn {
    /// Checks that the callback belongs to this sign-in and is in time.
    pub(super) fn check(&self, state: &str, now: i64) -> Result<(), OidcError> {
        // Compares hashes, so that the time taken reveals nothing about the state.
        if Sha256::digest(state) != Sha256::digest(&self.state) {
            return Err(OidcError::StateMismatch);
        }
        let age = now.saturating_sub(self.started_at);
        if !(-CLOCK_SKEW..=MAX_AGE).contains(&age) {
            return Err(OidcError::Expired);
        }
        Ok(())
    }

    /// The error for a callback with `error` instead of `code`. Only a callback with the right state comes from the provider, so
    /// the text of another one is not shown.
    #[must_use]
    pub fn refusal(&self, error: &str, description: Option<&str>, state: &str, now: i64) -> OidcError {
        match self.check(state, now) {
            Ok(()) => OidcError::refused(error, description),
            Err(mismatch) => mismatch,
        }
    }
}

/// `return_to` if it is a path on this service, else `/`.
///
/// A browser reads `//host`, `/\host` and `/<tab>/host` as another host, so the path must start with a single `/` and
/// consist of visible ASCII without backslash. A URL percent-encodes other characters.
#[must_use]
pub fn local_path(return_to: &str) -> String {
    let is_local = return_to.starts_with('/')
        && !return_to.starts_with("//")
        && return_to.len() <= MAX_PATH
        && return_to.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_local { return_to.to_owned() } else { "/".to_owned() }
}
