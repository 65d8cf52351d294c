//! The identity provider as it describes itself: found when first needed, kept for a while, found again when it has
//! moved or changed its keys.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreErrorResponseType,
    CoreGenderClaim, CoreGrantType, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
    CoreJwsSigningAlgorithm, CoreResponseMode, CoreResponseType, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreSubjectIdentifierType, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::url::{Host, Url};
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

/// How long a description is believed, in seconds: a key that a provider withdrew is not trusted longer.
const MAX_AGE: i64 = 3_600;

/// What a provider may say beyond OpenID Connect Discovery.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct MoreMetadata {
    #[serde(default)]
    end_session_endpoint: Option<EndSessionUrl>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: Option<bool>,
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

/// One description of the provider, and the client made from it.
pub(super) struct Provider {
    pub(super) client: OidcClient,
    /// The algorithms that an ID token may be signed with.
    pub(super) algorithms: Vec<CoreJwsSigningAlgorithm>,
    /// Where a person signs out of the provider itself, if it has such a place.
    pub(super) end_session: Option<EndSessionUrl>,
    /// Whether its answers always name the issuer (RFC 9207).
    pub(super) names_itself: bool,
    found_at: i64,
}

/// The provider, found at most once at a time.
pub(super) struct Directory {
    issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: ClientSecret,
    redirect_url: RedirectUrl,
    on_loopback: bool,
    http: Http,
    slot: Mutex<Slot>,
    /// How many searches have ended.
    searches: AtomicU64,
}

#[derive(Default)]
struct Slot {
    found: Option<Arc<Provider>>,
    failure: Option<OidcError>,
}

impl Directory {
    pub(super) fn new(settings: &OidcSettings) -> Result<Self, OidcError> {
        let unusable = |what: &str, why: &dyn std::fmt::Display| OidcError::Misconfigured {
            cause: because(format!("{what}: {why}")),
        };
        let issuer = IssuerUrl::new(settings.issuer.clone()).map_err(|why| unusable("the issuer", &why))?;
        let redirect_url =
            RedirectUrl::new(settings.redirect_url.clone()).map_err(|why| unusable("the redirect URL", &why))?;
        let on_loopback = is_loopback(issuer.url());
        trusted(issuer.url(), on_loopback)?;
        Ok(Self {
            issuer,
            client_id: ClientId::new(settings.client_id.clone()),
            client_secret: ClientSecret::new(settings.client_secret.clone()),
            redirect_url,
            on_loopback,
            http: Http::new(on_loopback).map_err(|why| unusable("the HTTP client", &why))?,
            slot: Mutex::default(),
            searches: AtomicU64::new(0),
        })
    }

    pub(super) fn http(&self) -> &Http {
        &self.http
    }

    /// The provider; from the cache while that is fresh. Whoever comes while a search runs waits for it and shares what
    /// it brings, failures too: a provider that hangs costs each person one time-out and not one for each in the queue.
    pub(super) async fn provider(&self, now: i64) -> Result<Arc<Provider>, OidcError> {
        let seen = self.searches.load(Ordering::Acquire);
        let mut slot = self.slot.lock().await;
        if let Some(found) = &slot.found
            && (-CLOCK_SKEW..MAX_AGE).contains(&now.saturating_sub(found.found_at))
        {
            return Ok(Arc::clone(found));
        }
        if self.searches.load(Ordering::Acquire) != seen
            && let Some(failure) = &slot.failure
        {
            return Err(failure.clone());
        }
        self.search(&mut slot, now).await
    }

    /// The provider as it is now, if nobody else has asked since `known`.
    pub(super) async fn newer_than(&self, known: &Arc<Provider>, now: i64) -> Result<Arc<Provider>, OidcError> {
        let mut slot = self.slot.lock().await;
        match &slot.found {
            Some(found) if !Arc::ptr_eq(found, known) => Ok(Arc::clone(found)),
            _ => self.search(&mut slot, now).await,
        }
    }

    /// Drops a description that did not work, so that the next sign-in asks anew.
    pub(super) async fn forget(&self, known: &Arc<Provider>) {
        let mut slot = self.slot.lock().await;
        if slot.found.as_ref().is_some_and(|found| Arc::ptr_eq(found, known)) {
            slot.found = None;
        }
    }

    /// The provider if it is known already; nobody waits.
    pub(super) fn known(&self) -> Option<Arc<Provider>> {
        self.slot.try_lock().ok()?.found.clone()
    }

    async fn search(&self, slot: &mut Slot, now: i64) -> Result<Arc<Provider>, OidcError> {
        let outcome = self.discover(now).await.map(Arc::new);
        slot.found = outcome.as_ref().ok().map(Arc::clone);
        slot.failure = outcome.as_ref().err().cloned();
        self.searches.fetch_add(1, Ordering::Release);
        outcome
    }

    /// Whether a person may be sent to this address. Signing out works without it.
    fn leads_there(&self, url: &Url) -> bool {
        match trusted(url, self.on_loopback) {
            Ok(()) => true,
            Err(_) => {
                tracing::warn!(%url, "the identity provider's page for signing out is not offered: its address is not trusted");
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
        trusted(token_endpoint.url(), self.on_loopback)?;
        trusted(metadata.authorization_endpoint().url(), self.on_loopback)?;
        trusted(metadata.jwks_uri().url(), self.on_loopback)?;
        // Never a shared secret: whoever reads the client's secret could then write tokens.
        let algorithms: Vec<_> = metadata
            .id_token_signing_alg_values_supported()
            .iter()
            .filter(|alg| !alg.uses_shared_secret() && **alg != CoreJwsSigningAlgorithm::None)
            .cloned()
            .collect();
        if algorithms.is_empty() {
            return Err(OidcError::Misconfigured {
                cause: because("the identity provider signs ID tokens with no algorithm that is supported here"),
            });
        }
        let more = metadata.additional_metadata().clone();
        let in_form = metadata.token_endpoint_auth_methods_supported().is_some_and(|methods| {
            methods.contains(&CoreClientAuthMethod::ClientSecretPost)
                && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
        });
        let mut client =
            OidcClient::from_provider_metadata(metadata, self.client_id.clone(), Some(self.client_secret.clone()))
                .set_redirect_uri(self.redirect_url.clone());
        if in_form {
            client = client.set_auth_type(AuthType::RequestBody);
        }
        Ok(Provider {
            client,
            algorithms,
            end_session: more.end_session_endpoint.filter(|url| self.leads_there(url.url())),
            names_itself: more.authorization_response_iss_parameter_supported == Some(true),
            found_at: now,
        })
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// OpenID Connect rests on TLS: without it anybody on the way writes the keys. Loopback has nobody on the way.
fn trusted(url: &Url, on_loopback: bool) -> Result<(), OidcError> {
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
                "{url} is neither https nor, beside an issuer on loopback, http on loopback"
            )),
        })
    }
}
