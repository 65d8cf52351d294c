use super::service::{PROTOCOL, TestService, meta, read};
use loopiq::context::Ctx;
use loopiq::domain::{TenantId, Timestamp};
use loopiq_testing::insert_token;
use reqwest::Response;
use serde_json::{Value, json};

/// A token for a person of acme, or for nobody, with these scopes.
async fn token(service: &TestService, who: Option<&str>, scopes: &str) -> String {
    let ctx = Ctx::system(TenantId::parse("acme").unwrap(), service.engine.runtime());
    let person = match who {
        Some(who) => {
            let address = format!("{who}@acme.example");
            service.engine.accounts_named(&ctx, &address).await.unwrap().pop()
        }
        None => None,
    };
    let life = 90 * Timestamp::DAY;
    insert_token(&service.engine, &ctx, person, scopes, &service.mcp_url(), life)
        .await
        .secret
}

async fn call(service: &TestService, token: &str, method: &str, params: Value) -> Response {
    let mut params = params;
    params["_meta"] = meta();
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let mut request = service
        .post()
        .bearer_auth(token)
        .header("mcp-protocol-version", PROTOCOL)
        .header("mcp-method", method);
    if let Some(name) = params["name"].as_str() {
        request = request.header("mcp-name", name);
    }
    request.body(body.to_string()).send().await.unwrap()
}

#[tokio::test]
async fn a_call_beyond_the_scopes_is_403_and_names_what_to_ask_for() {
    let service = TestService::start().await;
    let reader = token(&service, Some("developer"), "loopiq:read").await;
    let params = json!({ "name": "loopiq_create_work_item", "arguments": service.work_item("k-1") });
    let refused = call(&service, &reader, "tools/call", params.clone()).await;
    assert_eq!(refused.status(), 403);
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap().to_owned();
    assert!(
        challenge.starts_with("Bearer error=\"insufficient_scope\", scope=\"loopiq:read loopiq:propose\""),
        "{challenge}"
    );
    let detail = read(refused).await["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains("the scope loopiq:propose") && detail.contains("only loopiq:read"),
        "{detail}"
    );

    let both = token(&service, Some("developer"), "loopiq:read loopiq:propose").await;
    let accepted = call(&service, &both, "tools/call", params).await;
    assert_eq!(accepted.status(), 200);
    assert_eq!(
        read(accepted).await["result"]["structuredContent"]["status"],
        "pending_approval"
    );
}

#[tokio::test]
async fn the_list_of_tools_depends_on_scopes_and_roles() {
    let service = TestService::start().await;
    let names = async |who: Option<&str>, scopes: &str| -> Vec<String> {
        let token = token(&service, who, scopes).await;
        let response = call(&service, &token, "tools/list", json!({})).await;
        let tools = read(response).await["result"]["tools"].as_array().unwrap().clone();
        tools
            .iter()
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let reading = names(Some("developer"), "loopiq:read").await;
    assert!(reading.contains(&"loopiq_get_action".to_owned()));
    assert!(!reading.contains(&"loopiq_withdraw_action".to_owned()));
    let both = names(Some("developer"), "loopiq:read loopiq:propose").await;
    assert!(both.contains(&"loopiq_withdraw_action".to_owned()) && both.len() > reading.len());
    assert_eq!(
        names(Some("auditor"), "loopiq:read loopiq:propose").await,
        Vec::<String>::new()
    );
    assert_eq!(names(None, "loopiq:import").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_token_whose_person_has_not_signed_in_lately_says_so() {
    let service = TestService::start().await;
    let agent = token(&service, Some("developer"), "loopiq:read").await;
    service.advance_clock(31 * Timestamp::DAY);
    let refused = call(&service, &agent, "tools/list", json!({})).await;
    assert_eq!(refused.status(), 401);
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap().to_owned();
    assert!(
        challenge.contains("error=\"invalid_token\"") && challenge.contains("has to sign in again"),
        "{challenge}"
    );
}
