//! Authorization codes, and the token endpoint.

use super::*;

#[tokio::test]
async fn a_code_is_valid_once_and_for_a_minute() {
    let provider = Provider::serve().await;
    let code = provider.code().await;
    provider.now.fetch_add(59, Ordering::Relaxed);
    let (status, tokens) = provider.redeem(&code, &[]).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["id_token"].as_str().unwrap().split('.').count(), 3);
    let (status, refusal) = provider.redeem(&code, &[]).await;
    assert_eq!(
        (status, refusal["error"].as_str()),
        (StatusCode::BAD_REQUEST, Some("invalid_grant"))
    );

    let late = provider.code().await;
    provider.now.fetch_add(60, Ordering::Relaxed);
    let (status, refusal) = provider.redeem(&late, &[]).await;
    assert_eq!(
        (status, refusal["error"].as_str()),
        (StatusCode::BAD_REQUEST, Some("invalid_grant"))
    );
}

#[tokio::test]
async fn a_wrong_verifier_is_refused_and_uses_up_the_code() {
    let provider = Provider::serve().await;
    for change in [
        (
            "code_verifier",
            Some("another-verifier-that-is-long-enough-for-the-rfc"),
        ),
        ("redirect_uri", Some("http://127.0.0.1:3000/")),
    ] {
        let code = provider.code().await;
        let (status, refusal) = provider.redeem(&code, &[change]).await;
        assert_eq!(
            (status, refusal["error"].as_str()),
            (StatusCode::BAD_REQUEST, Some("invalid_grant"))
        );
        assert_eq!(provider.redeem(&code, &[]).await.1["error"], "invalid_grant");
    }
    let code = provider.code().await;
    for (change, status, error) in [
        (("client_secret", Some("wrong")), 401, "invalid_client"),
        (("client_secret", None), 401, "invalid_client"),
        (("client_id", Some("other")), 401, "invalid_client"),
        (("grant_type", Some("password")), 400, "unsupported_grant_type"),
        (("grant_type", None), 400, "invalid_request"),
        (("code_verifier", None), 400, "invalid_request"),
        (("redirect_uri", None), 400, "invalid_request"),
        (("code", None), 400, "invalid_request"),
    ] {
        let (got, refusal) = provider.redeem(&code, &[change]).await;
        assert_eq!(
            (got.as_u16(), refusal["error"].as_str()),
            (status, Some(error)),
            "{change:?}"
        );
    }
    // None of these requests used up the code.
    assert_eq!(provider.redeem(&code, &[]).await.0, StatusCode::OK);
}

#[tokio::test]
async fn basic_credentials_are_form_encoded_and_exclude_other_methods() {
    let provider = Provider::serve().await;
    let url = format!("{}/token", provider.issuer);
    let form = |code: &str| {
        vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", CALLBACK.to_owned()),
            ("code_verifier", VERIFIER.to_owned()),
        ]
    };
    let code = provider.code().await;
    let post = || provider.http.post(&url).basic_auth("loopiq", Some("s3cret%2B%2F%3D"));
    let both = [form(&code), vec![("client_secret", "s3cret+/=".to_owned())]].concat();
    let response = post().form(&both).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let wrong = provider.http.post(&url).basic_auth("loopiq", Some("no"));
    let response = wrong.form(&form(&code)).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(response.headers().contains_key("www-authenticate"));
    let response = post().form(&form(&code)).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let response = post().body("{}").send().await.unwrap();
    assert_eq!(response.json::<Value>().await.unwrap()["error"], "invalid_request");
}

#[tokio::test]
async fn memory_is_bounded() {
    let provider = Provider::serve().await;
    let grant = |at| crate::demo_idp::codes::Grant {
        redirect_uri: CALLBACK.to_owned(),
        code_challenge: CHALLENGE.to_owned(),
        nonce: None,
        person: 0,
        signed_in_at: at,
        acr: crate::demo_idp::ONE_FACTOR,
    };
    let codes = &provider.idp.0.codes;
    let first = codes.issue(grant(0)).unwrap();
    for _ in 0..1_200 {
        codes.issue(grant(0)).unwrap();
    }
    assert_eq!(codes.len(), 1_000);
    assert!(codes.take(&first, 0).is_none());
    codes.issue(grant(60)).unwrap();
    assert_eq!(codes.len(), 1);
}
