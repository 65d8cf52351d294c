//! Values for tests: complete records with plain defaults, so that a test states only what it is about, and a runtime whose clock and
//! randomness are the test's.

use loopiq::context::Runtime;
use loopiq::digest_key::DigestKey;
use loopiq::domain::*;
use loopiq::log_keys::LogKeys;
use loopiq::store::{Asserted, NewSession};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// A clock that a test moves. Clones show the same time.
#[derive(Clone)]
pub struct TestClock {
    now: Arc<AtomicI64>,
    step: i64,
}

impl TestClock {
    /// A clock that stands still until it is moved.
    ///
    /// # Panics
    /// `at` is no time in RFC 3339.
    pub fn still(at: &str) -> Self {
        let start = Timestamp::parse(at).expect("a time in RFC 3339");
        Self {
            now: Arc::new(AtomicI64::new(start.0)),
            step: 0,
        }
    }

    /// A clock that is a microsecond later each time it is read, so that the order of times is the order of events.
    ///
    /// # Panics
    /// As [`TestClock::still`].
    pub fn ticking(at: &str) -> Self {
        Self {
            step: 1,
            ..Self::still(at)
        }
    }

    /// Advances the clock by this many microseconds.
    pub fn advance_clock(&self, micros: i64) {
        self.now.fetch_add(micros, Ordering::SeqCst);
    }

    /// The time, without a tick.
    pub fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::SeqCst))
    }

    /// A runtime with this clock. Its random bytes are the same in every run.
    pub fn runtime(&self) -> Runtime {
        let (clock, drawn) = (self.clone(), AtomicU64::new(0));
        Runtime::new(
            move || Timestamp(clock.now.fetch_add(clock.step, Ordering::SeqCst)),
            move |bytes| {
                let hash = canonical::sha256_hex(&drawn.fetch_add(1, Ordering::SeqCst).to_be_bytes());
                let digits = hash.as_bytes().chunks(2);
                let random =
                    digits.map(|pair| u8::from_str_radix(&String::from_utf8_lossy(pair), 16).unwrap_or_default());
                bytes
                    .iter_mut()
                    .zip(random.cycle())
                    .for_each(|(byte, random)| *byte = random);
            },
        )
        .with_log_keys(LogKeys::not_secret())
        .with_digest_key(DigestKey::derive(&[7; 32]))
    }
}

/// What an identity provider asserts about a person with this verified address.
pub fn asserted(issuer: &str, email: &str, roles: &[Role]) -> Asserted {
    Asserted {
        issuer: issuer.to_owned(),
        subject: email.to_owned(),
        email: Email::verified(email),
        name: email.to_owned(),
        roles: Some(roles.to_vec()),
        groups: Vec::new(),
    }
}

/// A session that started in 1970 and ends in 2100. `n` makes its name.
pub fn browser_session(n: u128, holder: Option<(TenantId, PersonId)>) -> BrowserSession {
    BrowserSession {
        id: SessionId::from_bits(n),
        tenants: holder.iter().map(|(tenant, _)| tenant.clone()).collect(),
        holder,
        sign_in: ProviderSignIn {
            issuer: "https://idp.example".to_owned(),
            subject: "subject".to_owned(),
            sid: None,
            issued_at: Timestamp(0),
            authenticated_at: None,
            prompted: false,
            acr: None,
            id_token: None,
        },
        started_at: Timestamp(0),
        seen_at: Timestamp(0),
        ends_at: Timestamp(4_102_444_800_000_000),
        address: None,
        agent: None,
    }
}

/// The session to store, with this digest of its secret.
pub fn new_session(digest: &str, session: &BrowserSession, expires: Timestamp) -> NewSession {
    NewSession {
        digest: digest.to_owned(),
        session: session.clone(),
        expires,
    }
}

/// A team.
pub fn team(id: &TeamId, key: &str, name: &str) -> Team {
    Team {
        id: id.clone(),
        key: key.to_owned(),
        name: name.to_owned(),
    }
}

/// A release in progress that findings of high severity block.
pub fn release(id: &ReleaseId, key: &str, name: &str) -> Release {
    Release {
        id: id.clone(),
        key: key.to_owned(),
        name: name.to_owned(),
        status: ReleaseStatus::InProgress,
        severity_threshold: Severity::High,
        commit: None,
        version: 1,
    }
}

/// An application of a team.
pub fn application(id: &ComponentId, key: &str, name: &str, team: &TeamId) -> Component {
    Component {
        id: id.clone(),
        kind: ComponentKind::Application,
        key: key.to_owned(),
        name: name.to_owned(),
        team_id: team.clone(),
    }
}

/// An open certification of a release.
pub fn certification(id: &CertificationId, key: &str, name: &str, release: &ReleaseId) -> Certification {
    Certification {
        id: id.clone(),
        key: key.to_owned(),
        name: name.to_owned(),
        release_id: release.clone(),
        status: CertificationStatus::Open,
        statement: None,
        version: 1,
    }
}

/// A failing control of a release.
pub fn control(id: &ControlId, key: &str, title: &str, release: &ReleaseId) -> Control {
    Control {
        id: id.clone(),
        key: key.to_owned(),
        title: title.to_owned(),
        release_id: release.clone(),
        status: ControlStatus::Failing,
        version: 1,
    }
}

/// A SARIF file of one run that ended at `ended` (RFC 3339), with these rules and results.
pub fn sarif(ended: &str, rules: Value, results: Value) -> Vec<u8> {
    json!({
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "probe", "rules": rules } },
            "invocations": [{ "executionSuccessful": true, "endTimeUtc": ended }],
            "results": results,
        }],
    })
    .to_string()
    .into_bytes()
}

/// A rule of a SARIF run with its security severity, from 0 to 10.
pub fn sarif_rule(id: &str, text: &str, severity: &str) -> Value {
    json!({ "id": id, "shortDescription": { "text": text }, "properties": { "security-severity": severity } })
}

/// A result of a SARIF run: a rule, a file and a line.
pub fn sarif_result(rule: &str, file: &str, line: u32) -> Value {
    json!({
        "ruleId": rule, "message": { "text": format!("{rule} in {file}") },
        "locations": [{ "physicalLocation": { "artifactLocation": { "uri": file }, "region": { "startLine": line } } }],
    })
}
