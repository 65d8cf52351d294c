//! Logout tokens: what is accepted, and what is not.

use super::tokens::own_key;
use super::*;
use loopiq::domain::Timestamp;

/// A provider that publishes [`own_key`].
async fn provider() -> Provider {
    let provider = Provider::serve().await;
    provider.tamper("/jwks", |keys| {
        keys["keys"] = json!([own_key().public()]);
    });
    provider
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn signed(header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", encoded(header), encoded(claims));
    format!("{message}.{}", own_key().signature(&message))
}

fn claims(provider: &Provider) -> Value {
    json!({
        "iss": provider.issuer, "aud": "loopiq", "iat": START, "exp": START + 120, "jti": "j1", "sub": "reviewer", "sid": "s1",
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    })
}

#[tokio::test]
async fn a_logout_token_names_a_person_a_session_or_both() {
    let provider = provider().await;
    let oidc = provider.oidc();
    let kid = own_key().public()["kid"].clone();
    for header in [
        json!({ "alg": "ES256", "typ": "logout+jwt", "kid": kid }),
        json!({ "alg": "ES256", "typ": "JWT" }),
        json!({ "alg": "ES256" }),
    ] {
        let logout = oidc.logout(&signed(&header, &claims(&provider)), START).await.unwrap();
        let expected = Logout {
            issuer: provider.issuer.clone(),
            subject: Some("reviewer".to_owned()),
            sid: Some("s1".to_owned()),
            issued_at: Timestamp(START * 1_000_000),
        };
        assert_eq!(logout, expected);
    }
    let header = json!({ "alg": "ES256" });
    for missing in ["sub", "sid", "exp"] {
        let mut some = claims(&provider);
        some.as_object_mut().unwrap().remove(missing);
        some["aud"] = json!(["other", "loopiq"]);
        let logout = oidc.logout(&signed(&header, &some), START).await.unwrap();
        assert_eq!(
            (logout.subject.is_none(), logout.sid.is_none()),
            (missing == "sub", missing == "sid")
        );
    }
}

#[tokio::test]
async fn a_token_that_is_no_logout_token_is_refused() {
    let provider = provider().await;
    let oidc = provider.oidc();
    let cases: [(fn(&mut Value), &str); 17] = [
        (|claims| claims["iss"] = "https://other.example".into(), "iss"),
        (|claims| claims["aud"] = "other".into(), "aud"),
        (|claims| claims["aud"] = json!([]), "aud"),
        (|claims| claims["iat"] = (START + 61).into(), "iat"),
        (|claims| claims["iat"] = (START - 601).into(), "iat"),
        (|claims| claims["iat"] = "now".into(), "claims cannot be read"),
        (|claims| claims["exp"] = (START - 61).into(), "exp"),
        (|claims| drop(claims.as_object_mut().unwrap().remove("jti")), "jti"),
        (|claims| claims["jti"] = "".into(), "jti"),
        (|claims| claims["events"] = json!({}), "events"),
        (
            |claims| claims["events"] = json!({ "http://schemas.openid.net/event/backchannel-logout": 1 }),
            "events",
        ),
        (
            |claims| claims["events"] = json!(["http://schemas.openid.net/event/backchannel-logout"]),
            "claims cannot be read",
        ),
        (|claims| claims["nonce"] = "n".into(), "nonce"),
        (|claims| claims["nonce"] = json!({ "n": 1 }), "nonce"),
        (
            |claims| {
                claims.as_object_mut().unwrap().remove("sub");
                claims.as_object_mut().unwrap().remove("sid");
            },
            "neither",
        ),
        (
            |claims| {
                claims["sub"] = "".into();
                claims["sid"] = "".into();
            },
            "neither",
        ),
        (|claims| claims["sid"] = "x".repeat(20_000).into(), "too long"),
    ];
    let refused = async |token: String, says: &str| {
        let error = oidc.logout(&token, START).await.unwrap_err();
        assert!(matches!(error, OidcError::InvalidToken { .. }), "{says}: {error:?}");
        let cause = error.source().map(ToString::to_string).unwrap_or_default();
        assert!(cause.contains(says), "{says}: {cause}");
    };
    let header = json!({ "alg": "ES256" });
    for (change, says) in cases {
        let mut changed = claims(&provider);
        change(&mut changed);
        refused(signed(&header, &changed), says).await;
    }
    let valid = claims(&provider);
    for (header, says) in [
        (json!({ "alg": "none" }), "algorithm"),
        (json!({ "alg": "HS256" }), "algorithm"),
        (json!({ "alg": "RS256" }), "algorithm"),
        (json!({ "alg": "ES256", "typ": "at+jwt" }), "typ"),
        (json!({ "alg": "ES256", "crit": ["x"] }), "crit"),
        (json!({ "alg": 7 }), "header"),
        (json!({}), "header"),
        (json!({ "alg": "ES256", "kid": "other" }), ""),
    ] {
        refused(signed(&header, &valid), says).await;
    }
    let token = signed(&header, &valid);
    let parts: Vec<&str> = token.split('.').collect();
    let mut other = valid.clone();
    other["sub"] = "chief".into();
    let forged = format!("{}.{}.{}", parts[0], encoded(&other), parts[2]);
    for (token, says) in [
        (forged, "signature"),
        (format!("{}.{}.", parts[0], parts[1]), "signature"),
        (format!("{}.{}", parts[0], parts[1]), "three parts"),
        (String::new(), "three parts"),
        ("a.b.!".to_owned(), ""),
    ] {
        refused(token, says).await;
    }
}

#[tokio::test]
async fn a_rotated_key_is_fetched_and_junk_causes_no_discovery() {
    let provider = Provider::serve().await;
    let oidc = provider.oidc();
    let header = json!({ "alg": "ES256", "kid": own_key().public()["kid"] });
    let token = signed(&header, &claims(&provider));
    for _ in 0..5 {
        oidc.logout(&token, START).await.unwrap_err();
    }
    assert_eq!(provider.discoveries.load(Ordering::Relaxed), 1);
    provider.tamper("/jwks", |keys| {
        keys["keys"] = json!([own_key().public()]);
    });
    oidc.logout(&token, START + 31).await.unwrap();
    assert_eq!(provider.discoveries.load(Ordering::Relaxed), 2);
    // The provider is down: its keys are cached for an hour, and then nothing can be verified.
    provider.exchange_routes(Router::new());
    let mut later = claims(&provider);
    later["iat"] = (START + 4_000).into();
    later["exp"] = (START + 4_100).into();
    oidc.logout(&token, START + 60).await.unwrap();
    let error = oidc.logout(&signed(&header, &later), START + 4_000).await.unwrap_err();
    assert!(matches!(error, OidcError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn clocks_that_differ_by_ten_minutes_are_reported_as_that() {
    for (offset, says) in [
        (600, "about 10 minutes ahead of"),
        (-700, "about 12 minutes behind"),
        (90, "about 2 minutes ahead of"),
    ] {
        let provider = Provider::serve().await;
        let oidc = provider.oidc();
        let begun = oidc.start("/", START).await.unwrap();
        provider.now.store(START + offset, Ordering::Relaxed);
        let callback = provider.press(&begun.authorize_url, "person", "reviewer").await;
        let (code, state, iss) = (callback.get("code"), callback.get("state"), callback.get("iss"));
        let error = oidc
            .finish(begun.pending, code, state, Some(iss), START)
            .await
            .unwrap_err();
        assert_eq!(error.code(), "clock_differs");
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(
            error.claimed().and_then(|claimed| claimed.tenant.as_deref()),
            Some("acme")
        );
    }
}
