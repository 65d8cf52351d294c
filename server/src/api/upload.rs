//! Receives the body of a request into memory that all such requests share.

use crate::http::problem::problem;
use crate::http::rate_limits::with_retry_after;
use crate::net::EvidenceLimits;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt as _;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout};

/// The number of bytes of a refused body that are read and discarded. A client that gets the response while it still sends often reports only a
/// broken connection.
const MAX_DISCARDED: usize = 64 << 20;
/// How long a refused body is read.
const DISCARD_FOR: Duration = Duration::from_secs(20);
/// The fewest bytes that a client may send in the time of a pause: a client that trickles would keep memory from others.
const SLOWEST: usize = 16 << 10;
/// When a client should try again if others use the memory, in seconds.
const BUSY: u64 = 5;

/// A whole body.
pub(super) struct Upload {
    /// The bytes.
    pub(super) bytes: Vec<u8>,
    /// The memory that they take, returned when it is dropped.
    pub(super) memory: OwnedSemaphorePermit,
}

/// Why a body was refused.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It is larger than the limit.
    TooLarge,
    /// Others use the memory.
    Busy,
    /// It ended before it was complete.
    Incomplete(axum::Error),
    /// It did not arrive in time.
    TimedOut,
    /// It has no bytes.
    Empty,
}

impl Refusal {
    /// The response. `max_bytes` is the limit of the size.
    pub(super) fn response(self, max_bytes: usize) -> Response {
        match self {
            Refusal::TooLarge => problem(
                StatusCode::PAYLOAD_TOO_LARGE,
                &format!(
                    "The file is larger than {}, so nothing was imported. Split it, or ask an operator to raise LOOPIQ_MAX_EVIDENCE_BYTES.",
                    size(max_bytes)
                ),
            ),
            Refusal::Busy => with_retry_after(
                problem(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The service is receiving other large files, so nothing was imported. Send the file again in a moment.",
                ),
                BUSY,
            ),
            Refusal::Incomplete(error) => {
                tracing::debug!(%error, "the file ended early");
                problem(
                    StatusCode::BAD_REQUEST,
                    "The file ended before it was complete, so nothing was imported. Send it again.",
                )
            }
            Refusal::TimedOut => problem(
                StatusCode::REQUEST_TIMEOUT,
                "The file did not arrive in time, so nothing was imported. Send it again.",
            ),
            Refusal::Empty => problem(
                StatusCode::BAD_REQUEST,
                "The body is empty, so nothing was imported. Send the file itself as the body.",
            ),
        }
    }
}

fn size(bytes: usize) -> String {
    match bytes {
        bytes if bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        bytes if bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        bytes => format!("{bytes} bytes"),
    }
}

/// Receives the whole body. The client must send some part of it within each `pause`.
pub(super) async fn receive(
    headers: &HeaderMap,
    mut body: Body,
    limits: &EvidenceLimits,
    pause: Duration,
) -> Result<Upload, Refusal> {
    let refusal = match receive_from(headers, &mut body, limits, pause).await {
        Ok(upload) => return Ok(upload),
        Err(refusal) => refusal,
    };
    // A client that waits for `100 Continue` has sent nothing yet.
    if matches!(refusal, Refusal::TooLarge | Refusal::Busy) && !headers.contains_key(header::EXPECT) {
        let _ = timeout(DISCARD_FOR, discard(body)).await;
    }
    Err(refusal)
}

async fn receive_from(
    headers: &HeaderMap,
    body: &mut Body,
    limits: &EvidenceLimits,
    pause: Duration,
) -> Result<Upload, Refusal> {
    let declared = headers.get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let declared = declared.unwrap_or_default();
    if declared > limits.max_bytes {
        return Err(Refusal::TooLarge);
    }
    let mut memory = acquire(limits, declared)?;
    let mut bytes = Vec::with_capacity(declared);
    let mut window = (Instant::now(), 0);
    while let Some(frame) = next(body, pause).await? {
        window.1 += frame.len();
        if window.0.elapsed() >= pause {
            if window.1 < SLOWEST {
                return Err(Refusal::TimedOut);
            }
            window = (Instant::now(), 0);
        }
        let size = bytes.len() + frame.len();
        if size > limits.max_bytes {
            return Err(Refusal::TooLarge);
        }
        if size > memory.num_permits() {
            memory.merge(acquire(limits, size - memory.num_permits())?);
        }
        bytes.extend_from_slice(&frame);
    }
    if bytes.is_empty() {
        return Err(Refusal::Empty);
    }
    Ok(Upload { bytes, memory })
}

/// The next bytes of the body; `None` at its end.
async fn next(body: &mut Body, pause: Duration) -> Result<Option<Bytes>, Refusal> {
    loop {
        let frame = timeout(pause, body.frame()).await.map_err(|_| Refusal::TimedOut)?;
        match frame {
            None => return Ok(None),
            Some(Err(error)) => return Err(Refusal::Incomplete(error)),
            Some(Ok(frame)) => {
                // The other frames are trailers.
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

fn acquire(limits: &EvidenceLimits, bytes: usize) -> Result<OwnedSemaphorePermit, Refusal> {
    let count = u32::try_from(bytes).map_err(|_| Refusal::TooLarge)?;
    let permit = limits.budget.clone().try_acquire_many_owned(count);
    permit.map_err(|_| Refusal::Busy)
}

async fn discard(mut body: Body) {
    let mut seen = 0_usize;
    while seen < MAX_DISCARDED
        && let Some(Ok(frame)) = body.frame().await
    {
        seen = seen.saturating_add(frame.data_ref().map_or(0, Bytes::len));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    fn outcome(result: Result<Upload, Refusal>) -> Result<usize, String> {
        result.map(|upload| upload.bytes.len()).map_err(|refusal| {
            let text = format!("{refusal:?}");
            text.split('(').next().unwrap_or_default().to_owned()
        })
    }

    #[tokio::test]
    async fn all_files_together_use_a_bounded_amount_of_memory() {
        let limits = EvidenceLimits::new(100, Duration::from_secs(5));
        let pause = Duration::from_secs(1);
        let none = HeaderMap::new();
        let of = |bytes: usize| Body::from(vec![b'x'; bytes]);
        let first = receive(&none, of(100), &limits, pause).await.unwrap();
        let second = receive(&none, of(60), &limits, pause).await.unwrap();
        assert_eq!(limits.budget.available_permits(), 40);
        assert_eq!(
            outcome(receive(&none, of(41), &limits, pause).await),
            Err("Busy".to_owned())
        );
        assert_eq!(outcome(receive(&none, of(40), &limits, pause).await), Ok(40));
        assert_eq!(
            outcome(receive(&none, of(101), &limits, pause).await),
            Err("TooLarge".to_owned())
        );
        assert_eq!(
            outcome(receive(&none, of(0), &limits, pause).await),
            Err("Empty".to_owned())
        );
        drop((first, second));
        assert_eq!(limits.budget.available_permits(), 200, "everything is returned");
    }

    #[tokio::test]
    async fn a_declared_size_is_judged_before_the_body_arrives() {
        let limits = EvidenceLimits::new(100, Duration::from_secs(5));
        let declared = |size: usize| {
            HeaderMap::from_iter([
                (header::CONTENT_LENGTH, size.into()),
                (header::EXPECT, axum::http::HeaderValue::from_static("100-continue")),
            ])
        };
        let silent = || Body::new(Silent);
        let pause = Duration::from_millis(50);
        let large = receive(&declared(101), silent(), &limits, pause).await;
        assert_eq!(outcome(large), Err("TooLarge".to_owned()));
        let others = acquire(&limits, 150).unwrap();
        let busy = receive(&declared(100), silent(), &limits, pause).await;
        assert_eq!(outcome(busy), Err("Busy".to_owned()));
        drop(others);
        let silent = receive(&declared(100), silent(), &limits, pause).await;
        assert_eq!(outcome(silent), Err("TimedOut".to_owned()));
        assert_eq!(limits.budget.available_permits(), 200);
    }

    #[tokio::test]
    async fn a_client_that_trickles_gives_its_memory_back() {
        let limits = EvidenceLimits::new(1 << 20, Duration::from_secs(600));
        let pause = Duration::from_millis(400);
        let slowly = |bytes: usize, frames: usize| {
            let wait = Box::pin(tokio::time::sleep(GAP));
            Body::new(Slow { bytes, frames, wait })
        };
        let none = HeaderMap::new();
        let trickle = receive(&none, slowly(1, 50), &limits, pause).await;
        assert_eq!(outcome(trickle), Err("TimedOut".to_owned()));
        assert_eq!(limits.budget.available_permits(), 2 << 20);
        let slow = receive(&none, slowly(SLOWEST, 5), &limits, pause).await;
        assert_eq!(outcome(slow), Ok(5 * SLOWEST), "a slow connection is no trickle");
    }

    /// The time between two frames of [`Slow`].
    const GAP: Duration = Duration::from_millis(150);

    /// A body whose frames arrive slowly.
    struct Slow {
        bytes: usize,
        frames: usize,
        wait: Pin<Box<tokio::time::Sleep>>,
    }

    impl http_body::Body for Slow {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
            if self.frames == 0 {
                return Poll::Ready(None);
            }
            std::task::ready!(self.wait.as_mut().poll(context));
            self.wait = Box::pin(tokio::time::sleep(GAP));
            self.frames -= 1;
            let bytes = vec![b'x'; self.bytes];
            Poll::Ready(Some(Ok(http_body::Frame::data(bytes.into()))))
        }
    }

    /// A body of which nothing arrives.
    struct Silent;

    impl http_body::Body for Silent {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
            Poll::Pending
        }
    }
}
