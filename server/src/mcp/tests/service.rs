//! A service with only the MCP endpoint, on a database and a port of its own.

use crate::mcp::{McpState, routes};
use loopiq::context::Ctx;
use loopiq::domain::*;
use loopiq::engine::{Engine, Error};
use loopiq::store::Store;
use loopiq_testing::Database;
use loopiq_testing::fixtures::{self, TestClock, sarif_result, sarif_rule};
use reqwest::Response;
use serde_json::{Value, json};
use std::net::SocketAddr;

pub(crate) const PROTOCOL: &str = "2026-07-28";

pub(crate) struct TestService {
    pub(crate) engine: Engine,
    pub(crate) url: String,
    pub(crate) release: ReleaseId,
    pub(crate) team: TeamId,
    clock: TestClock,
    http: reqwest::Client,
    _database: Database,
}

impl TestService {
    pub(crate) async fn start() -> Self {
        Self::accepting(None).await
    }

    /// A service that may accept access tokens of this provider.
    pub(crate) async fn accepting(oidc: Option<crate::oidc::Oidc>) -> Self {
        let database = Database::new().await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let url = format!("http://{address}");
        let clock = TestClock::ticking("2026-11-22T09:00:00Z");
        let runtime = clock.runtime();
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
            rate_limits: Default::default(),
            oidc,
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

    pub(crate) fn advance_clock(&self, micros: i64) {
        self.clock.advance_clock(micros);
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

    /// The trace that an action was proposed in: as the client named it, and the service's own ID.
    pub(crate) async fn trace_of(&self, action: &str) -> (Option<String>, String) {
        let ctx = Ctx::system(TenantId::parse("acme").unwrap(), self.engine.runtime());
        let id = ActionId::parse(action).unwrap();
        let read = self
            .engine
            .store()
            .read_long::<_, Error, _>(&ctx, move |tx| Box::pin(async move { Ok(tx.action(&id).await?) }));
        let origin = read.await.unwrap().unwrap().origin;
        (origin.client_trace_id, origin.trace_id)
    }

    /// Asks about an action, as a reviewer in a browser.
    pub(crate) async fn ask(&self, action: &str, question: &str) {
        let email = "reviewer@acme.example";
        let asserted = fixtures::asserted("http://127.0.0.1:3000/demo-idp", email, &[Role::Reviewer]);
        let origin = loopiq::engine::RequestOrigin::default();
        let (tenant, person) = self.engine.sign_in("acme", asserted, &origin).await.unwrap();
        let principal = Principal::Person {
            tenant,
            person,
            session: "session of a reviewer".to_owned(),
        };
        let ctx = Ctx::new(principal, self.engine.runtime());
        assert!(self.engine.ask(&ctx, action, question).await.unwrap().done);
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
            tx.insert_team(&fixtures::team(&in_team, "PAYMENTS", "Payments"))
                .await?;
            let release = fixtures::release(&in_release, "PAY-1", "Payments 1");
            tx.insert_release(&release, &[&in_team]).await?;
            let certification = fixtures::certification(&runtime.id(), "PAY-1-SEC", "Security", &in_release);
            tx.insert_certification(&certification).await?;
            Ok(())
        })
    });
    insert.await.unwrap();
    for (who, roles) in [("developer", vec![Role::Developer]), ("auditor", vec![Role::Auditor])] {
        let email = format!("{who}@acme.example");
        let asserted = fixtures::asserted("http://127.0.0.1:3000/demo-idp", &email, &roles);
        engine
            .sign_in("acme", asserted, &loopiq::engine::RequestOrigin::default())
            .await
            .unwrap();
    }
    let rules = json!([
        sarif_rule("sql-injection", "SQL built from user input", "9.1"),
        sarif_rule("weak-hash", "Weak hash", "7.5"),
        sarif_rule("style", "Style", "1.0"),
    ]);
    let results = json!([
        sarif_result("sql-injection", "src/db/pay.rs", 3),
        sarif_result("sql-injection", "src/db/pay.rs", 30),
        sarif_result("sql-injection", "src/db/refund.rs", 8),
        sarif_result("weak-hash", "src/auth/token.rs", 12),
        sarif_result("style", "src/db/pay.rs", 1),
    ]);
    let scan = fixtures::sarif("2026-11-21T10:00:00Z", rules, results);
    engine
        .import(&ctx, "PAY-1", "scan.sarif", scan, None, None)
        .await
        .unwrap();
    (release, team)
}
