//! Signing in with an OpenID Connect provider: authorization code with PKCE, state and nonce.
//!
//! The service is the relying party. It trusts the ID token alone, after verifying it against the provider's published
//! keys; the access token is thrown away. The provider is found when the first person signs in, not at start: in a demo
//! it is this very process, and elsewhere the service must start while the provider is down.

mod claims;
mod error;
mod http;
mod pending;
mod provider;
#[cfg(test)]
mod tests;
mod verify;

use std::sync::Arc;

use openidconnect::core::CoreAuthenticationFlow;
use openidconnect::{
    AuthorizationCode, CsrfToken, LogoutRequest, Nonce, PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl,
    RequestTokenError, Scope,
};

use loopiq::domain::Email;

pub use error::{Cause, OidcError};
pub use pending::{PendingSignIn, local_path};

use error::because;
use provider::{Directory, Provider, Tokens};
use verify::{NotTrusted, Unreadable};

/// The claim that names the tenant, unless the settings name another.
pub const DEFAULT_TENANT_CLAIM: &str = "tenant";

/// The claim that lists the roles, unless the settings name another.
pub const DEFAULT_ROLES_CLAIM: &str = "roles";

/// What is needed to sign people in with a provider.
#[derive(Clone)]
pub struct OidcSettings {
    /// The provider's issuer, character by character as its discovery document has it (mind a trailing slash). https,
    /// or http on loopback.
    pub issuer: String,
    /// The client that the provider knows this service by.
    pub client_id: String,
    /// That client's secret.
    pub client_secret: String,
    /// Where the provider sends people back to: this service's public URL with `/auth/callback`.
    pub redirect_url: String,
    /// Where the ID token names the tenant: a key, or keys joined by dots. See [`DEFAULT_TENANT_CLAIM`].
    pub tenant_claim: String,
    /// Where the ID token lists the roles, likewise. See [`DEFAULT_ROLES_CLAIM`].
    pub roles_claim: String,
    /// Domains in which this issuer's addresses count as verified where it does not say whether they are.
    pub verified_domains: Vec<String>,
}

/// Where to send the browser, and what to remember until it is back.
pub struct SignInStart {
    /// The provider's page.
    pub authorize_url: String,
    /// To be kept for the browser that began, sealed, and taken back for [`Oidc::finish`].
    pub pending: PendingSignIn,
}

/// What the provider vouches for: who this person is, and what they may be here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// The provider.
    pub issuer: String,
    /// The person: never given to another by this issuer.
    pub subject: String,
    /// The tenant, as the provider writes it.
    pub tenant: String,
    /// The roles, as the provider writes them; unknown ones included, possibly none.
    pub roles: Vec<String>,
    /// The person's address, and whether the provider has verified it. Issuer and subject alone are an identity.
    pub email: Email,
    /// The person's name; the user name or the address where the provider gives none.
    pub name: String,
}

/// The relying party of one provider. Cheap to clone; clones share what they know of the provider.
#[derive(Clone)]
pub struct Oidc(Arc<Inner>);

struct Inner {
    settings: OidcSettings,
    directory: Directory,
}

impl Oidc {
    /// The provider that signs people in.
    pub fn issuer(&self) -> &str {
        &self.0.settings.issuer
    }

    /// Checks the settings. Nothing is sent anywhere yet.
    ///
    /// # Errors
    /// [`OidcError::Misconfigured`] for an issuer or redirect URL that cannot be used.
    pub fn new(settings: OidcSettings) -> Result<Self, OidcError> {
        let directory = Directory::new(&settings)?;
        Ok(Self(Arc::new(Inner { settings, directory })))
    }

    /// Begins a sign-in at `now` (seconds since 1970-01-01 UTC). A `return_to` that is not a path on this service
    /// becomes `/`.
    ///
    /// # Errors
    /// [`OidcError::Unreachable`] or [`OidcError::Misconfigured`] where the provider cannot be found.
    pub async fn start(&self, return_to: &str, now: i64) -> Result<SignInStart, OidcError> {
        let provider = self.0.directory.provider(now).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state, nonce) = provider
            .client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scope(Scope::new("email".to_owned()))
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        Ok(SignInStart {
            authorize_url: url.into(),
            pending: PendingSignIn {
                state: state.into_secret(),
                nonce: nonce.secret().clone(),
                pkce_verifier: verifier.into_secret(),
                return_to: local_path(return_to),
                started_at: now,
            },
        })
    }

    /// Finishes a sign-in with what the provider's redirect carried: `code`, `state` and, where given, `iss`. For a
    /// redirect with `error` see [`PendingSignIn::refusal`].
    ///
    /// # Errors
    /// All of [`OidcError`]. Nobody is signed in then, and `pending` is spent.
    pub async fn finish(
        &self,
        pending: PendingSignIn,
        code: &str,
        state: &str,
        iss: Option<&str>,
        now: i64,
    ) -> Result<Assertion, OidcError> {
        pending.check(state, now)?;
        let provider = self.0.directory.provider(now).await?;
        let must_name = provider.names_itself;
        if iss.map_or(must_name, |iss| iss != self.0.settings.issuer) {
            return Err(OidcError::WrongIssuer {
                found: iss.map(str::to_owned),
            });
        }
        let tokens = self.exchange(&provider, code, pending.pkce_verifier).await?;
        let nonce = Nonce::new(pending.nonce);
        let settings = &self.0.settings;
        match verify::assertion(settings, &provider, &tokens, &nonce, now) {
            Err(NotTrusted::UnknownKey(_)) => {
                // Keys are rotated: the one that signed may be newer than our copy.
                let newer = self.0.directory.newer_than(&provider, now).await?;
                verify::assertion(settings, &newer, &tokens, &nonce, now)
            }
            outcome => outcome,
        }
        .map_err(NotTrusted::into_error)
    }

    /// Where to send a person who signs out, to end the session at the provider too. `None` where the provider has no
    /// such page, or nobody has signed in since the service started. `return_url` must be registered there.
    #[must_use]
    pub fn end_session_url(&self, return_url: Option<&str>) -> Option<String> {
        let provider = self.0.directory.known()?;
        let mut request =
            LogoutRequest::from(provider.end_session.clone()?).set_client_id(provider.client.client_id().clone());
        if let Some(url) = return_url.and_then(|url| PostLogoutRedirectUrl::new(url.to_owned()).ok()) {
            request = request.set_post_logout_redirect_uri(url);
        }
        Some(request.http_get_url().into())
    }

    async fn exchange(&self, provider: &Arc<Provider>, code: &str, verifier: String) -> Result<Tokens, OidcError> {
        let outcome = provider
            .client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| OidcError::Misconfigured { cause: Arc::new(error) })?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier))
            .request_async(self.0.directory.http())
            .await;
        // The causes leave out the body that came: it may hold tokens, and causes are logged.
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
                    });
                }
                Some(Unreadable::Token) => return Err(OidcError::InvalidToken { cause: Arc::new(error) }),
                None => Arc::new(error),
            },
            Err(RequestTokenError::Other(what)) => because(what),
        };
        // It may have moved.
        self.0.directory.forget(provider).await;
        Err(OidcError::Unreachable { cause })
    }
}
