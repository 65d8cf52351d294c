//! Serves one connection: HTTP/1.1, with limits on the size of a request's head and on the time that the service waits for the client.

use super::client_address::Peer;
use super::connection_state::{ConnectionState, Phase};
use super::limits::Limits;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// The time that an incomplete head may still take after the service was told to stop.
const HEAD_AT_SHUTDOWN: Duration = Duration::from_secs(1);

/// Why a connection was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloseReason {
    /// Client or service had finished, or the connection broke.
    Done,
    /// The service waited too long for the client.
    TimedOut,
    /// It was evicted for a new connection.
    Evicted,
}

impl CloseReason {
    /// The value of the metric's label.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::TimedOut => "timed_out",
            Self::Evicted => "evicted",
        }
    }
}

/// Serves the connection until it is closed.
pub(super) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    state: Arc<ConnectionState>,
    limits: &Limits,
    stop: &CancellationToken,
) -> CloseReason {
    // The HTTP machinery is allocated when the first byte arrives, so a silent connection costs little memory.
    let mut first = [0];
    tokio::select! {
        received = tokio::time::timeout(limits.idle, stream.peek(&mut first)) => match received {
            Ok(Ok(1..)) => {}
            Ok(_) => return CloseReason::Done,
            Err(_) => return CloseReason::TimedOut,
        },
        () = state.evicted() => return CloseReason::Evicted,
        () = stop.cancelled() => return CloseReason::Done,
    }
    Box::pin(serve_http(stream, peer, router, state, limits, stop)).await
}

/// Speaks HTTP/1.1 with a client that has sent something.
async fn serve_http(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    state: Arc<ConnectionState>,
    limits: &Limits,
    stop: &CancellationToken,
) -> CloseReason {
    let service = service_fn({
        let state = state.clone();
        move |request: hyper::Request<Incoming>| handle(request, peer, router.clone(), state.clone())
    });
    let io = TokioIo::new(TrackedStream {
        stream,
        state: state.clone(),
    });
    let mut http = http1::Builder::new();
    // `poll_timeout` limits heads and idle times separately. hyper has one timer for both.
    http.header_read_timeout(None)
        .max_header_size(limits.head_bytes)
        .max_buf_size(limits.head_bytes.max(MIN_BUFFER));
    let mut connection = pin!(http.serve_connection(io, service));
    let mut sleep = pin!(sleep_until(Instant::now() + limits.head));
    let mut stopping = None;
    loop {
        let running = std::future::poll_fn(|cx| {
            if connection.as_mut().poll(cx).is_ready() {
                return Poll::Ready(CloseReason::Done);
            }
            poll_timeout(&state, limits, stopping, sleep.as_mut(), cx)
        });
        tokio::select! {
            reason = running => return reason,
            () = state.evicted() => return CloseReason::Evicted,
            () = stop.cancelled(), if stopping.is_none() => {
                stopping = Some(Instant::now());
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// The minimum that hyper accepts, in bytes.
const MIN_BUFFER: usize = 8_192;

/// Ready when the service has waited too long for the client.
fn poll_timeout(
    state: &ConnectionState,
    limits: &Limits,
    stopping: Option<Instant>,
    mut sleep: Pin<&mut Sleep>,
    cx: &mut Context<'_>,
) -> Poll<CloseReason> {
    loop {
        let phase = match state.phase_since() {
            (Phase::Idle, since) => Some(since + limits.idle),
            (Phase::Head, since) => Some(match stopping {
                Some(stopping) => (since + limits.head).min(stopping + HEAD_AT_SHUTDOWN),
                None => since + limits.head,
            }),
            // `http::limits` limits bodies and responses, and can respond with an error.
            (Phase::Body | Phase::Working | Phase::Sending, _) => None,
        };
        let blocked = state.blocked_since().map(|since| since + limits.send);
        let Some(deadline) = phase.into_iter().chain(blocked).min() else {
            return Poll::Pending;
        };
        if deadline <= Instant::now() {
            return Poll::Ready(CloseReason::TimedOut);
        }
        // The timer is moved only forward. If it fires too early it is set again, because most connections change their phase before that.
        if deadline < sleep.deadline() || sleep.is_elapsed() {
            sleep.as_mut().reset(deadline);
        }
        ready!(sleep.as_mut().poll(cx));
    }
}

/// Handles one request, and tracks its phase.
async fn handle(
    request: hyper::Request<Incoming>,
    peer: SocketAddr,
    router: Router,
    state: Arc<ConnectionState>,
) -> Result<Response<ResponseBody>, std::convert::Infallible> {
    let is_empty = http_body::Body::is_end_stream(request.body());
    state.enter(if is_empty { Phase::Working } else { Phase::Body });
    let mut request: Request = request.map(|body| {
        Body::new(RequestBody {
            body,
            state: state.clone(),
        })
    });
    request.extensions_mut().insert(Peer(peer));
    let response = router.oneshot(request).await?;
    state.enter(Phase::Sending);
    Ok(response.map(|body| ResponseBody { body, state }))
}

/// A request's body. When it is complete, the connection enters the phase [`Phase::Working`].
struct RequestBody {
    body: Incoming,
    state: Arc<ConnectionState>,
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || self.body.is_end_stream() {
            self.state.transition(Phase::Body, Phase::Working);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A response's body. When it has been sent, the connection enters the phase [`Phase::Idle`].
struct ResponseBody {
    body: Body,
    state: Arc<ConnectionState>,
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        self.state.transition(Phase::Sending, Phase::Idle);
    }
}

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A socket that records what the client sends and accepts.
struct TrackedStream {
    stream: TcpStream,
    state: Arc<ConnectionState>,
}

impl TrackedStream {
    /// Records whether the client accepts what is sent.
    fn record_write(&self, outcome: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.state.sent(outcome.is_ready());
        outcome
    }
}

impl AsyncRead for TrackedStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.state.received();
        }
        outcome
    }
}

impl AsyncWrite for TrackedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.record_write(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.record_write(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
