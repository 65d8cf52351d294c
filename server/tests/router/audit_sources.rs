//! Audit entries say where a request came from. IDs that a client chooses are stored in addition to those of the service.

use crate::support::Service;
use loopiq::domain::{Role, TenantId};
use loopiq_server::net::{RequestSettings, TrustedProxies};
use reqwest::Method;
use serde_json::{Value, json};

const DEVELOPER: &str = "developer@acme.example";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Sends a proposal with invalid arguments, which leaves the entry `action.refused`, and returns the entry.
async fn refused(service: &Service, token: &str, headers: &[(&str, &str)]) -> Value {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "loopiq_create_work_item", "arguments": {} } });
    let mut browser = service.browser();
    let mut request = browser
        .program(Method::POST, "/mcp")
        .header("authorization", format!("Bearer {token}"))
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json")
        .body(call.to_string());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = browser.send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let entry = service.entries("action.refused").await.pop().expect("an entry");
    assert_eq!(entry["requestId"], answer.header("x-request-id"));
    entry
}

#[tokio::test]
async fn an_entry_has_source_and_client_and_the_ids_of_the_service() {
    let service = Service::start().await;
    service.assert_roles(DEVELOPER, &[Role::Developer]).await;
    let token = service.token(DEVELOPER).await;
    let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
    let headers = [
        ("x-request-id", "req_17"),
        ("traceparent", parent.as_str()),
        ("x-forwarded-for", "203.0.113.9"),
        ("user-agent", "Helix/1.2 (test)"),
    ];
    let entry = refused(&service, &token, &headers).await;
    assert_eq!(entry["source"]["kind"], "request");
    assert_eq!(entry["source"]["address"], "127.0.0.1", "no proxy is trusted");
    assert_eq!(entry["client"]["name"], "Helix");
    assert_eq!(entry["agent"], "Helix/1.2 (test)");
    assert_eq!(entry["outcome"], "refused");
    assert_eq!(entry["clientRequestId"], "req_17");
    assert_eq!(entry["clientTraceId"], TRACE);
    assert!(entry["requestId"] != "req_17" && entry["traceId"] != TRACE, "{entry}");
    let issued = service.entries("token.issued").await.pop().expect("an entry");
    assert_eq!(entry["source"]["session"], issued["records"][0], "the token by its ID");
    assert_eq!(issued["source"], json!({ "kind": "command" }));
    assert!(!entry.to_string().contains(&token), "{entry}");

    // The same client joins its own trace, and another client that names the same trace does not.
    assert_eq!(refused(&service, &token, &headers).await["traceId"], entry["traceId"]);
    let audience = service.state.mcp_audience();
    let tenant = TenantId::parse("acme").unwrap();
    let other = service.state.engine.issue_token(&tenant, DEVELOPER, "Other", &audience);
    let foreign = refused(&service, &other.await.unwrap(), &headers).await;
    assert_eq!(foreign["clientTraceId"], TRACE);
    assert_ne!(foreign["traceId"], entry["traceId"]);
    // A client that names the service's ID of another trace does not reach that trace either.
    let known = format!("00-{}-b7ad6b7169203331-01", entry["traceId"].as_str().unwrap());
    let guessed = refused(&service, &token, &[("traceparent", &known)]).await;
    assert_ne!(guessed["traceId"], entry["traceId"]);
}

#[tokio::test]
async fn hostile_headers_do_not_reach_the_log() {
    let service = Service::start().await;
    service.assert_roles(DEVELOPER, &[Role::Developer]).await;
    let token = service.token(DEVELOPER).await;
    let long = "x".repeat(9_000);
    for hostile in [long.as_str(), "a b", "<script>", "\"}", "00-x-y-z"] {
        let headers = [
            ("x-request-id", hostile),
            ("traceparent", hostile),
            ("user-agent", hostile),
            ("x-forwarded-for", hostile),
        ];
        let mut entry = refused(&service, &token, &headers).await;
        let agent = entry["agent"].take();
        assert!(agent.as_str().unwrap().len() <= 120, "{agent}");
        assert!(
            entry["clientTraceId"].is_null() && entry["source"]["address"] == "127.0.0.1",
            "{entry}"
        );
        assert!(entry["clientRequestId"].is_null() || hostile == "00-x-y-z", "{entry}");
    }
}

#[tokio::test]
async fn the_address_of_a_client_behind_a_trusted_proxy_is_what_the_proxy_saw() {
    let settings = RequestSettings {
        proxies: TrustedProxies::new(vec!["127.0.0.1/32".parse().unwrap()]),
        ..RequestSettings::default()
    };
    let service = Service::with(settings).await;
    service.assert_roles(DEVELOPER, &[Role::Developer]).await;
    let token = service.token(DEVELOPER).await;
    for (forwarded, address) in [
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 127.0.0.1", "203.0.113.9"),
        ("203.0.113.9, nonsense", "127.0.0.1"),
        ("2001:db8::7", "2001:db8::7"),
    ] {
        let entry = refused(&service, &token, &[("x-forwarded-for", forwarded)]).await;
        assert_eq!(entry["source"]["address"], address, "{forwarded}");
    }
}
