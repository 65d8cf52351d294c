use super::world::{World, read};
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
async fn who_shows_no_token_is_told_where_to_get_one() {
    let world = World::new().await;
    let metadata = format!("{}/.well-known/oauth-protected-resource/mcp", world.url);
    let plain = format!("Bearer resource_metadata=\"{metadata}\"");
    let (none, _) = challenge(world.post().body(LIST).send().await.unwrap()).await;
    let (other, _) = challenge(world.post().basic_auth("a", Some("b")).body(LIST).send().await.unwrap()).await;
    let (empty, _) = challenge(
        world
            .post()
            .header("authorization", "Bearer ")
            .body(LIST)
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!((none, other, empty), (plain.clone(), plain.clone(), plain));
    for place in [metadata, format!("{}/.well-known/oauth-protected-resource", world.url)] {
        let answer = read(world.http().get(place).send().await.unwrap()).await;
        assert_eq!(answer["resource"], world.door());
        assert_eq!(answer["authorization_servers"], json!(["https://idp.example"]));
        assert_eq!(answer["bearer_methods_supported"], json!(["header"]));
    }
}

#[tokio::test]
async fn a_token_that_is_refused_says_why() {
    let world = World::new().await;
    let elsewhere = world.token_for("developer", "https://other.example/mcp").await;
    let expired = world.token("developer").await;
    let (unknown, _) = challenge(world.send("loopiq_nothing", LIST).await).await;
    let (wrong, _) = challenge(world.send(&elsewhere, LIST).await).await;
    world.pass(31 * Timestamp::DAY);
    let (late, detail) = challenge(world.send(&expired, LIST).await).await;
    for (challenge, why) in [
        (&unknown, "not known"),
        (&wrong, "another resource"),
        (&late, "expired"),
    ] {
        assert!(
            challenge.contains("error=\"invalid_token\", error_description=\"") && challenge.contains(why),
            "{challenge}"
        );
    }
    assert!(detail.contains("expired") && !late.contains(&expired));
}

#[tokio::test]
async fn a_token_in_the_url_is_not_looked_at() {
    let world = World::new().await;
    let token = world.token("developer").await;
    let url = format!("{}?access_token={token}", world.door());
    assert_eq!(world.http().post(url).body(LIST).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn there_are_no_event_streams_and_no_sessions() {
    let world = World::new().await;
    for request in [world.http().get(world.door()), world.http().delete(world.door())] {
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
async fn only_names_of_this_service_are_let_in() {
    let world = World::new().await;
    let token = world.token("developer").await;
    let port = world.url.rsplit(':').next().unwrap();
    let host = |name: &str| {
        world
            .post()
            .bearer_auth(&token)
            .header("host", name.to_owned())
            .body(LIST)
            .send()
    };
    let origin = |name: &str| {
        world
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
    assert_eq!(origin(&world.url).await.unwrap().status(), 200);
}
