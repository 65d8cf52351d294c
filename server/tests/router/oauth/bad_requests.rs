//! Requests that get nothing, each with the reason.

use super::{CALLBACK, LEAD, TestClient, call, parameters, register};
use crate::support::Service;
use serde_json::{Value, json};

#[tokio::test]
async fn an_untrusted_redirect_is_shown_and_never_followed() {
    let service = Service::start().await;
    let client = TestClient::registered(&service, "Helix").await;
    let mut browser = service.signed_in(LEAD).await;
    for (change, says) in [
        (
            ("redirect_uri", "http://127.0.0.1:51234/callback/"),
            "character by character",
        ),
        (
            ("redirect_uri", "http://localhost:51234/callback"),
            "character by character",
        ),
        (
            ("redirect_uri", "https://evil.example/callback"),
            "character by character",
        ),
        (
            ("redirect_uri", "http://127.0.0.1:51234/callback#x"),
            "character by character",
        ),
        (("redirect_uri", ""), "no redirect_uri"),
        (("client_id", "made up"), "not one that this service has given out"),
        (("client_id", ""), "no client_id"),
        (("client_id", "https://10.0.0.1/client"), "not at a public address"),
        (("client_id", "http://app.example/client"), "must be a URL with https"),
    ] {
        let refused = browser.get(&client.request(&[change])).await;
        assert_eq!(
            (refused.status, refused.location()),
            (400, ""),
            "{change:?}: {}",
            refused.text
        );
        assert!(refused.text.contains(says), "{change:?}: {}", refused.text);
    }
    let twice = format!("{}&redirect_uri=https%3A%2F%2Fevil.example%2F", client.request(&[]));
    assert_eq!(browser.get(&twice).await.status, 400);
    let long = client.request(&[("state", &"x".repeat(2_048))]);
    assert_eq!(service.browser().get(&long).await.status, 414, "before the sign-in");
}

#[tokio::test]
async fn other_errors_go_back_to_the_client() {
    let service = Service::start().await;
    let client = TestClient::registered(&service, "Helix").await;
    let mut browser = service.signed_in(LEAD).await;
    for (change, code) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("resource", "https://other.example/mcp"), "invalid_target"),
        (("scope", "openid"), "invalid_scope"),
    ] {
        let sent = browser.get(&client.request(&[change])).await;
        assert_eq!(sent.status, 303);
        assert!(sent.location().starts_with(CALLBACK), "{}", sent.location());
        let sent = parameters(sent.location());
        assert_eq!(
            (sent["error"].as_str(), sent["state"].as_str()),
            (code, "of the client"),
            "{change:?}"
        );
        assert_eq!(sent["iss"], service.url);
    }
}

#[tokio::test]
async fn an_error_leads_to_no_site_before_the_person_has_answered() {
    let service = Service::start().await;
    let site = "https://app.example/callback?a=b";
    for redirect in [site, "cursor://anysphere.cursor-retrieval/oauth"] {
        let metadata = json!({ "client_name": "Site", "redirect_uris": [redirect] });
        let registered: Value = serde_json::from_str(&register(&service, &metadata).await.text).unwrap();
        let id = registered["client_id"].as_str().unwrap().to_owned();
        let client = TestClient { service: &service, id };
        let mut lead = service.signed_in(LEAD).await;
        let mut auditor = service.signed_in("auditor@acme.example").await;
        for (browser, change, code) in [
            (&mut lead, ("code_challenge_method", "plain"), "invalid_request"),
            (&mut auditor, ("scope", "loopiq:read"), "access_denied"),
        ] {
            let refused = browser
                .get(&client.request(&[("redirect_uri", redirect), change]))
                .await;
            assert_eq!((refused.status, refused.location()), (400, ""), "{}", refused.text);
            let link = format!("href=\"{}", redirect.replace('&', "&amp;"));
            assert!(
                refused.text.contains(&link) && refused.text.contains(&format!("error={code}")),
                "{}",
                refused.text
            );
        }
    }
}

#[tokio::test]
async fn a_code_is_for_one_client_one_redirect_and_one_verifier() {
    let service = Service::start().await;
    let client = TestClient::registered(&service, "Helix").await;
    let other = TestClient::registered(&service, "Otto").await;
    let mut browser = service.signed_in(LEAD).await;
    let code = client.code(&mut browser).await;
    let wrong_verifier = "x".repeat(43);
    for (change, error) in [
        (("code_verifier", wrong_verifier.as_str()), "invalid_grant"),
        (("code_verifier", "short"), "invalid_request"),
        (("code_verifier", ""), "invalid_request"),
        (("redirect_uri", "http://127.0.0.1:51234/callback/"), "invalid_grant"),
        (("redirect_uri", "http://127.0.0.1:51235/callback"), "invalid_grant"),
        (("client_id", other.id.as_str()), "invalid_grant"),
        (("client_id", ""), "invalid_request"),
        (("code", "loopiq_code_x"), "invalid_grant"),
        (("resource", "https://other.example/mcp"), "invalid_target"),
        (("grant_type", "client_credentials"), "unsupported_grant_type"),
        (("grant_type", "password"), "unsupported_grant_type"),
        (("grant_type", ""), "invalid_request"),
    ] {
        let (status, refused) = client.exchange(&code, &[change]).await;
        assert_eq!(
            (status, &refused["error"]),
            (400, &json!(error)),
            "{change:?}: {refused}"
        );
        assert!(
            refused["error_description"].as_str().is_some_and(|why| why.len() > 20),
            "{refused}"
        );
    }
    // A code is no access token, and no refresh token either.
    assert_eq!(call(&service, &code).await.0, 401);
    assert_eq!(client.refresh(&code).await.0, 400);
    let (status, tokens) = client.exchange(&code, &[]).await;
    assert_eq!(status, 200, "{tokens}");
    let (access, refresh) = (
        tokens["access_token"].as_str().unwrap(),
        tokens["refresh_token"].as_str().unwrap(),
    );
    assert_eq!(call(&service, refresh).await.0, 401, "a refresh token opens nothing");
    assert_eq!(client.refresh(access).await.0, 400);
    assert_eq!(other.refresh(refresh).await.0, 400);
    assert_eq!(call(&service, access).await.0, 200, "none of it revoked anything");
}

#[tokio::test]
async fn tokens_that_this_service_did_not_make_are_refused() {
    let service = Service::start().await;
    // {"alg":"none"} and a payload with this service as audience.
    let none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJsZWFkQGFjbWUuZXhhbXBsZSJ9.";
    for token in [none, "eyJhbGciOiJIUzI1NiJ9.e30.x", "loopiq_x", "x y"] {
        let (status, challenge) = call(&service, token).await;
        assert_eq!(status, 401, "{token}");
        assert!(challenge.contains("resource_metadata="), "{challenge}");
    }
}

#[tokio::test]
async fn a_registration_without_sense_is_refused_and_none_writes_anything() {
    let service = Service::start().await;
    for (metadata, error) in [
        (json!({}), "invalid_redirect_uri"),
        (
            json!({ "redirect_uris": ["http://evil.example/"] }),
            "invalid_redirect_uri",
        ),
        (
            json!({ "redirect_uris": ["javascript:alert(1)"] }),
            "invalid_redirect_uri",
        ),
        (
            json!({ "redirect_uris": "https://a.example/" }),
            "invalid_client_metadata",
        ),
        (json!([]), "invalid_client_metadata"),
        (
            json!({ "redirect_uris": ["https://a.example/"], "grant_types": ["implicit"] }),
            "invalid_client_metadata",
        ),
        (
            json!({ "redirect_uris": vec![format!("https://a.example/{}", "x".repeat(400)); 5] }),
            "invalid_client_metadata",
        ),
    ] {
        let refused = register(&service, &metadata).await;
        let body: Value = serde_json::from_str(&refused.text).unwrap();
        assert_eq!(
            (refused.status, &body["error"]),
            (400, &json!(error)),
            "{metadata}: {body}"
        );
    }
    let fine = json!({ "redirect_uris": ["https://a.example/"], "token_endpoint_auth_method": "client_secret_post" });
    let given = register(&service, &fine).await;
    let body: Value = serde_json::from_str(&given.text).unwrap();
    assert_eq!(
        (given.status, &body["token_endpoint_auth_method"]),
        (201, &json!("none"))
    );
    assert_eq!(body.get("client_secret"), None);
    for table in ["clients", "grants", "tokens"] {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(&mut service.database.connect().await)
            .await
            .unwrap();
        assert_eq!(rows, 0, "{table}");
    }
    // The flood: 20 at once from one address.
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(register(&service, &fine).await.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 12);
    assert!(statuses.ends_with(&[429]));
}
