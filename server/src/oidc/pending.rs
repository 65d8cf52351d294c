//! A sign-in that was begun and not yet finished.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::OidcError;

/// How long a person may take at the provider, in seconds.
pub(super) const LONGEST_SIGN_IN: i64 = 600;

/// How far another clock may be ahead of this one, in seconds: nodes of one service, and the provider.
pub(super) const CLOCK_SKEW: i64 = 300;

/// The longest local path that is kept for later. It is kept in a cookie, of which browsers take 4 KiB.
const LONGEST_PATH: usize = 1_024;

/// What must be remembered between the redirect to the provider and its answer. It holds secrets, so it has no `Debug` and the
/// browser may keep it sealed alone; and it is good for one answer, so it goes by value.
#[derive(Clone, Serialize, Deserialize)]
pub struct PendingSignIn {
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) pkce_verifier: String,
    /// Where the person wanted to go: a path on this service, safe to redirect to.
    pub return_to: String,
    /// When it was begun, in seconds since 1970-01-01 UTC.
    pub started_at: i64,
}

impl PendingSignIn {
    /// Whether the provider's answer belongs to this sign-in, and is not late.
    pub(super) fn check(&self, state: &str, now: i64) -> Result<(), OidcError> {
        // Hashes are compared, so that the time taken tells nothing about the state.
        if Sha256::digest(state) != Sha256::digest(&self.state) {
            return Err(OidcError::StateMismatch);
        }
        let age = now.saturating_sub(self.started_at);
        if !(-CLOCK_SKEW..=LONGEST_SIGN_IN).contains(&age) {
            return Err(OidcError::Expired);
        }
        Ok(())
    }

    /// The error for an answer that carries `error` instead of `code`. Only an answer with the right state speaks for
    /// the provider, so anything else is a mismatch, and the text in it is not shown.
    #[must_use]
    pub fn refusal(&self, error: &str, description: Option<&str>, state: &str, now: i64) -> OidcError {
        match self.check(state, now) {
            Ok(()) => OidcError::refused(error, description),
            Err(mismatch) => mismatch,
        }
    }
}

/// The path if it is one on this service, else `/`.
///
/// A browser reads `//host`, `/\host` and `/<tab>/host` as another host, so only a single leading `/` and visible
/// ASCII without backslash pass; other characters belong percent-encoded in a URL anyway.
#[must_use]
pub fn local_path(return_to: &str) -> String {
    let is_local = return_to.starts_with('/')
        && !return_to.starts_with("//")
        && return_to.len() <= LONGEST_PATH
        && return_to.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_local { return_to.to_owned() } else { "/".to_owned() }
}
