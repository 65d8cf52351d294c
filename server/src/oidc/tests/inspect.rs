//! What a report asks about a provider, and samples of tokens.

use super::*;

/// An ID token of the reviewer.
async fn id_token(provider: &Provider) -> String {
    let (pending, callback) = provider.sign_in(&provider.oidc()).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", callback.get("code")),
        ("redirect_uri", CALLBACK),
        ("code_verifier", &pending.pkce_verifier),
        ("client_id", "loopiq"),
        ("client_secret", SECRET),
    ];
    let request = provider.browser.post(format!("{}/token", provider.issuer)).form(&form);
    let response: Value = request.send().await.unwrap().json().await.unwrap();
    response["id_token"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn a_sample_is_verified_whatever_its_age() {
    let provider = Provider::serve().await;
    let token = id_token(&provider).await;
    let a_week_later = START + 7 * 86_400;
    let person = provider.oidc().verify_sample(&token, a_week_later).await.unwrap();
    assert_eq!(
        (person.tenants[0].as_str(), person.sign_in.subject.as_str()),
        ("acme", "reviewer")
    );
    assert_eq!(claims_of(&token).unwrap()["tenant"], "acme");

    let other = Oidc::new(OidcSettings {
        client_id: "other".to_owned(),
        ..provider.settings()
    });
    let error = other.unwrap().verify_sample(&token, START).await.unwrap_err();
    assert_eq!(error.code(), "wrong_audience");
    let (head, rest) = token.split_once('.').unwrap();
    let forged = json!({ "iss": provider.issuer, "aud": "loopiq", "sub": "reviewer", "iat": START, "exp": START + 60 });
    let signature = rest.split_once('.').unwrap().1;
    let forged = format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode(forged.to_string()));
    let error = provider.oidc().verify_sample(&forged, START).await.unwrap_err();
    assert_eq!(error.code(), "bad_signature");
    for text in ["", "opaque", "a.b.c"] {
        assert!(provider.oidc().verify_sample(text, START).await.is_err(), "{text}");
    }
    provider.restart();
    let error = provider.oidc().verify_sample(&token, START).await.unwrap_err();
    assert_eq!(error.code(), "bad_signature", "the key was replaced");
}

#[tokio::test]
async fn the_provider_says_whether_it_knows_the_client_and_its_callback() {
    let provider = Provider::serve().await;
    let with = |secret: &str, redirect_url: &str| {
        Oidc::new(OidcSettings {
            client_secret: secret.to_owned(),
            redirect_url: redirect_url.to_owned(),
            ..provider.settings()
        })
        .unwrap()
    };
    let known = with(SECRET, CALLBACK);
    assert_eq!(known.accepts_client(START).await.unwrap(), Answer::Yes);
    assert_eq!(known.accepts_redirect_url(START).await.unwrap(), Answer::Yes);
    let wrong = with("wrong", "http://127.0.0.1:3000/other");
    assert!(matches!(wrong.accepts_client(START).await.unwrap(), Answer::No(says) if says.contains("invalid_client")));
    assert!(matches!(wrong.accepts_redirect_url(START).await.unwrap(), Answer::No(says) if says.contains("400")));
    // A page instead of a redirect says neither.
    let page = Router::new().fallback(|| async { "please sign in" });
    let honest = provider.app.lock().unwrap().clone();
    known.facts(START).await.unwrap();
    provider.exchange_routes(page);
    assert!(matches!(
        known.accepts_redirect_url(START).await.unwrap(),
        Answer::Unclear(_)
    ));
    assert!(matches!(
        known.accepts_client(START).await,
        Err(OidcError::Unreachable { .. })
    ));
    provider.exchange_routes(honest);
}

#[tokio::test]
async fn a_provider_without_s256_or_client_secrets_is_refused_at_sign_in_too() {
    let cases: [(&str, fn(&mut Value)); 3] = [
        ("code_challenge_methods_supported", |value| {
            value["code_challenge_methods_supported"] = json!(["plain"]);
        }),
        ("code_challenge_methods_supported", |value| {
            value["code_challenge_methods_supported"] = json!([]);
        }),
        ("token_endpoint_auth_methods_supported", |value| {
            value["token_endpoint_auth_methods_supported"] = json!(["private_key_jwt"]);
        }),
    ];
    for (key, change) in cases {
        let provider = Provider::serve().await;
        provider.tamper("/openid-configuration", change);
        let error = provider.oidc().start("/", START).await.err().unwrap();
        assert!(matches!(error, OidcError::Misconfigured { .. }), "{key}");
        assert!(cause(&error).contains(key), "{}", cause(&error));
    }
    // Entra ID supports S256 and does not say so.
    let provider = Provider::serve().await;
    provider.tamper("/openid-configuration", |value| {
        value
            .as_object_mut()
            .unwrap()
            .remove("code_challenge_methods_supported");
    });
    assert!(provider.oidc().start("/", START).await.is_ok());
    assert!(!provider.oidc().facts(START).await.unwrap().says_s256);
}
