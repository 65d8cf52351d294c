//! Audit entries of sign-ins: one for each that succeeded, and one with the reason for each that failed in a known tenant.

use crate::support::{Answer, Browser, Service};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use loopiq::domain::Timestamp;
use loopiq_server::net::RequestSettings;
use serde_json::Value;

const REVIEWER: &str = "reviewer@acme.example";
const FAILED: &str = "session.sign_in_failed";

#[tokio::test]
async fn a_sign_in_is_recorded_after_it_succeeded_and_names_its_session() {
    let service = Service::start().await;
    let mut browser = service.signed_in(REVIEWER).await;
    browser.post("/logout", &[]).await;
    let [entry] = service.entries("session.signed_in").await.try_into().unwrap();
    assert_eq!(entry["actor"]["email"], REVIEWER);
    assert_eq!(
        (&entry["outcome"], &entry["source"]["address"]),
        (&"ok".into(), &"127.0.0.1".into())
    );
    assert_eq!(entry["details"]["roles"][0], "reviewer");
    let session = entry["source"]["session"].as_str().unwrap();
    let [out] = service.entries("session.signed_out").await.try_into().unwrap();
    assert_eq!(out["source"]["session"], session);
    // Sixteen digits of the digest: the whole digest would give away the value of decision forms.
    assert_eq!(session.len(), 16);
    assert!(service.entries(FAILED).await.is_empty());
}

#[tokio::test]
async fn a_person_without_a_role_did_not_sign_in() {
    let service = Service::start().await;
    for email in ["guest@acme.example", "painter@acme.example"] {
        assert_eq!(service.browser().sign_in(email, "/login").await.status, 403);
        let entry = service.entries(FAILED).await.pop().unwrap();
        assert_eq!(entry["actor"]["email"], email);
        assert_eq!(
            (&entry["details"]["code"], &entry["outcome"]),
            (&"no_role".into(), &"refused".into())
        );
        assert_eq!(entry["source"]["address"], "127.0.0.1");
    }
    assert!(service.entries("session.signed_in").await.is_empty());
}

#[tokio::test]
async fn a_failure_without_a_tenant_is_in_no_log() {
    let service = Service::start().await;
    let stranger = service.browser().sign_in("stranger@nowhere.example", "/login").await;
    assert_eq!(stranger.status, 403);
    let mut browser = service.browser();
    let cancelled = browser.choose("/login", ("cancel", "yes")).await;
    assert_eq!(browser.get(&cancelled).await.status, 400);
    assert_eq!(browser.get("/auth/callback?code=a&state=b").await.status, 400);
    assert!(service.entries(FAILED).await.is_empty());
    assert!(service.entries("session.signed_in").await.is_empty());
}

/// Signs in with another nonce than the service chose: the provider signs it, and the token belongs to another sign-in.
async fn with_wrong_nonce(browser: &mut Browser) -> Answer {
    let redirect = browser.get("/login").await;
    let query = redirect.location().split_once('?').unwrap().1.to_owned();
    let form: Vec<(String, String)> = openidconnect::url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .map(|(name, value)| {
            if name == "nonce" {
                (name, "other".to_owned())
            } else {
                (name, value)
            }
        })
        .chain([("person".to_owned(), REVIEWER.to_owned())])
        .collect();
    let form: Vec<(&str, &str)> = form
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let back = browser.post("/demo-idp/authorize", &form).await;
    assert_eq!(back.status, 303, "{}", back.text);
    browser.get(back.location()).await
}

#[tokio::test]
async fn a_token_of_another_sign_in_is_recorded_with_the_person_it_names() {
    let service = Service::start().await;
    assert_eq!(with_wrong_nonce(&mut service.browser()).await.status, 502);
    let [entry] = service.entries(FAILED).await.try_into().unwrap();
    let details = &entry["details"];
    assert_eq!(
        (&details["code"], &details["email"]),
        (&"wrong_nonce".into(), &REVIEWER.into())
    );
    assert_eq!(details["subject"], REVIEWER);
    assert_eq!(entry["actor"]["kind"], "system", "nobody has signed in");
    assert_eq!(entry["source"]["kind"], "request");
}

/// Changes the claims of each ID token that the provider sends, without signing it again.
async fn forge(request: Request, next: Next) -> Response {
    let is_token = request.uri().path() == "/demo-idp/token";
    let mut response = next.run(request).await;
    if is_token {
        let body = to_bytes(std::mem::take(response.body_mut()), usize::MAX).await.unwrap();
        let mut tokens: Value = serde_json::from_slice(&body).unwrap();
        let token = tokens["id_token"].as_str().unwrap().to_owned();
        let parts: Vec<&str> = token.split('.').collect();
        let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
        claims["roles"] = serde_json::json!(["operator"]);
        let forged = URL_SAFE_NO_PAD.encode(claims.to_string());
        tokens["id_token"] = format!("{}.{forged}.{}", parts[0], parts[2]).into();
        response.headers_mut().remove("content-length");
        *response.body_mut() = Body::from(tokens.to_string());
    }
    response
}

#[tokio::test]
async fn a_forged_token_is_recorded_without_the_person_it_names() {
    let forging = |router: Router| router.layer(from_fn(forge));
    let service = Service::behind(RequestSettings::default(), forging).await;
    let answer = service.browser().sign_in(REVIEWER, "/login").await;
    assert_eq!(answer.status, 502, "{}", answer.text);
    let [entry] = service.entries(FAILED).await.try_into().unwrap();
    assert_eq!(entry["details"]["code"], "bad_signature");
    assert!(
        !entry.to_string().contains(REVIEWER),
        "an unverified token names nobody: {entry}"
    );
}

#[tokio::test]
async fn failures_of_one_address_cannot_fill_the_log() {
    let service = Service::start().await;
    for _ in 0..12 {
        with_wrong_nonce(&mut service.browser()).await;
    }
    assert_eq!(service.entries(FAILED).await.len(), 10);
    service.advance_clock(11 * Timestamp::MINUTE);
    service.browser().sign_in("guest@acme.example", "/login").await;
    let last = service.entries(FAILED).await.pop().unwrap();
    assert_eq!(
        (&last["details"]["code"], &last["details"]["notRecorded"]),
        (&"no_role".into(), &2.into())
    );
}
