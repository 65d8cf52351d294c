//! Access tokens of the identity provider (RFC 9068), which it issues for the MCP endpoint as their audience. They are verified with the keys that
//! verify ID tokens. Opt-in: an administrator of the provider decides which clients get such tokens.

use super::claims::{find, many};
use super::error::OidcError;
use super::provider::Provider;
use super::verify::{self, TOKEN_SKEW};
use super::{NotTrusted, Oidc, jws};
use loopiq::domain::Scopes;
use loopiq::domain::canonical::sha256_hex;
use loopiq::engine::{LONGEST_SUBJECT, ProviderGrant};
use serde_json::{Map, Value};

/// The kinds of tokens (`typ`) that may be access tokens.
const TYPES: [&str; 3] = ["at+jwt", "application/at+jwt", "jwt"];
/// The longest name of a client, in characters.
const LONGEST_CLIENT: usize = 200;

impl Oidc {
    /// Whether the settings accept access tokens of the provider, and the text may be one: a JWT has three parts, and no token of this service
    /// has a dot.
    pub(crate) fn may_be_access_token(&self, token: &str) -> bool {
        self.0.settings.access_tokens && token.matches('.').count() == 2
    }

    /// What an access token of the provider for this resource says, and a name of the token, which opens nothing.
    ///
    /// # Errors
    /// [`OidcError::InvalidToken`] if the token is not accepted; [`OidcError::Unreachable`] or [`OidcError::Misconfigured`] if the provider's keys
    /// cannot be fetched.
    pub(crate) async fn access_token(
        &self,
        token: &str,
        resource: &str,
        now: i64,
    ) -> Result<(ProviderGrant, String), OidcError> {
        let verified = |provider: &Provider| jws::verified::<Map<String, Value>>(provider, token, &TYPES);
        let provider = self.0.provider_cache.provider(now).await?;
        let claims = match verified(&provider) {
            // Providers rotate keys. Anybody can send a token with an unknown key, so that it causes no discovery soon after the last one.
            Err(NotTrusted::UnknownKey(_)) if provider.is_older_than(now, 30) => {
                let newer = self.0.provider_cache.newer_than(&provider, now).await?;
                verified(&newer)
            }
            outcome => outcome,
        };
        let claims = claims.map_err(NotTrusted::into_error)?;
        let grant = self.grant(&claims, resource, now).map_err(verify::invalid)?;
        let hash = sha256_hex(token.as_bytes());
        Ok((grant, format!("jwt_{}", hash.get(..16).unwrap_or(&hash))))
    }

    /// Checks the claims (RFC 9068, 4).
    fn grant(&self, claims: &Map<String, Value>, resource: &str, now: i64) -> Result<ProviderGrant, &'static str> {
        let text = |name: &str| verify::non_empty(claims.get(name).and_then(Value::as_str));
        // A time that is no number is in no range.
        let time = |name: &str| claims.get(name).map(|value| value.as_f64().unwrap_or(f64::NAN));
        let (earliest, latest) = (
            now.saturating_sub(TOKEN_SKEW) as f64,
            now.saturating_add(TOKEN_SKEW) as f64,
        );
        if text("iss") != Some(self.issuer()) {
            return Err("another provider issued it (iss)");
        }
        let for_us = match claims.get("aud") {
            Some(Value::String(audience)) => audience == resource,
            Some(Value::Array(audiences)) => audiences.iter().any(|audience| audience == resource),
            _ => false,
        };
        if !for_us {
            return Err("it is for another resource (aud)");
        }
        match time("exp") {
            Some(end) if (earliest..).contains(&end) => {}
            Some(_) => return Err("it has expired (exp)"),
            None => return Err("it has no end (exp)"),
        }
        if ["nbf", "iat"]
            .iter()
            .filter_map(|name| time(name))
            .any(|start| !(..=latest).contains(&start))
        {
            return Err("it is not valid yet (nbf, iat)");
        }
        let subject = text("sub").ok_or("it names no person (sub)")?;
        if subject.chars().count() > LONGEST_SUBJECT || subject.contains('\0') {
            return Err("its person (sub) has a name that no sign-in has");
        }
        let client = text("client_id")
            .or(text("azp"))
            .ok_or("it names no client (client_id, azp)")?;
        if client.chars().count() > LONGEST_CLIENT || client.contains('\0') {
            return Err("its client has a name that is too long (client_id, azp)");
        }
        // RFC 9068 has `scope`; Entra ID and Okta have `scp`.
        let list = claims
            .get("scope")
            .or(claims.get("scp"))
            .and_then(many)
            .unwrap_or_default();
        let tenants = find(claims, &self.0.settings.tenant_claim).and_then(many);
        Ok(ProviderGrant {
            issuer: self.issuer().to_owned(),
            subject: subject.to_owned(),
            client: client.to_owned(),
            scopes: Scopes::parse(&list.join(" ")).0,
            tenants: tenants.unwrap_or_default(),
        })
    }
}
