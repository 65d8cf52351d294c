//! The context of a request: principal, trace, clock and source of IDs. Every use case and every transaction has one.

use crate::domain::{
    ActionId, ApprovalId, AttemptId, AuditNoteId, BlockerId, CertificationId, ClientId, ComponentId, ControlId,
    CurrentEvidenceId, DecisionId, EvidenceId, EvidenceLinkId, FindingId, PersonId, Principal, QuestionId, ReleaseId,
    RequestId, RiskAcceptanceId, TeamId, TenantId, Timestamp, TokenId, WorkItemId,
};
use crate::log_keys::LogKeys;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The clock, the source of random bytes, and the keys of the audit log. Tests pass their own, to control the time.
#[derive(Clone)]
pub struct Runtime {
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    entropy: Arc<dyn Fn(&mut [u8]) + Send + Sync>,
    /// Distinguishes and orders the IDs of one millisecond.
    counter: Arc<AtomicU64>,
    log_keys: Option<LogKeys>,
}

impl Runtime {
    /// A runtime with this clock and this source of random bytes.
    pub fn new(
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
        entropy: impl Fn(&mut [u8]) + Send + Sync + 'static,
    ) -> Self {
        Self {
            clock: Arc::new(clock),
            entropy: Arc::new(entropy),
            counter: Arc::default(),
            log_keys: None,
        }
    }

    /// The same runtime with these keys of the audit log. Without keys, nothing that is audited can be written.
    pub fn with_log_keys(self, keys: LogKeys) -> Self {
        Self {
            log_keys: Some(keys),
            ..self
        }
    }

    /// The keys of the audit log.
    pub fn log_keys(&self) -> Option<&LogKeys> {
        self.log_keys.as_ref()
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// `N` random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.entropy)(&mut bytes);
        bytes
    }

    /// The same randomness with another clock.
    pub fn with_clock(&self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self {
            clock: Arc::new(clock),
            entropy: self.entropy.clone(),
            counter: self.counter.clone(),
            log_keys: self.log_keys.clone(),
        }
    }

    /// A new ID: a UUIDv7 (RFC 9562) with a counter in `rand_a`.
    pub fn id<T: TypedId>(&self) -> T {
        let mut random: [u8; 10] = self.random();
        let count = self.counter.fetch_add(1, Ordering::Relaxed) & 0x0fff;
        random[..2].copy_from_slice(&(count as u16).to_be_bytes());
        let millis = u64::try_from(self.now().0 / 1_000).unwrap_or_default();
        T::from_bits(
            uuid::Builder::from_unix_timestamp_millis(millis, &random)
                .as_uuid()
                .as_u128(),
        )
    }
}

/// An ID type that is made from 128 bits and parsed from text.
pub trait TypedId: Sized {
    /// The ID of these bits.
    fn from_bits(bits: u128) -> Self;
    /// Parses an ID; `None` if the text is an ID of another kind or none.
    fn parse(text: &str) -> Option<Self>;
}

macro_rules! typed {
    ($($id:ident)*) => {$(
        impl TypedId for $id {
            fn from_bits(bits: u128) -> Self { $id::from_bits(bits) }
            fn parse(text: &str) -> Option<Self> { $id::parse(text).ok() }
        }
    )*};
}
typed!(ActionId ApprovalId AttemptId AuditNoteId BlockerId CertificationId ClientId ComponentId ControlId CurrentEvidenceId DecisionId EvidenceId
    EvidenceLinkId FindingId PersonId QuestionId ReleaseId RequestId RiskAcceptanceId TeamId TokenId WorkItemId);

/// One request of one principal.
#[derive(Clone)]
pub struct Ctx {
    /// Who makes the request. Its tenant is the only tenant that the request can reach.
    pub principal: Principal,
    /// Identifies the request in logs and audit entries.
    pub request_id: String,
    /// Identifies the trace: 32 hex digits (W3C Trace Context).
    pub trace_id: String,
    /// Whether the client sent the trace ID; otherwise the service generated it.
    pub trace_given: bool,
    /// The workflow that the client named.
    pub workflow: Option<String>,
    /// The clock and the source of IDs.
    pub runtime: Runtime,
}

impl Ctx {
    /// A request with a new trace ID.
    pub fn new(principal: Principal, runtime: &Runtime) -> Self {
        Self {
            principal,
            request_id: crate::domain::canonical::hex(&runtime.random::<16>()),
            trace_id: crate::domain::canonical::hex(&runtime.random::<16>()),
            trace_given: false,
            workflow: None,
            runtime: runtime.clone(),
        }
    }

    /// Work of the service itself in a tenant.
    pub fn system(tenant: TenantId, runtime: &Runtime) -> Self {
        Self::new(Principal::System { tenant }, runtime)
    }

    /// The only tenant that the request can reach.
    pub fn tenant(&self) -> &TenantId {
        self.principal.tenant()
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        self.runtime.now()
    }
}
