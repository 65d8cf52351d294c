//! Signing in with an OpenID Connect provider: authorization code with PKCE, state and nonce.
//!
//! The service is the relying party. It trusts only the ID token, after verifying it against the provider's published
//! keys; it does not use the access token. Discovery happens when the first person signs in, not at start: in a demo the provider is this
//! very process, and in production the service must start while the provider is down.

mod access_token;
mod args;
mod claims;
mod error;
mod http;
mod inspect;
mod jws;
mod logout;
mod pending;
mod provider;
mod roles;
#[cfg(test)]
mod tests;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow};
use openidconnect::{
    AuthenticationContextClass, AuthorizationCode, CsrfToken, LogoutRequest, Nonce, PkceCodeChallenge,
    PkceCodeVerifier, PostLogoutRedirectUrl, RequestTokenError, Scope,
};

use loopiq::domain::text::visible;
use loopiq::domain::{ActionId, Email, ProviderSignIn};

pub use args::OidcArgs;
pub use error::{Cause, Claimed, OidcError};
pub use inspect::{Answer, claims_of};
pub use logout::Logout;
pub use pending::{PendingSignIn, local_path};
pub use provider::ProviderFacts;
pub use roles::RoleMapping;

use error::because;
use provider::{Provider, ProviderCache, Tokens};
use verify::{NotTrusted, Unreadable};

/// How long a sign-out waits for a provider that has not been discovered yet.
const SIGN_OUT_PATIENCE: Duration = Duration::from_secs(2);

/// The `state` with which the provider returns after its own sign-out.
pub const SIGNED_OUT: &str = "signed-out";
/// The most names of roles in the log.
const MOST_NAMED: usize = 10;

/// The claim that names the tenant, unless the settings name another.
pub const DEFAULT_TENANT_CLAIM: &str = "tenant";

/// The claim that lists the roles, unless the settings name another.
pub const DEFAULT_ROLES_CLAIM: &str = "roles";

/// The claim that lists the groups, unless the settings name another.
pub const DEFAULT_GROUPS_CLAIM: &str = "groups";

/// The settings of a provider.
#[derive(Clone)]
pub struct OidcSettings {
    /// The provider's issuer, character by character as its discovery document has it (mind a trailing slash). https,
    /// or http on loopback.
    pub issuer: String,
    /// The ID under which this service is registered at the provider.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: String,
    /// The callback to which the provider redirects: this service's public URL with `/auth/callback`.
    pub redirect_url: String,
    /// The claim of the ID token that names the tenant: a key, or keys joined by dots. See [`DEFAULT_TENANT_CLAIM`].
    pub tenant_claim: String,
    /// The claim of the ID token that lists the roles, in the same notation. See [`DEFAULT_ROLES_CLAIM`].
    pub roles_claim: String,
    /// The claim of the ID token that lists the groups, in the same notation. See [`DEFAULT_GROUPS_CLAIM`].
    pub groups_claim: String,
    /// Which groups give which roles.
    pub role_mapping: RoleMapping,
    /// Domains whose addresses count as verified if the ID token does not say so itself.
    pub verified_domains: Vec<String>,
    /// Whether access tokens of the provider are accepted at the MCP endpoint.
    pub access_tokens: bool,
}

/// A sign-in that was started.
pub struct SignInStart {
    /// The provider's page to which the browser is redirected.
    pub authorize_url: String,
    /// What [`Oidc::finish`] needs. To be stored encrypted for the browser that started the sign-in.
    pub pending: PendingSignIn,
}

/// What the provider asserts about a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// Whom the ID token is about, and the sign-in at the provider.
    pub sign_in: ProviderSignIn,
    /// The tenants, as the provider writes them: at least one.
    pub tenants: Vec<String>,
    /// The roles, as the provider writes them, and those of mapped groups. Possibly an empty list, and possibly with some that the service
    /// does not know. `None` if the token asserts no roles at all.
    pub roles: Option<Vec<String>>,
    /// The groups, as the provider writes them.
    pub groups: Vec<String>,
    /// The person's e-mail address, and whether the provider has verified it. It does not identify the person; issuer and subject do.
    pub email: Email,
    /// The person's name, else the user name, else the address.
    pub name: String,
}

/// The relying party of one provider. Cheap to clone; clones share the provider's metadata.
#[derive(Clone)]
pub struct Oidc(Arc<Inner>);

struct Inner {
    settings: OidcSettings,
    provider_cache: ProviderCache,
}

impl Oidc {
    /// The provider's issuer.
    pub fn issuer(&self) -> &str {
        &self.0.settings.issuer
    }

    /// Why a token gives a person no role, for the log.
    pub fn why_no_role(&self, assertion: &Assertion) -> String {
        let OidcSettings {
            roles_claim,
            groups_claim,
            role_mapping,
            ..
        } = &self.0.settings;
        let mapped = *role_mapping != RoleMapping::default();
        let claims = if mapped {
            format!("{roles_claim} or {groups_claim}")
        } else {
            roles_claim.clone()
        };
        let list = |names: &[String]| {
            let names: Vec<String> = names.iter().take(MOST_NAMED).map(|name| visible(name)).collect();
            names.join(", ")
        };
        match &assertion.roles {
            None => format!("the token has no claim {claims}, and the catalog gives the address no role"),
            Some(roles) if roles.is_empty() && mapped => format!(
                "the claim {claims} names no role and no mapped group; its groups: {}",
                list(&assertion.groups)
            ),
            Some(roles) if roles.is_empty() => format!("the claim {claims} is empty"),
            Some(roles) => format!("the claim {claims} names no role of this service: {}", list(roles)),
        }
    }

    /// Checks the settings. Sends no request yet.
    ///
    /// # Errors
    /// [`OidcError::Misconfigured`] for an issuer or redirect URL that cannot be used.
    pub fn new(settings: OidcSettings) -> Result<Self, OidcError> {
        let provider_cache = ProviderCache::new(&settings)?;
        Ok(Self(Arc::new(Inner {
            settings,
            provider_cache,
        })))
    }

    /// Starts a sign-in at `now` (seconds since 1970-01-01 UTC). A `return_to` that is not a path on this service
    /// becomes `/`.
    ///
    /// # Errors
    /// [`OidcError::Unreachable`] or [`OidcError::Misconfigured`] if discovery fails.
    pub async fn start(&self, return_to: &str, now: i64) -> Result<SignInStart, OidcError> {
        self.begin(return_to, None, now).await
    }

    /// Starts a sign-in of a signed-in person before the approval of an action: the provider is asked to authenticate the person even if the
    /// person has a session there, in one of the ways `acr`; an empty list leaves the way to the provider.
    ///
    /// # Errors
    /// As [`Oidc::start`].
    pub async fn start_step_up(&self, action: ActionId, acr: &[String], now: i64) -> Result<SignInStart, OidcError> {
        let return_to = format!("/actions/{action}");
        self.begin(&return_to, Some((action, acr)), now).await
    }

    async fn begin(
        &self,
        return_to: &str,
        step_up: Option<(ActionId, &[String])>,
        now: i64,
    ) -> Result<SignInStart, OidcError> {
        let provider = self.0.provider_cache.provider(now).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = provider
            .client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scope(Scope::new("email".to_owned()))
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(challenge);
        if let Some((_, acr)) = &step_up {
            // Both, because providers support one or the other. With `max_age` the provider has to send `auth_time` (OpenID Connect Core, 2).
            request = request.add_prompt(CoreAuthPrompt::Login).set_max_age(Duration::ZERO);
            for acr in *acr {
                request = request.add_auth_context_value(AuthenticationContextClass::new(acr.clone()));
            }
        }
        let (url, state, nonce) = request.url();
        Ok(SignInStart {
            authorize_url: url.into(),
            pending: PendingSignIn {
                state: state.into_secret(),
                nonce: nonce.secret().clone(),
                pkce_verifier: verifier.into_secret(),
                return_to: local_path(return_to),
                started_at: now,
                step_up: step_up.map(|(action, _)| action),
            },
        })
    }

    /// Finishes a sign-in with the parameters of the provider's redirect: `code`, `state` and, if present, `iss`. For a
    /// redirect with `error` see [`PendingSignIn::refusal`].
    ///
    /// # Errors
    /// Any [`OidcError`]. The person is not signed in then, and `pending` cannot be used again.
    pub async fn finish(
        &self,
        pending: PendingSignIn,
        code: &str,
        state: &str,
        iss: Option<&str>,
        now: i64,
    ) -> Result<Assertion, OidcError> {
        pending.check(state, now)?;
        let provider = self.0.provider_cache.provider(now).await?;
        let is_required = provider.sends_issuer;
        if iss.map_or(is_required, |iss| iss != self.0.settings.issuer) {
            return Err(OidcError::WrongIssuer {
                found: iss.map(str::to_owned),
            });
        }
        let tokens = self.exchange(&provider, code, pending.pkce_verifier).await?;
        let nonce = Nonce::new(pending.nonce);
        // The request passes through the browser, where its parameters can be removed. A provider that names `auth_time` sends it if `max_age`
        // arrives, so a token without it is no proof of a new authentication.
        let prompted = pending.step_up.is_some() && provider.facts.says_auth_time != Some(true);
        let settings = &self.0.settings;
        let mut verified_by = provider.clone();
        let outcome = match verify::assertion(settings, &provider, &tokens, &nonce, now) {
            Err(NotTrusted::UnknownKey(_)) => {
                // Providers rotate keys: the key that signed the token may be newer than the cached ones.
                verified_by = self.0.provider_cache.newer_than(&provider, now).await?;
                verify::assertion(settings, &verified_by, &tokens, &nonce, now)
            }
            outcome => outcome,
        };
        let mut assertion = outcome.map_err(|refused| {
            let claimed = verify::claimed(settings, &verified_by, &tokens, now);
            verify::clock(refused.into_error(), &tokens, now).with_claimed(claimed)
        })?;
        assertion.sign_in.prompted = prompted;
        Ok(assertion)
    }

    /// The URL at which a person also signs out of the provider, with the ID token of the sign-in (`hint`), if it is known. `None` if the
    /// provider has no such page, or if it has not been discovered and does not respond at once. `return_url` must be registered at the provider.
    pub async fn end_session_url(&self, hint: Option<&str>, return_url: Option<&str>, now: i64) -> Option<String> {
        let provider = match self.0.provider_cache.cached() {
            Some(provider) => provider,
            None => tokio::time::timeout(SIGN_OUT_PATIENCE, self.0.provider_cache.provider(now))
                .await
                .ok()?
                .ok()?,
        };
        let mut request =
            LogoutRequest::from(provider.end_session.clone()?).set_client_id(provider.client.client_id().clone());
        if let Some(url) = return_url.and_then(|url| PostLogoutRedirectUrl::new(url.to_owned()).ok()) {
            // The provider sends the state back, so that the page after the sign-out does not offer it again.
            let state = CsrfToken::new(SIGNED_OUT.to_owned());
            request = request.set_post_logout_redirect_uri(url).set_state(state);
        }
        let mut url = request.http_get_url();
        if let Some(hint) = hint {
            url.query_pairs_mut().append_pair("id_token_hint", hint);
        }
        Some(url.into())
    }

    async fn exchange(&self, provider: &Arc<Provider>, code: &str, verifier: String) -> Result<Tokens, OidcError> {
        let outcome = provider
            .client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| OidcError::Misconfigured { cause: Arc::new(error) })?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier))
            .request_async(self.0.provider_cache.http())
            .await;
        // Without the body of the response: it may contain tokens, and causes are logged.
        let cause: Cause = match outcome {
            Ok(tokens) => return Ok(tokens),
            Err(RequestTokenError::ServerResponse(answer)) => {
                let description = answer.error_description().map(String::as_str);
                return Err(OidcError::refused(answer.error().as_ref(), description));
            }
            Err(RequestTokenError::Request(error)) => Arc::new(error),
            Err(RequestTokenError::Parse(error, body)) => match verify::unreadable(&body) {
                Some(Unreadable::NoSubject) => {
                    return Err(OidcError::MissingClaim {
                        claim: "sub".to_owned(),
                        claimed: None,
                    });
                }
                Some(Unreadable::Token) => {
                    return Err(OidcError::InvalidToken {
                        cause: Arc::new(error),
                        code: "invalid_token",
                        claimed: None,
                    });
                }
                None => Arc::new(error),
            },
            Err(RequestTokenError::Other(what)) => because(what),
        };
        // The next sign-in repeats discovery, because the endpoint may have moved.
        self.0.provider_cache.forget(provider).await;
        Err(OidcError::Unreachable { cause })
    }
}
