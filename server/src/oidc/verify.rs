//! From the provider's answer to what it vouches for: the ID token is verified, then read.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use loopiq::domain::{Address, Email};
use openidconnect::core::{CoreGenderClaim, CoreJsonWebKey};
use openidconnect::{
    AccessTokenHash, ClaimsVerificationError, IdTokenClaims, IdTokenVerifier, Nonce, OAuth2TokenResponse as _,
    SignatureVerificationError, TokenResponse as _,
};
use serde_json::Value;

use super::claims::{OtherClaims, find, many, one};
use super::error::{OidcError, because};
use super::provider::{Provider, Tokens};
use super::{Assertion, OidcSettings};

/// Why there is no assertion.
pub(super) enum NotTrusted {
    /// The token is signed with a key that the known description of the provider does not have; a newer one may.
    UnknownKey(ClaimsVerificationError),
    /// Anything else. Newer keys would not mend it.
    Final(OidcError),
}

impl NotTrusted {
    pub(super) fn into_error(self) -> OidcError {
        match self {
            Self::UnknownKey(error) => OidcError::InvalidToken { cause: Arc::new(error) },
            Self::Final(error) => error,
        }
    }
}

impl From<OidcError> for NotTrusted {
    fn from(error: OidcError) -> Self {
        Self::Final(error)
    }
}

/// How far the provider's clock may be ahead of this one when an ID token says from when on it holds, in seconds.
const TOKEN_SKEW: i64 = 60;
/// How old an ID token may be when it comes, in seconds: it is made for this sign-in, and fetched at once.
const OLDEST_TOKEN: i64 = 600;

/// Why an answer with an ID token cannot be read.
pub(super) enum Unreadable {
    /// The token does not say who it is about.
    NoSubject,
    /// Anything else about the token.
    Token,
}

/// What is wrong with the ID token in an answer that could not be read; `None`: the answer has none, so that the trouble lies elsewhere.
/// Nothing in it is trusted.
pub(super) fn unreadable(answer: &[u8]) -> Option<Unreadable> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let payload = answer.get("id_token")?.as_str()?.split('.').nth(1)?.to_owned();
    let claims = URL_SAFE_NO_PAD.decode(payload).ok();
    let claims = claims.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let names_nobody = |claims: &Value| claims.get("sub").and_then(Value::as_str).is_none();
    Some(match claims {
        Some(claims) if claims.is_object() && names_nobody(&claims) => Unreadable::NoSubject,
        _ => Unreadable::Token,
    })
}

/// What the tokens' ID token says, if it is this provider's, for this client and for the sign-in with this nonce.
pub(super) fn assertion(
    settings: &OidcSettings,
    provider: &Provider,
    tokens: &Tokens,
    nonce: &Nonce,
    now: i64,
) -> Result<Assertion, NotTrusted> {
    let token = tokens
        .id_token()
        .ok_or_else(|| invalid("the provider gave no ID token"))?;
    let verifier = verifier(provider, now);
    let claims = token.claims(&verifier, nonce).map_err(|error| match error {
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
            NotTrusted::UnknownKey(error)
        }
        error => NotTrusted::Final(OidcError::InvalidToken { cause: Arc::new(error) }),
    })?;
    // The library leaves two checks to its caller. A token for another client (azp), or beside another access token
    // (at_hash), was not made for this sign-in.
    if claims
        .authorized_party()
        .is_some_and(|party| party != provider.client.client_id())
    {
        return Err(invalid("the ID token was made for another client (azp)").into());
    }
    if let Some(expected) = claims.access_token_hash() {
        let actual = token
            .signing_alg()
            .and_then(|alg| Ok((alg, token.signing_key(&verifier)?)))
            .ok()
            .and_then(|(alg, key)| AccessTokenHash::from_token(tokens.access_token(), alg, key).ok());
        if actual.as_ref() != Some(expected) {
            return Err(invalid("the ID token belongs to another access token (at_hash)").into());
        }
    }
    let other = &claims.additional_claims().0;
    if let Some(not_before) = other.get("nbf") {
        match not_before.as_f64() {
            Some(seconds) if seconds <= now.saturating_add(TOKEN_SKEW) as f64 => {}
            Some(_) => return Err(invalid("the ID token does not hold yet (nbf)").into()),
            None => return Err(invalid("the ID token says no time from when on it holds (nbf)").into()),
        }
    }
    Ok(read(settings, claims)?)
}

/// The library's verifier, with asymmetric algorithms alone and with the caller's clock.
fn verifier(provider: &Provider, now: i64) -> IdTokenVerifier<'_, CoreJsonWebKey> {
    let clock = UNIX_EPOCH + Duration::from_secs(now.try_into().unwrap_or_default());
    provider
        .client
        .id_token_verifier()
        .set_allowed_algs(provider.algorithms.iter().cloned())
        .set_time_fn(move || clock.into())
        .set_issue_time_verifier_fn(move |issued| {
            if issued.timestamp() > now.saturating_add(TOKEN_SKEW) {
                Err("issued in the future".to_owned())
            } else if issued.timestamp() < now.saturating_sub(OLDEST_TOKEN) {
                Err("issued too long ago".to_owned())
            } else {
                Ok(())
            }
        })
}

fn read(settings: &OidcSettings, claims: &IdTokenClaims<OtherClaims, CoreGenderClaim>) -> Result<Assertion, OidcError> {
    let missing = |claim: &str| OidcError::MissingClaim {
        claim: claim.to_owned(),
    };
    let other = &claims.additional_claims().0;
    let tenant = find(other, &settings.tenant_claim)
        .and_then(one)
        .ok_or_else(|| missing(&settings.tenant_claim))?;
    let roles = find(other, &settings.roles_claim)
        .and_then(many)
        .ok_or_else(|| missing(&settings.roles_claim))?;
    let subject = filled(Some(claims.subject().as_str())).ok_or_else(|| missing("sub"))?;
    let address = filled(claims.email().map(|email| email.as_str())).ok_or_else(|| missing("email"))?;
    let email = email(address, claims.email_verified(), &settings.verified_domains);
    let name = claims
        .name()
        .and_then(|name| name.get(None).or_else(|| name.iter().next().map(|(_, name)| name)))
        .map(|name| name.as_str());
    let user_name = claims.preferred_username().map(|name| name.as_str());
    Ok(Assertion {
        issuer: claims.issuer().to_string(),
        subject: subject.to_owned(),
        tenant: tenant.to_owned(),
        roles,
        email,
        name: filled(name).or(filled(user_name)).unwrap_or(address).to_owned(),
    })
}

/// An address with what the provider says about it; where it says nothing, the settings do for some domains.
fn email(address: &str, verified: Option<bool>, domains: &[String]) -> Email {
    let own = Email::verified(address);
    let trusted = |address: &Address| {
        domains
            .iter()
            .any(|domain| domain.eq_ignore_ascii_case(address.domain()))
    };
    let verified = verified.unwrap_or_else(|| own.address().is_some_and(trusted));
    if verified { own } else { Email::claimed(address) }
}

fn invalid(why: &str) -> OidcError {
    OidcError::InvalidToken { cause: because(why) }
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}
