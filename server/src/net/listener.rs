//! Accepts connections.

use super::client_address::TrustedProxies;
use super::connection::{self, CloseReason};
use super::connection_registry::ConnectionRegistry;
use super::connection_state::ConnectionState;
use super::limits::Limits;
use crate::prometheus::{CONNECTIONS, CONNECTIONS_ENDED};
use axum::Router;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The pause after the system refused a connection for lack of file descriptors or memory.
const ACCEPT_BACK_OFF: Duration = Duration::from_millis(50);
/// The time after such a refusal during which the registry's limit is lower.
const SHORTAGE: Duration = Duration::from_secs(30);
/// The number of closing connections, in addition to the registered ones, at which the listener pauses.
const MAX_CLOSING: usize = 64;
/// The minimum time between two warnings.
const WARN_EVERY: Duration = Duration::from_secs(10);

/// The response to a connection that the registry refuses.
const SERVICE_UNAVAILABLE: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Serves connections until `stop`, and then until all requests in progress are answered. A caller should limit that time, because
/// a handler may be slow.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    proxies: TrustedProxies,
    stop: CancellationToken,
) {
    let registry = Arc::new(ConnectionRegistry::new(
        limits.connections,
        limits.connections_per_address,
        proxies,
    ));
    let max_open = limits.connections.saturating_add(MAX_CLOSING);
    let limits = Arc::new(limits);
    let start = Instant::now();
    let open = OpenSockets::default();
    let tasks = TaskTracker::new();
    let mut last_warning = None;
    let mut shortage_since: Option<Instant> = None;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_aborted_by_client(&error) => continue,
            Err(error) => {
                warn(
                    &mut last_warning,
                    &format!("no connection can be accepted ({error}); old connections are closed"),
                );
                registry.shrink();
                shortage_since = Some(Instant::now());
                tokio::time::sleep(ACCEPT_BACK_OFF).await;
                continue;
            }
        };
        if shortage_since.is_some_and(|since| since.elapsed() >= SHORTAGE) {
            shortage_since = None;
            registry.restore();
        }
        let state = Arc::new(ConnectionState::new(start));
        let Some(registration) = registry.register(peer.ip(), &state) else {
            refuse(&stream);
            warn(
                &mut last_warning,
                "a connection was refused: every other one has a request in progress",
            );
            continue;
        };
        // Nagle's algorithm would delay the second packet of each page by 40 ms.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY");
        }
        let socket = open.add();
        let (router, limits, stop_signal) = (router.clone(), limits.clone(), stop.clone());
        tasks.spawn(async move {
            let reason = connection::serve(stream, peer, router, state, &limits, &stop_signal).await;
            metrics::counter!(CONNECTIONS_ENDED, "why" => reason.label()).increment(1);
            if reason != CloseReason::Done {
                tracing::debug!(%peer, why = reason.label(), "a connection was closed");
            }
            drop((registration, socket));
        });
        // Evicted connections close in their own tasks, which need time to run.
        while open.count() > max_open && !stop.is_cancelled() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    drop(listener);
    tasks.close();
    tasks.wait().await;
}

/// Whether the error concerns only one client, which has disconnected.
fn is_aborted_by_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused
    )
}

/// Sends 503 with one write, without waiting for the client.
fn refuse(stream: &TcpStream) {
    metrics::counter!(CONNECTIONS_ENDED, "why" => "refused").increment(1);
    let _ = stream.try_write(SERVICE_UNAVAILABLE);
}

/// Logs a warning, unless the last one was too recent.
fn warn(last: &mut Option<Instant>, message: &str) {
    if last.is_none_or(|last| last.elapsed() >= WARN_EVERY) {
        *last = Some(Instant::now());
        tracing::warn!("{message}");
    }
}

/// Counts the open sockets, also those that are closing.
#[derive(Clone, Default)]
struct OpenSockets(Arc<AtomicUsize>);

impl OpenSockets {
    fn add(&self) -> OpenSocket {
        self.0.fetch_add(1, Ordering::Relaxed);
        metrics::gauge!(CONNECTIONS).increment(1.0);
        OpenSocket(self.0.clone())
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// One open socket; dropping it removes it from the count.
struct OpenSocket(Arc<AtomicUsize>);

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
        metrics::gauge!(CONNECTIONS).decrement(1.0);
    }
}
