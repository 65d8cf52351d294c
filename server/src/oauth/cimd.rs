//! Client ID metadata documents: a client ID that is a URL, at which the client publishes its metadata
//! (draft-ietf-oauth-client-id-metadata-document).
//!
//! The URL comes from a client, so that a fetch is a request that somebody else chose. It is sent only for signed-in people; only over https; only
//! to public addresses, checked after the name was resolved and for the connection itself; without redirects, cookies and proxies; with limits on
//! time, size and number.

use super::addresses::is_public;
use super::client::ClientMetadata;
use crate::http_client;
use crate::urls::is_loopback;
use anyhow::{Context, Result};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use loopiq::context::Runtime;
use loopiq::domain::Timestamp;
use openidconnect::url::{Host, Url};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The time for a fetch.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest document, in bytes.
const LARGEST: usize = 64 << 10;
/// How long a document is used without a fetch, in microseconds.
const FRESH: i64 = 10 * Timestamp::MINUTE;
/// How long a failure is remembered, in microseconds.
const FAILED: i64 = 30 * Timestamp::SECOND;
/// The most documents that are kept.
const MOST_KEPT: usize = 500;
/// The most fetches in a minute, of all clients together.
const FETCHES: NonZeroU32 = NonZeroU32::new(60).unwrap();

/// Why a document cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum FetchError {
    #[error(
        "the client ID must be a URL with https, a host and a path, without fragment, credentials and dot segments"
    )]
    Url,
    #[error("{0} is not at a public address of the internet")]
    NotPublic(String),
    #[error("{host} cannot be reached, or does not respond within 5 seconds")]
    Unreachable { host: String },
    #[error("the document has the status {0} instead of 200; redirects are not followed")]
    Status(u16),
    #[error("the document is larger than 64 KiB")]
    TooLarge,
    #[error("the document is not a JSON object with the metadata of a client")]
    NotMetadata,
    #[error("client_id in the document is not the URL of the document")]
    OtherClient,
    #[error(
        "this service has public clients only: token_endpoint_auth_method must be none, and the document must contain no client_secret"
    )]
    NotPublicClient,
    #[error("too many documents were fetched; try again in a minute")]
    TooMany,
}

/// Fetches documents and keeps them for some minutes.
pub(super) struct Documents {
    client: reqwest::Client,
    allow_loopback: bool,
    runtime: Runtime,
    kept: Mutex<HashMap<String, (Timestamp, Result<ClientMetadata, FetchError>)>>,
    fetches: DefaultDirectRateLimiter,
}

impl Documents {
    pub(super) fn new(runtime: Runtime, allow_loopback: bool) -> Result<Self> {
        let client = http_client::builder()?
            .redirect(Policy::none())
            // A proxy would resolve the name itself, without the check of the address.
            .no_proxy()
            .timeout(TIMEOUT)
            .dns_resolver(PublicResolver { allow_loopback })
            .build()
            .context("the HTTP client for metadata of clients")?;
        Ok(Self {
            client,
            allow_loopback,
            runtime,
            kept: Mutex::default(),
            fetches: RateLimiter::direct(Quota::per_minute(FETCHES)),
        })
    }

    /// The metadata that the client publishes at this URL.
    pub(super) async fn fetch(&self, client_id: &str) -> Result<ClientMetadata, FetchError> {
        let url = self.url(client_id)?;
        let now = self.runtime.now();
        if let Some(known) = self.known(client_id, now) {
            return known;
        }
        if self.fetches.check().is_err() {
            return Err(FetchError::TooMany);
        }
        let outcome = self.request(client_id, url).await;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(client_id.to_owned(), (now, outcome.clone()));
        outcome
    }

    fn known(&self, client_id: &str, now: Timestamp) -> Option<Result<ClientMetadata, FetchError>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, outcome) = kept.get(client_id)?;
        let age = if outcome.is_ok() { FRESH } else { FAILED };
        (now.since(*at) < age).then(|| outcome.clone())
    }

    /// The client ID as a URL that may be fetched.
    fn url(&self, client_id: &str) -> Result<Url, FetchError> {
        let url = Url::parse(client_id).map_err(|_| FetchError::Url)?;
        let on_loopback = self.allow_loopback && is_loopback(&url);
        // A URL that is not in its normal form would have several spellings, which are several clients.
        let is_sound = url.as_str() == client_id
            && (url.scheme() == "https" || (url.scheme() == "http" && on_loopback))
            && url.path() != "/"
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !is_sound {
            return Err(FetchError::Url);
        }
        // The resolver does not see addresses.
        let address: Option<IpAddr> = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            Some(Host::Domain(_)) => None,
            None => return Err(FetchError::Url),
        };
        match address {
            Some(address) if !is_public(address) && !on_loopback => Err(FetchError::NotPublic(address.to_string())),
            _ => Ok(url),
        }
    }

    async fn request(&self, client_id: &str, url: Url) -> Result<ClientMetadata, FetchError> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let failed = |error: reqwest::Error| match not_public(&error) {
            true => FetchError::NotPublic(host.clone()),
            false => FetchError::Unreachable { host: host.clone() },
        };
        let request = self.client.get(url).header("accept", "application/json");
        let mut response = request.send().await.map_err(failed)?;
        if response.status() != 200 {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > LARGEST {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let metadata: ClientMetadata = serde_json::from_slice(&body).map_err(|_| FetchError::NotMetadata)?;
        if metadata.client_id.as_deref() != Some(client_id) {
            return Err(FetchError::OtherClient);
        }
        let is_public = metadata
            .token_endpoint_auth_method
            .as_deref()
            .is_none_or(|method| method == "none");
        match is_public && metadata.client_secret.is_none() {
            true => Ok(metadata),
            false => Err(FetchError::NotPublicClient),
        }
    }
}

/// A name that leads to no public address.
#[derive(Debug, thiserror::Error)]
#[error("no public address")]
struct NoPublicAddress;

/// Whether a request failed because its name leads to no public address.
fn not_public(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if current.is::<NoPublicAddress>() {
            return true;
        }
        cause = current.source();
    }
    false
}

/// Resolves names to public addresses. The connection goes to the addresses that were checked, so that a second look-up cannot give others (DNS
/// rebinding). If one address of a name is not public, none is used.
struct PublicResolver {
    allow_loopback: bool,
}

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_loopback = self.allow_loopback;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed =
                |address: &SocketAddr| is_public(address.ip()) || (allow_loopback && address.ip().is_loopback());
            if found.is_empty() || !found.iter().all(allowed) {
                return Err(NoPublicAddress.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
