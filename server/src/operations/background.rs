//! Periodic tasks of the service.

use crate::prometheus::{EVIDENCE_DAMAGED, EVIDENCE_DELAY, EVIDENCE_SCRUBBED};
use crate::state::AppState;
use crate::witnesses;
use loopiq::domain::Timestamp;
use loopiq::engine::{Error, ScrubReport};
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

/// The interval of the passes of the scrub over stored evidence. A pass hashes about 16 MiB, so that a node hashes 135 GiB a day.
const SCRUB: Duration = Duration::from_secs(10);

/// Runs until `stop`: writes the journal of reads, feeds the search index, expires actions, deletes old sessions, verifies stored evidence,
/// and signs checkpoints of the audit logs. A failed task is logged and runs again after its interval.
pub async fn run(state: AppState, stop: CancellationToken) {
    // Four tasks, because building the index takes minutes for a large log, hashing a large file takes longer than an interval, and a witness
    // may take seconds to answer.
    tokio::join!(
        flush_and_sweep(&state, &stop),
        index(&state, &stop),
        scrub(&state, &stop),
        sign_checkpoints(&state, &stop)
    );
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

/// Verifies stored evidence. A pass that `stop` interrupts is repeated after the next start.
async fn scrub(state: &AppState, stop: &CancellationToken) {
    let mut ticks = interval(SCRUB);
    let passes = async {
        if let Err(error) = state.engine.add_lost_results().await {
            tracing::error!(%error, "lost results of verifications could not be added");
        }
        loop {
            ticks.tick().await;
            report(state.engine.scrub().await);
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = passes => {}
    }
}

/// Signs checkpoints and sends them to the witnesses. The first pass is at once, so that what happened before a restart is signed.
async fn sign_checkpoints(state: &AppState, stop: &CancellationToken) {
    let settings = &state.checkpoints;
    let client = match witnesses::client() {
        Ok(client) => client,
        Err(error) => return tracing::error!(%error, "no checkpoint is signed: the HTTP client cannot be set up"),
    };
    let mut ticks = interval(settings.interval);
    let passes = async {
        loop {
            ticks.tick().await;
            witnesses::pass(&state.engine, &client, &settings.witnesses).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = passes => {}
    }
}

/// Sets the metrics of the scrub. The engine logs each file that it finds changed, or intact again.
fn report(pass: Result<ScrubReport, Error>) {
    match pass {
        Ok(report) => {
            metrics::gauge!(EVIDENCE_DAMAGED).set(report.damaged as f64);
            metrics::gauge!(EVIDENCE_DELAY).set(report.delay as f64 / Timestamp::SECOND as f64);
            metrics::counter!(EVIDENCE_SCRUBBED).increment(report.bytes);
        }
        Err(error) => tracing::error!(%error, "stored evidence could not be verified"),
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
