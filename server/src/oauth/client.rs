//! OAuth clients: the metadata that the service reads (RFC 7591, 2), and how a client ID leads to it.

use super::OAuth;
use super::cimd::FetchError;
use super::redirect_uri;
use super::sealed::Purpose;
use loopiq::domain::PlainText;
use loopiq::domain::canonical::sha256_hex;
use openidconnect::url::Url;
use serde::{Deserialize, Serialize};

/// The longest name of a client, in characters; a longer one is cut.
const LONGEST_NAME: usize = 80;
/// The most redirect URIs of a client.
const MOST_REDIRECTS: usize = 20;
/// The longest client ID, in bytes. Client IDs are part of URLs and of cookies.
pub(super) const LONGEST_ID: usize = 1_200;

/// The metadata of a client, as clients send and publish it. Unknown fields are ignored, as RFC 7591 says.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct ClientMetadata {
    pub(super) client_id: Option<String>,
    client_name: Option<String>,
    #[serde(default)]
    redirect_uris: Vec<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    pub(super) token_endpoint_auth_method: Option<String>,
    pub(super) client_secret: Option<serde_json::Value>,
}

/// What the service keeps of the metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Client {
    /// The name that the client gives itself.
    #[serde(rename = "n")]
    pub(super) name: String,
    /// Its redirect URIs.
    #[serde(rename = "r")]
    pub(super) redirect_uris: Vec<String>,
}

/// A client, by whatever kind of ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownClient {
    pub(super) client: Client,
    /// The host that publishes the metadata, whose owner answers for the name. `None` for a client that registered: any program can register
    /// with any name.
    pub(super) host: Option<String>,
    /// What tells the client from others with its name.
    pub(super) identity: String,
}

/// Why a client ID leads to no client.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnknownClient {
    #[error("The client ID is not one that this service has given out. The program has to register again.")]
    NotOurs,
    #[error("The client's metadata cannot be used: {0}.")]
    Document(#[from] FetchError),
    #[error("The client's metadata cannot be used: {0}.")]
    Metadata(String),
}

impl ClientMetadata {
    /// What the service keeps of the metadata.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn client(&self) -> Result<Client, String> {
        if self.redirect_uris.is_empty() {
            return Err("redirect_uris is missing".to_owned());
        }
        if self.redirect_uris.len() > MOST_REDIRECTS {
            return Err(format!("there are more than {MOST_REDIRECTS} redirect URIs"));
        }
        for uri in &self.redirect_uris {
            redirect_uri::check(uri)?;
        }
        let contains = |list: &Option<Vec<String>>, word: &str| {
            list.as_ref().is_none_or(|list| list.iter().any(|one| one == word))
        };
        if !contains(&self.grant_types, "authorization_code") {
            return Err("grant_types must contain authorization_code".to_owned());
        }
        if !contains(&self.response_types, "code") {
            return Err("response_types must contain code".to_owned());
        }
        let name = self.client_name.as_deref().unwrap_or_default().trim();
        let name = match name.is_empty() {
            true => redirect_uri::place(&self.redirect_uris[0]),
            false => name.to_owned(),
        };
        Ok(Client {
            name: name.replace('\0', "").chars().take(LONGEST_NAME).collect(),
            redirect_uris: self.redirect_uris.clone(),
        })
    }
}

impl Client {
    /// What a client that registers again with the same metadata has in common with itself. The port on loopback is another each time.
    fn identity(&self) -> String {
        let mut uris: Vec<String> = self.redirect_uris.iter().map(|uri| portless(uri)).collect();
        uris.sort();
        uris.dedup();
        let text = format!("{}\n{}", self.name, uris.join("\n"));
        format!("registered:{}", sha256_hex(text.as_bytes()))
    }
}

fn portless(uri: &str) -> String {
    match redirect_uri::without_port(uri) {
        Some((host, path)) => format!("http://{host}{path}"),
        None => uri.to_owned(),
    }
}

impl KnownClient {
    /// The name as text without hidden characters.
    pub(super) fn name(&self) -> PlainText {
        PlainText::from(self.client.name.as_str())
    }

    /// Whether a request may name this redirect URI.
    pub(super) fn may_redirect_to(&self, uri: &str) -> bool {
        let registered = &self.client.redirect_uris;
        registered.iter().any(|registered| redirect_uri::fits(registered, uri))
    }
}

/// The digest of a client ID, which binds codes and refresh tokens to the client.
pub(super) fn key(client_id: &str) -> String {
    sha256_hex(client_id.as_bytes())
}

impl OAuth {
    /// The client with this ID.
    pub(super) async fn client(&self, client_id: &str) -> Result<KnownClient, UnknownClient> {
        if client_id.len() > LONGEST_ID {
            return Err(UnknownClient::NotOurs);
        }
        if client_id.starts_with("https://") || client_id.starts_with("http://") {
            let metadata = self.documents().fetch(client_id).await?;
            let host = Url::parse(client_id)
                .ok()
                .and_then(|url| url.host_str().map(str::to_owned));
            return Ok(KnownClient {
                client: metadata.client().map_err(UnknownClient::Metadata)?,
                host,
                identity: client_id.to_owned(),
            });
        }
        let client: Client = self
            .sealer()
            .open(Purpose::Client, client_id)
            .ok_or(UnknownClient::NotOurs)?;
        Ok(KnownClient {
            identity: client.identity(),
            host: None,
            client,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn client(metadata: serde_json::Value) -> Result<Client, String> {
        serde_json::from_value::<ClientMetadata>(metadata).unwrap().client()
    }

    #[test]
    fn metadata_of_a_client_is_checked_and_bounded() {
        let found = client(json!({
            "client_name": format!(" Helix{} ", "x".repeat(200)), "redirect_uris": ["http://localhost:1/cb"], "contacts": ["a"],
            "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        }))
        .unwrap();
        assert_eq!(found.name.chars().count(), 80);
        let unnamed = client(json!({ "redirect_uris": ["https://app.example/cb"] })).unwrap();
        assert_eq!(unnamed.name, "app.example");
        for (wrong, part) in [
            (json!({}), "redirect_uris is missing"),
            (json!({ "redirect_uris": [] }), "redirect_uris is missing"),
            (json!({ "redirect_uris": ["javascript:x"] }), "programs cannot have"),
            (json!({ "redirect_uris": vec!["https://a/"; 21] }), "more than 20"),
            (
                json!({ "redirect_uris": ["https://a/"], "grant_types": ["client_credentials"] }),
                "authorization_code",
            ),
            (
                json!({ "redirect_uris": ["https://a/"], "response_types": ["token"] }),
                "must contain code",
            ),
        ] {
            let why = client(wrong.clone()).unwrap_err();
            assert!(why.contains(part), "{wrong}: {why}");
        }
    }

    #[test]
    fn a_client_that_registers_again_is_the_same_one_whatever_its_port() {
        let of = |name: &str, uri: &str| Client {
            name: name.to_owned(),
            redirect_uris: vec![uri.to_owned()],
        };
        let first = of("Helix", "http://localhost:1/cb").identity();
        assert_eq!(of("Helix", "http://localhost:2/cb").identity(), first);
        for other in [
            of("Otto", "http://localhost:1/cb"),
            of("Helix", "http://localhost:1/other"),
        ] {
            assert_ne!(other.identity(), first);
        }
    }
}
