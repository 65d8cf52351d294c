//! What a report on the settings asks: what the provider publishes, whether it knows this client and its redirect URL, and what the service
//! would read from a token. Nothing here signs a person in.

use super::error::{OidcError, because};
use super::provider::Tokens;
use super::verify::{self, Claims, NotTrusted};
use super::{Assertion, Oidc, ProviderFacts};
use openidconnect::url::Url;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A code that no provider has issued.
const NO_CODE: &str = "loopiq-check-config";
/// What a provider answers to a person without a session, if no page may be shown (OpenID Connect Core, 3.1.2.6).
const NO_SESSION: [&str; 4] = [
    "login_required",
    "interaction_required",
    "consent_required",
    "account_selection_required",
];

/// Whether the provider accepts something, as far as it says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It does.
    Yes,
    /// It does not: its own words.
    No(String),
    /// Its answer says neither: a description.
    Unclear(String),
}

impl Oidc {
    /// The callback that has to be registered at the provider.
    pub fn redirect_url(&self) -> &str {
        &self.0.settings.redirect_url
    }

    /// The ID of this client.
    pub fn client_id(&self) -> &str {
        &self.0.settings.client_id
    }

    /// What the provider publishes, after discovery as for a sign-in.
    ///
    /// # Errors
    /// As [`Oidc::start`].
    pub async fn facts(&self, now: i64) -> Result<ProviderFacts, OidcError> {
        Ok(self.0.provider_cache.provider(now).await?.facts.clone())
    }

    /// Whether the provider accepts the client's ID and secret: asks it to exchange a code that it has not issued. A provider authenticates
    /// the client first, so a refusal of the code alone means that the client is known.
    ///
    /// # Errors
    /// [`OidcError::Unreachable`] or [`OidcError::Misconfigured`].
    pub async fn accepts_client(&self, now: i64) -> Result<Answer, OidcError> {
        let provider = self.0.provider_cache.provider(now).await?;
        let verifier = "a".repeat(43);
        match self.exchange(&provider, NO_CODE, verifier).await {
            Ok(_) => Ok(Answer::Unclear("it issued a token for an invalid code".to_owned())),
            Err(OidcError::Refused { error, description }) => {
                let says = description.map_or_else(|| error.clone(), |description| format!("{error}: {description}"));
                Ok(match error.as_str() {
                    "invalid_grant" => Answer::Yes,
                    "invalid_client" | "unauthorized_client" => Answer::No(says),
                    _ => Answer::Unclear(says),
                })
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the provider redirects to this service's callback: begins a sign-in that may show no page, so that the provider redirects at
    /// once, with an error, because there is no session.
    ///
    /// # Errors
    /// [`OidcError::Unreachable`] or [`OidcError::Misconfigured`].
    pub async fn accepts_redirect_url(&self, now: i64) -> Result<Answer, OidcError> {
        let start = self.start("/", now).await?;
        let url = format!("{}&prompt=none", start.authorize_url);
        let page = self.0.provider_cache.http().page(&url).await;
        let (status, location) = page.map_err(|error| OidcError::Unreachable { cause: Arc::new(error) })?;
        let ours = |location: &String| location.starts_with(&self.0.settings.redirect_url);
        let Some(location) = location.filter(ours) else {
            let answered = format!("it answered the start of a sign-in with the status {status}");
            return Ok(if status == 400 {
                Answer::No(answered)
            } else {
                Answer::Unclear(answered)
            });
        };
        let answer = Url::parse(&location).ok();
        let parameter = |name: &str| {
            let url = answer.as_ref()?;
            let found = url.query_pairs().find(|(key, _)| key == name)?;
            Some(found.1.into_owned())
        };
        Ok(match parameter("error") {
            Some(error) if NO_SESSION.contains(&error.as_str()) => Answer::Yes,
            Some(error) => {
                Answer::Unclear(OidcError::refused(&error, parameter("error_description").as_deref()).to_string())
            }
            None => Answer::Yes,
        })
    }

    /// What a sign-in would read from these claims of an ID token. Claims that every ID token has, and that say nothing about the person,
    /// may be missing.
    ///
    /// # Errors
    /// [`OidcError::MissingClaim`], or [`OidcError::InvalidToken`] for a claim of the wrong type.
    pub fn read_claims(&self, claims: &Map<String, Value>) -> Result<Assertion, OidcError> {
        let settings = &self.0.settings;
        let mut complete = Map::new();
        for (name, value) in [
            ("iss", json!(settings.issuer)),
            ("aud", json!(settings.client_id)),
            ("iat", json!(0)),
            ("exp", json!(0)),
            // An empty subject counts as missing, with the claim's name.
            ("sub", json!("")),
        ] {
            complete.insert(name.to_owned(), value);
        }
        complete.extend(claims.clone());
        let claims: Claims = serde_json::from_value(complete.into()).map_err(|error| OidcError::InvalidToken {
            cause: Arc::new(error),
            code: "invalid_token",
            claimed: None,
        })?;
        verify::read(settings, &claims)
    }

    /// Verifies an ID token that the provider issued for this client some time ago. Its age, nonce and access token are not judged.
    ///
    /// # Errors
    /// As [`Oidc::finish`].
    pub async fn verify_sample(&self, token: &str, now: i64) -> Result<Assertion, OidcError> {
        let response = json!({ "access_token": "-", "token_type": "Bearer", "id_token": token });
        let tokens: Tokens = serde_json::from_value(response).map_err(|_| OidcError::InvalidToken {
            cause: because("it is not a signed token (JWT)"),
            code: "invalid_token",
            claimed: None,
        })?;
        let provider = self.0.provider_cache.provider(now).await?;
        verify::sample(&self.0.settings, &provider, &tokens).map_err(NotTrusted::into_error)
    }
}

/// The claims of a token, without verifying it; `None` if it is not a token.
pub fn claims_of(token: &str) -> Option<Map<String, Value>> {
    verify::payload(token)
}
