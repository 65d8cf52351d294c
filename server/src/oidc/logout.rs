//! Logout tokens: an identity provider says that a person's session there has ended (OpenID Connect Back-Channel Logout 1.0).

use super::error::OidcError;
use super::jws;
use super::provider::Provider;
use super::verify::{self, TOKEN_SKEW};
use super::{NotTrusted, Oidc};
use loopiq::domain::Timestamp;
use loopiq::engine::LONGEST_SUBJECT;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The kinds of tokens (`typ`) that may be logout tokens.
const TYPES: [&str; 3] = ["jwt", "logout+jwt", "application/logout+jwt"];
/// The maximum age of a logout token, in seconds. A provider sends it at once, and may try again for some minutes.
const MAX_AGE: i64 = 600;
/// The event that every logout token names.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What a logout token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logout {
    /// The issuer.
    pub issuer: String,
    /// The person's ID at the issuer, if the token names it.
    pub subject: Option<String>,
    /// The provider's session, if the token names it.
    pub sid: Option<String>,
    /// When the token was issued, by the provider's clock. The message is not about later sign-ins.
    pub issued_at: Timestamp,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Value,
    iat: f64,
    exp: Option<f64>,
    jti: Option<String>,
    events: Map<String, Value>,
    sub: Option<String>,
    sid: Option<String>,
    nonce: Option<Value>,
}

impl Oidc {
    /// What a logout token says, if the provider issued it for this client. A token that is sent again is accepted again: it is about sign-ins
    /// before its issue only, so that it ends nothing that it has not ended before.
    ///
    /// # Errors
    /// [`OidcError::InvalidToken`] if the token is not accepted; [`OidcError::Unreachable`] or [`OidcError::Misconfigured`] if the provider's keys
    /// cannot be fetched.
    pub async fn logout(&self, token: &str, now: i64) -> Result<Logout, OidcError> {
        let provider = self.0.provider_cache.provider(now).await?;
        match jws::verified::<Claims>(&provider, token, &TYPES) {
            // Providers rotate keys. Anybody can send a token with an unknown key, so that it causes no discovery soon after the last one.
            Err(NotTrusted::UnknownKey(_)) if provider.is_older_than(now, 30) => {
                let newer = self.0.provider_cache.newer_than(&provider, now).await?;
                let claims = jws::verified(&newer, token, &TYPES).map_err(NotTrusted::into_error)?;
                accepted(&newer, claims, self.issuer(), now)
            }
            outcome => accepted(&provider, outcome.map_err(NotTrusted::into_error)?, self.issuer(), now),
        }
    }
}

/// Checks the claims (section 2.6).
fn accepted(provider: &Provider, claims: Claims, issuer: &str, now: i64) -> Result<Logout, OidcError> {
    let client = provider.client.client_id().as_str();
    let for_us = match &claims.aud {
        Value::String(audience) => audience == client,
        Value::Array(audiences) => audiences.iter().any(|audience| audience == client),
        _ => false,
    };
    let (earliest, latest) = (
        now.saturating_sub(MAX_AGE) as f64,
        now.saturating_add(TOKEN_SKEW) as f64,
    );
    let is_text = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
    // A sign-in leaves out a `sid` that is empty or not kept, so that its sessions have none.
    let sid = verify::bounded(claims.sid.as_deref());
    let subject = verify::non_empty(claims.sub.as_deref());
    let is_too_long =
        subject.is_some_and(|subject| subject.chars().count() > LONGEST_SUBJECT || subject.contains('\0'));
    let why = if claims.iss != issuer {
        "another provider issued it (iss)"
    } else if !for_us {
        "it is for another client (aud)"
    } else if !(earliest..=latest).contains(&claims.iat) {
        "it was issued too long ago, or in the future (iat)"
    } else if claims
        .exp
        .is_some_and(|end| end < now.saturating_sub(TOKEN_SKEW) as f64)
    {
        "it has expired (exp)"
    } else if !is_text(&claims.jti) {
        "it has no ID (jti)"
    } else if !claims.events.get(EVENT).is_some_and(Value::is_object) {
        "it is not about a sign-out (events)"
    } else if claims.nonce.is_some() {
        "it has a nonce, as only ID tokens do"
    } else if is_too_long {
        "its person (sub) has a name that no sign-in has"
    } else if subject.is_none() && sid.is_none() {
        "it names neither a person (sub) nor a session (sid) that a sign-in could have named"
    } else {
        return Ok(Logout {
            issuer: claims.iss,
            subject: subject.map(str::to_owned),
            sid,
            issued_at: Timestamp((claims.iat * 1e6) as i64),
        });
    };
    Err(verify::invalid(why))
}
