//! From the bare URL of the endpoint to a call, and the life of the tokens.

use super::{CALLBACK, LEAD, TestClient, answer, call, nothing_stores, parameters};
use crate::support::Service;
use loopiq::domain::Timestamp;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_client_gets_in_from_the_bare_url() {
    let service = Service::start().await;
    let client = TestClient::registered(&service, "Helix").await;
    // The person is signed out, signs in with the provider, and returns to the question.
    let mut browser = service.browser();
    let request = client.request(&[]);
    let first = browser.get(&request).await;
    assert_eq!(first.status, 303);
    let back = browser.sign_in(LEAD, first.location()).await;
    assert_eq!((back.status, back.location()), (303, request.as_str()));
    let page = browser.get(back.location()).await;
    for part in [
        "Helix",
        "a program can register with any name",
        "a program on this computer (127.0.0.1)",
        "Acme (acme)",
        LEAD,
        "Read records and actions",
        "never approves, rejects or executes",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    let sent = answer(&mut browser, &page, "allow").await;
    assert!(
        sent.location().starts_with(&format!("{CALLBACK}?code=")),
        "{}",
        sent.location()
    );
    let sent = parameters(sent.location());
    assert_eq!(
        (sent["state"].as_str(), sent["iss"].as_str()),
        ("of the client", service.url.as_str())
    );
    let (status, tokens) = client.exchange(&sent["code"], &[]).await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(
        (&tokens["token_type"], &tokens["expires_in"], &tokens["scope"]),
        (&json!("Bearer"), &json!(3600), &json!("loopiq:read loopiq:propose"))
    );
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(call(&service, access).await.0, 200);
    for secret in [access, tokens["refresh_token"].as_str().unwrap(), &sent["code"]] {
        nothing_stores(&service, secret).await;
    }
    let allowed = service.entries("client.allowed").await.pop().expect("an entry");
    assert_eq!(allowed["actor"]["email"], LEAD);
    assert_eq!(allowed["details"]["redirectUri"], CALLBACK);
    let issued = service.entries("token.issued").await.pop().expect("an entry");
    assert_eq!(
        (&issued["actor"]["kind"], &issued["actor"]["name"]),
        (&json!("client"), &json!("Helix"))
    );
    // The person sees the client, and takes its access away.
    let listed = browser.get("/settings/clients").await.text;
    let grant = allowed["details"]["grantId"].as_str().unwrap();
    assert!(listed.contains("Helix") && listed.contains(grant), "{listed}");
    assert_eq!(browser.post("/do/revoke-grant", &[("id", grant)]).await.status, 303);
    let (status, challenge) = call(&service, access).await;
    assert!(status == 401 && challenge.contains("was revoked"), "{challenge}");
    let (status, refused) = client.refresh(tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!((status, &refused["error"]), (400, &json!("invalid_grant")));
}

#[tokio::test]
async fn refresh_tokens_rotate_and_a_second_use_revokes_the_access() {
    let service = Service::start().await;
    let client = TestClient::registered(&service, "Helix").await;
    let mut browser = service.signed_in(LEAD).await;
    let (access, first) = client.tokens(&mut browser).await;
    service.advance_clock(2 * Timestamp::HOUR);
    let (status, challenge) = call(&service, &access).await;
    assert!(status == 401 && challenge.contains("has expired"), "{challenge}");
    let (status, renewed) = client.refresh(&first).await;
    assert_eq!(status, 200, "{renewed}");
    let (access, second) = (
        renewed["access_token"].as_str().unwrap(),
        renewed["refresh_token"].as_str().unwrap(),
    );
    assert_ne!(second, first);
    assert_eq!(call(&service, access).await.0, 200);
    // Whoever uses the old one again has a copy, or the client's is a copy.
    let (status, refused) = client.refresh(&first).await;
    assert_eq!((status, &refused["error"]), (400, &json!("invalid_grant")));
    let why = refused["error_description"].as_str().unwrap();
    assert!(why.contains("used before") && why.contains("revoked"), "{why}");
    assert_eq!(call(&service, access).await.0, 401);
    assert_eq!(client.refresh(second).await.0, 400);
    let [revoked] = service.entries("token.revoked").await.try_into().unwrap();
    assert_eq!(
        (&revoked["details"]["by"], &revoked["actor"]["kind"]),
        (&json!("replay"), &json!("system"))
    );
}

#[tokio::test]
async fn a_code_is_used_once_and_a_replay_revokes_what_it_gave() {
    let service = Service::start().await;
    let client = TestClient::registered(&service, "Helix").await;
    let mut browser = service.signed_in(LEAD).await;
    let code = client.code(&mut browser).await;
    let (_, tokens) = client.exchange(&code, &[]).await;
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(call(&service, access).await.0, 200);
    let (status, refused) = client.exchange(&code, &[]).await;
    assert_eq!((status, &refused["error"]), (400, &json!("invalid_grant")));
    assert_eq!(call(&service, access).await.0, 401);
    let late = client.code(&mut browser).await;
    service.advance_clock(61 * Timestamp::SECOND);
    let (status, refused) = client.exchange(&late, &[]).await;
    assert!(
        status == 400 && refused["error_description"].as_str().unwrap().contains("expired"),
        "{refused}"
    );
}

#[tokio::test]
async fn two_uses_at_once_leave_no_access() {
    let service = Service::start().await;
    let client = TestClient::registered(&service, "Helix").await;
    let mut browser = service.signed_in(LEAD).await;
    let (_, refresh) = client.tokens(&mut browser).await;
    let uses = [
        client.refresh(&refresh),
        client.refresh(&refresh),
        client.refresh(&refresh),
    ];
    let [one, two, three] = uses;
    let (one, two, three) = tokio::join!(one, two, three);
    let given: Vec<_> = [one, two, three]
        .into_iter()
        .filter(|(status, _)| *status == 200)
        .collect();
    assert!(given.len() <= 1, "{given:?}");
    for (_, tokens) in given {
        assert_eq!(call(&service, tokens["access_token"].as_str().unwrap()).await.0, 401);
    }
    assert_eq!(service.entries("token.revoked").await.len(), 1);
}

#[tokio::test]
async fn tokens_end_with_the_age_of_the_persons_roles() {
    let service = Service::start().await;
    let client = TestClient::registered(&service, "Helix").await;
    let mut browser = service.signed_in(LEAD).await;
    let (_, refresh) = client.tokens(&mut browser).await;
    service.advance_clock(20 * Timestamp::DAY);
    let (status, renewed) = client.refresh(&refresh).await;
    assert_eq!(status, 200, "{renewed}");
    service.advance_clock(11 * Timestamp::DAY);
    let refresh = renewed["refresh_token"].as_str().unwrap();
    let (status, refused) = client.refresh(refresh).await;
    let why = refused["error_description"].as_str().unwrap();
    assert!(status == 400 && why.contains("makes the person sign in"), "{why}");
    service.signed_in(LEAD).await;
    let (status, renewed) = client.refresh(refresh).await;
    assert_eq!(status, 200, "the refused use did not spend it: {renewed}");
    // A refresh token that is not used for 30 days ends, whatever the person does.
    service.advance_clock(31 * Timestamp::DAY);
    service.signed_in(LEAD).await;
    let (status, refused) = client.refresh(renewed["refresh_token"].as_str().unwrap()).await;
    assert!(
        status == 400 && refused["error_description"].as_str().unwrap().contains("expired"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_client_gives_its_access_back() {
    let service = Service::start().await;
    let client = TestClient::registered(&service, "Helix").await;
    let other = TestClient::registered(&service, "Otto").await;
    let mut browser = service.signed_in(LEAD).await;
    let (access, refresh) = client.tokens(&mut browser).await;
    let revoke = async |id: &str, token: &str| {
        let form = [
            ("client_id", id),
            ("token", token),
            ("token_type_hint", "refresh_token"),
        ];
        let request = service.browser().program(Method::POST, "/oauth/revoke").form(&form);
        service.browser().send(request).await.status
    };
    assert_eq!(revoke(&other.id, &refresh).await, 400);
    assert_eq!(call(&service, &access).await.0, 200);
    assert_eq!(revoke(&client.id, "loopiq_nothing").await, 200);
    assert_eq!(revoke(&client.id, &refresh).await, 200);
    assert_eq!(revoke(&client.id, &refresh).await, 200);
    assert_eq!(call(&service, &access).await.0, 401);
    let [revoked] = service.entries("token.revoked").await.try_into().unwrap();
    assert_eq!(
        (&revoked["details"]["by"], &revoked["actor"]["name"]),
        (&json!("client"), &json!("Helix"))
    );
}
