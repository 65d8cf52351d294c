//! Tokens that the provider signs apart from ID tokens (RFC 7515): only asymmetric algorithms that the provider declares, and only its published keys.

use super::NotTrusted;
use super::error::{OidcError, because};
use super::provider::Provider;
use super::verify;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{CoreJsonWebKey, CoreJsonWebKeyUse, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKey as _, JsonWebKeyAlgorithm};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The longest token, in bytes. One has a few kilobytes.
const LONGEST: usize = 16 * 1_024;

#[derive(Deserialize)]
struct Header {
    alg: CoreJwsSigningAlgorithm,
    kid: Option<String>,
    typ: Option<String>,
    // Present with any value, also `null`.
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

fn present<'de, D: serde::Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    serde::de::IgnoredAny::deserialize(value)?;
    Ok(true)
}

/// The claims of a token that the provider has signed.
///
/// `types`: the accepted kinds (`typ`) in lower case; a token without a kind is accepted.
pub(super) fn verified<T: DeserializeOwned>(provider: &Provider, token: &str, types: &[&str]) -> Result<T, NotTrusted> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else {
        return Err(verify::invalid("it does not have three parts").into());
    };
    if token.len() > LONGEST {
        return Err(verify::invalid("it is too long").into());
    }
    let decode = |part: &str| {
        URL_SAFE_NO_PAD
            .decode(part)
            .map_err(|_| verify::invalid("it is not base64"))
    };
    let read: Header =
        serde_json::from_slice(&decode(header)?).map_err(|_| verify::invalid("its header cannot be read"))?;
    if read.crit {
        return Err(verify::invalid("its header has extensions (crit)").into());
    }
    let typ = read.typ.as_deref().map(str::to_ascii_lowercase);
    if typ.as_deref().is_some_and(|typ| !types.contains(&typ)) {
        return Err(verify::invalid("it is another kind of token (typ)").into());
    }
    if !provider.algorithms.contains(&read.alg) {
        return Err(verify::invalid("it is signed with an algorithm that is not accepted").into());
    }
    let signature = decode(signature)?;
    let signed = token.rsplit_once('.').map_or("", |(signed, _)| signed);
    let fits = |key: &&CoreJsonWebKey| {
        let algorithm = match key.signing_alg() {
            JsonWebKeyAlgorithm::Unspecified => true,
            JsonWebKeyAlgorithm::Algorithm(alg) => *alg == read.alg,
            JsonWebKeyAlgorithm::Unsupported => false,
        };
        let known = read
            .kid
            .as_deref()
            .is_none_or(|kid| key.key_id().is_some_and(|id| id.as_str() == kid));
        algorithm
            && known
            && key
                .key_use()
                .is_none_or(|purpose| *purpose == CoreJsonWebKeyUse::Signature)
    };
    let mut keys = provider.keys.keys().iter().filter(fits).peekable();
    if keys.peek().is_none() {
        return Err(NotTrusted::unknown_key());
    }
    if !keys.any(|key| key.verify_signature(&read.alg, signed.as_bytes(), &signature).is_ok()) {
        return Err(OidcError::InvalidToken {
            cause: because("its signature is wrong"),
            code: "bad_signature",
            claimed: None,
        }
        .into());
    }
    let claims = serde_json::from_slice(&decode(payload)?);
    Ok(claims.map_err(|_| verify::invalid("its claims cannot be read"))?)
}
