//! What the service publishes about itself, and clients that publish their own metadata.

use super::{LEAD, TestClient, answer, call, parameters};
use crate::support::Service;
use axum::Router;
use axum::routing::get;
use reqwest::Method;
use serde_json::{Value, json};

async fn read(service: &Service, path: &str) -> Value {
    let answer = service
        .browser()
        .send(service.browser().program(Method::GET, path))
        .await;
    assert_eq!(answer.status, 200, "{path}");
    serde_json::from_str(&answer.text).unwrap()
}

#[tokio::test]
async fn the_bare_url_leads_to_every_endpoint() {
    let service = Service::start().await;
    let (status, challenge) = call(&service, "loopiq_nothing").await;
    assert_eq!(status, 401);
    let resource_metadata = challenge
        .split("resource_metadata=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let resource = read(&service, resource_metadata).await;
    assert_eq!(resource["resource"], format!("{}/mcp", service.url));
    assert_eq!(resource["authorization_servers"], json!([service.url]));
    assert_eq!(resource["scopes_supported"], json!(["loopiq:read", "loopiq:propose"]));
    for path in [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/mcp",
    ] {
        let server = read(&service, path).await;
        assert_eq!(server["issuer"], service.url);
        for (name, path) in [
            ("authorization_endpoint", "/oauth/authorize"),
            ("token_endpoint", "/oauth/token"),
            ("registration_endpoint", "/oauth/register"),
            ("revocation_endpoint", "/oauth/revoke"),
        ] {
            assert_eq!(server[name], format!("{}{path}", service.url));
        }
        assert_eq!(server["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(server["token_endpoint_auth_methods_supported"], json!(["none"]));
        assert_eq!(server["authorization_response_iss_parameter_supported"], true);
        assert_eq!(server["client_id_metadata_document_supported"], true);
        assert_eq!(server["scopes_supported"].as_array().unwrap().len(), 5);
    }
}

#[tokio::test]
async fn a_client_that_publishes_its_metadata_needs_no_registration() {
    let service = Service::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let id = format!("http://{}/client.json", listener.local_addr().unwrap());
    let metadata =
        json!({ "client_id": id, "client_name": "Published", "redirect_uris": ["http://127.0.0.1/callback"] });
    let router = Router::new().route("/client.json", get(async move || metadata.to_string()));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let client = TestClient { service: &service, id };
    let mut browser = service.signed_in(LEAD).await;
    let page = browser.get(&client.request(&[])).await;
    assert!(
        page.text.contains("Published") && page.text.contains("127.0.0.1, which publishes this name"),
        "{}",
        page.text
    );
    let code = parameters(answer(&mut browser, &page, "allow").await.location())["code"].clone();
    let (status, tokens) = client.exchange(&code, &[]).await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(call(&service, tokens["access_token"].as_str().unwrap()).await.0, 200);
    let allowed = service.entries("client.allowed").await.pop().expect("an entry");
    assert_eq!(allowed["details"]["identity"], json!(client.id));
    // A client that registers with the same name is another client.
    let imitator = TestClient::registered(&service, "Published").await;
    imitator.tokens(&mut browser).await;
    let clients: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM clients")
        .fetch_one(&mut service.database.connect().await)
        .await
        .unwrap();
    assert_eq!(clients, 2);
}
