//! Random secrets, and their comparison in constant time.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Random bytes from the system.
pub(super) fn random_bytes() -> Result<[u8; 32], getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// 256 random bits in base64url.
pub(super) fn random_token() -> Result<String, getrandom::Error> {
    Ok(URL_SAFE_NO_PAD.encode(random_bytes()?))
}

/// Whether both are equal. The time taken depends only on the lengths.
pub(super) fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    let difference = left.iter().zip(right).fold(0, |found, (a, b)| found | (a ^ b));
    // `black_box` prevents the compiler from ending the loop at the first difference.
    left.len() == right.len() && std::hint::black_box(difference) == 0
}
