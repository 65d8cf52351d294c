//! Authorization codes that were issued and not used. They are kept in memory, because a demo has one node and codes live a minute.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::secret;

/// The lifetime of a code, in seconds. OAuth 2.1 allows ten minutes; a redirect takes seconds.
pub(super) const CODE_LIFETIME: i64 = 60;

/// The number of codes kept in memory. A further one replaces the oldest.
const MAX_CODES: usize = 1_000;

/// The request that a code was issued for.
pub(super) struct Grant {
    pub(super) redirect_uri: String,
    pub(super) code_challenge: String,
    pub(super) nonce: Option<String>,
    /// Index among the provider's people.
    pub(super) person: usize,
    pub(super) signed_in_at: i64,
    /// How the person authenticated.
    pub(super) acr: &'static str,
}

/// The codes, oldest first.
#[derive(Default)]
pub(super) struct Codes(Mutex<VecDeque<Issued>>);

struct Issued {
    digest: [u8; 32],
    grant: Grant,
}

impl Codes {
    /// Issues a code for the grant.
    pub(super) fn issue(&self, grant: Grant) -> Result<String, getrandom::Error> {
        let code = secret::random_token()?;
        let now = grant.signed_in_at;
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while codes
            .front()
            .is_some_and(|oldest| codes.len() >= MAX_CODES || is_expired(&oldest.grant, now))
        {
            codes.pop_front();
        }
        codes.push_back(Issued {
            digest: digest(&code),
            grant,
        });
        Ok(code)
    }

    /// Removes a code and returns its grant, unless it has expired. The code cannot be used again, even if the request fails later.
    pub(super) fn take(&self, code: &str, now: i64) -> Option<Grant> {
        let wanted = digest(code);
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = codes
            .iter()
            .position(|issued| secret::constant_time_eq(&issued.digest, &wanted))?;
        let grant = codes.remove(at)?.grant;
        (!is_expired(&grant, now)).then_some(grant)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

fn is_expired(grant: &Grant, now: i64) -> bool {
    now >= grant.signed_in_at.saturating_add(CODE_LIFETIME)
}

fn digest(code: &str) -> [u8; 32] {
    Sha256::digest(code.as_bytes()).into()
}
