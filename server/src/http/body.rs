//! Limits: how long an answer may take, and how large a request may be.

use super::pages::{self, Notice};
use crate::{App, mcp};
use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt as _;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The largest body that is taken: 1 MiB.
const MAX_BODY: usize = 1 << 20;

/// How much of a larger one is read and thrown away. A client that is answered while it still sends often sees only
/// that the connection broke.
const MAX_DISCARDED: usize = 16 << 20;

/// How much of a body is held whatever else is held: decisions fit many times over.
const SMALL_BODY: usize = 16 << 10;

/// How much all bodies together may hold beyond that: 64 MiB. Nobody has to be known to send one.
static BUDGET: Semaphore = Semaphore::const_new(64 << 20);

/// Why a body was not taken.
enum Refusal {
    Crowded,
    TooLarge,
    Broken(axum::Error),
    Late,
    Nul,
}

/// Reads the body before anybody acts on it, so that one that is too large or never ends is refused as a whole and
/// clearly, whatever the handler would have made of the half of it.
pub(super) async fn whole(State(app): State<App>, request: Request, next: Next) -> Response {
    let html = pages::wants_html(request.headers());
    if has_nul(request.uri().path()) || request.uri().query().is_some_and(has_nul) {
        return nul().answer(html, &app.stylesheet);
    }
    let patience = app.edge.request_timeout.0;
    let answer = async {
        // The MCP door reads and refuses in its own terms, which clients of that protocol understand.
        if request.uri().path() == mcp::PATH {
            return next.run(request).await;
        }
        let (parts, body) = request.into_parts();
        // A little earlier than the limit of the whole: who sends slowly is told so, and nobody here is to blame.
        let refusal = match tokio::time::timeout(patience * 9 / 10, read(&parts.headers, body)).await {
            Ok(Ok((body, held))) => {
                let response = next.run(Request::from_parts(parts, body)).await;
                drop(held);
                return response;
            }
            Ok(Err(refusal)) => refusal,
            Err(_) => Refusal::Late,
        };
        let (status, title, text) = match refusal {
            Refusal::Nul => return nul().answer(html, &app.stylesheet),
            Refusal::Late => (
                StatusCode::REQUEST_TIMEOUT,
                "Half a request",
                "The request did not arrive in time, so nothing was done. Send it again.",
            ),
            Refusal::Crowded => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Too much at once",
                "The service holds as much of large requests as it can just now, so nothing was done. Send it again in a moment.",
            ),
            Refusal::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "Too much at once",
                "The request is larger than 1 MiB, so nothing was done. Send less.",
            ),
            Refusal::Broken(error) => {
                tracing::debug!(%error, "the body ended early");
                let text = "The request ended before it was complete, so nothing was done. Send it again.";
                (StatusCode::BAD_REQUEST, "Half a request", text)
            }
        };
        Notice::new(status, title, text).answer(html, &app.stylesheet)
    };
    match tokio::time::timeout(patience, answer).await {
        Ok(response) => response,
        Err(_) => {
            tracing::error!("no answer within {} seconds", patience.as_secs());
            let text = "This took too long and was given up. What was already stored stays stored: look before you try \
                        again.";
            Notice::new(StatusCode::SERVICE_UNAVAILABLE, "No answer in time", text).answer(html, &app.stylesheet)
        }
    }
}

/// A part of [`BUDGET`], given back when the request has been answered.
type Held = SemaphorePermit<'static>;

async fn read(headers: &HeaderMap, mut body: Body) -> Result<(Body, Option<Held>), Refusal> {
    if body.is_end_stream() {
        return Ok((Body::empty(), None));
    }
    let number = |name| headers.get(name)?.to_str().ok()?.parse::<u64>().ok();
    let declared = number(header::CONTENT_LENGTH).unwrap_or_default();
    if declared > MAX_DISCARDED as u64 || (declared > MAX_BODY as u64 && headers.contains_key(header::EXPECT)) {
        return Err(Refusal::TooLarge);
    }
    let mut bytes = Vec::new();
    let mut seen = 0_usize;
    let mut held: Option<Held> = None;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(Refusal::Broken)?.into_data() else {
            continue;
        };
        seen = seen.saturating_add(data.len());
        if seen > MAX_DISCARDED {
            break;
        }
        if seen > MAX_BODY {
            bytes = Vec::new();
            held = None;
            continue;
        }
        if seen > SMALL_BODY {
            let more = BUDGET
                .try_acquire_many(u32::try_from(data.len()).unwrap_or(u32::MAX))
                .map_err(|_| Refusal::Crowded)?;
            match &mut held {
                Some(held) => held.merge(more),
                None => held = Some(more),
            }
        }
        bytes.extend_from_slice(&data);
    }
    if seen > MAX_BODY {
        return Err(Refusal::TooLarge);
    }
    if is_form(headers) && (bytes.contains(&0) || bytes.windows(NUL.len()).any(|part| part == NUL.as_bytes())) {
        return Err(Refusal::Nul);
    }
    Ok((Body::from(bytes), held))
}

/// U+0000 as URLs and forms write it. A percent sign of a text stands there as `%25`.
const NUL: &str = "%00";

/// Whether a path or a query holds U+0000, which no text has and one of the databases cannot keep. hyper refuses the raw character.
fn has_nul(text: &str) -> bool {
    text.contains(NUL)
}

/// A form as browsers write it.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

fn nul() -> Notice<'static> {
    let text = "What was sent holds the character U+0000, which no text has, so nothing was done. Take it out and send it again.";
    Notice::new(StatusCode::BAD_REQUEST, "This cannot be read", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn outcome(bytes: usize) -> &'static str {
        match read(&HeaderMap::new(), Body::from(vec![b'x'; bytes])).await {
            Ok((_, Some(_))) => "held",
            Ok((_, None)) => "taken",
            Err(Refusal::Crowded) => "crowded",
            Err(Refusal::TooLarge) => "too large",
            Err(_) => "other",
        }
    }

    /// One test, as the budget is one for the process.
    #[tokio::test]
    async fn all_large_bodies_together_hold_a_bounded_part_of_memory() {
        assert_eq!(outcome(SMALL_BODY).await, "taken");
        assert_eq!(outcome(SMALL_BODY + 1).await, "held");
        assert_eq!(outcome(MAX_BODY + 1).await, "too large");
        assert_eq!(BUDGET.available_permits(), 64 << 20, "all of it is given back");
        let others = BUDGET.try_acquire_many(64 << 20).unwrap();
        assert_eq!(outcome(SMALL_BODY + 1).await, "crowded");
        assert_eq!(outcome(SMALL_BODY).await, "taken", "decisions are taken all the same");
        drop(others);
        assert_eq!(outcome(MAX_BODY).await, "held");
    }
}
