//! One connection: HTTP/1.1 with limits on a head's size and on how long the client may let the service wait.

use super::client::Peer;
use super::settings::Limits;
use super::state::{Phase, State};
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

/// How long half a head is waited for once the service has been told to stop.
const LAST_HEAD: Duration = Duration::from_secs(1);

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Either side was done with it, or it broke.
    Done,
    /// The client let the service wait for too long.
    Late,
    /// It made room for another.
    Dismissed,
}

impl End {
    /// Its name in the metrics.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Late => "late",
            Self::Dismissed => "dismissed",
        }
    }
}

/// Serves what comes on this connection until it ends.
pub(super) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    state: Arc<State>,
    limits: &Limits,
    stop: &CancellationToken,
) -> End {
    // Everything is made for who sends something: a connection that only stands there costs next to nothing.
    let mut first = [0];
    tokio::select! {
        came = tokio::time::timeout(limits.idle, stream.peek(&mut first)) => match came {
            Ok(Ok(1..)) => {}
            Ok(_) => return End::Done,
            Err(_) => return End::Late,
        },
        () = state.dismissed() => return End::Dismissed,
        () = stop.cancelled() => return End::Done,
    }
    Box::pin(converse(stream, peer, router, state, limits, stop)).await
}

/// HTTP/1.1 with a client that has begun to speak.
async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    state: Arc<State>,
    limits: &Limits,
    stop: &CancellationToken,
) -> End {
    let service = service_fn({
        let state = state.clone();
        move |request: hyper::Request<Incoming>| answer(request, peer, router.clone(), state.clone())
    });
    let io = TokioIo::new(Watched {
        stream,
        state: state.clone(),
    });
    let mut http = http1::Builder::new();
    // How long heads and pauses may take is watched here, where they can be told apart; hyper counts both as one.
    http.header_read_timeout(None)
        .max_header_size(limits.head_bytes)
        .max_buf_size(limits.head_bytes.max(MIN_BUFFER));
    let mut connection = pin!(http.serve_connection(io, service));
    let mut sleep = pin!(sleep_until(Instant::now() + limits.head));
    let mut stopping = None;
    loop {
        let running = std::future::poll_fn(|cx| {
            if connection.as_mut().poll(cx).is_ready() {
                return Poll::Ready(End::Done);
            }
            late(&state, limits, stopping, sleep.as_mut(), cx)
        });
        tokio::select! {
            end = running => return end,
            () = state.dismissed() => return End::Dismissed,
            () = stop.cancelled(), if stopping.is_none() => {
                stopping = Some(Instant::now());
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// hyper takes no smaller one.
const MIN_BUFFER: usize = 8_192;

/// Ready once the client has let the service wait for too long.
fn late(
    state: &State,
    limits: &Limits,
    stopping: Option<Instant>,
    mut sleep: Pin<&mut Sleep>,
    cx: &mut Context<'_>,
) -> Poll<End> {
    loop {
        let phase = match state.since() {
            (Phase::Idle, since) => Some(since + limits.idle),
            (Phase::Head, since) => Some(match stopping {
                Some(stopping) => (since + limits.head).min(stopping + LAST_HEAD),
                None => since + limits.head,
            }),
            // Bodies and answers have a limit of their own, within which a handler can still say so.
            (Phase::Body | Phase::Working | Phase::Sending, _) => None,
        };
        let blocked = state.blocked().map(|since| since + limits.send);
        let Some(deadline) = phase.into_iter().chain(blocked).min() else {
            return Poll::Pending;
        };
        if deadline <= Instant::now() {
            return Poll::Ready(End::Late);
        }
        // An alarm that comes too early is set anew then: most connections change their phase long before.
        if deadline < sleep.deadline() || sleep.is_elapsed() {
            sleep.as_mut().reset(deadline);
        }
        ready!(sleep.as_mut().poll(cx));
    }
}

async fn answer(
    request: hyper::Request<Incoming>,
    peer: SocketAddr,
    router: Router,
    state: Arc<State>,
) -> Result<Response<Answer>, std::convert::Infallible> {
    let whole = http_body::Body::is_end_stream(request.body());
    state.enter(if whole { Phase::Working } else { Phase::Body });
    let mut request: Request = request.map(|body| {
        Body::new(Question {
            body,
            state: state.clone(),
        })
    });
    request.extensions_mut().insert(Peer(peer));
    let response = router.oneshot(request).await?;
    state.enter(Phase::Sending);
    Ok(response.map(|body| Answer { body, state }))
}

/// A request's body. Once it is whole, the service works for it.
struct Question {
    body: Incoming,
    state: Arc<State>,
}

impl http_body::Body for Question {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || self.body.is_end_stream() {
            self.state.leave(Phase::Body, Phase::Working);
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

/// An answer's body. Once it has gone out, the connection is idle.
struct Answer {
    body: Body,
    state: Arc<State>,
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.state.leave(Phase::Sending, Phase::Idle);
    }
}

impl http_body::Body for Answer {
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

/// The socket, which notes what moves on it.
struct Watched {
    stream: TcpStream,
    state: Arc<State>,
}

impl Watched {
    /// Notes whether the client takes what is sent.
    fn noted(&self, outcome: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.state.sent(outcome.is_ready());
        outcome
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.state.received();
        }
        outcome
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.noted(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.noted(outcome)
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
