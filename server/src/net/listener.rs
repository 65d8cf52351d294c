//! Accepting connections.

use super::client::TrustedProxies;
use super::connection::{self, End};
use super::crowd::Crowd;
use super::settings::Limits;
use super::state::State;
use crate::ops::metrics::{CONNECTIONS, CONNECTIONS_ENDED};
use axum::Router;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long to wait when the system gives nothing to accept a connection with: descriptors or memory.
const BACK_OFF: Duration = Duration::from_millis(50);
/// How long fewer connections are kept after that.
const SHORT: Duration = Duration::from_secs(30);
/// How many connections may be closing beside those that count.
const CLOSING: usize = 64;
/// How often the log says the same about accepting.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// What somebody is told for whom there is no place, in one write.
const BUSY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Serves connections until `stop`, and then until those are answered that have sent a request. Whoever waits for it should not wait
/// for ever: a handler may take long.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    proxies: TrustedProxies,
    stop: CancellationToken,
) {
    let crowd = Arc::new(Crowd::new(limits.connections, limits.connections_per_address, proxies));
    let most_open = limits.connections.saturating_add(CLOSING);
    let limits = Arc::new(limits);
    let began = Instant::now();
    let open = Open::default();
    let tasks = TaskTracker::new();
    let mut said = None;
    let mut short_since: Option<Instant> = None;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_the_client_s(&error) => continue,
            Err(error) => {
                say(
                    &mut said,
                    &format!("no connection can be accepted just now ({error}); others make room"),
                );
                crowd.shrink();
                short_since = Some(Instant::now());
                tokio::time::sleep(BACK_OFF).await;
                continue;
            }
        };
        if short_since.is_some_and(|since| since.elapsed() >= SHORT) {
            short_since = None;
            crowd.restore();
        }
        let state = Arc::new(State::new(began));
        let Some(place) = crowd.admit(peer.ip(), &state) else {
            refuse(&stream);
            say(&mut said, "a connection was refused: every other one is being answered");
            continue;
        };
        // Nagle's algorithm would hold back the second half of each page for 40 ms.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY");
        }
        let opened = open.begin();
        let (router, limits, told) = (router.clone(), limits.clone(), stop.clone());
        tasks.spawn(async move {
            let end = connection::serve(stream, peer, router, state, &limits, &told).await;
            metrics::counter!(CONNECTIONS_ENDED, "why" => end.label()).increment(1);
            if end != End::Done {
                tracing::debug!(%peer, why = end.label(), "a connection was closed");
            }
            drop((place, opened));
        });
        // Those that make room close in their own tasks: let them, before there are too many.
        while open.count() > most_open && !stop.is_cancelled() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    drop(listener);
    tasks.close();
    tasks.wait().await;
}

/// Whether only this client is gone already.
fn is_the_client_s(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused
    )
}

/// Says why, as far as one write goes: nobody waits for this client.
fn refuse(stream: &TcpStream) {
    metrics::counter!(CONNECTIONS_ENDED, "why" => "refused").increment(1);
    let _ = stream.try_write(BUSY);
}

fn say(said: &mut Option<Instant>, what: &str) {
    if said.is_none_or(|last| last.elapsed() >= SAY_EVERY) {
        *said = Some(Instant::now());
        tracing::warn!("{what}");
    }
}

/// Counts the sockets that are open, those included that are being closed.
#[derive(Clone, Default)]
struct Open(Arc<AtomicUsize>);

impl Open {
    fn begin(&self) -> Opened {
        self.0.fetch_add(1, Ordering::Relaxed);
        metrics::gauge!(CONNECTIONS).increment(1.0);
        Opened(self.0.clone())
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

struct Opened(Arc<AtomicUsize>);

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
        metrics::gauge!(CONNECTIONS).decrement(1.0);
    }
}
