//! The authorization server, as clients and browsers see it.

mod bad_requests;
mod consent;
mod flow;
mod metadata;

use crate::support::{Answer, Browser, Service};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::url::Url;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

pub(super) const LEAD: &str = "lead@acme.example";
pub(super) const CALLBACK: &str = "http://127.0.0.1:51234/callback";
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A client of the service.
pub(super) struct TestClient<'s> {
    pub(super) service: &'s Service,
    pub(super) id: String,
}

impl<'s> TestClient<'s> {
    /// A client that has registered with this name.
    pub(super) async fn registered(service: &'s Service, name: &str) -> Self {
        let metadata = json!({ "client_name": name, "redirect_uris": ["http://127.0.0.1/callback"] });
        let answer = register(service, &metadata).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        let answer: Value = serde_json::from_str(&answer.text).unwrap();
        let id = answer["client_id"].as_str().unwrap().to_owned();
        Self { service, id }
    }

    /// The path of an authorization request, with changed parameters. An empty value leaves a parameter out.
    pub(super) fn request(&self, change: &[(&str, &str)]) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let resource = self.service.state.mcp_audience();
        let mut parameters = BTreeMap::from([
            ("response_type", "code"),
            ("client_id", self.id.as_str()),
            ("redirect_uri", CALLBACK),
            ("state", "of the client"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
            ("resource", resource.as_str()),
            ("scope", "loopiq:read loopiq:propose"),
        ]);
        parameters.extend(change.iter().copied());
        parameters.retain(|_, value| !value.is_empty());
        let query = openidconnect::url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(parameters)
            .finish();
        format!("/oauth/authorize?{query}")
    }

    /// Asks the person in this browser, who allows it. Returns the code.
    pub(super) async fn code(&self, browser: &mut Browser) -> String {
        let page = browser.get(&self.request(&[])).await;
        let sent = answer(browser, &page, "allow").await;
        let parameters = parameters(sent.location());
        parameters.get("code").expect("a code").clone()
    }

    /// Sends a form to the token endpoint.
    pub(super) async fn token(&self, form: &[(&str, &str)]) -> (u16, Value) {
        let browser = self.service.browser();
        let request = browser.program(Method::POST, "/oauth/token").form(form);
        let answer = self.service.browser().send(request).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        let body = serde_json::from_str(&answer.text).unwrap_or_else(|_| panic!("no JSON: {}", answer.text));
        (answer.status, body)
    }

    /// Exchanges a code, with changed parameters.
    pub(super) async fn exchange(&self, code: &str, change: &[(&str, &str)]) -> (u16, Value) {
        let mut form = BTreeMap::from([
            ("grant_type", "authorization_code"),
            ("code", code),
            ("client_id", self.id.as_str()),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ]);
        form.extend(change.iter().copied());
        form.retain(|_, value| !value.is_empty());
        self.token(&form.into_iter().collect::<Vec<_>>()).await
    }

    pub(super) async fn refresh(&self, token: &str) -> (u16, Value) {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", &self.id),
        ];
        self.token(&form).await
    }

    /// The tokens of a person who allows it.
    pub(super) async fn tokens(&self, browser: &mut Browser) -> (String, String) {
        let code = self.code(browser).await;
        let (status, body) = self.exchange(&code, &[]).await;
        assert_eq!(status, 200, "{body}");
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        (text("access_token"), text("refresh_token"))
    }
}

pub(super) async fn register(service: &Service, metadata: &Value) -> Answer {
    let request = service
        .browser()
        .program(Method::POST, "/oauth/register")
        .header("content-type", "application/json")
        .body(metadata.to_string());
    service.browser().send(request).await
}

/// The hidden request of a consent page.
pub(super) fn sealed(page: &Answer) -> String {
    assert_eq!(page.status, 200, "{} {}", page.location(), page.text);
    let after = page.text.split("name=\"request\" value=\"").nth(1).expect("a form");
    after.split('"').next().unwrap().to_owned()
}

/// Answers a consent page.
pub(super) async fn answer(browser: &mut Browser, page: &Answer, decision: &str) -> Answer {
    let sealed = sealed(page);
    let sent = browser
        .post("/oauth/authorize", &[("request", &sealed), ("decision", decision)])
        .await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    sent
}

/// The parameters of a redirect to the client.
pub(super) fn parameters(location: &str) -> BTreeMap<String, String> {
    let url = Url::parse(location).unwrap_or_else(|_| panic!("no URL: {location}"));
    url.query_pairs().into_owned().collect()
}

/// The status of a call of the MCP endpoint, and its challenge.
pub(super) async fn call(service: &Service, token: &str) -> (u16, String) {
    let request = service
        .browser()
        .program(Method::POST, "/mcp")
        .bearer_auth(token)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .body(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
    let answer = service.browser().send(request).await;
    (answer.status, answer.header("www-authenticate").to_owned())
}

/// The digest of a code or token must be stored, and never the secret itself.
pub(super) async fn nothing_stores(service: &Service, secret: &str) {
    for table in ["tokens", "grants", "audit_contents", "sessions"] {
        for column in match table {
            "tokens" => ["secret_digest", "binding"].as_slice(),
            "grants" => &["client_key", "name"],
            "audit_contents" => &["content"],
            _ => &["data"],
        } {
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE {column} LIKE $1");
            let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
                .bind(format!("%{secret}%"))
                .fetch_one(&mut service.database.connect().await)
                .await
                .unwrap();
            assert_eq!(found, 0, "{table}.{column}");
        }
    }
}
