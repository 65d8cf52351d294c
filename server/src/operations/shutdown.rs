//! Graceful shutdown: the service accepts no new requests, finishes those in progress, and writes what is in memory.

use crate::state::AppState;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The service aborts the requests still in progress this long after it was told to stop.
pub const MAX_WAIT: Duration = Duration::from_secs(10);

/// Starts to listen for SIGTERM and Ctrl-C. The future ends when one of them arrives.
///
/// # Errors
/// The system does not allow the process to listen for signals.
pub fn told_to_stop() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        // If signals are not available, only the system can end the process.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// Makes `/readyz` answer 503, so that load balancers send no more requests.
pub fn begin(state: &AppState) {
    state.draining.store(true, Ordering::Relaxed);
    tracing::info!("told to stop: finishing the requests in progress");
}

/// Writes what is in memory, and closes the database.
pub async fn finish(state: &AppState) {
    if let Err(error) = state.engine.flush_reads().await {
        tracing::error!(%error, "the last reads could not be written to the journal");
    }
    state.store.close().await;
    tracing::info!("stopped");
}
