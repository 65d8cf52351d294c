//! Limits on the time and the size of a request.

use super::message_page::{Format, MessagePage};
use crate::state::AppState;
use crate::urls::{EVIDENCE_PATH, MCP_PATH};
use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt as _;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The maximum size of a body, in bytes: 1 MiB. A larger one is refused with 413.
const MAX_BODY: usize = 1 << 20;

/// The number of bytes of a larger body that are read and discarded. A client that gets the response while it still sends often reports
/// only a broken connection.
const MAX_DISCARDED: usize = 16 << 20;

/// Bodies up to this size, in bytes, do not count against [`BUDGET`], so that large bodies cannot block decisions.
const SMALL_BODY: usize = 16 << 10;

/// The memory for all larger bodies together, in bytes: 64 MiB. Clients can send a body without being signed in.
static BUDGET: Semaphore = Semaphore::const_new(64 << 20);

/// Why a body was refused.
enum Refusal {
    OutOfBudget,
    TooLarge,
    Incomplete(axum::Error),
    TimedOut,
    Nul,
}

/// Reads the whole body before a handler runs, so that a body that is too large or incomplete is refused with a clear message.
pub(crate) async fn read_body(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let format = Format::of(&request);
    if has_nul(request.uri().path()) || request.uri().query().is_some_and(has_nul) {
        return nul().respond(format, &state.stylesheet);
    }
    // A file takes longer to send and to import than a page.
    let is_evidence = request.uri().path() == EVIDENCE_PATH;
    let limit = if is_evidence {
        state.requests.evidence.timeout
    } else {
        state.requests.timeout
    };
    let response = async {
        // These read their bodies themselves: the MCP endpoint refuses one in the terms of its protocol, and the evidence endpoint accepts
        // larger ones from those who may import.
        if is_evidence || request.uri().path() == MCP_PATH {
            return next.run(request).await;
        }
        let (parts, body) = request.into_parts();
        // Less than the limit of the whole request, so that a slow client gets 408 and the service logs no error of its own.
        let refusal = match tokio::time::timeout(limit * 9 / 10, read(&parts.headers, body)).await {
            Ok(Ok((body, permit))) => {
                let response = next.run(Request::from_parts(parts, body)).await;
                drop(permit);
                return response;
            }
            Ok(Err(refusal)) => refusal,
            Err(_) => Refusal::TimedOut,
        };
        let (status, title, text) = match refusal {
            Refusal::Nul => return nul().respond(format, &state.stylesheet),
            Refusal::TimedOut => (
                StatusCode::REQUEST_TIMEOUT,
                "Incomplete request",
                "The request did not arrive in time, so nothing was changed. Send it again.",
            ),
            Refusal::OutOfBudget => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Temporarily unavailable",
                "The service is handling too many large requests, so nothing was changed. Send it again in a moment.",
            ),
            Refusal::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "Request too large",
                "The request is larger than 1 MiB, so nothing was changed. Send less.",
            ),
            Refusal::Incomplete(error) => {
                tracing::debug!(%error, "the body ended early");
                let text = "The request ended before it was complete, so nothing was changed. Send it again.";
                (StatusCode::BAD_REQUEST, "Incomplete request", text)
            }
        };
        MessagePage::new(status, title, text).respond(format, &state.stylesheet)
    };
    match tokio::time::timeout(limit, response).await {
        Ok(response) => response,
        Err(_) => {
            tracing::error!("no response within {} seconds", limit.as_secs());
            let text = "The service stopped working on this request because it took too long. Changes already saved are kept: check \
                        before you try again.";
            MessagePage::new(StatusCode::SERVICE_UNAVAILABLE, "Request timed out", text)
                .respond(format, &state.stylesheet)
        }
    }
}

/// A part of [`BUDGET`], returned when the request is finished.
type Permit = SemaphorePermit<'static>;

async fn read(headers: &HeaderMap, mut body: Body) -> Result<(Body, Option<Permit>), Refusal> {
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
    let mut permit: Option<Permit> = None;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(Refusal::Incomplete)?.into_data() else {
            continue;
        };
        seen = seen.saturating_add(data.len());
        if seen > MAX_DISCARDED {
            break;
        }
        if seen > MAX_BODY {
            bytes = Vec::new();
            permit = None;
            continue;
        }
        if seen > SMALL_BODY {
            let more = BUDGET
                .try_acquire_many(u32::try_from(data.len()).unwrap_or(u32::MAX))
                .map_err(|_| Refusal::OutOfBudget)?;
            match &mut permit {
                Some(permit) => permit.merge(more),
                None => permit = Some(more),
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
    Ok((Body::from(bytes), permit))
}

/// U+0000 in URLs and forms. A literal percent sign is encoded there as `%25`.
const NUL: &str = "%00";

/// Whether a path or a query contains U+0000, which PostgreSQL cannot store in text. hyper refuses the raw character.
fn has_nul(text: &str) -> bool {
    text.contains(NUL)
}

/// Whether the body is a form as browsers send it by default.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

fn nul() -> MessagePage<'static> {
    let text = "The request contains the character U+0000, which is not allowed in text, so nothing was changed. Remove it and send the request again.";
    MessagePage::new(StatusCode::BAD_REQUEST, "Invalid request", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn outcome(bytes: usize) -> &'static str {
        match read(&HeaderMap::new(), Body::from(vec![b'x'; bytes])).await {
            Ok((_, Some(_))) => "budgeted",
            Ok((_, None)) => "small",
            Err(Refusal::OutOfBudget) => "out of budget",
            Err(Refusal::TooLarge) => "too large",
            Err(_) => "other",
        }
    }

    /// One test, because the whole process shares the budget.
    #[tokio::test]
    async fn all_large_bodies_together_use_a_bounded_amount_of_memory() {
        assert_eq!(outcome(SMALL_BODY).await, "small");
        assert_eq!(outcome(SMALL_BODY + 1).await, "budgeted");
        assert_eq!(outcome(MAX_BODY + 1).await, "too large");
        assert_eq!(BUDGET.available_permits(), 64 << 20, "the whole budget is returned");
        let others = BUDGET.try_acquire_many(64 << 20).unwrap();
        assert_eq!(outcome(SMALL_BODY + 1).await, "out of budget");
        assert_eq!(outcome(SMALL_BODY).await, "small", "decisions are still accepted");
        drop(others);
        assert_eq!(outcome(MAX_BODY).await, "budgeted");
    }
}
