//! The HTTP client for the identity provider, with a limit on the size of responses.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, http};
use time::PrimitiveDateTime;
use time::macros::format_description;

/// The maximum size of a response, in bytes. Metadata, keys and tokens have a few kilobytes.
const MAX_RESPONSE: usize = 1 << 20;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);

/// The client.
pub(super) struct Http {
    client: reqwest::Client,
    /// The provider's clock at its last response, in seconds since 1970-01-01 UTC; 0 if no response had a time.
    provider_time: AtomicI64,
}

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
            .timeout(TOTAL_TIMEOUT)
            // Requests are rare, so that the provider has often closed an idle connection. A code can be redeemed once, so that a
            // request on such a connection cannot be sent again, and the sign-in would fail.
            .pool_max_idle_per_host(0);
        if on_loopback {
            // A configured proxy cannot reach the loopback of this machine.
            client = client.no_proxy();
        }
        Ok(Self {
            client: client.build()?,
            provider_time: AtomicI64::new(0),
        })
    }

    /// The provider's clock at its last response, in seconds since 1970-01-01 UTC.
    pub(super) fn provider_time(&self) -> Option<i64> {
        Some(self.provider_time.load(Ordering::Relaxed)).filter(|&seconds| seconds != 0)
    }

    /// The status of a page, and where it redirects to. The redirect is not followed.
    pub(super) async fn page(&self, url: &str) -> Result<(u16, Option<String>), reqwest::Error> {
        let response = self.client.get(url).send().await?;
        let location = response.headers().get(http::header::LOCATION);
        let location = location.and_then(|location| location.to_str().ok()).map(str::to_owned);
        Ok((response.status().as_u16(), location))
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let mut response = self.client.execute(request.try_into()?).await?;
            self.provider_time.store(time_of(response.headers()), Ordering::Relaxed);
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

/// The time of a response (`Date`, RFC 9110) in seconds since 1970-01-01 UTC, plus its age in a cache; 0 if the response has none.
fn time_of(headers: &http::HeaderMap) -> i64 {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &http::HeaderValue| value.to_str().ok())
    };
    let format =
        format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    let date = text(http::header::DATE).and_then(|date| PrimitiveDateTime::parse(date, format).ok());
    let age = text(http::header::AGE)
        .and_then(|age| age.parse::<u32>().ok())
        .unwrap_or_default();
    date.map_or(0, |date| date.assume_utc().unix_timestamp() + i64::from(age))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn a_connection_that_the_provider_closes_when_idle_fails_no_request() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        // Each connection gets one response, which promises that the connection stays open, and is closed at the next request.
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    let _ = connection.read(&mut request).await;
                    let response = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: keep-alive\r\n\r\n";
                    let _ = connection.write_all(response).await;
                    let _ = connection.read(&mut request).await;
                });
            }
        });
        let http = Http::new(true).unwrap();
        // A POST, as for a code: no client sends it twice by itself.
        for _ in 0..3 {
            let request = http::Request::post(&url).body(b"code=1".to_vec()).unwrap();
            assert_eq!(http.call(request).await.unwrap().status(), 200);
        }
    }

    #[test]
    fn the_time_of_a_response_is_its_date_and_its_age() {
        let headers = |date: &str, age: Option<&str>| {
            let mut headers = http::HeaderMap::new();
            headers.insert(http::header::DATE, date.parse().unwrap());
            if let Some(age) = age {
                headers.insert(http::header::AGE, age.parse().unwrap());
            }
            headers
        };
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(time_of(&headers(date, None)), 784_111_777);
        assert_eq!(time_of(&headers(date, Some("60"))), 784_111_837);
        assert_eq!(time_of(&headers(date, Some("-1"))), 784_111_777);
        for no_date in ["", "yesterday", "Sun, 06 Nov 1994 08:49:37 +0100"] {
            assert_eq!(time_of(&headers(no_date, None)), 0, "{no_date}");
        }
        assert_eq!(time_of(&http::HeaderMap::new()), 0);
    }
}
