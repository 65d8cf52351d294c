//! The context of a request: principal, trace, clock and source of IDs. Every use case and every transaction has one.

use crate::digest_key::DigestKey;
use crate::domain::{
    ActionId, ApprovalId, AttemptId, AuditNoteId, BlockerId, CertificationId, ClientId, ComponentId, ControlId,
    CurrentEvidenceId, DecisionId, EvidenceId, EvidenceLinkId, FindingId, GrantId, PersonId, Principal, QuestionId,
    ReleaseId, RequestId, RiskAcceptanceId, SenderClaims, SessionId, Source, SourceKind, TeamId, TenantId, Timestamp,
    TokenId, WorkItemId, canonical, session_name,
};
use crate::log_keys::LogKeys;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// The clock, the source of random bytes, and the keys of the audit log. Tests pass their own, to control the time.
#[derive(Clone)]
pub struct Runtime {
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    entropy: Arc<dyn Fn(&mut [u8]) + Send + Sync>,
    /// Distinguishes and orders the IDs of one millisecond.
    counter: Arc<AtomicU64>,
    log_keys: Option<LogKeys>,
    digest_key: Arc<OnceLock<DigestKey>>,
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
            digest_key: Arc::default(),
        }
    }

    /// The same runtime with these keys of the audit log. Without keys, nothing that is audited can be written.
    pub fn with_log_keys(self, keys: LogKeys) -> Self {
        Self {
            log_keys: Some(keys),
            ..self
        }
    }

    /// The same runtime with this key for the digests of sessions and tokens.
    pub fn with_digest_key(self, key: DigestKey) -> Self {
        Self {
            digest_key: Arc::new(key.into()),
            ..self
        }
    }

    /// The key for the digests of sessions and tokens. Without a key from the settings it is random: sessions and tokens then end with the
    /// process.
    pub fn digest_key(&self) -> &DigestKey {
        self.digest_key.get_or_init(|| DigestKey::derive(&self.random::<32>()))
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
            digest_key: self.digest_key.clone(),
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
    EvidenceLinkId FindingId GrantId PersonId QuestionId ReleaseId RequestId RiskAcceptanceId SessionId TeamId TokenId WorkItemId);

/// What the service knows about a request before it knows the principal.
#[derive(Debug, Clone, Default)]
pub struct RequestOrigin {
    /// The ID that the service gave to the request; `None` to generate one.
    pub request_id: Option<String>,
    /// The network address of the sender.
    pub address: Option<String>,
    /// What the sender says about itself and the request.
    pub claims: SenderClaims,
}

impl RequestOrigin {
    /// The context of this request, made by this principal.
    pub fn context(&self, principal: Principal, runtime: &Runtime) -> Ctx {
        let mut ctx = Ctx::new(principal, runtime);
        if let Some(id) = &self.request_id {
            ctx.request_id.clone_from(id);
        }
        ctx.source.kind = SourceKind::Request;
        ctx.source.address.clone_from(&self.address);
        ctx.claims = self.claims.clone();
        if let Some(trace) = &self.claims.trace_id {
            ctx.join_trace(trace);
        }
        ctx
    }
}

/// One request of one principal.
#[derive(Clone)]
pub struct Ctx {
    /// Who makes the request. Its tenant is the only tenant that the request can reach.
    pub principal: Principal,
    /// Identifies the request in logs and audit entries. Always generated by the service.
    pub request_id: String,
    /// Identifies the trace: 32 hex digits, generated by the service. Requests of one principal that name the same trace share it.
    pub trace_id: String,
    /// Whether the sender named a trace; see [`Ctx::join_trace`].
    pub trace_given: bool,
    /// Where the request comes from.
    pub source: Source,
    /// What the sender says about itself and the request.
    pub claims: SenderClaims,
    /// The workflow that the client named.
    pub workflow: Option<String>,
    /// The clock and the source of IDs.
    pub runtime: Runtime,
}

impl Ctx {
    /// A request with a new trace ID.
    pub fn new(principal: Principal, runtime: &Runtime) -> Self {
        let (kind, session) = match &principal {
            Principal::Person { session, .. } => (SourceKind::Request, session_name(session)),
            Principal::Client { .. } | Principal::Program { .. } => (SourceKind::Request, None),
            Principal::System { .. } => (SourceKind::Service, None),
        };
        Self {
            principal,
            request_id: canonical::hex(&runtime.random::<16>()),
            trace_id: canonical::hex(&runtime.random::<16>()),
            trace_given: false,
            source: Source {
                kind,
                address: None,
                session,
            },
            claims: SenderClaims::default(),
            workflow: None,
            runtime: runtime.clone(),
        }
    }

    /// Work of the service itself in a tenant.
    pub fn system(tenant: TenantId, runtime: &Runtime) -> Self {
        Self::new(Principal::System { tenant }, runtime)
    }

    /// Work of a command at the console in a tenant.
    pub fn command(tenant: TenantId, runtime: &Runtime) -> Self {
        let mut ctx = Self::system(tenant, runtime);
        ctx.source.kind = SourceKind::Command;
        ctx
    }

    /// Joins the trace that the sender names (32 hex digits, W3C Trace Context). The service's trace ID is a hash of that name and of the
    /// principal: requests of one principal that name the same trace share it, and no other principal can join it.
    pub fn join_trace(&mut self, named: &str) {
        let (kind, one, other) = match &self.principal {
            Principal::Person { person, .. } => ("person", person.id.as_str(), ""),
            Principal::Client { caller, client, .. } => ("client", caller.id.as_str(), client.id.as_str()),
            Principal::Program { client, .. } => ("program", "", client.id.as_str()),
            Principal::System { .. } => ("system", "", ""),
        };
        let parts = ["trace", self.tenant().as_str(), kind, one, other, named];
        self.trace_id = canonical::sha256_hex(parts.join("\n").as_bytes())[..32].to_owned();
        self.trace_given = true;
        self.claims.trace_id = Some(named.to_owned());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Client, Email, Person, Role, Scopes};

    const NAMED: &str = "0af7651916cd43dd8448eb211c80319c";

    fn joined(principal: Principal) -> Ctx {
        let runtime = Runtime::new(|| Timestamp(0), |bytes| bytes.fill(7));
        let mut ctx = Ctx::new(principal, &runtime);
        ctx.join_trace(NAMED);
        ctx
    }

    fn person(n: u128) -> Person {
        Person {
            id: PersonId::from_bits(n),
            email: Email::verified("dana@acme.example"),
            name: "Dana".into(),
            roles: vec![Role::Developer],
        }
    }

    #[test]
    fn a_named_trace_belongs_to_one_principal() {
        let client = |tenant: &str, caller, client| Principal::Client {
            tenant: TenantId::parse(tenant).unwrap(),
            caller: person(caller),
            client: Client {
                id: ClientId::from_bits(client),
                name: "Helix".into(),
            },
            scopes: Scopes::of_agents(),
        };
        let first = joined(client("acme", 1, 2));
        assert_eq!(first.trace_id, joined(client("acme", 1, 2)).trace_id);
        assert_eq!(
            (first.trace_id.len(), first.claims.trace_id.as_deref()),
            (32, Some(NAMED))
        );
        let browser = Principal::Person {
            tenant: TenantId::parse("acme").unwrap(),
            person: person(1),
            session: "s".to_owned(),
        };
        for other in [
            client("globex", 1, 2),
            client("acme", 3, 2),
            client("acme", 1, 3),
            browser,
        ] {
            assert_ne!(joined(other).trace_id, first.trace_id);
        }
        assert_ne!(first.trace_id, NAMED);
    }
}
