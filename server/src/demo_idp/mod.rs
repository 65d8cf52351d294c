//! An OpenID Connect provider for demos and tests: the real protocol, with a list of people instead of passwords.
//!
//! Authorization code with PKCE as in OAuth 2.1, discovery, JWKS, and ID tokens signed with ES256, so that a demo signs in through
//! the same code as production. Without passwords, every visitor of the page can sign in as any person. The service therefore
//! mounts the provider only in a demo, and a demo listens only on loopback.

mod authorize;
mod codes;
pub(crate) mod keys;
mod page;
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

/// The claim `acr` of a person who was chosen on the page.
pub const ONE_FACTOR: &str = "demo:one-factor";
/// The claim `acr` if the client asked for it. The demo provider has no second factor; it only says so.
pub const TWO_FACTORS: &str = "demo:two-factors";
const ACR_VALUES: [&str; 2] = [ONE_FACTOR, TWO_FACTORS];

/// The clock: seconds since 1970-01-01 UTC.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// A person on the sign-in page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoPerson {
    /// The claim `tenant`.
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

/// Why the demo provider could not be created. All of these are programming errors.
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
    /// No signing key could be created.
    #[error("no signing key for the demo identity provider")]
    Key(#[source] p256::ecdsa::Error),
}

/// The demo identity provider: its client, its people, its key and the authorization codes in use.
///
/// Clones share their contents.
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
    /// Creates a provider with a new ES256 key.
    ///
    /// `issuer` is the public URL at which [`router`] is mounted, such as `http://127.0.0.1:3000/demo-idp`. `redirect_uris` are
    /// compared character by character. `now` gives the time of each code and each token.
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

    /// Links this style sheet on the sign-in page. Has no effect after the provider was cloned or mounted.
    #[must_use]
    pub fn with_stylesheet(mut self, href: Option<String>) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.stylesheet = href;
        }
        self
    }

    /// Claims as a token that the provider has signed, such as those of a logout token.
    ///
    /// # Errors
    /// The claims cannot be written as JSON.
    pub fn sign(&self, claims: &Value) -> Result<String, serde_json::Error> {
        self.0.key.sign(claims)
    }

    /// The issuer in discovery, in tokens and in redirects.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }
}

/// The provider's routes, to be nested at the path of its issuer.
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
        "acr_values_supported": ACR_VALUES,
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "auth_time", "acr", "nonce", "at_hash", "email", "email_verified", "name",
            "tenant", "roles"
        ],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        // Explicit, because the default is true.
        "request_uri_parameter_supported": false,
    }))
}

async fn jwks(State(idp): State<DemoIdp>) -> Json<Value> {
    Json(json!({ "keys": [idp.0.key.public()] }))
}
