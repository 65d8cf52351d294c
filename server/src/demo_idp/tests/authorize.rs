//! The authorization endpoint and its page.

use super::*;

#[tokio::test]
async fn the_page_lists_people_by_tenant_and_escapes_everything() {
    let provider = Provider::serve().await;
    let response = provider.ask(&[("state", Some("\"><script>"))]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["cache-control"], "no-store");
    let page = response.text().await.unwrap();
    assert!(page.starts_with("<!doctype html>\n<html lang=\"en\">"));
    assert!(page.contains("name=\"viewport\""));
    assert!(page.contains("href=\"/pkg/loopiq.css?a=1&amp;b=2\""));
    assert!(page.contains("<main>\n<h1>Demo sign-in: choose who you are</h1>"));
    assert!(page.contains("No password: this provider exists only in a demo."));
    assert!(page.contains("name=\"state\" value=\"&quot;&gt;&lt;script&gt;\""));
    assert!(page.contains("Rae &lt;b&gt;&quot;O&#39;Neil&quot; &amp; co"));
    assert!(!page.contains("<script") && !page.contains("<b>") && !page.contains("style="));
    assert_eq!(page.matches("class=\"idp-person\"").count(), 3);
    assert_eq!(page.matches("<h2 ").count(), 2);
    // Both people of acme are listed before globex.
    assert!(page.find("ada@acme.example").unwrap() < page.find(">globex<").unwrap());
}

#[tokio::test]
async fn unknown_clients_are_never_redirected() {
    let provider = Provider::serve().await;
    for changes in [
        [("client_id", Some("other"))],
        [("client_id", None)],
        [("redirect_uri", Some("http://127.0.0.1:3000/auth/callback/"))],
        [("redirect_uri", Some("https://evil.example/"))],
        [("redirect_uri", None)],
    ] {
        for response in [provider.ask(&changes).await, provider.choose(&changes, "rae").await] {
            assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{changes:?}");
            assert!(!response.headers().contains_key("location"));
        }
    }
    let url = format!("{}/authorize?client_id=loopiq&client_id=loopiq", provider.issuer);
    let response = provider.http.get(url).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_known_client_is_told_what_is_wrong() {
    let provider = Provider::serve().await;
    let long = "n".repeat(513);
    for (change, error) in [
        (("state", None), "invalid_request"),
        (("response_type", Some("token")), "unsupported_response_type"),
        (("response_type", None), "invalid_request"),
        (("response_mode", Some("fragment")), "invalid_request"),
        (("request", Some("jwt")), "request_not_supported"),
        (("request_uri", Some("urn:x")), "request_uri_not_supported"),
        (("scope", Some("email")), "invalid_scope"),
        (("code_challenge", None), "invalid_request"),
        (("code_challenge", Some(VERIFIER.split_at(9).0)), "invalid_request"),
        (("code_challenge_method", Some("plain")), "invalid_request"),
        (("code_challenge_method", None), "invalid_request"),
        (("nonce", Some(long.as_str())), "invalid_request"),
        (("prompt", Some("none")), "login_required"),
    ] {
        for response in [provider.ask(&[change]).await, provider.choose(&[change], "rae").await] {
            let answer = redirect_params(&response);
            assert_eq!(answer.get("error"), Some(error), "{change:?}");
            assert_eq!(answer.get("iss"), Some(provider.issuer.as_str()));
            assert_eq!(answer.get("code"), None);
        }
    }
    let cancelled = provider.choose(&[("cancel", Some("yes"))], "rae").await;
    assert_eq!(redirect_params(&cancelled).get("error"), Some("access_denied"));
    assert_eq!(provider.choose(&[], "nobody").await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(provider.idp.0.codes.len(), 0);
}

#[tokio::test]
async fn the_way_of_authenticating_is_the_first_known_one_that_the_client_asks_for() {
    let provider = Provider::serve().await;
    for (acr_values, acr) in [
        (None, "demo:one-factor"),
        (Some("gold"), "demo:one-factor"),
        (Some("gold demo:two-factors demo:one-factor"), "demo:two-factors"),
        (Some("demo:one-factor demo:two-factors"), "demo:one-factor"),
    ] {
        let changes = [
            ("acr_values", acr_values),
            ("prompt", Some("login")),
            ("max_age", Some("0")),
        ];
        let page = provider.ask(&changes).await.text().await.unwrap();
        assert_eq!(
            page.contains("asks for two factors"),
            acr == "demo:two-factors",
            "{page}"
        );
        assert!(
            page.contains("name=\"prompt\" value=\"login\"") && page.contains("name=\"max_age\" value=\"0\""),
            "{page}"
        );
        let answer = redirect_params(&provider.choose(&changes, "rae").await);
        let (_, tokens) = provider.redeem(answer.get("code").unwrap(), &[]).await;
        let token = tokens["id_token"].as_str().unwrap().to_owned();
        let claims = crate::oidc::claims_of(&token).unwrap();
        assert_eq!(claims["acr"], acr, "{acr_values:?}");
        assert_eq!(
            claims["auth_time"], claims["iat"],
            "choosing a person is the authentication"
        );
    }
    for (name, value) in [("max_age", "soon"), ("max_age", "-1"), ("prompt", "login none")] {
        let answer = redirect_params(&provider.ask(&[(name, Some(value))]).await);
        assert_eq!(answer.get("error"), Some("invalid_request"), "{name}={value}");
    }
}
