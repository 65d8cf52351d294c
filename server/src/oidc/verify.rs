//! Verification of the ID token, and reading of its claims.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use loopiq::domain::{Address, Email, PROVIDER_CLOCK_SKEW, ProviderSignIn, Timestamp};
use loopiq::engine::VerifiedIdentity;
use openidconnect::core::{CoreGenderClaim, CoreJsonWebKey};
use openidconnect::{
    AccessTokenHash, ClaimsVerificationError, IdTokenClaims, IdTokenVerifier, Nonce, OAuth2TokenResponse as _,
    SignatureVerificationError, TokenResponse as _,
};
use serde_json::Value;

use super::claims::{OtherClaims, find, many};
use super::error::{Claimed, OidcError, because};
use super::provider::{Provider, Tokens};
use super::roles::{self, Membership};
use super::{Assertion, OidcSettings};

/// Why a token is not trusted.
pub(super) enum NotTrusted {
    /// The token's key is not among the cached keys. Newer metadata may contain it.
    UnknownKey(ClaimsVerificationError),
    /// Another error, which newer keys would not correct.
    Final(OidcError),
}

impl NotTrusted {
    /// The error of a token whose key is not among the cached ones.
    pub(super) fn unknown_key() -> Self {
        Self::UnknownKey(ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey,
        ))
    }

    pub(super) fn into_error(self) -> OidcError {
        match self {
            Self::UnknownKey(error) => unverified(error),
            Self::Final(error) => error,
        }
    }
}

impl From<OidcError> for NotTrusted {
    fn from(error: OidcError) -> Self {
        Self::Final(error)
    }
}

/// The tolerance for the start of a token's validity (`nbf`, `iat`), in seconds, because the provider's clock may be ahead.
pub(super) const TOKEN_SKEW: i64 = PROVIDER_CLOCK_SKEW / Timestamp::SECOND;
/// The maximum age of an ID token, in seconds. The provider issues it for this sign-in, and the service fetches it at once.
const MAX_TOKEN_AGE: i64 = 600;

/// The longest ID token that is kept until the sign-out, in bytes. It becomes part of a URL, and servers accept about 8 KiB.
const LONGEST_HINT: usize = 6 * 1_024;
/// The most tenants of one person. Further ones are ignored.
const MOST_TENANTS: usize = 50;
/// The longest `sid` and `acr`, in bytes.
const LONGEST_CLAIM: usize = 255;

/// Why a response with an ID token cannot be parsed.
pub(super) enum Unreadable {
    /// The token has no subject.
    NoSubject,
    /// Another error in the token.
    Token,
}

/// The error in the ID token of a response that could not be parsed; `None` if the response has no ID token. The token is not
/// verified here, so none of its claims is used.
pub(super) fn unreadable(response: &[u8]) -> Option<Unreadable> {
    let response: Value = serde_json::from_slice(response).ok()?;
    let payload = response.get("id_token")?.as_str()?.split('.').nth(1)?.to_owned();
    let claims = URL_SAFE_NO_PAD.decode(payload).ok();
    let claims = claims.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let has_no_subject = |claims: &Value| claims.get("sub").and_then(Value::as_str).is_none();
    Some(match claims {
        Some(claims) if claims.is_object() && has_no_subject(&claims) => Unreadable::NoSubject,
        _ => Unreadable::Token,
    })
}

/// The claims of the ID token, if this provider issued it for this client and for the sign-in with this nonce.
pub(super) fn assertion(
    settings: &OidcSettings,
    provider: &Provider,
    tokens: &Tokens,
    nonce: &Nonce,
    now: i64,
) -> Result<Assertion, NotTrusted> {
    let token = tokens
        .id_token()
        .ok_or_else(|| invalid("the provider sent no ID token"))?;
    let verifier = verifier(provider, now);
    let claims = token.claims(&verifier, nonce).map_err(|error| match error {
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
            NotTrusted::UnknownKey(error)
        }
        error => NotTrusted::Final(unverified(error)),
    })?;
    // The library leaves two checks to its caller. A token for another client (azp), or with another access token
    // (at_hash), was not issued for this sign-in.
    for_this_client(provider, claims)?;
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
    is_valid_yet(claims, now)?;
    let mut assertion = read(settings, claims)?;
    assertion.sign_in.id_token = Some(token.to_string()).filter(|token| token.len() <= LONGEST_HINT);
    Ok(assertion)
}

/// The claims of an ID token that was obtained in another way than by signing in here. Nonce and access token are not compared, and the
/// token is judged at the time of its issue.
pub(super) fn sample(settings: &OidcSettings, provider: &Provider, tokens: &Tokens) -> Result<Assertion, NotTrusted> {
    let token = tokens
        .id_token()
        .ok_or_else(|| invalid("the file contains no ID token"))?;
    let issued_at = payload(token.to_string().as_str())
        .and_then(|claims| claims.get("iat")?.as_f64())
        .map_or(0, |seconds| seconds as i64);
    let any_nonce = |_: Option<&Nonce>| Ok(());
    let claims = token
        .claims(&verifier(provider, issued_at), any_nonce)
        .map_err(|error| match error {
            ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
                NotTrusted::UnknownKey(error)
            }
            error => NotTrusted::Final(unverified(error)),
        })?;
    for_this_client(provider, claims)?;
    is_valid_yet(claims, issued_at)?;
    Ok(read(settings, claims)?)
}

/// Refuses a token that the provider issued for another client.
fn for_this_client(provider: &Provider, claims: &Claims) -> Result<(), OidcError> {
    match claims.authorized_party() {
        Some(party) if party != provider.client.client_id() => {
            Err(invalid("the ID token was issued for another client (azp)"))
        }
        _ => Ok(()),
    }
}

/// Refuses a token whose validity begins later.
fn is_valid_yet(claims: &Claims, now: i64) -> Result<(), OidcError> {
    let Some(not_before) = claims.additional_claims().0.get("nbf") else {
        return Ok(());
    };
    match not_before.as_f64() {
        Some(seconds) if seconds <= now.saturating_add(TOKEN_SKEW) as f64 => Ok(()),
        Some(_) => Err(invalid("the ID token is not valid yet (nbf)")),
        None => Err(invalid("the start of the ID token's validity is not a number (nbf)")),
    }
}

/// The claims of a token, unverified.
pub(super) fn payload(token: &str) -> Option<serde_json::Map<String, Value>> {
    let part = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// The error of a token that the library does not accept.
fn unverified(error: ClaimsVerificationError) -> OidcError {
    let code = match &error {
        ClaimsVerificationError::SignatureVerification(_) => "bad_signature",
        ClaimsVerificationError::InvalidNonce(_) => "wrong_nonce",
        ClaimsVerificationError::InvalidAudience(_) => "wrong_audience",
        ClaimsVerificationError::InvalidIssuer(_) => "wrong_issuer",
        ClaimsVerificationError::Expired(_) => "token_expired",
        _ => "invalid_token",
    };
    OidcError::InvalidToken {
        cause: Arc::new(error),
        code,
        claimed: None,
    }
}

/// The error of a token that expired or was not valid yet, although the provider issued it for this very sign-in: the clocks differ.
pub(super) fn clock(error: OidcError, tokens: &Tokens, now: i64) -> OidcError {
    let issued = || payload(&tokens.id_token()?.to_string())?.get("iat")?.as_f64();
    match error {
        OidcError::InvalidToken {
            cause,
            code: "token_expired",
            claimed,
        } => match issued().map(|issued| issued - now as f64) {
            Some(ahead) if ahead.abs() > TOKEN_SKEW as f64 => OidcError::ClockDiffers {
                cause,
                minutes: (ahead / 60.0).round() as i64,
                claimed,
            },
            _ => OidcError::InvalidToken {
                cause,
                code: "token_expired",
                claimed,
            },
        },
        other => other,
    }
}

/// What a token says that was not accepted: the tenant, and the person only if the provider signed the token for this client.
pub(super) fn claimed(settings: &OidcSettings, provider: &Provider, tokens: &Tokens, now: i64) -> Claimed {
    let Some(token) = tokens.id_token() else {
        return Claimed::default();
    };
    let any_nonce = |_: Option<&Nonce>| Ok(());
    let identity = token
        .claims(&verifier(provider, now), any_nonce)
        .ok()
        .map(|claims| VerifiedIdentity {
            issuer: claims.issuer().to_string(),
            subject: claims.subject().to_string(),
            email: claims.email().map_or_else(String::new, |email| email.to_string()),
        });
    // The log of one tenant has the failure: the token may be forged, and must not write to many logs.
    let tenant =
        payload(&token.to_string()).and_then(|claims| many(find(&claims, &settings.tenant_claim)?)?.into_iter().next());
    Claimed { tenant, identity }
}

/// The library's verifier, with asymmetric algorithms only and with the caller's clock.
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
            } else if issued.timestamp() < now.saturating_sub(MAX_TOKEN_AGE) {
                Err("issued too long ago".to_owned())
            } else {
                Ok(())
            }
        })
}

/// The claims of an ID token, with those that OpenID Connect does not define.
pub(super) type Claims = IdTokenClaims<OtherClaims, CoreGenderClaim>;

/// What the claims assert about a person.
pub(super) fn read(settings: &OidcSettings, claims: &Claims) -> Result<Assertion, OidcError> {
    let missing = |claim: &str| OidcError::MissingClaim {
        claim: claim.to_owned(),
        claimed: None,
    };
    let other = &claims.additional_claims().0;
    let mut tenants = find(other, &settings.tenant_claim)
        .and_then(many)
        .filter(|tenants| !tenants.is_empty())
        .ok_or_else(|| missing(&settings.tenant_claim))?;
    if tenants.len() > MOST_TENANTS {
        tracing::warn!(
            count = tenants.len(),
            most = MOST_TENANTS,
            "a token names too many tenants; the last ones are ignored"
        );
        tenants.truncate(MOST_TENANTS);
    }
    let Membership { roles, groups } = roles::read(
        other,
        &settings.roles_claim,
        &settings.groups_claim,
        &settings.role_mapping,
    )
    .map_err(|claim| missing(&claim))?;
    let subject = non_empty(Some(claims.subject().as_str())).ok_or_else(|| missing("sub"))?;
    let address = non_empty(claims.email().map(|email| email.as_str())).ok_or_else(|| missing("email"))?;
    let email = email(address, claims.email_verified(), &settings.verified_domains);
    let name = claims
        .name()
        .and_then(|name| name.get(None).or_else(|| name.iter().next().map(|(_, name)| name)))
        .map(|name| name.as_str());
    let user_name = claims.preferred_username().map(|name| name.as_str());
    Ok(Assertion {
        sign_in: ProviderSignIn {
            issuer: claims.issuer().to_string(),
            subject: subject.to_owned(),
            sid: bounded(other.get("sid").and_then(Value::as_str)),
            issued_at: Timestamp(claims.issue_time().timestamp_micros()),
            authenticated_at: claims.auth_time().map(|time| Timestamp(time.timestamp_micros())),
            prompted: false,
            acr: bounded(claims.auth_context_ref().map(|acr| acr.as_str())),
            id_token: None,
        },
        tenants,
        roles,
        groups,
        email,
        name: non_empty(name).or(non_empty(user_name)).unwrap_or(address).to_owned(),
    })
}

/// The e-mail address. It is verified if the token says so, or if the token says nothing and the settings trust the domain.
fn email(address: &str, verified: Option<bool>, domains: &[String]) -> Email {
    let email = Email::verified(address);
    let trusted = |address: &Address| {
        domains
            .iter()
            .any(|domain| domain.eq_ignore_ascii_case(address.domain()))
    };
    let verified = verified.unwrap_or_else(|| email.address().is_some_and(trusted));
    if verified { email } else { Email::claimed(address) }
}

/// A claim that is stored with the session. One that is too long or has hidden characters is ignored.
pub(super) fn bounded(claim: Option<&str>) -> Option<String> {
    let is_plain = |text: &&str| text.len() <= LONGEST_CLAIM && text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    non_empty(claim).filter(is_plain).map(str::to_owned)
}

pub(super) fn invalid(why: &str) -> OidcError {
    OidcError::InvalidToken {
        cause: because(why),
        code: "invalid_token",
        claimed: None,
    }
}

/// A claim without spaces around it, if there is more of it.
pub(super) fn non_empty(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}
