//! The limits on evidence that programs send, and their settings.

use clap::builder::RangedU64ValueParser;
use loopiq::import::MAX_BYTES;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// The time for sending and importing one file. A file of the largest size has some hundred thousand findings, which take minutes.
const TIMEOUT: Duration = Duration::from_secs(600);

/// The settings of the limits on evidence. `docs/limits.md` explains the defaults.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Evidence over HTTP")]
pub struct EvidenceArgs {
    /// The largest file that `POST /api/v1/evidence` accepts. Default: as much as an import reads. The service keeps two such files in memory at
    /// the same time.
    #[arg(long, env = "LOOPIQ_MAX_EVIDENCE_BYTES", default_value_t = MAX_BYTES as u64, value_name = "BYTES", value_parser = RangedU64ValueParser::<u64>::new().range(1_024..=MAX_BYTES as u64))]
    max_evidence_bytes: u64,
    /// Time limit for sending and importing one file. An import that takes longer is finished in the background.
    #[arg(long, env = "LOOPIQ_EVIDENCE_TIMEOUT", default_value_t = TIMEOUT.as_secs(), value_name = "SECONDS", value_parser = RangedU64ValueParser::<u64>::new().range(1..=3_600))]
    evidence_timeout: u64,
}

/// The limits on evidence that programs send.
#[derive(Debug, Clone)]
pub struct EvidenceLimits {
    /// The size of a file, in bytes.
    pub max_bytes: usize,
    /// The time for sending and importing one file.
    pub timeout: Duration,
    /// The memory for the bytes of all files together, one permit for each byte: two files of the largest size.
    pub budget: Arc<Semaphore>,
}

impl EvidenceLimits {
    /// Limits with a budget of their own.
    pub fn new(max_bytes: usize, timeout: Duration) -> Self {
        Self {
            max_bytes,
            timeout,
            budget: Arc::new(Semaphore::new(max_bytes.saturating_mul(2).min(Semaphore::MAX_PERMITS))),
        }
    }
}

impl EvidenceArgs {
    /// The limits of these settings.
    pub fn limits(&self) -> EvidenceLimits {
        let max_bytes = usize::try_from(self.max_evidence_bytes).unwrap_or(MAX_BYTES);
        EvidenceLimits::new(max_bytes, Duration::from_secs(self.evidence_timeout))
    }
}

impl Default for EvidenceLimits {
    /// The defaults of the settings.
    fn default() -> Self {
        Self::new(MAX_BYTES, TIMEOUT)
    }
}
