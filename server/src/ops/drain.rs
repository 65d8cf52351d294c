//! An orderly end: no new requests, those under way are finished, what is in memory is written.

use crate::App;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long requests under way may take once the service has been told to stop.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How often what agents read is written to its journal, and new audit entries are indexed for the search.
const FLUSH: Duration = Duration::from_millis(250);
/// How often actions and sessions are looked at whose time is over.
const SWEEP: Duration = Duration::from_secs(5);

/// Listens from now on; the future ends when the process is told to stop: SIGTERM, or Ctrl-C.
///
/// # Errors
/// The system does not let the process listen for signals.
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
        // Without signals the process ends as the system ends it.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// Says that the service is not ready any more, so that nobody sends it more requests.
pub fn begin(app: &App) {
    app.draining.store(true, Ordering::Relaxed);
    tracing::info!("told to stop: finishing what is under way");
}

/// Writes what is still in memory, and closes the database.
pub async fn end(app: &App) {
    if let Err(error) = app.engine.flush_reads().await {
        tracing::error!(%error, "the last reads could not be written to the journal");
    }
    app.store.close().await;
    tracing::info!("stopped");
}

/// The service's own work beside requests, until `stop`: writes the journal of reads, indexes audit entries, expires what is due, and forgets
/// old sessions. A failure is logged and tried again at the next turn.
pub async fn chores(app: App, stop: CancellationToken) {
    let mut flush = turns(FLUSH);
    let mut sweep = turns(SWEEP);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = flush.tick() => {
                if let Err(error) = app.engine.flush_reads().await {
                    tracing::error!(%error, "reads could not be written to the journal");
                }
                if let Err(error) = app.engine.index_audit_logs().await {
                    tracing::error!(%error, "audit entries could not be indexed for the search; they are kept all the same");
                }
            }
            _ = sweep.tick() => {
                app.metrics.run_upkeep();
                app.edge.rates.forget();
                match app.engine.sweep().await {
                    Ok(0) => {}
                    Ok(expired) => tracing::info!(expired, "actions expired"),
                    Err(error) => tracing::error!(%error, "actions whose time is over could not be expired"),
                }
            }
        }
    }
}

fn turns(every: Duration) -> tokio::time::Interval {
    let mut interval = tokio::time::interval(every);
    // After a pause (a suspended laptop) one turn is enough.
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    interval
}
