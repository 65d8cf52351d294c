//! A service with only the MCP endpoint, on a database and a port of its own.

use crate::mcp::{McpState, routes};
use loopiq::context::{Ctx, Runtime};
use loopiq::domain::*;
use loopiq::engine::{Engine, Error};
use loopiq::store::{Asserted, Store};
use loopiq_testing::Database;
use reqwest::Response;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

pub(crate) const PROTOCOL: &str = "2026-07-28";

pub(crate) struct TestService {
    pub(crate) engine: Engine,
    pub(crate) url: String,
    pub(crate) release: ReleaseId,
    pub(crate) team: TeamId,
    clock: Arc<AtomicI64>,
    http: reqwest::Client,
    _database: Database,
}

impl TestService {
    pub(crate) async fn start() -> Self {
        let database = Database::new().await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let url = format!("http://{address}");
        let clock = Arc::new(AtomicI64::new(Timestamp::parse("2026-11-22T09:00:00Z").unwrap().0));
        let (time, drawn) = (clock.clone(), AtomicU64::new(0));
        let runtime = Runtime::new(
            move || Timestamp(time.fetch_add(1, Ordering::SeqCst)),
            move |bytes| {
                let hash = Sha256::digest(drawn.fetch_add(1, Ordering::SeqCst).to_be_bytes());
                bytes
                    .iter_mut()
                    .zip(hash.iter().cycle())
                    .for_each(|(byte, random)| *byte = *random);
            },
        );
        let engine = Engine::new(Store::open(&database.url).await.unwrap(), runtime.clone(), &url);
        let kind = engine
            .store()
            .decide_installation(InstallationKind::Demo, runtime.now())
            .await;
        assert_eq!(kind.unwrap(), InstallationKind::Demo);
        let (release, team) = insert_records(&engine).await;
        let state = McpState {
            engine: engine.clone(),
            runtime,
            public_url: url.as_str().into(),
            issuer: "https://idp.example".into(),
            rate_limits: Default::default(),
        };
        tokio::spawn(async move { axum::serve(listener, routes(state)).await });
        Self {
            engine,
            url,
            release,
            team,
            clock,
            http: crate::http_client::builder().unwrap().build().unwrap(),
            _database: database,
        }
    }

    pub(crate) fn pass(&self, micros: i64) {
        self.clock.fetch_add(micros, Ordering::SeqCst);
    }

    pub(crate) fn mcp_url(&self) -> String {
        format!("{}/mcp", self.url)
    }

    /// A token for a person of acme.
    pub(crate) async fn token(&self, who: &str) -> String {
        self.token_for(who, &self.mcp_url()).await
    }

    pub(crate) async fn token_for(&self, who: &str, audience: &str) -> String {
        let tenant = TenantId::parse("acme").unwrap();
        self.engine
            .issue_token(&tenant, &format!("{who}@acme.example"), "Probe", audience)
            .await
            .unwrap()
    }

    pub(crate) fn post(&self) -> reqwest::RequestBuilder {
        let accept = "application/json, text/event-stream";
        self.http
            .post(self.mcp_url())
            .header("content-type", "application/json")
            .header("accept", accept)
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Sends a body unchanged.
    pub(crate) async fn send(&self, token: &str, body: impl Into<reqwest::Body>) -> Response {
        self.post().bearer_auth(token).body(body).send().await.unwrap()
    }

    /// Calls a tool with protocol 2026-07-28.
    pub(crate) async fn call(&self, token: &str, tool: &str, arguments: Value) -> Value {
        self.call_with(token, tool, arguments, json!({}), None).await
    }

    pub(crate) async fn call_with(
        &self,
        token: &str,
        tool: &str,
        arguments: Value,
        more: Value,
        trace: Option<&str>,
    ) -> Value {
        let mut meta = meta();
        meta.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let params = json!({ "name": tool, "arguments": arguments, "_meta": meta });
        let mut request = self.post().bearer_auth(token).header("mcp-protocol-version", PROTOCOL);
        request = request.header("mcp-method", "tools/call").header("mcp-name", tool);
        if let Some(trace) = trace {
            request = request.header("traceparent", trace);
        }
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let response = request.body(body.to_string()).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/json");
        read(response).await["result"].clone()
    }

    /// The trace that an action was proposed in.
    pub(crate) async fn trace_of(&self, action: &str) -> String {
        let ctx = Ctx::system(TenantId::parse("acme").unwrap(), self.engine.runtime());
        let id = ActionId::parse(action).unwrap();
        let read = self
            .engine
            .store()
            .read::<_, Error, _>(&ctx, move |tx| Box::pin(async move { Ok(tx.action(&id).await?) }));
        read.await.unwrap().unwrap().origin.trace_id
    }

    /// The arguments of a valid work item.
    pub(crate) fn work_item(&self, key: &str) -> Value {
        json!({
            "idempotencyKey": key, "reason": "The release needs it.", "releaseId": self.release, "teamId": self.team,
            "kind": "story", "title": "Rotate the signing keys of the payment gateway", "description": "They are two years old.",
            "priority": "high",
        })
    }
}

/// The `_meta` of each message of protocol 2026-07-28.
pub(crate) fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": PROTOCOL,
        "io.modelcontextprotocol/clientInfo": { "name": "probe", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

pub(crate) async fn read(response: Response) -> Value {
    let text = response.text().await.unwrap();
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"))
}

async fn insert_records(engine: &Engine) -> (ReleaseId, TeamId) {
    let ctx = Ctx::system(TenantId::parse("acme").unwrap(), engine.runtime());
    let (release, team): (ReleaseId, TeamId) = (engine.runtime().id(), engine.runtime().id());
    let (in_release, in_team) = (release.clone(), team.clone());
    let insert = engine.store().write::<_, Error, _>(&ctx, move |tx| {
        Box::pin(async move {
            let runtime = tx.ctx().runtime.clone();
            tx.insert_tenant("Acme").await?;
            tx.insert_team(&Team {
                id: in_team.clone(),
                key: "PAYMENTS".into(),
                name: "Payments".into(),
            })
            .await?;
            let release = Release {
                id: in_release.clone(),
                key: "PAY-1".into(),
                name: "Payments 1".into(),
                status: ReleaseStatus::InProgress,
                severity_threshold: Severity::High,
                commit: None,
                version: 1,
            };
            tx.insert_release(&release, &[&in_team]).await?;
            let certification = Certification {
                id: runtime.id(),
                key: "PAY-1-SEC".into(),
                name: "Security".into(),
                release_id: in_release,
                status: CertificationStatus::Open,
                statement: None,
                version: 1,
            };
            tx.insert_certification(&certification).await?;
            Ok(())
        })
    });
    insert.await.unwrap();
    for (who, roles) in [("developer", vec![Role::Developer]), ("auditor", vec![Role::Auditor])] {
        let email = format!("{who}@acme.example");
        let issuer = "http://127.0.0.1:3000/demo-idp".to_owned();
        let asserted = Asserted {
            issuer,
            subject: email.clone(),
            email: loopiq::domain::Email::verified(&email),
            name: who.to_owned(),
            roles,
        };
        engine.sign_in("acme", asserted).await.unwrap();
    }
    let result = |rule: &str, file: &str, line: u32| {
        json!({
            "ruleId": rule, "message": { "text": format!("{rule} here") },
            "locations": [{ "physicalLocation": { "artifactLocation": { "uri": file }, "region": { "startLine": line } } }],
        })
    };
    let rule = |id: &str, text: &str, severity: &str| json!({ "id": id, "shortDescription": { "text": text }, "properties": { "security-severity": severity } });
    let scan = json!({
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "probe", "rules": [
                rule("sql-injection", "SQL built from user input", "9.1"), rule("weak-hash", "Weak hash", "7.5"), rule("style", "Style", "1.0"),
            ] } },
            "invocations": [{ "executionSuccessful": true, "endTimeUtc": "2026-11-21T10:00:00Z" }],
            "results": [
                result("sql-injection", "src/db/pay.rs", 3), result("sql-injection", "src/db/pay.rs", 30),
                result("sql-injection", "src/db/refund.rs", 8), result("weak-hash", "src/auth/token.rs", 12),
                result("style", "src/db/pay.rs", 1),
            ],
        }],
    });
    engine
        .import(&ctx, "PAY-1", "scan.sarif", scan.to_string().into_bytes(), None, None)
        .await
        .unwrap();
    (release, team)
}
