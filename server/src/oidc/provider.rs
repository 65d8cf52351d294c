//! The identity provider's metadata: discovered when first needed, cached, and discovered again when the provider has moved or changed its
//! keys.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreErrorResponseType,
    CoreGenderClaim, CoreGrantType, CoreJsonWebKey, CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm, CoreResponseMode, CoreResponseType, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreSubjectIdentifierType, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::url::Url;
use openidconnect::{
    AdditionalProviderMetadata, AuthType, Client, ClientId, ClientSecret, DiscoveryError, EmptyExtraTokenFields,
    EndSessionUrl, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields, IssuerUrl, JwsSigningAlgorithm,
    ProviderMetadata, RedirectUrl, StandardErrorResponse, StandardTokenResponse,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::OidcSettings;
use super::claims::OtherClaims;
use super::error::{Cause, OidcError, because};
use super::http::Http;
use super::pending::CLOCK_SKEW;
use super::verify::TOKEN_SKEW;
use crate::urls::is_loopback;

/// The lifetime of cached metadata, in seconds. A key that the provider has withdrawn is trusted until then.
const MAX_AGE: i64 = 3_600;

/// Metadata beyond OpenID Connect Discovery.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct MoreMetadata {
    #[serde(default)]
    end_session_endpoint: Option<EndSessionUrl>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: Option<bool>,
    #[serde(default)]
    code_challenge_methods_supported: Option<Vec<String>>,
}

impl AdditionalProviderMetadata for MoreMetadata {}

type Metadata = ProviderMetadata<
    MoreMetadata,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

pub(super) type Tokens = StandardTokenResponse<
    IdTokenFields<
        OtherClaims,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

type OidcClient = Client<
    OtherClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The provider's metadata at one time, and a client for it.
pub(super) struct Provider {
    pub(super) client: OidcClient,
    /// The allowed signature algorithms of ID tokens.
    pub(super) algorithms: Vec<CoreJwsSigningAlgorithm>,
    /// The public keys.
    pub(super) keys: CoreJsonWebKeySet,
    /// The page on which a person signs out of the provider.
    pub(super) end_session: Option<EndSessionUrl>,
    /// Whether the provider's redirects always contain the issuer (RFC 9207).
    pub(super) sends_issuer: bool,
    /// What a report on the settings says about the provider.
    pub(super) facts: ProviderFacts,
    discovered_at: i64,
}

/// What discovery found out about a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderFacts {
    /// The page on which people sign in.
    pub authorization_endpoint: String,
    /// Where codes are exchanged for tokens.
    pub token_endpoint: String,
    /// The allowed signature algorithms of ID tokens.
    pub algorithms: Vec<String>,
    /// The number of published keys.
    pub keys: usize,
    /// Whether the metadata says that PKCE with S256 is supported. Some providers support it and do not say so.
    pub says_s256: bool,
    /// The ways of authenticating (`acr`) that the provider names; `None` if it names none.
    pub acr: Option<Vec<String>>,
    /// Whether the provider names `auth_time` among its claims; `None` if it lists no claims.
    pub says_auth_time: Option<bool>,
    /// How many seconds the provider's clock is ahead of this machine's (negative: behind), if the provider sends its time.
    pub clock_ahead: Option<i64>,
}

impl Provider {
    /// Whether the metadata was discovered more than so many seconds ago.
    pub(super) fn is_older_than(&self, now: i64, seconds: i64) -> bool {
        now.saturating_sub(self.discovered_at).abs() > seconds
    }
}

/// The cache of the provider's metadata. At most one discovery runs at a time.
pub(super) struct ProviderCache {
    issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: ClientSecret,
    redirect_url: RedirectUrl,
    on_loopback: bool,
    http: Http,
    slot: Mutex<Slot>,
    /// The number of finished discoveries.
    discoveries: AtomicU64,
}

#[derive(Default)]
struct Slot {
    found: Option<Arc<Provider>>,
    failure: Option<OidcError>,
}

impl ProviderCache {
    pub(super) fn new(settings: &OidcSettings) -> Result<Self, OidcError> {
        let unusable = |what: &str, why: &dyn std::fmt::Display| OidcError::Misconfigured {
            cause: because(format!("{what}: {why}")),
        };
        let issuer = IssuerUrl::new(settings.issuer.clone()).map_err(|why| unusable("the issuer", &why))?;
        let redirect_url =
            RedirectUrl::new(settings.redirect_url.clone()).map_err(|why| unusable("the redirect URL", &why))?;
        let on_loopback = is_loopback(issuer.url());
        require_tls(issuer.url(), on_loopback)?;
        Ok(Self {
            issuer,
            client_id: ClientId::new(settings.client_id.clone()),
            client_secret: ClientSecret::new(settings.client_secret.clone()),
            redirect_url,
            on_loopback,
            http: Http::new(on_loopback).map_err(|why| unusable("the HTTP client", &why))?,
            slot: Mutex::default(),
            discoveries: AtomicU64::new(0),
        })
    }

    pub(super) fn http(&self) -> &Http {
        &self.http
    }

    /// The provider, from the cache if that is fresh. Callers that arrive during a discovery wait for it and share its result, also
    /// a failure: otherwise each waiting caller would add one time-out of a provider that hangs.
    pub(super) async fn provider(&self, now: i64) -> Result<Arc<Provider>, OidcError> {
        let seen = self.discoveries.load(Ordering::Acquire);
        let mut slot = self.slot.lock().await;
        if let Some(found) = &slot.found
            && (-CLOCK_SKEW..MAX_AGE).contains(&now.saturating_sub(found.discovered_at))
        {
            return Ok(Arc::clone(found));
        }
        if self.discoveries.load(Ordering::Acquire) != seen
            && let Some(failure) = &slot.failure
        {
            return Err(failure.clone());
        }
        self.refresh(&mut slot, now).await
    }

    /// Discovers the provider again, unless another caller has replaced `known` meanwhile.
    pub(super) async fn newer_than(&self, known: &Arc<Provider>, now: i64) -> Result<Arc<Provider>, OidcError> {
        let mut slot = self.slot.lock().await;
        match &slot.found {
            Some(found) if !Arc::ptr_eq(found, known) => Ok(Arc::clone(found)),
            _ => self.refresh(&mut slot, now).await,
        }
    }

    /// Drops cached metadata that did not work, so that the next sign-in repeats discovery.
    pub(super) async fn forget(&self, known: &Arc<Provider>) {
        let mut slot = self.slot.lock().await;
        if slot.found.as_ref().is_some_and(|found| Arc::ptr_eq(found, known)) {
            slot.found = None;
        }
    }

    /// The cached provider, without waiting.
    pub(super) fn cached(&self) -> Option<Arc<Provider>> {
        self.slot.try_lock().ok()?.found.clone()
    }

    async fn refresh(&self, slot: &mut Slot, now: i64) -> Result<Arc<Provider>, OidcError> {
        let outcome = self.discover(now).await.map(Arc::new);
        slot.found = outcome.as_ref().ok().map(Arc::clone);
        slot.failure = outcome.as_ref().err().cloned();
        self.discoveries.fetch_add(1, Ordering::Release);
        outcome
    }

    /// Whether a person may be sent to this address. Signing out of LoopIQ works without it.
    fn is_trusted_link(&self, url: &Url) -> bool {
        match require_tls(url, self.on_loopback) {
            Ok(()) => true,
            Err(_) => {
                tracing::warn!(%url, "the sign-out page of the identity provider is not linked, because its address is neither https nor on loopback");
                false
            }
        }
    }

    async fn discover(&self, now: i64) -> Result<Provider, OidcError> {
        let metadata = Metadata::discover_async(self.issuer.clone(), &self.http)
            .await
            .map_err(|error| match error {
                DiscoveryError::Validation(_) | DiscoveryError::UrlParse(_) => OidcError::Misconfigured {
                    cause: Cause::from(Box::from(error)),
                },
                error => OidcError::Unreachable {
                    cause: Cause::from(Box::from(error)),
                },
            })?;
        let Some(token_endpoint) = metadata.token_endpoint() else {
            return Err(OidcError::Misconfigured {
                cause: because("the identity provider names no token endpoint"),
            });
        };
        require_tls(token_endpoint.url(), self.on_loopback)?;
        require_tls(metadata.authorization_endpoint().url(), self.on_loopback)?;
        require_tls(metadata.jwks_uri().url(), self.on_loopback)?;
        // No algorithm with a shared secret: a reader of the client's secret could then forge tokens.
        let algorithms: Vec<_> = metadata
            .id_token_signing_alg_values_supported()
            .iter()
            .filter(|alg| !alg.uses_shared_secret() && **alg != CoreJwsSigningAlgorithm::None)
            .cloned()
            .collect();
        if algorithms.is_empty() {
            return Err(OidcError::Misconfigured {
                cause: because("the identity provider signs ID tokens only with unsupported algorithms"),
            });
        }
        let more = metadata.additional_metadata().clone();
        let keys = metadata.jwks().clone();
        // A provider that leaves the list out may support S256 (Entra ID does).
        let challenges = &more.code_challenge_methods_supported;
        if challenges
            .as_ref()
            .is_some_and(|methods| !methods.iter().any(|method| method == "S256"))
        {
            return Err(OidcError::Misconfigured {
                cause: because(
                    "the identity provider does not support PKCE with S256 (code_challenge_methods_supported)",
                ),
            });
        }
        let (basic, post) = (
            CoreClientAuthMethod::ClientSecretBasic,
            CoreClientAuthMethod::ClientSecretPost,
        );
        let methods = metadata.token_endpoint_auth_methods_supported();
        if methods.is_some_and(|methods| !methods.contains(&basic) && !methods.contains(&post)) {
            return Err(OidcError::Misconfigured {
                cause: because(
                    "the identity provider accepts no client secret (token_endpoint_auth_methods_supported)",
                ),
            });
        }
        let secret_in_body = methods.is_some_and(|methods| methods.contains(&post) && !methods.contains(&basic));
        let facts = ProviderFacts {
            authorization_endpoint: metadata.authorization_endpoint().to_string(),
            token_endpoint: token_endpoint.to_string(),
            algorithms: algorithms.iter().map(text_of).collect(),
            keys: metadata.jwks().keys().len(),
            says_s256: challenges.is_some(),
            acr: metadata
                .acr_values_supported()
                .map(|values| values.iter().map(|acr| acr.as_str().to_owned()).collect()),
            says_auth_time: metadata
                .claims_supported()
                .map(|claims| claims.iter().any(|claim| claim.as_str() == "auth_time")),
            clock_ahead: self.http.provider_time().map(|time| time - now),
        };
        if let Some(ahead) = facts.clock_ahead.filter(|ahead| ahead.abs() > TOKEN_SKEW) {
            tracing::warn!(
                seconds = ahead,
                "the clock of the identity provider is ahead of this machine's (negative: behind), so sign-ins may be refused; synchronise this \
                 machine's clock"
            );
        }
        let mut client =
            OidcClient::from_provider_metadata(metadata, self.client_id.clone(), Some(self.client_secret.clone()))
                .set_redirect_uri(self.redirect_url.clone());
        if secret_in_body {
            client = client.set_auth_type(AuthType::RequestBody);
        }
        Ok(Provider {
            client,
            algorithms,
            keys,
            end_session: more.end_session_endpoint.filter(|url| self.is_trusted_link(url.url())),
            sends_issuer: more.authorization_response_iss_parameter_supported == Some(true),
            facts,
            discovered_at: now,
        })
    }
}

/// A value of the metadata as its document writes it.
fn text_of(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// OpenID Connect depends on TLS: without it, an attacker on the network could replace the keys. On loopback there is no network.
fn require_tls(url: &Url, on_loopback: bool) -> Result<(), OidcError> {
    let is_trusted = match url.scheme() {
        "https" => true,
        "http" => on_loopback && is_loopback(url),
        _ => false,
    };
    if is_trusted {
        Ok(())
    } else {
        Err(OidcError::Misconfigured {
            cause: because(format!(
                "{url} is neither https nor, for an issuer on loopback, http on loopback"
            )),
        })
    }
}
