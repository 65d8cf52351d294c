//! The HTTP client for the identity provider, with a limit on the size of responses.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, http};

/// The maximum size of a response, in bytes. Metadata, keys and tokens have a few kilobytes.
const MAX_RESPONSE: usize = 1 << 20;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);

/// The client.
pub(super) struct Http(reqwest::Client);

/// Why a request failed. Contains nothing of the body, which may be a token.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error(transparent)]
    Transport(#[from] reqwest::Error),
    #[error("the response has more than {MAX_RESPONSE} bytes")]
    TooLarge,
    #[error("the response cannot be read")]
    Unreadable(#[from] http::Error),
}

impl Http {
    /// A client for a provider on loopback, or on another machine.
    pub(super) fn new(on_loopback: bool) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let mut client = crate::http_client::builder()?
            // A redirect could send the client's secret to another server.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT);
        if on_loopback {
            // A configured proxy cannot reach the loopback of this machine.
            client = client.no_proxy();
        }
        Ok(Self(client.build()?))
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let mut response = self.0.execute(request.try_into()?).await?;
            let mut result = http::Response::builder().status(response.status());
            if let Some(headers) = result.headers_mut() {
                headers.extend(std::mem::take(response.headers_mut()));
            }
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await? {
                if body.len() + chunk.len() > MAX_RESPONSE {
                    return Err(HttpError::TooLarge);
                }
                body.extend_from_slice(&chunk);
            }
            Ok(result.body(body)?)
        })
    }
}
