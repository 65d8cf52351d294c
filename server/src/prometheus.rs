//! The names of the metrics, and the recorder that keeps them for Prometheus. Other modules count with the macros of the crate
//! `metrics`.

use anyhow::{Context, Result, anyhow};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;

/// Histogram: seconds until the head of the response, by route, method and status.
pub const HTTP_SECONDS: &str = "http_request_duration_seconds";
/// Gauge: requests in progress.
pub const HTTP_ACTIVE: &str = "http_requests_in_flight";
/// Gauge: open connections.
pub const CONNECTIONS: &str = "loopiq_connections";
/// Counter: closed connections, by reason.
pub const CONNECTIONS_ENDED: &str = "loopiq_connections_ended_total";
/// Counter: requests refused by a rate limit, by the kind of limit.
pub const RATE_LIMITED: &str = "loopiq_rate_limited_total";
/// Counter: sign-ins, by outcome.
pub const SIGN_INS: &str = "loopiq_sign_ins_total";

/// Gauge: stored evidence files that do not have the bytes of their import.
pub const EVIDENCE_DAMAGED: &str = "loopiq_evidence_damaged_files";
/// Gauge: for how many seconds the scrub has been late with the file that is due longest.
pub const EVIDENCE_DELAY: &str = "loopiq_evidence_scrub_delay_seconds";
/// Counter: bytes of evidence that the scrub has hashed.
pub const EVIDENCE_SCRUBBED: &str = "loopiq_evidence_scrubbed_bytes_total";

/// Counter: signed checkpoints of audit logs.
pub const CHECKPOINTS: &str = "loopiq_audit_checkpoints_total";
/// Gauge: tenants whose audit log is not what this service wrote.
pub const LOG_TAMPERED: &str = "loopiq_audit_logs_tampered";
/// Gauge: pairs of a tenant and a witness that does not have the latest checkpoint.
pub const WITNESS_DELAY: &str = "loopiq_audit_witnesses_late";

/// Upper bounds of the buckets of [`HTTP_SECONDS`], in seconds.
const BUCKETS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// The recorder of this process. The first call installs it.
///
/// # Errors
/// Other code has installed another recorder, which is a programming error.
pub fn recorder() -> Result<PrometheusHandle> {
    if let Some(handle) = RECORDER.get() {
        return Ok(handle.clone());
    }
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(HTTP_SECONDS.to_owned()), &BUCKETS)
        .context("the metrics' buckets")?
        .build_recorder();
    let handle = recorder.handle();
    // Two threads may arrive here together, as tests do. The thread that sets RECORDER also installs its recorder.
    let mut installed = None;
    let shared = RECORDER.get_or_init(|| {
        installed = Some(recorder);
        handle
    });
    if let Some(recorder) = installed {
        metrics::set_global_recorder(recorder).map_err(|_| anyhow!("another metrics recorder is installed"))?;
        metrics::describe_histogram!(
            HTTP_SECONDS,
            metrics::Unit::Seconds,
            "Time until the head of the response."
        );
        metrics::describe_gauge!(HTTP_ACTIVE, "Requests in progress.");
        metrics::describe_gauge!(CONNECTIONS, "Open connections.");
        metrics::describe_counter!(CONNECTIONS_ENDED, "Closed connections, by reason.");
        metrics::describe_counter!(RATE_LIMITED, "Requests refused by a rate limit, by the kind of limit.");
        metrics::describe_counter!(SIGN_INS, "Sign-ins, by outcome.");
        metrics::describe_gauge!(
            EVIDENCE_DAMAGED,
            "Stored evidence files that do not have the bytes of their import."
        );
        metrics::describe_gauge!(
            EVIDENCE_DELAY,
            metrics::Unit::Seconds,
            "How late the scrub is with the evidence file that is due longest."
        );
        metrics::describe_counter!(EVIDENCE_SCRUBBED, "Bytes of evidence that the scrub has hashed.");
    }
    Ok(shared.clone())
}
