//! Random values, and comparing them without telling how much of a guess was right.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The one place where this provider gets randomness.
pub(super) fn random_bytes() -> Result<[u8; 32], getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// 256 random bits, written so that they fit into a URL.
pub(super) fn random_token() -> Result<String, getrandom::Error> {
    Ok(URL_SAFE_NO_PAD.encode(random_bytes()?))
}

/// Whether both are equal, in a time that depends on their lengths alone.
pub(super) fn same(left: &[u8], right: &[u8]) -> bool {
    let difference = left.iter().zip(right).fold(0, |found, (a, b)| found | (a ^ b));
    // The black box keeps the compiler from leaving the loop at the first difference.
    left.len() == right.len() && std::hint::black_box(difference) == 0
}
