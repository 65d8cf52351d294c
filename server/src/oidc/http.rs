//! The way to the identity provider: one request, one answer of a bounded size.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, http};

/// The largest answer that is read: descriptions, keys and tokens have some kilobytes.
const LARGEST: usize = 1 << 20;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);

/// Asks the provider.
pub(super) struct Http(reqwest::Client);

/// Why there is no answer. It holds nothing of the body, which may be a token.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error(transparent)]
    Transport(#[from] reqwest::Error),
    #[error("the answer has more than {LARGEST} bytes")]
    TooLarge,
    #[error("the answer cannot be read")]
    Unreadable(#[from] http::Error),
}

impl Http {
    /// A client for a provider on this machine, or elsewhere.
    pub(super) fn new(on_loopback: bool) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let mut client = crate::http_client::builder()?
            // A redirect would let the provider's address send our secret elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT);
        if on_loopback {
            // No proxy reaches this machine's own loopback; where one is set, a demo would not find itself.
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
            let mut answer = http::Response::builder().status(response.status());
            if let Some(headers) = answer.headers_mut() {
                headers.extend(std::mem::take(response.headers_mut()));
            }
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await? {
                if body.len() + chunk.len() > LARGEST {
                    return Err(HttpError::TooLarge);
                }
                body.extend_from_slice(&chunk);
            }
            Ok(answer.body(body)?)
        })
    }
}
