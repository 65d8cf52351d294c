//! Authorization codes that were given out and not yet used. In memory: a demo has one node, and they live a minute.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::secret;

/// How long a code may be used, in seconds. OAuth 2.1 asks for ten minutes at most; a redirect needs one.
pub(super) const CODE_LIFETIME: i64 = 60;

/// How many codes are kept. Whoever asks for more pushes out the oldest, so that memory stays bounded.
const MOST_CODES: usize = 1_000;

/// What a code stands for.
pub(super) struct Grant {
    pub(super) redirect_uri: String,
    pub(super) code_challenge: String,
    pub(super) nonce: Option<String>,
    /// Index among the provider's people.
    pub(super) person: usize,
    pub(super) signed_in_at: i64,
}

/// The codes, oldest first.
#[derive(Default)]
pub(super) struct Codes(Mutex<VecDeque<Issued>>);

struct Issued {
    digest: [u8; 32],
    grant: Grant,
}

impl Codes {
    /// Gives out a new code for the grant.
    pub(super) fn issue(&self, grant: Grant) -> Result<String, getrandom::Error> {
        let code = secret::random_token()?;
        let now = grant.signed_in_at;
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while codes
            .front()
            .is_some_and(|oldest| codes.len() >= MOST_CODES || is_over(&oldest.grant, now))
        {
            codes.pop_front();
        }
        codes.push_back(Issued {
            digest: digest(&code),
            grant,
        });
        Ok(code)
    }

    /// Takes the grant of a code that is not over. The code is gone afterwards, whatever becomes of the request: a
    /// second try with it, by whomever, finds nothing.
    pub(super) fn take(&self, code: &str, now: i64) -> Option<Grant> {
        let wanted = digest(code);
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = codes.iter().position(|issued| secret::same(&issued.digest, &wanted))?;
        let grant = codes.remove(at)?.grant;
        (!is_over(&grant, now)).then_some(grant)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

fn is_over(grant: &Grant, now: i64) -> bool {
    now >= grant.signed_in_at.saturating_add(CODE_LIFETIME)
}

fn digest(code: &str) -> [u8; 32] {
    Sha256::digest(code.as_bytes()).into()
}
