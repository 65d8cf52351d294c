//! An OpenID Connect provider for demos and tests: the real protocol, people instead of passwords.
//!
//! Authorization code with PKCE as OAuth 2.1 has it, discovery, JWKS, ID tokens signed with ES256. The demo signs in
//! through the same code as production because of it. What is left out is what makes a provider one: there is no
//! password, so whoever reaches the page is whoever they choose to be. The service therefore mounts it in a demo alone,
//! and a demo listens on loopback alone.

mod authorize;
mod codes;
pub(crate) mod keys;
mod page;
mod params;
mod secret;
#[cfg(test)]
mod tests;
mod token;

use std::collections::HashSet;
use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use openidconnect::url::Url;
use serde_json::{Value, json};

use codes::Codes;
use keys::SigningKey;

/// Where the time comes from: seconds since 1970-01-01 UTC.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// One person who can be chosen on the sign-in page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoPerson {
    /// The tenant asserted in the claim `tenant`.
    pub tenant: String,
    /// The claim `sub`: unique among all people of this provider.
    pub subject: String,
    /// The claim `email`.
    pub email: String,
    /// The claim `name`.
    pub name: String,
    /// The claim `roles`.
    pub roles: Vec<String>,
}

/// Why the demo provider could not be made. All of these are mistakes of the program that makes it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoIdpError {
    /// The issuer is not an absolute http or https URL without query and fragment.
    #[error("the demo identity provider's issuer is not a plain http(s) URL: {0}")]
    Issuer(String),
    /// A redirect URI is not an absolute URL, or has a fragment (RFC 6749, 3.1.2).
    #[error("the demo identity provider cannot redirect to {0}")]
    RedirectUri(String),
    /// Two people share a subject; `sub` must name one person (OpenID Connect Core, 2).
    #[error("two people of the demo share the subject {0}")]
    SharedSubject(String),
    /// The system gave no random bytes.
    #[error("no random bytes for the demo identity provider")]
    Randomness(#[source] getrandom::Error),
    /// No signing key could be made.
    #[error("no signing key for the demo identity provider")]
    Key(#[source] p256::ecdsa::Error),
}

/// The demo identity provider: its one client, its people, its key and the codes it has given out.
///
/// Clones share all of it.
#[derive(Clone)]
pub struct DemoIdp(Arc<Inner>);

struct Inner {
    issuer: String,
    client_id: String,
    client_secret: String,
    redirect_uris: Vec<String>,
    people: Vec<DemoPerson>,
    stylesheet: Option<String>,
    key: SigningKey,
    codes: Codes,
    now: Clock,
}

impl DemoIdp {
    /// Makes a provider with a new ES256 key.
    ///
    /// `issuer` is the public address that [`router`] is mounted under, such as `http://127.0.0.1:3000/demo-idp`;
    /// `redirect_uris` are compared character by character. `now` is asked for each code and each token.
    pub fn new(
        issuer: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
        redirect_uris: Vec<String>,
        people: Vec<DemoPerson>,
        now: Clock,
    ) -> Result<Self, DemoIdpError> {
        let issuer = issuer.into().trim_end_matches('/').to_owned();
        match Url::parse(&issuer) {
            Ok(url)
                if matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none() => {}
            _ => return Err(DemoIdpError::Issuer(issuer)),
        }
        for uri in &redirect_uris {
            if !Url::parse(uri).is_ok_and(|url| url.fragment().is_none()) {
                return Err(DemoIdpError::RedirectUri(uri.clone()));
            }
        }
        let mut subjects = HashSet::new();
        for person in &people {
            if !subjects.insert(person.subject.as_str()) {
                return Err(DemoIdpError::SharedSubject(person.subject.clone()));
            }
        }
        Ok(Self(Arc::new(Inner {
            issuer,
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            redirect_uris,
            people,
            stylesheet: None,
            key: SigningKey::generate()?,
            codes: Codes::default(),
            now,
        })))
    }

    /// Links this stylesheet on the sign-in page. To be called before the provider is cloned or mounted; it has no
    /// effect afterwards.
    #[must_use]
    pub fn with_stylesheet(mut self, href: Option<String>) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.stylesheet = href;
        }
        self
    }

    /// The issuer, as it stands in discovery, in tokens and in the answer to the client.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }
}

/// The provider's routes, to be nested under the path of its issuer.
pub fn router(state: DemoIdp) -> Router {
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/jwks", get(jwks))
        .route("/authorize", get(authorize::ask).post(authorize::choose))
        .route("/token", post(token::exchange))
        .with_state(state)
}

/// OpenID Connect Discovery 1.0, with the additions of RFC 8414 and RFC 9207.
async fn discovery(State(idp): State<DemoIdp>) -> Json<Value> {
    let issuer = idp.issuer();
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "scopes_supported": ["openid", "email", "profile"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "email", "email_verified", "name",
            "tenant", "roles"
        ],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        // Named because it is true where it is left out.
        "request_uri_parameter_supported": false,
    }))
}

async fn jwks(State(idp): State<DemoIdp>) -> Json<Value> {
    Json(json!({ "keys": [idp.0.key.public()] }))
}
