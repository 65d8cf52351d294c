//! Settings, and redirects to untrusted addresses.

use super::*;

#[tokio::test]
async fn a_missing_required_claim_is_named() {
    let provider = Provider::serve().await;
    for (tenant_claim, roles_claim, missing) in [("org.tenant", "roles", "org.tenant"), ("roles.0", "roles", "roles.0")]
    {
        let settings = OidcSettings {
            tenant_claim: tenant_claim.to_owned(),
            roles_claim: roles_claim.to_owned(),
            ..provider.settings()
        };
        let oidc = Oidc::new(settings).unwrap();
        let (pending, callback) = provider.sign_in(&oidc).await;
        let outcome = provider.finish(&oidc, pending, &callback).await;
        assert!(matches!(outcome, Err(OidcError::MissingClaim { claim, .. }) if claim == missing));
    }
}

#[tokio::test]
async fn wrong_settings_are_told_apart_from_an_unreachable_provider() {
    let provider = Provider::serve().await;
    let with = |issuer: &str, redirect_url: &str| {
        Oidc::new(OidcSettings {
            issuer: issuer.to_owned(),
            redirect_url: redirect_url.to_owned(),
            ..provider.settings()
        })
    };
    for (issuer, redirect_url) in [
        ("idp.example", CALLBACK),
        ("http://idp.example", CALLBACK),
        // Some resolvers ask a DNS server for names below localhost.
        ("http://idp.localhost", CALLBACK),
        ("https://idp.example", "/auth/callback"),
    ] {
        assert!(matches!(
            with(issuer, redirect_url),
            Err(OidcError::Misconfigured { .. })
        ));
    }
    assert!(with("https://idp.example", CALLBACK).is_ok());
    // With a trailing slash it is another issuer than the one in the provider's metadata.
    let slash = with(&format!("{}/", provider.issuer), CALLBACK).unwrap();
    let error = slash.start("/", START).await.err().unwrap();
    assert!(matches!(error, OidcError::Misconfigured { .. }));
    assert!(cause(&error).contains("unexpected issuer"), "{}", cause(&error));
}

#[test]
fn only_local_paths_are_returned_to() {
    for local in ["/", "/actions/act_1?x=%20y&next=//z#a", "/a//b"] {
        assert_eq!(local_path(local), local);
    }
    let long = format!("/{}", "a".repeat(2_048));
    for foreign in [
        "",
        "a",
        "//evil.example",
        "/\\evil.example",
        "\\/evil",
        "https://evil.example",
        "/\t/evil.example",
        "/a\r\nb",
        "/a b",
        "/\u{7f}",
        "/ü",
        " /a",
        "javascript:alert(1)",
        long.as_str(),
    ] {
        assert_eq!(local_path(foreign), "/", "{foreign:?}");
    }
}

#[tokio::test]
async fn the_provider_s_metadata_is_followed() {
    let provider = Provider::serve().await;
    provider.tamper("/openid-configuration", |metadata| {
        metadata["end_session_endpoint"] = "https://idp.example/bye?x=1".into();
        metadata["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]);
        metadata["id_token_signing_alg_values_supported"] = json!(["RS256", "HS256", "XY1", "ES256"]);
    });
    let oidc = provider.oidc();
    let (pending, callback) = provider.sign_in(&oidc).await;
    provider.finish(&oidc, pending, &callback).await.unwrap();
    let expected = "https://idp.example/bye?x=1&client_id=loopiq&post_logout_redirect_uri=http%3A%2F%2F127.0.0.1%3A3000%2F&state=signed-out";
    for oidc in [oidc, provider.oidc()] {
        let url = oidc.end_session_url(None, Some("http://127.0.0.1:3000/"), START).await;
        assert_eq!(url.as_deref(), Some(expected), "also before anybody has signed in");
        let url = oidc
            .end_session_url(Some("a.b.c&d"), Some("http://127.0.0.1:3000/"), START)
            .await;
        assert_eq!(url, Some(format!("{expected}&id_token_hint=a.b.c%26d")));
    }
    provider.exchange_routes(Router::new());
    assert_eq!(
        provider.oidc().end_session_url(None, None, START).await,
        None,
        "the provider is down"
    );
}

#[tokio::test]
async fn an_untrusted_sign_out_page_is_not_linked() {
    for address in [
        "javascript:alert(1)",
        "http://idp.example/bye",
        "data:text/html,x",
        "ftp://127.0.0.1/bye",
    ] {
        let provider = Provider::serve().await;
        let metadata = format!(r#"{{"end_session_endpoint":{address:?}}}"#);
        let honest = provider.app.lock().unwrap().clone();
        provider.exchange_routes(Router::new().fallback(async move |request: Request| {
            let is_it = request.uri().path().ends_with("/openid-configuration");
            let response = honest.oneshot(request).await.unwrap();
            if !is_it {
                return response;
            }
            let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
            let mut value: Value = serde_json::from_slice(&bytes).unwrap();
            let more: Value = serde_json::from_str(&metadata).unwrap();
            value["end_session_endpoint"] = more["end_session_endpoint"].clone();
            axum::response::IntoResponse::into_response(axum::Json(value))
        }));
        let oidc = provider.oidc();
        let (pending, callback) = provider.sign_in(&oidc).await;
        provider.finish(&oidc, pending, &callback).await.unwrap();
        assert_eq!(oidc.end_session_url(None, None, START).await, None, "{address}");
    }
}

#[tokio::test]
async fn an_untrusted_provider_gets_no_request() {
    let provider = Provider::serve().await;
    let changes: [fn(&mut Value); 5] = [
        |metadata| metadata["token_endpoint"] = "http://idp.example/token".into(),
        |metadata| metadata["authorization_endpoint"] = "javascript:alert(1)".into(),
        |metadata| metadata["token_endpoint"] = Value::Null,
        |metadata| metadata["id_token_signing_alg_values_supported"] = json!(["none", "HS256"]),
        |metadata| metadata["issuer"] = "https://idp.example".into(),
    ];
    for change in changes {
        provider.restart();
        provider.tamper("/openid-configuration", change);
        let error = provider.oidc().start("/", START).await.err().unwrap();
        assert!(matches!(error, OidcError::Misconfigured { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn the_log_says_why_a_token_gives_no_role() {
    let provider = Provider::serve().await;
    let ops = roles::mapping("ops=operator").unwrap();
    for (claims, mapping, says) in [
        (
            json!({}),
            RoleMapping::default(),
            "the token has no claim roles, and the catalog",
        ),
        (
            json!({}),
            ops.clone(),
            "the token has no claim roles or groups, and the catalog",
        ),
        (
            json!({ "roles": [] }),
            RoleMapping::default(),
            "the claim roles is empty",
        ),
        (
            json!({ "roles": ["painter", "a\u{202E}b"] }),
            RoleMapping::default(),
            "names no role of this service: painter, a⟦U+202E⟧b",
        ),
        (
            json!({ "groups": ["devs"] }),
            ops.clone(),
            "the claim roles or groups names no role and no mapped group; its groups: devs",
        ),
    ] {
        let settings = OidcSettings {
            role_mapping: mapping,
            ..provider.settings()
        };
        let oidc = Oidc::new(settings).unwrap();
        let mut complete = json!({ "sub": "1", "tenant": "acme", "email": "a@acme.example" });
        complete
            .as_object_mut()
            .unwrap()
            .extend(claims.as_object().unwrap().clone());
        let assertion = oidc.read_claims(complete.as_object().unwrap()).unwrap();
        let why = oidc.why_no_role(&assertion);
        assert!(why.contains(says), "{claims}: {why}");
    }
}
