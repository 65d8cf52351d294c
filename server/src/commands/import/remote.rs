//! Imports over HTTP: sends the file to a service, and again after a failure that may pass. Repeating it is safe.

use crate::commands::one_line;
use crate::http_client;
use crate::secret::Secret;
use crate::urls::{EVIDENCE_PATH, is_loopback_url, public_url};
use anyhow::{Context as _, Result, anyhow, bail};
use axum::body::Bytes;
use http_body::{Frame, SizeHint};
use indicatif::{ProgressBar, ProgressStyle};
use loopiq::context::Runtime;
use loopiq::engine::{ImportFile, ImportReport};
use loopiq::import::Format;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// How often the file is sent at most.
const ATTEMPTS: u32 = 6;
/// The pause before the second attempt. Each further pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause, also if the service asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);
/// The time to connect.
const CONNECT: Duration = Duration::from_secs(10);
/// The time of one attempt. The service's own limits are shorter, unless an operator has raised them.
const ATTEMPT: Duration = Duration::from_secs(3_600);
/// The bytes that are sent between two steps of the progress bar.
const CHUNK: usize = 64 << 10;

/// The result of one attempt.
enum Attempt {
    /// The file is imported.
    Imported(ImportReport),
    /// Another attempt may succeed.
    Again { why: String, after: Option<Duration> },
}

/// Problem details, as far as a person at a terminal reads them.
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

/// Sends the file to the service at this URL, with a progress bar.
///
/// # Errors
/// The service cannot be reached, or refuses the token or the file.
pub(super) async fn import(
    url: &str,
    token: &Secret,
    release: &str,
    file: ImportFile,
    runtime: &Runtime,
) -> Result<ImportReport> {
    let url = public_url(url)?;
    if !url.starts_with("https:") && !is_loopback_url(&url) {
        eprintln!("warning: {url} is not https: others on the network can read the token and the file");
    }
    let mut authorization = HeaderValue::try_from(format!("Bearer {}", token.expose().trim()))
        .ok()
        .context("the token contains characters that no token has")?;
    authorization.set_sensitive(true);
    let client = http_client::builder()?
        // A redirect would send the token to another address.
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT)
        .timeout(ATTEMPT)
        .build()?;
    let request = Request {
        target: target(&url, release, &file)?,
        url: &url,
        authorization,
        bytes: file.bytes.into(),
        bar: ProgressBar::new(0),
    };
    let sent = request.send_until_imported(&client, runtime).await;
    request.bar.finish_and_clear();
    sent
}

/// The address, with the parameters of the file.
fn target(url: &str, release: &str, file: &ImportFile) -> Result<reqwest::Url> {
    let mut target = reqwest::Url::parse(&format!("{url}{EVIDENCE_PATH}"))?;
    let mut query = target.query_pairs_mut();
    query.append_pair("release", release).append_pair("name", &file.name);
    if let Some(format) = file.format {
        query.append_pair("format", Format::as_str(format));
    }
    if let Some(time) = file.collected_at {
        query.append_pair("collectedAt", &time.rfc3339());
    }
    if let Some(component) = &file.component {
        query.append_pair("component", component);
    }
    drop(query);
    Ok(target)
}

/// What every attempt sends.
struct Request<'a> {
    target: reqwest::Url,
    url: &'a str,
    authorization: HeaderValue,
    bytes: Bytes,
    bar: ProgressBar,
}

impl Request<'_> {
    async fn send_until_imported(&self, client: &Client, runtime: &Runtime) -> Result<ImportReport> {
        let mut attempt = 1;
        loop {
            let (why, after) = match self.send(client).await? {
                Attempt::Imported(report) => return Ok(report),
                Attempt::Again { why, after } => (why, after),
            };
            if attempt == ATTEMPTS {
                bail!("{why}; gave up after {ATTEMPTS} attempts. Nothing is lost: send the same file again");
            }
            let [random] = runtime.random();
            let pause = pause(attempt, after, random);
            eprintln!("{why}; trying again in {} s", pause.as_secs_f32().ceil());
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    /// One attempt. An error is final.
    async fn send(&self, client: &Client) -> Result<Attempt> {
        // indicatif draws the bar only on a terminal, so a log file does not contain it.
        self.bar.reset();
        self.bar.set_length(self.bytes.len() as u64);
        self.bar.set_style(ProgressStyle::with_template(
            "{bar:30} {percent:>3} %  {bytes} of {total_bytes} sent, {eta} left",
        )?);
        let body = ProgressBody {
            rest: self.bytes.clone(),
            bar: self.bar.clone(),
        };
        let sent = client
            .post(self.target.clone())
            .header(AUTHORIZATION, self.authorization.clone())
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(reqwest::Body::wrap(body))
            .send()
            .await;
        let response = match sent {
            Ok(response) => response,
            Err(error) => {
                let error = anyhow!(error.without_url());
                return Ok(Attempt::Again {
                    why: format!("{} did not answer ({})", self.url, one_line(&error)),
                    after: None,
                });
            }
        };
        let (status, after) = (response.status(), retry_after(response.headers()));
        let body = match response.bytes().await {
            Ok(body) => body,
            Err(error) => {
                let error = anyhow!(error.without_url());
                return Ok(Attempt::Again {
                    why: format!("the answer of {} broke off ({})", self.url, one_line(&error)),
                    after,
                });
            }
        };
        self.judge(status, &body, after)
    }

    fn judge(&self, status: StatusCode, body: &[u8], after: Option<Duration>) -> Result<Attempt> {
        let url = self.url;
        if status == StatusCode::OK {
            let report = serde_json::from_slice(body);
            let report = report.with_context(|| format!("{url} answered, but not with the report of an import"))?;
            return Ok(Attempt::Imported(report));
        }
        let detail = serde_json::from_slice(body).map(|problem: Problem| problem.detail);
        let why = match detail {
            Ok(detail) => format!("{url} answered {}: {}", status.as_u16(), detail.trim_end_matches('.')),
            Err(_) if status.is_redirection() => {
                bail!("{url} redirects to another address; give the address of the service itself")
            }
            Err(_) => format!("{url} answered {status}, and not as this service does; is it the service's address?"),
        };
        match status {
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Ok(Attempt::Again { why, after }),
            _ => bail!("{why}"),
        }
    }
}

/// The header `Retry-After`, if it is a number of seconds.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The pause after an attempt: what the service asks for, otherwise longer each time. `random` spreads the clients that failed together.
fn pause(attempt: u32, after: Option<Duration>, random: u8) -> Duration {
    let pause = after.unwrap_or_else(|| FIRST_PAUSE.saturating_mul(1 << (attempt - 1).min(16)));
    let pause = pause.min(LONGEST_PAUSE);
    let spread = pause.mul_f32(f32::from(random) / 1_024.0);
    pause.saturating_add(spread).min(LONGEST_PAUSE)
}

/// The bytes of the file, which move the progress bar as they are sent.
struct ProgressBody {
    rest: Bytes,
    bar: ProgressBar,
}

impl http_body::Body for ProgressBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let size = CHUNK.min(self.rest.len());
        let chunk = self.rest.split_to(size);
        self.bar.inc(size as u64);
        if self.rest.is_empty()
            && let Ok(waiting) = ProgressStyle::with_template("{spinner} the service imports the file, {elapsed}")
        {
            self.bar.set_style(waiting);
            self.bar.enable_steady_tick(Duration::from_millis(200));
        }
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_the_service_can_ask_for_others() {
        let seconds =
            |attempt, after: Option<u64>, random| pause(attempt, after.map(Duration::from_secs), random).as_secs();
        let growing: Vec<u64> = (1..ATTEMPTS).map(|attempt| seconds(attempt, None, 0)).collect();
        assert_eq!(growing, [1, 2, 4, 8, 16]);
        assert_eq!(seconds(1, Some(30), 0), 30);
        assert_eq!(seconds(5, Some(0), 255), 0);
        assert_eq!(seconds(1, Some(u64::MAX), 255), LONGEST_PAUSE.as_secs());
        assert_eq!(seconds(30, None, 255), LONGEST_PAUSE.as_secs());
        let spread = pause(5, None, 255);
        assert!(
            spread > Duration::from_secs(16) && spread < Duration::from_secs(21),
            "{spread:?}"
        );
    }

    #[test]
    fn only_a_number_of_seconds_is_waited_for() {
        let of =
            |value: &'static str| retry_after(&HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]));
        assert_eq!(of(" 7 "), Some(Duration::from_secs(7)));
        for other in ["", "-1", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT", "99999999999999999999"] {
            assert_eq!(of(other), None, "{other}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn the_address_names_what_the_file_does_not_say() {
        let mut file = ImportFile {
            name: "a b&c.xml".to_owned(),
            bytes: Vec::new(),
            format: None,
            collected_at: None,
            component: None,
        };
        let of = |file: &ImportFile| target("http://127.0.0.1:1", "PAY 1&2", file).unwrap().to_string();
        assert_eq!(
            of(&file),
            "http://127.0.0.1:1/api/v1/evidence?release=PAY+1%262&name=a+b%26c.xml"
        );
        file.format = Some(Format::JUnit);
        file.collected_at = loopiq::domain::Timestamp::parse("2026-11-22T21:20:00Z");
        let both = of(&file);
        assert!(
            both.contains("&format=junit&collectedAt=2026-11-22T21%3A20%3A00"),
            "{both}"
        );
    }
}
