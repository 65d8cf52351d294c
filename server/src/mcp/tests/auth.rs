use super::service::{TestService, read};
use loopiq::domain::Timestamp;
use serde_json::json;

const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;

async fn challenge(response: reqwest::Response) -> (String, String) {
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
    let problem = read(response).await;
    assert_eq!(problem["status"], 401);
    (challenge, problem["detail"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_request_without_a_token_is_told_where_to_get_one() {
    let service = TestService::start().await;
    let metadata = format!("{}/.well-known/oauth-protected-resource/mcp", service.url);
    let plain = format!("Bearer resource_metadata=\"{metadata}\", scope=\"loopiq:read loopiq:propose\"");
    let (none, _) = challenge(service.post().body(LIST).send().await.unwrap()).await;
    let (other, _) = challenge(
        service
            .post()
            .basic_auth("a", Some("b"))
            .body(LIST)
            .send()
            .await
            .unwrap(),
    )
    .await;
    let (empty, _) = challenge(
        service
            .post()
            .header("authorization", "Bearer ")
            .body(LIST)
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!((none, other, empty), (plain.clone(), plain.clone(), plain));
    for place in [
        metadata,
        format!("{}/.well-known/oauth-protected-resource", service.url),
    ] {
        let answer = read(service.http().get(place).send().await.unwrap()).await;
        assert_eq!(answer["resource"], service.mcp_url());
        assert_eq!(answer["authorization_servers"], json!([service.url]));
        assert_eq!(answer["bearer_methods_supported"], json!(["header"]));
    }
}

#[tokio::test]
async fn a_token_that_is_refused_says_why() {
    let service = TestService::start().await;
    let elsewhere = service.token_for("developer", "https://other.example/mcp").await;
    let expired = service.token("developer").await;
    let (unknown, _) = challenge(service.send("loopiq_nothing", LIST).await).await;
    let (wrong, _) = challenge(service.send(&elsewhere, LIST).await).await;
    service.advance_clock(31 * Timestamp::DAY);
    let (late, detail) = challenge(service.send(&expired, LIST).await).await;
    for (challenge, why) in [(&unknown, "unknown"), (&wrong, "another resource"), (&late, "expired")] {
        assert!(
            challenge.contains("error=\"invalid_token\", error_description=\"") && challenge.contains(why),
            "{challenge}"
        );
    }
    assert!(detail.contains("expired") && !late.contains(&expired));
}

#[tokio::test]
async fn a_token_in_the_url_is_ignored() {
    let service = TestService::start().await;
    let token = service.token("developer").await;
    let url = format!("{}?access_token={token}", service.mcp_url());
    assert_eq!(service.http().post(url).body(LIST).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn there_are_no_event_streams_and_no_sessions() {
    let service = TestService::start().await;
    for request in [
        service.http().get(service.mcp_url()),
        service.http().delete(service.mcp_url()),
    ] {
        let response = request.header("accept", "text/event-stream").send().await.unwrap();
        assert_eq!(
            (
                response.status().as_u16(),
                response.headers()["allow"].to_str().unwrap()
            ),
            (405, "POST")
        );
    }
}

#[tokio::test]
async fn only_host_names_of_this_service_are_accepted() {
    let service = TestService::start().await;
    let token = service.token("developer").await;
    let port = service.url.rsplit(':').next().unwrap();
    let host = |name: &str| {
        service
            .post()
            .bearer_auth(&token)
            .header("host", name.to_owned())
            .body(LIST)
            .send()
    };
    let origin = |name: &str| {
        service
            .post()
            .bearer_auth(&token)
            .header("origin", name.to_owned())
            .body(LIST)
            .send()
    };
    assert_eq!(host("evil.example").await.unwrap().status(), 403);
    assert_eq!(host("127.0.0.1:1").await.unwrap().status(), 403);
    assert_eq!(host(&format!("localhost:{port}")).await.unwrap().status(), 200);
    assert_eq!(origin("https://evil.example").await.unwrap().status(), 403);
    assert_eq!(origin("null").await.unwrap().status(), 403);
    assert_eq!(origin(&service.url).await.unwrap().status(), 200);
}
