//! Periodic tasks of the service.

use crate::state::AppState;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The interval at which agents' reads are written to the journal. A crash loses the reads of one interval.
const FLUSH: Duration = Duration::from_millis(250);
/// The interval at which the search index gets the new audit entries. A search adds those that are missing itself.
const INDEX: Duration = Duration::from_millis(250);
/// The wait after the search index could not be read or written, because opening it reads all of its files.
const INDEX_AGAIN: Duration = Duration::from_secs(10);
/// The interval at which expired actions and sessions are closed or deleted.
const SWEEP: Duration = Duration::from_secs(5);

/// Runs until `stop`: writes the journal of reads, feeds the search index, expires actions and deletes old sessions. A failed task is logged
/// and runs again after its interval.
pub async fn run(state: AppState, stop: CancellationToken) {
    // Apart from the other tasks, because building the index takes minutes for a large log.
    tokio::join!(flush_and_sweep(&state, &stop), index(&state, &stop));
}

async fn index(state: &AppState, stop: &CancellationToken) {
    let mut ticks = interval(INDEX);
    let indexing = async {
        loop {
            ticks.tick().await;
            if let Err(error) = state.engine.index_audit_logs().await {
                tracing::error!(%error, "the audit search could not be brought up to date; the entries themselves are stored");
                tokio::time::sleep(INDEX_AGAIN).await;
            }
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = indexing => {}
    }
}

async fn flush_and_sweep(state: &AppState, stop: &CancellationToken) {
    let mut flush = interval(FLUSH);
    let mut sweep = interval(SWEEP);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = flush.tick() => {
                if let Err(error) = state.engine.flush_reads().await {
                    tracing::error!(%error, "reads could not be written to the journal");
                }
            }
            _ = sweep.tick() => {
                state.metrics.run_upkeep();
                state.requests.rate_limits.remove_idle();
                match state.engine.sweep().await {
                    Ok(0) => {}
                    Ok(expired) => tracing::info!(expired, "actions expired"),
                    Err(error) => tracing::error!(%error, "due actions could not be expired"),
                }
            }
        }
    }
}

fn interval(period: Duration) -> tokio::time::Interval {
    let mut interval = tokio::time::interval(period);
    // After a pause, as of a suspended machine, the missed runs are not caught up.
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    interval
}
